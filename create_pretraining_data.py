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

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.machine import available_cores
from albert.files.complete import write_json
from albert.files.lock import hold_lock
from albert.files.record_sets import expand_globs
from albert.pretraining_data.output import (
    add_to_journal,
    claim_output,
    discard_output,
    finish_output,
    report_path,
    total_counts,
    write_sidecar,
)
from albert.pretraining_data.plan import (
    Outputs,
    build_settings,
    check_data_flags,
    check_output_paths,
    declare_data_flags,
    describe_plan,
    plan_tasks,
    warn_of_few_predictions,
)
from albert.pretraining_data.preview import LEGEND, preview
from albert.pretraining_data.report import BuildProgress, WorkDone, next_step, output_report, report_values, summarize
from albert.pretraining_data.shards import BuildSettings, ShardBuilder, ShardResult, ShardTask, record_features
from albert.pretraining_data.size import Forecast, estimated_rate, text_bytes
from albert.pretraining_data.workers import build_shards
from albert.text.corpus import plan_shards
from tokenization import FullTokenizer

logger = logging.getLogger(__name__)


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    declare_data_flags(flags)
    flags.integer("num_workers", None, "processes (default: one per core); changes nothing in the output", minimum=1)
    flags.integer("show", 0, "print so many examples; without --output_file nothing else is done", minimum=0)
    flags.boolean("overwrite", False, "replace an output that was made with other settings")
    return flags


def main(flags: Flags) -> None:
    """Plans the shards, has the workers make those that are missing, describes them and says what was done."""
    check_data_flags(flags)
    if not flags.show:
        flags.require("output_file")
    paths = expand_globs(flags.input_file)
    settings = build_settings(flags)
    warn_of_few_predictions(settings)
    tokenizer = FullTokenizer(flags.vocab_file, flags.do_lower_case, flags.spm_model_file)
    if flags.output_file:
        outputs = Outputs(*(name and os.path.normpath(name) for name in (flags.output_file, flags.heldout_file)))
        with hold_lock(outputs.names()):
            results, done = make_outputs(flags, paths, outputs, settings, tokenizer)
        report(outputs, results, done, settings)
    if flags.show:
        show_examples(paths, settings, tokenizer, flags.show)


def make_outputs(
    flags: Flags, paths: Sequence[str], outputs: Outputs, settings: BuildSettings, tokenizer: FullTokenizer
) -> Tuple[Dict[str, List[ShardResult]], WorkDone]:
    """Makes what is missing of the outputs and their sidecars; returns the shards of each output."""
    tasks = plan_tasks(paths, outputs, flags.num_shards)
    check_output_paths(paths, outputs, tasks)
    description = describe_plan(settings, tokenizer, paths, tasks)
    finished = claim_output(outputs.names(), [task.path for task in tasks], description, overwrite=flags.overwrite)
    done = make_missing(tasks, finished, settings, flags.num_workers or available_cores(), outputs.training)
    results = {name: [finished[task.path] for task in outputs.tasks_of(name, tasks)] for name in outputs.names()}
    check_results(results, outputs, settings)
    for name in reversed(outputs.names()):
        write_sidecar(name, outputs.content(name), description, results[name])
    finish_output(outputs.training)
    return results, done


def report(outputs: Outputs, results: Dict[str, List[ShardResult]], done: WorkDone, settings: BuildSettings) -> None:
    """Says what was made, and writes the same beside it."""
    for name in outputs.names():
        summary = summarize(name, results[name])
        write_json(report_path(name), report_values(summary, done))
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
        _build(missing, finished, forecast, num_workers, output_file, BuildProgress(sys.stderr, num_bytes))
    num_workers = min(num_workers, len(missing))
    workers = "1 worker" if num_workers == 1 else "{} workers".format(num_workers)
    return WorkDone(num_bytes, time.monotonic() - start, workers)


def _build(
    missing: Sequence[ShardTask],
    finished: Dict[str, ShardResult],
    forecast: Forecast,
    num_workers: int,
    output_file: str,
    progress: BuildProgress,
) -> None:
    def keep(result: ShardResult) -> None:
        add_to_journal(output_file, result)
        finished[result.path] = result

    try:
        forecast.check_room()
        with forecast.explained_errors():
            build_shards(
                missing,
                forecast.settings,
                num_workers,
                on_finished=keep,
                on_progress=lambda totals: progress.update(*totals),
            )
    finally:
        progress.close()
        if not finished:
            discard_output(output_file)  # nothing that another run could take up


def size_estimate(settings: BuildSettings) -> float:
    """About how many bytes of records a byte of text becomes."""
    return estimated_rate(
        record_features(settings), settings.chunks.max_seq_length, settings.dupe_factor, settings.compression
    )


def check_results(results: Dict[str, List[ShardResult]], outputs: Outputs, settings: BuildSettings) -> None:
    """Raises `UserError`, and leaves no file, where an output got no example."""
    for name in outputs.names():
        counts = total_counts(results[name])
        if counts["examples"]:
            continue
        discard_output(outputs.training)
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
    run_command(__doc__, declare_flags(), main)
