"""Classification tasks of one's own: one label or several a row, from tables, JSON, doccano and Label Studio."""

import pytest

from albert.tasks.task_check import with_known_labels
from albert.tasks.task_file import read_task
from tests.support.own_tasks import choice, describe, fault, lines, read, studio

ROWS = (("好吃", ("味道",)), ("又贵又慢", ("价格", "服务")), ("路过", ()), ("便宜", ("价格",)))
SEVERAL = {
    "lists.jsonl": (lines(*({"text": text, "label": list(labels)} for text, labels in ROWS)), {}),
    "doccano.json": ([{"id": 1, "text": text, "label": list(labels)} for text, labels in ROWS], {"format": "doccano"}),
    "texts.jsonl": (lines(*({"text": text, "label": "|".join(labels)} for text, labels in ROWS)), {}),
    "bars.tsv": ("text\tlabel\n" + "".join("{}\t{}\n".format(text, "|".join(found)) for text, found in ROWS), {}),
    "commas.csv": (
        "text,tags\n" + "".join('{},"{}"\n'.format(text, ", ".join(found)) for text, found in ROWS),
        {"label": "tags", "label_separator": ","},
    ),
    "json.csv": (
        "text,label\n" + "".join('{},"{}"\n'.format(t, str(list(f)).replace("'", '""')) for t, f in ROWS),
        {},
    ),
    "studio.json": (studio(*(({"text": text}, [choice(*found)] if found else []) for text, found in ROWS)), {}),
    "min.json": (
        [
            {"id": n, "text": text, "annotation_id": n, "about": {"choices": list(found)}}
            for n, (text, found) in enumerate(ROWS)
        ],
        {},
    ),
}


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_several_labels_a_row_out_of_every_format(tmp_path, name):
    content, values = SEVERAL[name]
    rows = read(tmp_path, name, content, kind="multilabel", text_a="text", **values)
    assert [(row.text_a, row.labels, row.label) for row in rows] == [(*row, None) for row in ROWS]
    task = with_known_labels(read_task(describe(tmp_path, name, kind="multilabel", text_a="text", **values)), None)
    assert task.labels == ("价格", "味道", "服务") and task.is_multilabel and task.metric == "micro_f1"


def test_labels_of_a_row_are_known_differ_and_are_not_empty(tmp_path):
    multi = {"kind": "multilabel", "text_a": "text"}
    (row, _) = read(tmp_path, "a.tsv", "text\tlabel\n好\t甲|乙|甲\n坏\t乙\n", **multi)
    assert row.labels == ("甲", "乙")
    for content, expected in (
        ("text\tlabel\n好\t甲||乙\n", 'a.tsv line 2 has an empty label among ["甲", "", "乙"]'),
        ("text\tlabel\n好\t甲,乙\n", "a.tsv line 2 has the label '甲,乙': if it is several, name what separates them"),
        ("text\tlabel\n好\t甲\n", "a.tsv has only one label ('甲'): a classifier needs at least two"),
        ("text\tlabel\n好\t\n", "a.tsv has no label: a classifier needs at least two"),
    ):
        assert fault(tmp_path, "a.tsv", content, **multi).startswith(expected)
    one = read(tmp_path, "a.tsv", "text\tlabel\n好\t甲,乙\n坏\t丙\n", label_separator="|", **multi)
    assert one[0].labels == ("甲,乙",)
    for split in ("dev", "test"):
        found = fault(tmp_path, "a.tsv", "text\tlabel\n好\t甲|丙\n", split, labels=["甲", "乙"], **multi)
        assert found == "a.tsv line 2 has the unknown label '丙': the labels of the task mine are 甲, 乙"


def test_a_test_file_of_several_labels_may_have_none(tmp_path):
    multi = {"kind": "multilabel", "text_a": "text", "labels": ["甲", "乙"]}
    for content in ("text\n好\n坏\n", "text\tlabel\n好\t\n坏\t\n"):
        assert [row.labels for row in read(tmp_path, "a.tsv", content, "test", **multi)] == [None, None]
    rows = read(tmp_path, "a.tsv", "text\tlabel\n好\t\n坏\t甲\n", "test", **multi)
    assert [row.labels for row in rows] == [(), ("甲",)]
    assert "has no label" in fault(tmp_path, "a.tsv", "text\n好\n", "dev", **multi)


@pytest.mark.parametrize(
    "name, content, values",
    [
        ("doccano.jsonl", lines({"text": "好", "label": ["正"]}, {"text": "坏", "label": ["负"]}), {}),
        ("list.json", [{"text": "好", "label": "正"}, {"text": "坏", "label": "负"}], {}),
        ("studio.json", studio(({"text": "好"}, [choice("正")]), ({"text": "坏"}, [choice("负")])), {}),
        (
            "min.json",
            [
                {"id": 1, "text": "好", "mood": "正", "lead_time": 1},
                {"id": 2, "text": "坏", "mood": "负", "lead_time": 1},
            ],
            {"label": "mood"},
        ),
    ],
)
def test_one_label_a_row_of_labelling_tools(tmp_path, name, content, values):
    rows = read(tmp_path, name, content, text_a="text", **values)
    assert [(row.text_a, row.label, row.labels) for row in rows] == [("好", "正", None), ("坏", "负", None)]


def test_pairs_of_label_studio_and_ids(tmp_path):
    tasks = studio(*(({"a": "甲" * n, "b": "乙"}, [choice(str(n % 2))]) for n in (1, 2)))
    rows = read(tmp_path, "a.json", tasks, kind="pair", text_a="a", text_b="b", id="id")
    assert [(row.text_a, row.text_b, row.label, row.own_id) for row in rows] == [
        ("甲", "乙", "1", 101),
        ("甲甲", "乙", "0", 102),
    ]


@pytest.mark.parametrize(
    "content, expected",
    [
        (
            lines({"text": "好", "label": ["甲", "乙"]}),
            'a.json line 1 has 2 labels (甲, 乙): the "kind" multilabel is for',
        ),
        (lines({"text": "好", "label": []}), "a.json line 1 has no label: only the test split may have none"),
        (lines({"text": "好", "label": [[0, 1, "A"]]}), "a.json line 1 has no label under 'label' but [[0, 1, \"A\"]]"),
        ([{"text": "好", "label": "甲"}, {"text": ""}], "a.json record 2 has an empty first text"),
        (
            studio(({"text": "好"}, [choice("甲", "乙")])),
            'a.json record 1 has 2 labels (甲, 乙): the "kind" multilabel',
        ),
        (
            studio(({"text": "好"}, [choice("甲"), choice("乙", control="other")])),
            "a.json has choices of the controls mood, other: name one with the key 'label'",
        ),
        (studio(({"txt": "好"}, [choice("甲")])), "a.json record 1 has no key 'text' (its keys: txt)"),
        (
            [{"id": 1, "text": "好", "mood": "正", "lead_time": 1}],
            "a.json record 1 has no label: only the test split may have none",
        ),
    ],
)
def test_a_fault_is_named_with_its_line_or_record(tmp_path, content, expected):
    assert fault(tmp_path, "a.json", content, text_a="text").startswith(expected)
