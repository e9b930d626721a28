"""Classification tasks of run_classifier.py, each a declaration: files, reader, labels, preset (docs/en/tasks.md).

A new task is a new entry of `_DECLARATIONS`; a file format that no reader knows yet is a new function in clue_rows.py.
A task of your own needs no Python: see task_file.py.
"""

from __future__ import annotations

from typing import Dict, Tuple

from albert.tasks.clue_rows import copa_texts, csl_texts, wsc_texts, xnli_rows
from albert.tasks.delimited_rows import tab_separated
from albert.tasks.json_rows import json_rows, texts_of
from albert.tasks.task import Preset, Task


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
        similar_label="1",
    ),
    Task(
        name="lcqmc_pair",
        labels=_NO_YES,
        files=_files(".txt"),
        read_rows=tab_separated("sentence_a", "sentence_b", "label", labels=_NO_YES),
        preset=Preset(128, 64, 1e-4, 5, 1000),
        similar_label="1",
    ),
    Task(
        name="sentence_pair",
        labels=_NO_YES,
        files=_files(".tsv", ".txt"),
        read_rows=tab_separated("label", "sentence_a", "sentence_b", labels=_NO_YES),
        preset=Preset(128, 64, 1e-4, 5, 1000),
        similar_label="1",
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
        similar_label="1",
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
