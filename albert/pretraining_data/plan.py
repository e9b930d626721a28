"""What decides pre-training records, from the command line: settings, shards, and the description in the sidecar.

Shared by all engines that make records: worker processes (create_pretraining_data) and Apache Beam.
"""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError
from albert.files.features import HELD_OUT, TRAINING
from albert.files.lock import lock_path
from albert.files.reading import LOCAL, FileSystem, describe_files
from albert.files.record_sets import journal_path, shard_paths, sidecar_path
from albert.files.tfrecords import COMPRESSIONS, NO_COMPRESSION
from albert.pretraining_data.chunks import SHORTEST_SEQUENCE, ChunkSettings
from albert.pretraining_data.masking import MASK_DRAWS, MaskingSettings
from albert.pretraining_data.output import FORMAT_VERSION, report_path
from albert.pretraining_data.shards import BuildSettings, ShardTask
from albert.pretraining_data.vocabulary import vocabulary_from_tokenizer, vocabulary_to_json
from albert.text import segmentation
from albert.text.corpus import plan_shards
from tokenization import FullTokenizer

_DEFAULT_HELDOUT_SHARE = 0.05

_log = logging.getLogger(__name__)


class Outputs(NamedTuple):
    """The record files as the user names them."""

    training: str
    heldout: Optional[str]

    def content(self, name: str) -> str:
        """What the records of one of them are for: features.TRAINING or HELD_OUT."""
        return HELD_OUT if name == self.heldout else TRAINING

    def tasks_of(self, name: str, tasks: Sequence[ShardTask]) -> List[ShardTask]:
        """The shards that belong to one of them."""
        return [task for task in tasks if task.is_heldout == (name == self.heldout)]

    def names(self) -> List[str]:
        """Those that are made."""
        return [name for name in self if name]


def declare_data_flags(flags: Flags) -> None:
    """The flags that decide the records."""
    flags.string("input_file", None, "text files, plain or gzip: names and globs, separated by commas")
    flags.string("output_file", None, "the TFRecord file to make; several shards get numbered names like it")
    flags.string("vocab_file", None, "the WordPiece vocabulary, one token per line")
    flags.string("spm_model_file", None, "a sentencepiece model that takes the place of the vocabulary")
    flags.boolean("do_lower_case", True, "lower-case the text and drop accents (uncased vocabularies)")
    flags.boolean("do_whole_word_mask", False, "mask whole words; without it every token is masked by itself")
    flags.boolean("non_chinese", False, "words are parted by blanks instead of found by a Chinese segmenter")
    flags.string("user_dictionary", None, "words for the Chinese segmenter, a word a line as jieba takes them")
    flags.integer("max_seq_length", 128, "tokens per sequence", minimum=SHORTEST_SEQUENCE)
    flags.integer("max_predictions_per_seq", 20, "the most tokens to predict in a sequence", minimum=1)
    flags.float("masked_lm_prob", 0.15, "the share of the tokens to predict, between 0 and 1")
    flags.float("short_seq_prob", 0.1, "the share of the sequences with a random shorter length", 0.0, 1.0)
    flags.integer("ngram", 3, "mask runs of up to this many neighbouring units", minimum=1)
    flags.boolean("favor_shorter_ngram", True, "a run of n units has a probability like 1/n; False: reversed")
    flags.choice("mask_draw", "unit", MASK_DRAWS, "draw [MASK], kept or replaced once per unit or for each token")
    flags.boolean("dynamic_masking", False, "write text to be masked anew in every epoch, instead of masked copies")
    flags.integer("dupe_factor", 10, "passes over each document, each with other masks", minimum=1)
    flags.integer("random_seed", 12345, "the seed of everything that is drawn")
    flags.boolean("do_permutation", False, "only False: permuted tokens belong to another pre-training task")
    flags.boolean("random_next_sentence", False, "only False: ALBERT predicts sentence order")
    flags.string("heldout_file", None, "a second TFRecord file, of documents that the first does not see")
    flags.float("heldout_share", _DEFAULT_HELDOUT_SHARE, "the share of the documents for --heldout_file")
    flags.choice("compression", NO_COMPRESSION, COMPRESSIONS, "gzip: files of 30 % of the size; training reads both")
    flags.integer("num_shards", None, "output files (default: one per 512 KiB of text)", minimum=1)


