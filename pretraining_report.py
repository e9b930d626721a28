"""What a finished run of create_pretraining_data says: what was made, what was left out, what to do next."""

from __future__ import annotations

import logging
from typing import List, Optional, Sequence, Tuple

from pretraining_output import total_counts
from pretraining_shards import NO_TOKEN, NOTHING_TO_MASK, BuildSettings, ShardResult
from record_files import shard_paths, sidecar_path

HIGH_UNKNOWN_SHARE = 0.01
_DROP_TEXTS = {
    NO_TOKEN: "{:,} documents without a token",
    NOTHING_TO_MASK: "{:,} chunks in which nothing can be masked (only unknown tokens, or no unit short enough)",
}

Line = Tuple[int, str]  # logging level, text


def output_report(output_file: str, shards: Sequence[ShardResult], settings: BuildSettings) -> List[Line]:
    """The lines that tell what one output holds."""
    counts = total_counts(shards)
    lines = [
        (
            logging.INFO,
            "{}: {:,} examples, {:,} of them sentence-order pairs, {:.1f} predictions each, from {:,} documents, "
            "{:,} sentences, {:,} tokens".format(
                files_text(output_file, len(shards)),
                counts["examples"],
                counts["sentence_order_pairs"],
                counts["predictions"] / counts["examples"],
                counts["documents"],
                counts["sentences"],
                counts["tokens"],
            ),
        ),
        (
            logging.INFO,
            "  {} of {:.1f} MB, described in {}".format(
                "one file" if len(shards) == 1 else "{} files".format(len(shards)),
                sum(shard.num_bytes for shard in shards) / 1e6,
                sidecar_path(output_file),
            ),
        ),
        (logging.INFO, "  " + _unit_text(settings)),
        _unknown_line(counts["unknown_share"]),
    ]
    for reason, number in counts["dropped"].items():
        if number:
            lines.append((logging.WARNING, "  not used: " + _DROP_TEXTS[reason].format(number)))
    if counts["continuations"]:
        text = "  some documents are over 1 MiB long and were read in parts: do blank lines part the documents?"
        lines.append((logging.WARNING, text))
    return lines


def _unit_text(settings: BuildSettings) -> str:
    if settings.whole_words:
        return "masking unit: whole words ({})".format(settings.whole_words)
    return "masking unit: single tokens, words are masked in part (--do_whole_word_mask=True masks whole words)"


def _unknown_line(share: float) -> Line:
    text = "  unknown tokens: {:.2f} %".format(100.0 * share)
    if share <= HIGH_UNKNOWN_SHARE:
        return logging.INFO, text
    return logging.WARNING, text + ": many; is it the right vocabulary, and do_lower_case as it needs it?"


def next_step(output_file: str, heldout_file: Optional[str], num_shards: int, settings: BuildSettings) -> str:
    """The command that trains on the records, and evaluates on the held-out ones if there are any."""
    words = [
        "next: python run_pretraining.py --do_train=True",
        "--bert_config_file=albert_config/albert_config_tiny.json",
        "--input_file='{}'".format(files_text(output_file, num_shards)),
        "--output_dir=pretrained",
        "--max_seq_length={}".format(settings.chunks.max_seq_length),
        "--max_predictions_per_seq={}".format(settings.masking.max_predictions_per_seq),
    ]
    if heldout_file:
        words.append("--do_eval=True --eval_input_file='{}'".format(files_text(heldout_file, num_shards)))
    return " ".join(words)


def files_text(output_file: str, num_shards: int) -> str:
    """The file, or a glob that stands for all its shards."""
    if num_shards == 1:
        return output_file
    head, _, tail = shard_paths(output_file, num_shards)[0].rpartition("-00000-of-")
    return "{}-*-of-{}".format(head, tail)
