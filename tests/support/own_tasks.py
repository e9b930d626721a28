"""Tasks of one's own for tests: a task file beside one file of rows, read as a split."""

import json

from albert.base.errors import UserError
from albert.tasks import mrc_rows, ner_rows, splits
from albert.tasks.task import SPANS, TAGS
from albert.tasks.task_check import with_known_labels
from albert.tasks.task_file import read_task

_READ = {TAGS: ner_rows.read_sentence_split, SPANS: mrc_rows.read_question_split}


def describe(folder, name, **values):
    """Writes the task file of a task whose train, dev and test split are one file; returns its path."""
    files = dict.fromkeys(splits.SPLITS, name)
    path = folder / "task.json"
    path.write_text(json.dumps(dict({"name": "mine", "files": files}, **values)), encoding="utf-8")
    return str(path)


def read(folder, name, content, split="train", **values):
    """Rows of a split of a task whose file has this content: bytes, a text, or what is written as JSON."""
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content, ensure_ascii=False)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    task = read_task(describe(folder, name, **values))
    task = with_known_labels(task, None) if split == splits.TRAIN else task
    return _READ.get(task.kind, splits.read_split)(task, None, split)


def fault(folder, name, content, split="train", **values):
    """The sentence with which such a file is refused, without the folder's name."""
    try:
        read(folder, name, content, split, **values)
    except UserError as error:
        assert "\n" not in str(error)
        return str(error).replace(str(folder) + "/", "")
    raise AssertionError("the file is read")


def lines(*values):
    """JSON lines."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def studio(*tasks, **changes):
    """Export of Label Studio: tasks of (data, results of each annotation)."""
    return [
        {
            "id": number,
            "data": data,
            "annotations": [
                {"completed_by": 1 + place, "was_cancelled": False, "ground_truth": False, "result": found}
                for place, found in enumerate(results)
            ],
            "predictions": [],
            **changes,
        }
        for number, (data, *results) in enumerate(tasks, start=101)
    ]


def region(start, end, text, *labels, control="label"):
    """Result of Label Studio that marks a span."""
    value = {"start": start, "end": end, "text": text, "labels": list(labels)}
    return {"id": "r", "from_name": control, "to_name": "text", "type": "labels", "value": value, "origin": "manual"}


def choice(*labels, control="mood"):
    """Result of Label Studio that chooses labels of a whole text."""
    value = {"choices": list(labels)}
    return {"id": "c", "from_name": control, "to_name": "text", "type": "choices", "value": value}
