"""The tasks as declarations: files, how rows are read, labels, metric, preset, submission (docs/en/tasks.md).

A new task is a new entry of TASKS; a file format that no reader knows yet is a new function beside `clue_rows`. A task
of your own needs no Python: see `task_file`.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError, nearest
from albert.tasks.clue_rows import copa_texts, csl_texts, wsc_texts, xnli_rows
from albert.tasks.delimited_rows import tab_separated
from albert.tasks.json_rows import json_rows, texts_of
from albert.tasks.rows import RowReader


class Preset(NamedTuple):
    """The flags of run_classifier.py with which a task is fine-tuned, by their names."""

    max_seq_length: int
    train_batch_size: int
    learning_rate: float
    num_train_epochs: float
    save_checkpoints_steps: int


class Task(NamedTuple):
    """What the runners know of a task.

    Attributes:
      name: the value of --task_name, in lower case.
      labels: the label strings as in the training file; the position of a label is its id. Empty where they are to be
        taken from the train split (`task_splits.with_labels`), and where a span of the text is the answer. Of a tagging
        task, the BIO tags.
      files: split ("train", "dev", "test") -> names in the data folder; the first that exists is read.
      read_rows: path of such a file -> its rows in order; checks the format, while `task_splits.read_split` checks
        texts, labels and ids. (Tasks that run_classifier.py does not fine-tune have readers of their own: `mrc_tasks`,
        `ner_tasks`.)
      metric: the figure by which the best checkpoint is chosen; of classification, a key of `metrics.METRICS`.
      preset: how it is fine-tuned; None where nothing is known.
      left_out_labels: labels that say that a row has none: left out of train and dev.
      label_aliases: other names of labels in the files.
      label_descriptions: label -> what the submission says of it as "label_desc"; None where it says nothing.
      num_choices: second texts of which one is to be chosen; 0 where a label is to be told. The labels are then the
        numbers of the choices.
      is_similarity: whether the second label says that the two texts mean the same: what similarity.py asks for.
    """

    name: str
    labels: Tuple[str, ...]
    files: Dict[str, Tuple[str, ...]]
    read_rows: RowReader
    metric: str = "accuracy"
    preset: Optional[Preset] = None
    left_out_labels: Tuple[str, ...] = ()
    label_aliases: Tuple[Tuple[str, str], ...] = ()
    label_descriptions: Optional[Dict[str, str]] = None
    num_choices: int = 0
    is_similarity: bool = False


def _files(*extensions: str) -> Dict[str, Tuple[str, ...]]:
    return {split: tuple(split + extension for extension in extensions) for split in ("train", "dev", "test")}


_NO_YES = ("0", "1")
_INFERENCES = ("contradiction", "entailment", "neutral")
_NOT_AGREED_ON = ("-",)  # by the annotators of OCNLI and CMNLI
_TNEWS_DESCRIPTIONS = {
    "100": "news_story",
    "101": "news_culture",
    "102": "news_entertainment",
    "103": "news_sports",
    "104": "news_finance",
    "106": "news_house",
    "107": "news_car",
    "108": "news_edu",
    "109": "news_tech",
    "110": "news_military",
    "112": "news_travel",
    "113": "news_world",
    "114": "news_stock",
    "115": "news_agriculture",
    "116": "news_game",
}

# The presets of afqmc, cmnli, csl, iflytek, tnews, wsc and lcqmc are the published ones (docs/en/tasks.md, "Presets"),
# but for lcqmc's steps between checkpoints; the others follow the task that is most like them.
_DECLARATIONS = (
    Task(
        name="lcqmc",
        labels=_NO_YES,
        files=_files(".txt"),
        read_rows=tab_separated("sentence_a", "sentence_b", "label", labels=_NO_YES),
        preset=Preset(128, 64, 1e-4, 5, 1000),
        is_similarity=True,
    ),
    Task(
        name="lcqmc_pair",
        labels=_NO_YES,
        files=_files(".txt"),
        read_rows=tab_separated("sentence_a", "sentence_b", "label", labels=_NO_YES),
        preset=Preset(128, 64, 1e-4, 5, 1000),
        is_similarity=True,
    ),
    Task(
        name="sentence_pair",
        labels=_NO_YES,
        files=_files(".tsv", ".txt"),
        read_rows=tab_separated("label", "sentence_a", "sentence_b", labels=_NO_YES),
        preset=Preset(128, 64, 1e-4, 5, 1000),
        is_similarity=True,
    ),
    Task(
        name="xnli",
        labels=_INFERENCES,
        files={
            "train": ("multinli/multinli.train.zh.tsv", "train.json", "train.tsv"),
            "dev": ("xnli.dev.tsv", "dev.json", "dev.tsv"),
            "test": ("xnli.test.tsv", "test.json", "test.tsv"),
        },
        read_rows=xnli_rows,
        preset=Preset(128, 64, 3e-5, 2, 300),
        label_aliases=(("contradictory", "contradiction"),),
    ),
    Task(
        name="afqmc",
        labels=_NO_YES,
        files=_files(".json"),
        read_rows=json_rows(texts_of("sentence1", "sentence2")),
        preset=Preset(128, 16, 2e-5, 3, 300),
        is_similarity=True,
    ),
    Task(
        name="cmnli",
        labels=_INFERENCES,
        files=_files(".json"),
        read_rows=json_rows(texts_of("sentence1", "sentence2")),
        preset=Preset(128, 64, 3e-5, 2, 300),
        left_out_labels=_NOT_AGREED_ON,
    ),
    Task(
        name="ocnli",
        labels=_INFERENCES,
        files=dict(_files(".json"), train=("train.json", "train.50k.json")),
        read_rows=json_rows(texts_of("sentence1", "sentence2")),
        preset=Preset(128, 32, 3e-5, 3, 300),
        left_out_labels=_NOT_AGREED_ON,
    ),
    Task(
        name="csl",
        labels=_NO_YES,
        files=_files(".json"),
        read_rows=json_rows(csl_texts),
        preset=Preset(128, 16, 1e-5, 5, 100),
    ),
    Task(
        name="tnews",
        labels=tuple(_TNEWS_DESCRIPTIONS),
        files=_files(".json"),
        read_rows=json_rows(texts_of("sentence")),
        preset=Preset(128, 16, 2e-5, 3, 300),
        label_descriptions=_TNEWS_DESCRIPTIONS,
    ),
    Task(
        name="iflytek",
        labels=tuple(map(str, range(119))),
        files=_files(".json"),
        read_rows=json_rows(texts_of("sentence")),
        preset=Preset(128, 32, 2e-5, 3, 300),
    ),
    Task(
        name="wsc",
        labels=("true", "false"),
        files=_files(".json"),
        read_rows=json_rows(wsc_texts),
        preset=Preset(128, 16, 1e-5, 10, 10),
    ),
    Task(
        name="copa",
        labels=_NO_YES,
        files=_files(".json"),
        read_rows=json_rows(copa_texts),
        preset=Preset(128, 16, 1e-5, 10, 10),
        num_choices=2,
    ),
    Task(
        name="chnsenticorp",
        labels=_NO_YES,
        files=_files(".tsv"),
        read_rows=tab_separated("label", "text_a", labels=_NO_YES),
        preset=Preset(128, 16, 2e-5, 3, 300),
    ),
)

CLASSIFICATION_TASKS: Dict[str, Task] = {task.name: task for task in _DECLARATIONS}
_OTHER_NAMES = {"cluewsc2020": "wsc"}


def get_classification_task(name: str, table: Optional[Dict[str, Task]] = None) -> Task:
    """Returns the task of this name, in upper or lower case, from a table: TASKS by default.

    Raises:
      UserError: there is none; names the nearest and all that are known.
    """
    table = CLASSIFICATION_TASKS if table is None else table
    lower = name.lower()
    task = table.get(_OTHER_NAMES.get(lower, lower))
    if task is None:
        near = nearest(lower, table)
        raise UserError(
            "unknown task '{}': the nearest known one is {} (known: {})".format(name, near, ", ".join(sorted(table)))
        )
    return task


def label_list(labels: Sequence[str], most: int = 20) -> str:
    """Labels for a sentence; of many, the first and the last."""
    if len(labels) <= most:
        return ", ".join(labels)
    return "{}, …, {} ({} labels)".format(", ".join(labels[:3]), labels[-1], len(labels))
