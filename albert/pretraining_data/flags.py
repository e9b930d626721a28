"""Flags of the two commands that make pre-training records, and their way into settings."""

from __future__ import annotations

import logging
from typing import Any, Dict

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.files.tfrecords import COMPRESSIONS, NO_COMPRESSION
from albert.pretraining_data.chunks import SHORTEST_SEQUENCE, ChunkSettings
from albert.pretraining_data.masking import MASK_DRAWS, MaskingSettings
from albert.pretraining_data.plan import DataSettings, Outputs
from albert.pretraining_data.shards import BuildSettings
from albert.text import segmentation

ZH, GOOGLE = "zh", "google"

# Published defaults in which the scripts differ from the flags as they are declared.
_DEFAULTS: Dict[str, Dict[str, Any]] = {
    ZH: {"ngram": 1},
    GOOGLE: {"do_whole_word_mask": True, "max_seq_length": 512, "dupe_factor": 40, "ngram": 3},
}
_OF_GOOGLE = ("spm_model_file", "ngram", "favor_shorter_ngram", "do_permutation", "random_next_sentence")

_log = logging.getLogger(__name__)


def declare_data_flags(flags: Flags) -> None:
    """Declares the flags that decide the records, and where they are written."""
    flags.needs("input_file")
    flags.needs("output_file", unless=["show"])
    flags.needs("vocab_file", unless=["spm_model_file"])
    flags.group("Data")
    flags.locations("input_file", None, "text files, plain or gzip: names and globs, separated by commas")
    flags.locations("output_file", None, "the TFRecord file to make (shards get numbered names), or one a shard: a,b,…")
    flags.location("vocab_file", None, "the WordPiece vocabulary, one token per line")
    flags.location("spm_model_file", None, "a sentencepiece model, used in place of the vocabulary")
    flags.boolean("do_lower_case", True, "lower-case the text and drop accents (uncased vocabularies)")
    flags.boolean("do_whole_word_mask", False, "mask whole words; without it every token is masked by itself")
    flags.boolean("non_chinese", False, "words are separated by blanks instead of found by a Chinese segmenter")
    flags.location("user_dictionary", None, "words for the Chinese segmenter, one per line in jieba's format")
    flags.group("Examples")
    flags.integer("max_seq_length", 128, "tokens per sequence", minimum=SHORTEST_SEQUENCE)
    flags.integer("max_predictions_per_seq", 20, "the most tokens to predict in a sequence", minimum=1)
    flags.float("masked_lm_prob", 0.15, "the share of the tokens to predict, between 0 and 1")
    flags.float("short_seq_prob", 0.1, "the share of the sequences with a random shorter length", 0.0, 1.0)
    flags.choice(
        "family",
        ZH,
        (ZH, GOOGLE),
        "the published script whose defaults hold: zh, or google's (" + _listed(_DEFAULTS[GOOGLE]) + ")",
    )
    flags.integer("ngram", 3, "mask runs of up to this many neighbouring units; --family=zh: 1 by default", minimum=1)
    flags.boolean("favor_shorter_ngram", True, "a run of n units has a probability like 1/n; False: reversed")
    flags.choice("mask_draw", "unit", MASK_DRAWS, "draw [MASK], kept or replaced once per unit or for each token")
    flags.boolean("dynamic_masking", False, "write text that each epoch masks differently, instead of masked copies")
    flags.integer("dupe_factor", 10, "passes over each document, each with other masks", minimum=1)
    flags.integer("random_seed", 12345, "the seed of everything that is drawn")
    flags.boolean("do_permutation", False, "only False: permuted tokens belong to another pre-training task")
    flags.boolean("random_next_sentence", False, "only False: ALBERT predicts sentence order")
    flags.group("Output")
    flags.location("heldout_file", None, "a second TFRecord file, of documents that the first does not see")
    flags.float("heldout_share", 0.05, "the share of the documents for --heldout_file")
    flags.choice("compression", NO_COMPRESSION, COMPRESSIONS, "gzip: files of 30 % of the size; training reads both")
    flags.integer("num_shards", None, "output files (default: one per 512 KiB of text)", minimum=1)


def build_data_settings(flags: Flags, build: BuildSettings) -> DataSettings:
    """Builds the settings of a data set from parsed flags and the settings of its records.

    Raises:
      UsageError: --output_file has no value, or several and --num_shards.
    """
    flags.require("output_file")
    first, *more = [name.strip() for name in flags.output_file.split(",") if name.strip()]
    if more and flags.num_shards:
        raise UsageError(
            "--num_shards={} divides one --output_file, and there are {}".format(flags.num_shards, 1 + len(more))
        )
    return DataSettings(
        input_file=flags.input_file,
        outputs=Outputs(first, flags.heldout_file, tuple(more)),
        build=build,
        num_shards=flags.num_shards,
        overwrite=flags.overwrite,
    )


def build_record_settings(flags: Flags) -> BuildSettings:
    """Builds the settings of the records from parsed flags; warns where one flag limits another.

    Raises:
      UsageError: a flag that is needed has no value, or flags do not go together.
      UserError: the user dictionary cannot be used.
    """
    _apply_family(flags)
    _check_flags(flags)
    settings = _record_settings(flags)
    _warn_of_few_predictions(settings)
    return settings


def _apply_family(flags: Flags) -> None:
    """Sets the defaults of a published script; says so where they may surprise."""
    defaults = {name: value for name, value in _DEFAULTS[flags.family].items() if not flags.was_given(name)}
    for name, value in defaults.items():
        flags.set_default(name, value)
    of_google = [name for name in _OF_GOOGLE if flags.was_given(name) and (name != "ngram" or flags.ngram > 1)]
    if flags.family == GOOGLE:
        _log.info("As Google's published script: %s.", _listed(defaults) or "no default that was not given")
    elif of_google:
        _log.info(
            "--%s is of Google's published script, whose other defaults are %s: --family=google takes them.",
            of_google[0],
            _listed(_DEFAULTS[GOOGLE]),
        )


def _listed(values: Dict[str, Any]) -> str:
    return " ".join("--{}={}".format(name, value) for name, value in values.items())


def _record_settings(flags: Flags) -> BuildSettings:
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


def _check_flags(flags: Flags) -> None:
    flags.require()
    for name in ("masked_lm_prob", "heldout_share"):
        value = getattr(flags, name)
        if not 0.0 < value < 1.0:
            raise UsageError("--{}={} must lie between 0 and 1, both excluded".format(name, value))
    if "," in (flags.heldout_file or ""):
        raise UsageError("--heldout_file must be one name: --num_shards divides it")
    if flags.output_file and not flags.output_file.replace(",", "").strip():
        raise UsageError("--output_file={} names no file".format(flags.output_file))
    _check_that_flags_go_together(flags)
    _check_published_flags(flags)


def _check_that_flags_go_together(flags: Flags) -> None:
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


def _check_published_flags(flags: Flags) -> None:
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


def _warn_of_few_predictions(settings: BuildSettings) -> None:
    """Warns where the cap on predictions, and not the share, decides how much of a full sequence is predicted."""
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
