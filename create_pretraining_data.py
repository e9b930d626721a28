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
import time
from typing import Dict, List, Sequence, Tuple

import command_line
import output_lock
import pretraining_output
import pretraining_plan
import worker_pool
from command_line import Flags
from corpus import plan_shards
from errors import UserError
from output_size import Forecast, estimated_rate, text_bytes
from pretraining_plan import Outputs
from pretraining_preview import LEGEND, preview
from pretraining_report import WorkDone, next_step, output_report, report_values, summarize
from pretraining_shards import BuildSettings, ShardBuilder, ShardResult, ShardTask, record_features
from processor import available_cores
from progress import ProgressLine
from record_files import expand_globs, write_json
from tokenization import FullTokenizer

logger = logging.getLogger(__name__)


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    pretraining_plan.declare_flags(flags)
    flags.integer("num_workers", None, "processes (default: one per core); changes nothing in the output", minimum=1)
    flags.integer("show", 0, "print so many examples; without --output_file nothing else is done", minimum=0)
    flags.boolean("overwrite", False, "replace an output that was made with other settings")
    return flags


def main(flags: Flags) -> None:
    """Plans the shards, has the workers make those that are missing, describes them and says what was done."""
    pretraining_plan.check_flags(flags)
    if not flags.show:
        flags.require("output_file")
    paths = expand_globs(flags.input_file)
    settings = pretraining_plan.build_settings(flags)
    pretraining_plan.warn_of_few_predictions(settings)
    tokenizer = FullTokenizer(flags.vocab_file, flags.do_lower_case, flags.spm_model_file)
    if flags.output_file:
        outputs = Outputs(*(name and os.path.normpath(name) for name in (flags.output_file, flags.heldout_file)))
        with output_lock.hold(outputs.names()):
            results, done = make_outputs(flags, paths, outputs, settings, tokenizer)
        report(outputs, results, done, settings)
    if flags.show:
        show_examples(paths, settings, tokenizer, flags.show)


def make_outputs(
    flags: Flags, paths: Sequence[str], outputs: Outputs, settings: BuildSettings, tokenizer: FullTokenizer
) -> Tuple[Dict[str, List[ShardResult]], WorkDone]:
    """Makes what is missing of the outputs and their sidecars; returns the shards of each output."""
    tasks = pretraining_plan.plan_tasks(paths, outputs, flags.num_shards)
    pretraining_plan.check_output_paths(paths, outputs, tasks)
    description = pretraining_plan.describe(settings, tokenizer, paths, tasks)
    finished = pretraining_output.claim(
        outputs.names(), [task.path for task in tasks], description, overwrite=flags.overwrite
    )
    done = make_missing(tasks, finished, settings, flags.num_workers or available_cores(), outputs.training)
    results = {name: [finished[task.path] for task in outputs.tasks_of(name, tasks)] for name in outputs.names()}
    check_results(results, outputs, settings)
    for name in reversed(outputs.names()):
        pretraining_output.write_sidecar(name, outputs.content(name), description, results[name])
    pretraining_output.finish(outputs.training)
    return results, done


def report(outputs: Outputs, results: Dict[str, List[ShardResult]], done: WorkDone, settings: BuildSettings) -> None:
    """Says what was made, and writes the same beside it."""
    for name in outputs.names():
        summary = summarize(name, results[name])
        write_json(pretraining_output.report_path(name), report_values(summary, done))
        for level, line in output_report(summary, done, settings):
            logger.log(level, "%s", line)
    logger.info("%s", next_step(*outputs, len(results[outputs.training]), settings))


def show_examples(paths: Sequence[str], settings: BuildSettings, tokenizer: FullTokenizer, count: int) -> None:
    """Prints the first examples of the text."""
    task = ShardTask("", 0, plan_shards(paths, None)[0], is_heldout=False)
    logger.info("%s", LEGEND)
    for text in preview(ShardBuilder(settings), task, count, tokenizer.convert_ids_to_tokens):
        logger.info("%s", text)


def make_missing(
    tasks: Sequence[ShardTask],
    finished: Dict[str, ShardResult],
    settings: BuildSettings,
    num_workers: int,
    output_file: str,
) -> WorkDone:
    """Makes the shards that are not `finished`, adds them to it and to the journal, and shows progress."""
    missing = [task for task in tasks if task.path not in finished]
    num_bytes = sum(text_bytes(task, settings) for task in missing)
    if finished:
        logger.info("%d of %d shards are there already", len(tasks) - len(missing), len(tasks))
    start = time.monotonic()
    if missing:
        forecast = Forecast(tasks, finished, settings, size_estimate(settings))
        _build(missing, finished, forecast, num_workers, output_file, ProgressLine(sys.stderr, num_bytes))
    num_workers = min(num_workers, len(missing))
    workers = "1 worker" if num_workers == 1 else "{} workers".format(num_workers)
    return WorkDone(num_bytes, time.monotonic() - start, workers)


def _build(
    missing: Sequence[ShardTask],
    finished: Dict[str, ShardResult],
    forecast: Forecast,
    num_workers: int,
    output_file: str,
    progress: ProgressLine,
) -> None:
    def keep(result: ShardResult) -> None:
        pretraining_output.add_to_journal(output_file, result)
        finished[result.path] = result

    try:
        forecast.check_room()
        with forecast.explained_errors():
            worker_pool.build_shards(
                missing,
                forecast.settings,
                num_workers,
                on_finished=keep,
                on_progress=lambda totals: progress.update(*totals),
            )
    finally:
        progress.close()
        if not finished:
            pretraining_output.discard(output_file)  # nothing that another run could take up


def size_estimate(settings: BuildSettings) -> float:
    """About how many bytes of records a byte of text becomes."""
    return estimated_rate(
        record_features(settings), settings.chunks.max_seq_length, settings.dupe_factor, settings.compression
    )


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
