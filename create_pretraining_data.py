"""Makes pre-training records (masked words, sentence order) from text.

    python create_pretraining_data.py --input_file='text/*.txt' --output_file=records/zh.tfrecord \\
      --vocab_file=albert_config/vocab.txt --do_whole_word_mask=True

The input is UTF-8 text, one sentence per line, blank lines between documents. The output is one TFRecord file or a
set of shards, and a JSON file beside it that says what they hold. A run that was interrupted goes on where it ended
when the same command is given again.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import command_line
import output_lock
import pretraining_output
import segmentation
import worker_pool
from command_line import Flags
from corpus import describe_files, plan_shards
from errors import UserError
from features import HELD_OUT, TRAINING, pretraining_features
from masking import MASK_DRAWS, MaskingSettings
from output_size import Forecast, estimated_rate, text_bytes
from pretraining_examples import SHORTEST_SEQUENCE, ExampleSettings
from pretraining_report import next_step, output_report
from pretraining_shards import BuildSettings, ShardResult, ShardTask
from progress import ProgressLine
from record_files import COMPRESSIONS, NO_COMPRESSION, expand_globs, shard_paths, sidecar_path
from tokenization import FullTokenizer

DEFAULT_HELDOUT_SHARE = 0.05

logger = logging.getLogger(__name__)


class Outputs(NamedTuple):
    """The record files as the user names them."""

    training: str
    heldout: Optional[str]

    def names(self) -> List[str]:
        """Those that are made."""
        return [name for name in self if name]


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    flags.string("input_file", None, "text files, plain or gzip: names and globs, separated by commas")
    flags.string("output_file", None, "the TFRecord file to make; several shards get numbered names like it")
    flags.string("vocab_file", None, "the WordPiece vocabulary, one token per line")
    flags.string("spm_model_file", None, "a sentencepiece model that takes the place of the vocabulary")
    flags.boolean("do_lower_case", True, "lower-case the text and drop accents (uncased vocabularies)")
    flags.boolean("do_whole_word_mask", False, "mask whole words; without it every token is masked by itself")
    flags.boolean("non_chinese", False, "words are parted by blanks instead of found by a Chinese segmenter")
    flags.integer("max_seq_length", 128, "tokens per sequence", minimum=SHORTEST_SEQUENCE)
    flags.integer("max_predictions_per_seq", 20, "the most tokens to predict in a sequence", minimum=1)
    flags.float("masked_lm_prob", 0.15, "the share of the tokens to predict, between 0 and 1")
    flags.float("short_seq_prob", 0.1, "the share of the sequences with a random shorter length", 0.0, 1.0)
    flags.integer("ngram", 3, "mask runs of up to this many neighbouring units", minimum=1)
    flags.boolean("favor_shorter_ngram", True, "a run of n units has a probability like 1/n; False: reversed")
    flags.choice("mask_draw", "unit", MASK_DRAWS, "draw [MASK], kept or replaced once per unit or for each token")
    flags.integer("dupe_factor", 10, "passes over each document, each with other masks", minimum=1)
    flags.integer("random_seed", 12345, "the seed of everything that is drawn")
    flags.boolean("do_permutation", False, "only False: permuted tokens belong to another pre-training task")
    flags.boolean("random_next_sentence", False, "only False: ALBERT predicts sentence order")
    flags.string("heldout_file", None, "a second TFRecord file, of documents that the first does not see")
    flags.float("heldout_share", DEFAULT_HELDOUT_SHARE, "the share of the documents for --heldout_file")
    flags.integer("num_workers", None, "processes (default: one per core); changes nothing in the output", minimum=1)
    flags.integer("num_shards", None, "output files (default: one per 512 KiB of text)", minimum=1)
    flags.choice("compression", NO_COMPRESSION, COMPRESSIONS, "gzip: files of 30 % of the size; training reads both")
    flags.boolean("overwrite", False, "replace an output that was made with other settings")
    return flags


def main(flags: Flags) -> None:
    """Plans the shards, has the workers make those that are missing, describes them and says what was done."""
    check_flags(flags)
    paths = expand_globs(flags.input_file)
    settings = build_settings(flags)
    warn_of_few_predictions(settings.examples)
    tokenizer = FullTokenizer(flags.vocab_file, flags.do_lower_case, flags.spm_model_file)
    outputs = Outputs(*(name and os.path.normpath(name) for name in (flags.output_file, flags.heldout_file)))
    with output_lock.hold(outputs.names()):
        results = make_outputs(flags, paths, outputs, settings, tokenizer)
    for name in outputs.names():
        for level, line in output_report(name, results[name], settings):
            logger.log(level, "%s", line)
    logger.info("%s", next_step(*outputs, len(results[outputs.training]), settings))


def make_outputs(
    flags: Flags, paths: Sequence[str], outputs: Outputs, settings: BuildSettings, tokenizer: FullTokenizer
) -> Dict[str, List[ShardResult]]:
    """Makes what is missing of the outputs and their sidecars; returns the shards of each output."""
    tasks = plan_tasks(paths, outputs, flags.num_shards)
    check_output_paths(paths, outputs, tasks)
    description = describe(settings, tokenizer, paths, tasks)
    finished = pretraining_output.claim(
        outputs.names(), [task.path for task in tasks], description, overwrite=flags.overwrite
    )
    make_missing(tasks, finished, settings, flags.num_workers or available_cores(), outputs.training)
    results = {
        name: [finished[task.path] for task in tasks if task.is_heldout == (name == outputs.heldout)]
        for name in outputs.names()
    }
    check_results(results, outputs, settings)
    for name in reversed(outputs.names()):
        content = HELD_OUT if name == outputs.heldout else TRAINING
        pretraining_output.write_sidecar(name, content, description, results[name])
    pretraining_output.finish(outputs.training)
    return results


def check_flags(flags: Flags) -> None:
    """Raises `UserError` for values that the flags' own bounds do not catch."""
    flags.require("input_file", "output_file")
    if not flags.spm_model_file:
        flags.require("vocab_file")
    for name in ("masked_lm_prob", "heldout_share"):
        value = getattr(flags, name)
        if not 0.0 < value < 1.0:
            raise command_line.UsageError("--{}={} must lie between 0 and 1, both excluded".format(name, value))
    if flags.was_given("heldout_share") and not flags.heldout_file:
        raise command_line.UsageError("--heldout_share needs --heldout_file, the file for that share of the documents")
    if flags.do_permutation:
        raise command_line.UsageError(
            "--do_permutation=True is not available: its permuted tokens belong to a pre-training task that ALBERT's "
            "losses do not hold"
        )
    if flags.random_next_sentence:
        raise command_line.UsageError(
            "--random_next_sentence=True is not available: it would make a next-sentence task, and ALBERT predicts "
            "the order of two segments of one document"
        )
    for name in ("output_file", "heldout_file"):
        if "," in (getattr(flags, name) or ""):
            raise command_line.UsageError("--{} must be one name: --num_shards divides it".format(name))


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
        random_seed=flags.random_seed,
        dupe_factor=flags.dupe_factor,
        heldout_share=flags.heldout_share if flags.heldout_file else 0.0,
        examples=ExampleSettings(flags.max_seq_length, flags.short_seq_prob, masking),
        compression=flags.compression,
    )


