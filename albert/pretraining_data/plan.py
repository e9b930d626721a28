"""Plan of a pre-training data set: its settings, its shards, and their description in the sidecar.

Shared by all engines that make records (engine.py).
"""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.features import HELD_OUT, TRAINING
from albert.files.lock import lock_path
from albert.files.reading import describe_files
from albert.files.record_sets import journal_path, shard_paths, sidecar_path
from albert.pretraining_data.output import FORMAT_VERSION, report_path
from albert.pretraining_data.shards import BuildSettings, ShardTask
from albert.pretraining_data.vocabulary import vocabulary_from_tokenizer, vocabulary_to_json
from albert.text.corpus import plan_shards
from tokenization import FullTokenizer

_log = logging.getLogger(__name__)


class Outputs(NamedTuple):
    """Record files of a data set as the user names them: for training and, if wanted, held-out ones.

    Attributes:
      training: the file for training; of several shards each gets a numbered name like it.
      heldout: the same for held-out documents.
      more: further files for training. Where there are any, each of them and `training` is one shard.
    """

    training: str
    heldout: Optional[str] = None
    more: Tuple[str, ...] = ()

    def content(self, name: str) -> str:
        """Returns what the records of one of them are for: features.TRAINING or HELD_OUT."""
        return HELD_OUT if name == self.heldout else TRAINING

    def tasks_of(self, name: str, tasks: Sequence[ShardTask]) -> List[ShardTask]:
        """Returns the shards that belong to one of them."""
        is_heldout = name == self.heldout
        is_shard = bool(self.more) and not is_heldout
        return [task for task in tasks if task.is_heldout == is_heldout and (not is_shard or task.path == name)]

    def names(self) -> List[str]:
        """Returns the names of those that are made."""
        return [self.training, *self.more, *([self.heldout] if self.heldout else [])]

    def training_paths(self, num_shards: int) -> List[str]:
        """Returns the paths of the shards for training."""
        return [self.training, *self.more] if self.more else shard_paths(self.training, num_shards)


class DataSettings(NamedTuple):
    """Settings of a data set: which text becomes which record files, and how.

    Attributes:
      input_file: the text files: names and globs, separated by commas.
      outputs: the record files.
      build: what decides the records.
      num_shards: how many files each of them is divided into; None: one per 512 KiB of text.
      overwrite: whether files that were made with other settings are replaced.
    """

    input_file: str
    outputs: Outputs
    build: BuildSettings
    num_shards: Optional[int] = None
    overwrite: bool = False


def plan_tasks(paths: Sequence[str], outputs: Outputs, num_shards: Optional[int]) -> List[ShardTask]:
    """Divides the text into shards; the held-out documents of each go to a file of their own.

    Raises:
      UserError: the text has fewer documents than there are names for training.
    """
    if outputs.more:
        num_shards = 1 + len(outputs.more)
    shards = plan_shards(paths, num_shards)
    if outputs.more and len(shards) != num_shards:
        raise UserError(
            "--output_file names {} files, the text has documents for {}: name fewer".format(num_shards, len(shards))
        )
    if num_shards and len(shards) < num_shards:
        _log.info("the text has documents for %d of %d shards", len(shards), num_shards)
    paths_of = [(outputs.training_paths(len(shards)), False)]
    if outputs.heldout:
        paths_of.append((shard_paths(outputs.heldout, len(shards)), True))
    return [
        ShardTask(path, number, ranges, is_heldout)
        for own_paths, is_heldout in paths_of
        for number, (path, ranges) in enumerate(zip(own_paths, shards))
    ]


def check_output_paths(paths: Sequence[str], outputs: Outputs, tasks: Sequence[ShardTask]) -> None:
    """Raises `UserError` where an output is an input file, a folder, or would be written twice."""
    inputs = {os.path.realpath(path) for path in paths}
    written = [task.path for task in tasks] + [sidecar_path(name) for name in outputs.names()]
    for path_of in (lock_path, report_path):
        written += [path_of(name) for name in outputs.names()]
    written.append(journal_path(outputs.training))
    seen = set()
    for path in written:
        real_path = os.path.realpath(path)
        if real_path in inputs:
            raise UserError("{} is an input file and would be overwritten: name another --output_file".format(path))
        if os.path.isdir(path):
            raise UserError("{} is a folder: --output_file must name a file".format(path))
        if real_path in seen:
            raise UserError(
                "{} would be written twice: no two names of --output_file and --heldout_file may share it".format(path)
            )
        seen.add(real_path)


def describe_plan(
    settings: BuildSettings,
    tokenizer: FullTokenizer,
    paths: Sequence[str],
    tasks: Sequence[ShardTask],
) -> Dict[str, Any]:
    """Returns everything that decides the bytes of the records, as the sidecar has it."""
    values = settings._asdict()
    chunks = values.pop("chunks")._asdict()
    masking = values.pop("masking")._asdict()
    del values["vocab_file"], values["spm_model_file"]  # their content is described below
    if values["user_dictionary"]:
        values["user_dictionary"] = values["user_dictionary"].sha256
    description = {
        "format_version": FORMAT_VERSION,
        "settings": {**chunks, **masking, **values, "num_shards": 1 + max(task.shard for task in tasks)},
        "vocabulary": {"sha256": tokenizer.vocab_hash, "size": len(tokenizer.vocab)},
        "tokenizer": "sentencepiece" if tokenizer.is_sentencepiece else "wordpiece",
        "input": describe_files(paths),
    }
    if settings.dynamic_masking:
        description["masking_vocabulary"] = vocabulary_to_json(vocabulary_from_tokenizer(tokenizer))
    return description
