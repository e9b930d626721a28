"""Check of a task: reads all of its files, as training does, and says in the log what is in each."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Sequence

from albert.tasks.mrc_rows import read_question_splits
from albert.tasks.ner_rows import read_sentence_splits, types_of, with_types
from albert.tasks.splits import SPLITS, TRAIN, read_splits, with_labels
from albert.tasks.task import CLASSIFICATION, SPANS, TAGS, Task, label_list


def with_known_labels(task: Task, data_dir: Optional[str]) -> Task:
    """Returns a task of any kind with its labels; if it declares none, those of its train split.

    Raises:
      UserError: the train split is missing, has a fault, or too few labels.
    """
    if task.kind == SPANS:
        return task
    return with_types(task, data_dir) if task.kind == TAGS else with_labels(task, data_dir)


_READ: Dict[str, Callable[[Task, Optional[str], Sequence[str]], Any]] = {
    CLASSIFICATION: read_splits,
    TAGS: read_sentence_splits,
    SPANS: read_question_splits,
}


def check_files(task: Task, data_dir: Optional[str]) -> str:
    """Reads and checks all files of a task; each split is summed up in a line of the log.

    Args:
      task: with or without its labels.
      data_dir: the folder with its files; None where it has their whole paths.

    Returns:
      What the task is, in a sentence.

    Raises:
      UserError: a file is missing or has a fault.
    """
    if TRAIN in task.files:
        task = with_known_labels(task, data_dir)
    _READ[task.kind](task, data_dir, [split for split in SPLITS if split in task.files])
    return "The task {} has {}.".format(task.name, _labels_in_words(task))


def _labels_in_words(task: Task) -> str:
    if task.kind == SPANS:
        return "questions that spans of their contexts answer"
    names = types_of(task) if task.kind == TAGS else task.labels
    what = "entity types" if task.kind == TAGS else "labels"
    several = ", any number of them a row" if task.is_multilabel else ""
    return "{} {} ({}){}".format(len(names), what, label_list(names), several) if names else "no {}".format(what)