def warn_of_few_predictions(settings: ExampleSettings) -> None:
    """Says so when the cap on predictions, and not the share, decides how much of a full sequence is predicted."""
    masking = settings.masking
    wanted = round(settings.max_seq_length * masking.masked_lm_prob)
    if wanted > masking.max_predictions_per_seq:
        logger.warning(
            "--max_predictions_per_seq=%d caps the %d predictions that --masked_lm_prob=%g asks for in %d tokens",
            masking.max_predictions_per_seq,
            wanted,
            masking.masked_lm_prob,
            settings.max_seq_length,
        )


def plan_tasks(paths: Sequence[str], outputs: Outputs, num_shards: Optional[int]) -> List[ShardTask]:
    """Divides the text into shards; the held-out documents of each go to a file of their own."""
    shards = plan_shards(paths, num_shards)
    if num_shards and len(shards) < num_shards:
        logger.info("the text has documents for %d of %d shards", len(shards), num_shards)
    return [
        ShardTask(path, number, ranges, name == outputs.heldout)
        for name in outputs.names()
        for number, (path, ranges) in enumerate(zip(shard_paths(name, len(shards)), shards))
    ]


def check_output_paths(paths: Sequence[str], outputs: Outputs, tasks: Sequence[ShardTask]) -> None:
    """Raises `UserError` where a file to be written is an input, a folder, or to be written twice."""
    inputs = {os.path.realpath(path) for path in paths}
    written = [task.path for task in tasks] + [sidecar_path(name) for name in outputs.names()]
    written += [output_lock.lock_path(name) for name in outputs.names()]
    written.append(pretraining_output.journal_path(outputs.training))
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


