"""Report of a run of create_pretraining_data: its progress, what it made and left out, and what to do next."""

from __future__ import annotations

import logging
import os
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, TextIO, Tuple

from albert.base.errors import UserError
from albert.base.paths import CONFIGS
from albert.base.terminal import StatusLine, time_text
from albert.files.json_reading import read_description
from albert.files.record_sets import shard_paths, sidecar_path
from albert.pretraining_data.output import total_counts
from albert.pretraining_data.shards import NOTHING_TO_MASK, WITHOUT_TOKEN, BuildSettings, ShardResult, build_tokenizer
from tokenization import takes_vocabulary

HIGH_UNKNOWN_SHARE = 0.01
_CONFIG, _OWN_CONFIG = "albert_config_tiny.json", "my_config.json"  # what is proposed, and where that does not fit
_DROP_TEXTS = {
    WITHOUT_TOKEN: "{:,} documents without a token",
    NOTHING_TO_MASK: "{:,} chunks in which nothing can be masked (only unknown tokens, or no unit short enough)",
}

Line = Tuple[int, str]  # logging level, text


class BuildProgress:
    """Progress of a run on a `StatusLine`: share of the text, documents, rates and the time that is left."""

    def __init__(self, stream: TextIO, total_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total_bytes = total_bytes
        self._clock = clock
        self._start = clock()
        self._line = StatusLine(stream, self._start)

    def update(self, num_bytes: int, documents: int, examples: int) -> None:
        """Shows what has been read and made since the start."""
        now = self._clock()
        self._line.show(progress_text(num_bytes, self._total_bytes, documents, examples, now - self._start), now)

    def close(self) -> None:
        """Ends the open line of a terminal."""
        self._line.close()


def progress_text(num_bytes: int, total_bytes: int, documents: int, examples: int, seconds: float) -> str:
    """Returns the line of `BuildProgress`."""
    seconds = max(seconds, 1e-9)
    return "{:.1f} % | {:,} documents | {:.2f} MB/s | {:,.0f} examples/s | ETA {}".format(
        100.0 * min(num_bytes / total_bytes, 1.0) if total_bytes else 100.0,
        documents,
        num_bytes / seconds / 1e6,
        examples / seconds,
        time_text(seconds * max(total_bytes - num_bytes, 0) / num_bytes) if num_bytes else "?",
    )


class WorkDone(NamedTuple):
    """Work of one run.

    Attributes:
      text_bytes: the text that it read, without what an earlier run had finished.
      seconds: the time that took.
      workers: who did it, such as "2 workers".
    """

    text_bytes: int
    seconds: float
    workers: str

    @property
    def megabytes_per_second(self) -> float:
        """Rate in 10^6 bytes of text per second."""
        return self.text_bytes / 1e6 / self.seconds if self.seconds else 0.0


class OutputSummary(NamedTuple):
    """Content of one output.

    Attributes:
      output_file: its name as the user gave it.
      num_files: the number of its shards.
      num_bytes: the size of all shards.
      counts: of `output.total_counts`.
    """

    output_file: str
    num_files: int
    num_bytes: int
    counts: Dict[str, Any]


def summarize(output_file: str, shards: Sequence[ShardResult]) -> OutputSummary:
    """Sums up the shards of an output."""
    return OutputSummary(output_file, len(shards), sum(shard.num_bytes for shard in shards), total_counts(shards))


def report_values(summary: OutputSummary, done: WorkDone) -> Dict[str, Any]:
    """Returns the content of `output_report` for the report in JSON."""
    return {
        **summary.counts,
        "files": files_text(summary.output_file, summary.num_files),
        "num_files": summary.num_files,
        "bytes": summary.num_bytes,
        "predictions_per_example": summary.counts["predictions"] / summary.counts["examples"],
        "this_run": dict(done._asdict(), megabytes_per_second=done.megabytes_per_second),
    }


def output_report(summary: OutputSummary, done: WorkDone, settings: BuildSettings) -> List[Line]:
    """Returns the lines of the log that describe one output."""
    counts = summary.counts
    lines = [
        (logging.INFO, "{}: {}".format(files_text(summary.output_file, summary.num_files), _examples_text(counts))),
        (
            logging.INFO,
            "  {} of {:.1f} MB, described in {}".format(
                "one file" if summary.num_files == 1 else "{} files".format(summary.num_files),
                summary.num_bytes / 1e6,
                sidecar_path(summary.output_file),
            ),
        ),
        (logging.INFO, "  " + _work_text(done)),
        (logging.INFO, "  " + _unit_text(settings)),
        _unknown_line(counts["unknown_share"]),
    ]
    for reason, number in counts["dropped"].items():
        if number:
            lines.append((logging.WARNING, "  not used: " + _DROP_TEXTS[reason].format(number)))
    if counts["continuations"]:
        text = "  some documents are over 1 MiB long and were read in parts: do blank lines separate the documents?"
        lines.append((logging.WARNING, text))
    return lines


def _examples_text(counts: Dict[str, Any]) -> str:
    return (
        "{examples:,} examples, {sentence_order_pairs:,} of them sentence-order pairs, {each:.1f} predictions each, "
        "from {documents:,} documents, {sentences:,} sentences, {tokens:,} tokens"
    ).format(each=counts["predictions"] / counts["examples"], **counts)


def _work_text(done: WorkDone) -> str:
    if not done.text_bytes:
        return "all of it was there already"
    return "{:.1f} MB of text in {:.1f} s: {:.2f} MB/s, {}".format(
        done.text_bytes / 1e6, done.seconds, done.megabytes_per_second, done.workers
    )


def _unit_text(settings: BuildSettings) -> str:
    if settings.dynamic_masking:
        return "masked when it is read (--dynamic_masking); masking unit: {}".format(
            "whole words ({})".format(settings.whole_words) if settings.whole_words else "single tokens"
        )
    if settings.whole_words:
        return "masking unit: whole words ({})".format(settings.whole_words)
    return "masking unit: single tokens, words are masked in part (--do_whole_word_mask=True masks whole words)"


def _unknown_line(share: float) -> Line:
    text = "  unknown tokens: {:.2f} %".format(100.0 * share)
    if share <= HIGH_UNKNOWN_SHARE:
        return logging.INFO, text
    return logging.WARNING, text + ": many; is it the right vocabulary, and do_lower_case as it needs it?"


def next_step(
    output_file: str,
    heldout_file: Optional[str],
    num_shards: int,
    settings: BuildSettings,
    more: Sequence[str] = (),
) -> str:
    """Returns the command that trains on the records, and evaluates on the held-out ones if there are any.

    Args:
      output_file, heldout_file: the record files as the user named them.
      num_shards: shards of either.
      settings: of the records.
      more: further files for training; where there are any, each name is one shard.
    """
    records = ",".join([output_file, *more]) if more else files_text(output_file, num_shards)
    vocab_size = len(build_tokenizer(settings).vocab)
    is_shipped = takes_vocabulary(_shipped_vocab_size(), vocab_size)
    words = [
        "next: python run_pretraining.py --do_train=True",
        "--bert_config_file={}".format("albert_config/" + _CONFIG if is_shipped else _OWN_CONFIG),
        "--input_file='{}'".format(records),
        "--output_dir=pretrained",
        "--max_seq_length={}".format(settings.chunks.max_seq_length),
        "--max_predictions_per_seq={}".format(settings.masking.max_predictions_per_seq),
    ]
    if heldout_file:
        words.append("--do_eval=True --eval_input_file='{}'".format(files_text(heldout_file, num_shards)))
    if not is_shipped:
        words.append("({}: a copy of albert_config/{} with vocab_size {})".format(_OWN_CONFIG, _CONFIG, vocab_size))
    return " ".join(words)


def _shipped_vocab_size() -> int:
    """The vocab_size of the config that is proposed; 0 where its file is gone or was changed."""
    try:
        return read_description(os.path.join(CONFIGS, _CONFIG), "a config of a model").count("vocab_size")
    except UserError:
        return 0


def files_text(output_file: str, num_shards: int) -> str:
    """Returns the name of the file, or a glob that stands for all its shards."""
    if num_shards == 1:
        return output_file
    head, _, tail = shard_paths(output_file, num_shards)[0].rpartition("-00000-of-")
    return "{}-*-of-{}".format(head, tail)
