"""Tagging tasks of run_ner.py, each a declaration: files, reader, entity types, preset (docs/en/tasks.md)."""

from __future__ import annotations

from typing import Callable, Dict, Sequence, Tuple

from albert.tasks.entities import bio_tags
from albert.tasks.ner_rows import SentenceReader, json_spans
from albert.tasks.tagged_lines import tagged_lines
from albert.tasks.task import TAGS, Preset, Task

_WEIBO_TYPES = tuple("{}.{}".format(kind, form) for kind in ("GPE", "LOC", "ORG", "PER") for form in ("NAM", "NOM"))
_MSRA_TYPES = ("LOC", "ORG", "PER")
_RESUME_TYPES = ("CONT", "EDU", "LOC", "NAME", "ORG", "PRO", "RACE", "TITLE")
_CLUENER_TYPES = (
    "address",
    "book",
    "company",
    "game",
    "government",
    "movie",
    "name",
    "organization",
    "position",
    "scene",
)


def _task(
    name: str,
    types: Sequence[str],
    read_rows: SentenceReader,
    preset: Preset,
    files: Callable[[str], Tuple[str, ...]],
) -> Task:
    return Task(
        name=name,
        labels=bio_tags(types),
        files={split: files(split) for split in ("train", "dev", "test")},
        read_rows=read_rows,
        metric="f1",
        preset=preset,
        kind=TAGS,
    )


# Nothing is published for these tasks; the presets are those of common baselines on models of base size.
_DECLARATIONS = (
    _task(
        "weibo_ner",
        _WEIBO_TYPES,
        tagged_lines(*_WEIBO_TYPES, drops_word_places=True),
        Preset(128, 16, 5e-5, 20, 200),
        lambda split: ("weiboNER_2nd_conll." + split, split + ".txt"),
    ),
    _task(
        "msra_ner",
        _MSRA_TYPES,
        tagged_lines(*_MSRA_TYPES),
        Preset(128, 32, 5e-5, 3, 500),
        lambda split: (split + ".txt", "msra_{}_bio.txt".format(split), split + ".char.bmes"),
    ),
    _task(
        "resume_ner",
        _RESUME_TYPES,
        tagged_lines(*_RESUME_TYPES),
        Preset(128, 16, 5e-5, 10, 200),
        lambda split: (split + ".char.bmes", split + ".txt"),
    ),
    _task(
        "cluener",
        _CLUENER_TYPES,
        json_spans(*_CLUENER_TYPES),
        Preset(128, 32, 5e-5, 5, 300),
        lambda split: (split + ".json",),
    ),
)

NER_TASKS: Dict[str, Task] = {task.name: task for task in _DECLARATIONS}