def check_data_flags(flags: Flags) -> None:
    """Raises `UserError` for values that the flags' own bounds do not catch."""
    flags.require("input_file")
    if not flags.spm_model_file:
        flags.require("vocab_file")
    for name in ("masked_lm_prob", "heldout_share"):
        value = getattr(flags, name)
        if not 0.0 < value < 1.0:
            raise UsageError("--{}={} must lie between 0 and 1, both excluded".format(name, value))
    if flags.was_given("heldout_share") and not flags.heldout_file:
        raise UsageError("--heldout_share needs --heldout_file, the file for that share of the documents")
    if flags.dynamic_masking and flags.was_given("dupe_factor") and flags.dupe_factor != 1:
        raise UsageError(
            "--dupe_factor={} has no use with --dynamic_masking: every epoch has masks of its own".format(
                flags.dupe_factor
            )
        )
    if flags.user_dictionary and (flags.non_chinese or not flags.do_whole_word_mask):
        raise UsageError("--user_dictionary needs --do_whole_word_mask=True on Chinese text")
    if flags.do_permutation:
        raise UsageError(
            "--do_permutation=True is not available: its permuted tokens belong to a pre-training task that ALBERT's "
            "losses do not hold"
        )
    if flags.random_next_sentence:
        raise UsageError(
            "--random_next_sentence=True is not available: it would make a next-sentence task, and ALBERT predicts "
            "the order of two segments of one document"
        )
    for name in ("output_file", "heldout_file"):
        if "," in (getattr(flags, name) or ""):
            raise UsageError("--{} must be one name: --num_shards divides it".format(name))


def build_settings(flags: Flags) -> BuildSettings:
    """What decides the records, from the command line."""
    masking = MaskingSettings(
        max_predictions_per_seq=flags.max_predictions_per_seq,
        masked_lm_prob=flags.masked_lm_prob,
        ngram=flags.ngram,
        favor_shorter_ngram=flags.favor_shorter_ngram,
        mask_draw=flags.mask_draw,
    )
    language = segmentation.OTHER if flags.non_chinese else segmentation.CHINESE
    return BuildSettings(
        vocab_file=flags.vocab_file,
        spm_model_file=flags.spm_model_file,
        do_lower_case=flags.do_lower_case,
        whole_words=language if flags.do_whole_word_mask else None,
        user_dictionary=segmentation.read_user_dictionary(flags.user_dictionary) if flags.user_dictionary else None,
        random_seed=flags.random_seed,
        dupe_factor=1 if flags.dynamic_masking else flags.dupe_factor,
        heldout_share=flags.heldout_share if flags.heldout_file else 0.0,
        dynamic_masking=flags.dynamic_masking,
        chunks=ChunkSettings(flags.max_seq_length, flags.short_seq_prob),
        masking=masking,
        compression=flags.compression,
    )


def warn_of_few_predictions(settings: BuildSettings) -> None:
    """Says so when the cap on predictions, and not the share, decides how much of a full sequence is predicted."""
    masking = settings.masking
    wanted = round(settings.chunks.max_seq_length * masking.masked_lm_prob)
    if wanted > masking.max_predictions_per_seq:
        _log.warning(
            "--max_predictions_per_seq=%d caps the %d predictions that --masked_lm_prob=%g asks for in %d tokens",
            masking.max_predictions_per_seq,
            wanted,
            masking.masked_lm_prob,
            settings.chunks.max_seq_length,
        )


def plan_tasks(
    paths: Sequence[str], outputs: Outputs, num_shards: Optional[int], files: FileSystem = LOCAL
) -> List[ShardTask]:
    """Divides the text into shards; the held-out documents of each go to a file of their own."""
    shards = plan_shards(paths, num_shards, files=files)
    if num_shards and len(shards) < num_shards:
        _log.info("the text has documents for %d of %d shards", len(shards), num_shards)
    return [
        ShardTask(path, number, ranges, name == outputs.heldout)
        for name in outputs.names()
        for number, (path, ranges) in enumerate(zip(shard_paths(name, len(shards)), shards))
    ]


def check_output_paths(paths: Sequence[str], outputs: Outputs, tasks: Sequence[ShardTask]) -> None:
    """Raises `UserError` where a file to be written is an input, a folder, or to be written twice."""
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
            raise UserError("{} would be written twice: give --heldout_file another name".format(path))
        seen.add(real_path)


def describe_plan(
    settings: BuildSettings,
    tokenizer: FullTokenizer,
    paths: Sequence[str],
    tasks: Sequence[ShardTask],
    files: FileSystem = LOCAL,
) -> Dict[str, Any]:
    """Everything that decides the bytes of the records, as it stands in the sidecar."""
    values = settings._asdict()
    chunks = values.pop("chunks")._asdict()
    masking = values.pop("masking")._asdict()
    del values["vocab_file"], values["spm_model_file"]  # told by their content
    if values["user_dictionary"]:
        values["user_dictionary"] = values["user_dictionary"].sha256
    description = {
        "format_version": FORMAT_VERSION,
        "settings": {**chunks, **masking, **values, "num_shards": 1 + max(task.shard for task in tasks)},
        "vocabulary": {"sha256": tokenizer.vocab_hash, "size": len(tokenizer.vocab)},
        "tokenizer": "sentencepiece" if tokenizer.is_sentencepiece else "wordpiece",
        "input": describe_files(paths, files),
    }
    if settings.dynamic_masking:
        description["masking_vocabulary"] = vocabulary_to_json(vocabulary_from_tokenizer(tokenizer))
    return description
