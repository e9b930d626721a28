"""The splits of a tagging task as sentences, checked; says which entity types cannot be learnt."""

from __future__ import annotations

import logging
from typing import Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.tasks.classification import Task
from albert.tasks.ner_rows import Sentence
from albert.tasks.splits import SPLIT_WITHOUT_LABELS, TRAIN, split_path

_log = logging.getLogger(__name__)


def read_tagged_splits(task: Task, data_dir: Optional[str], splits: Sequence[str]) -> Dict[str, List[Sentence]]:
    """The sentences of several splits by name; says where an entity type stands in another split but not in train.

    Raises:
      UserError: see `read_split`.
    """
    sentences = {split: read_split(task, data_dir, split) for split in splits}
    trained = {entity.type for sentence in sentences.get(TRAIN, ()) for entity in sentence.entities}
    for split in sentences if TRAIN in sentences else ():
        strange: Dict[str, int] = {}
        for sentence in sentences[split]:
            for entity in sentence.entities or ():
                if entity.type not in trained:
                    strange.setdefault(entity.type, sentence.line)
        for kind, line in strange.items():
            _log.warning(
                "%s: the sentence in line %d has an entity of the type '%s', of which %s has none to learn from.",
                split_path(task, data_dir, split),
                line,
                kind,
                split_path(task, data_dir, TRAIN),
            )
    return sentences


def read_split(task: Task, data_dir: Optional[str], split: str) -> List[Sentence]:
    """Reads and checks all sentences of a split, in file order, at least one.

    Args:
      task: of `ner_tasks`.
      data_dir: the folder that holds its files.
      split: "train", "dev" or "test"; only in the last may sentences come without tags, all of them or none.

    Raises:
      UserError: the file is missing or holds no sentences, or a line of it is not as it must be.
    """
    path = split_path(task, data_dir, split)
    sentences: List[Sentence] = []
    for sentence in task.read_rows(path):
        is_tagged = sentence.entities is not None
        if not is_tagged and split != SPLIT_WITHOUT_LABELS:
            raise UserError(
                "{} line {} has no tags: only the {} split may go without".format(
                    path, sentence.line, SPLIT_WITHOUT_LABELS
                )
            )
        if sentences and is_tagged != (sentences[0].entities is not None):
            lines = (
                (sentence.line, sentences[0].line)
                if sentences[0].entities is None
                else (sentences[0].line, sentence.line)
            )
            raise UserError(
                "{} line {} has tags, but line {} has none: give all sentences tags or none".format(path, *lines)
            )
        sentences.append(sentence._replace(row_id=len(sentences)))
    if not sentences:
        raise UserError(
            "{} holds no sentences: give a file with at least one sentence of the task {}".format(path, task.name)
        )
    return sentences
