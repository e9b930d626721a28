"""Reading comprehension tasks of run_mrc.py, each a declaration: files and preset (docs/en/tasks.md)."""

from __future__ import annotations

from typing import Dict

from albert.tasks.mrc_rows import read_questions
from albert.tasks.task import SPANS, Preset, Task

# Nothing is published for these tasks: 512 tokens and two or three epochs are what BERT took for SQuAD.
_PRESET = Preset(512, 16, 5e-5, 3, 500)

_DECLARATIONS = (
    Task(
        name="cmrc2018",
        labels=(),
        files={
            "train": ("train.json", "cmrc2018_train.json"),
            "dev": ("dev.json", "cmrc2018_dev.json"),
            "test": ("test.json", "cmrc2018_test_2k.json"),
        },
        read_rows=read_questions,
        metric="f1",
        preset=_PRESET,
        kind=SPANS,
    ),
    Task(
        name="drcd",
        labels=(),
        files={
            "train": ("train.json", "DRCD_training.json"),
            "dev": ("dev.json", "DRCD_dev.json"),
            "test": ("test.json", "DRCD_test.json"),
        },
        read_rows=read_questions,
        metric="f1",
        preset=_PRESET,
        kind=SPANS,
    ),
)

MRC_TASKS: Dict[str, Task] = {task.name: task for task in _DECLARATIONS}