def describe(
    settings: BuildSettings, tokenizer: FullTokenizer, paths: Sequence[str], tasks: Sequence[ShardTask]
) -> Dict[str, Any]:
    """Everything that decides the bytes of the records, as it stands in the sidecar."""
    values = settings._asdict()
    examples = values.pop("examples")._asdict()
    masking = examples.pop("masking")._asdict()
    del values["vocab_file"], values["spm_model_file"]  # told by their content
    return {
        "format_version": pretraining_output.FORMAT_VERSION,
        "settings": {**examples, **masking, **values, "num_shards": 1 + max(task.shard for task in tasks)},
        "vocabulary": {"sha256": tokenizer.vocab_hash, "size": len(tokenizer.vocab)},
        "tokenizer": "sentencepiece" if tokenizer.is_sentencepiece else "wordpiece",
        "input": describe_files(paths),
    }


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_missing(
    tasks: Sequence[ShardTask],
    finished: Dict[str, ShardResult],
    settings: BuildSettings,
    num_workers: int,
    output_file: str,
) -> None:
    """Makes the shards that are not `finished`, adds them to it and to the journal, and shows progress."""
    missing = [task for task in tasks if task.path not in finished]
    if finished:
        logger.info("%d of %d shards are there already", len(tasks) - len(missing), len(tasks))
    if not missing:
        return
    if settings.whole_words:
        segmentation.unit_spans("", language=settings.whole_words)  # forked workers share the loaded dictionary
    progress = ProgressLine(sys.stderr, sum(text_bytes(task, settings) for task in missing))
    forecast = Forecast(tasks, finished, settings, size_estimate(settings))

    def keep(result: ShardResult) -> None:
        pretraining_output.add_to_journal(output_file, result)
        finished[result.path] = result

    try:
        forecast.check_room()
        with forecast.explained_errors():
            worker_pool.build_shards(
                missing, settings, num_workers, on_finished=keep, on_progress=lambda totals: progress.update(*totals)
            )
    finally:
        progress.close()
        if not finished:
            pretraining_output.discard(output_file)  # nothing that another run could take up


def size_estimate(settings: BuildSettings) -> float:
    """About how many bytes of records a byte of text becomes."""
    length = settings.examples.max_seq_length
    features = pretraining_features(length, settings.examples.masking.max_predictions_per_seq)
    return estimated_rate(features, length, settings.dupe_factor, settings.compression)


def check_results(results: Dict[str, List[ShardResult]], outputs: Outputs, settings: BuildSettings) -> None:
    """Raises `UserError`, and leaves no file, where an output got no example."""
    for name in outputs.names():
        counts = pretraining_output.total_counts(results[name])
        if counts["examples"]:
            continue
        pretraining_output.discard(outputs.training)
        if counts["documents"] == 0:
            raise UserError(
                "no document is left for {} with heldout_share {}: the text has too few documents for that "
                "share".format(name, settings.heldout_share)
            )
        raise UserError(
            "no example could be made for {} from {} documents ({} tokens, {} of them unknown): is it the right "
            "vocabulary?".format(name, counts["documents"], counts["tokens"], counts["unknown_tokens"])
        )


if __name__ == "__main__":
    command_line.run(__doc__, declare_flags(), main)
