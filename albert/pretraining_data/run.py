"""Run that makes pre-training records with any engine, or shows examples of them."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Dict, List, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.complete import write_json
from albert.files.lock import hold_lock
from albert.files.record_sets import expand_globs
from albert.pretraining_data.engine import Engine, worker_processes
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
    DataSettings,
    Outputs,
    check_output_paths,
    describe_plan,
    plan_tasks,
)
from albert.pretraining_data.preview import LEGEND, preview
from albert.pretraining_data.report import (
    BuildProgress,
    WorkDone,
    next_step,
    output_report,
    report_values,
    summarize,
)
from albert.pretraining_data.shards import BuildSettings, ShardBuilder, ShardResult, ShardTask, build_tokenizer
from albert.pretraining_data.size import Forecast, size_estimate, text_bytes
from albert.text.corpus import plan_shards
from tokenization import FullTokenizer

_log = logging.getLogger(__name__)


def make_data_set(settings: DataSettings, num_workers: int) -> None:
    """Makes the record files that are missing with processes of this machine, as `make_data_set_with` does.

    Args:
      settings: text, files and records.
      num_workers: processes; their number changes nothing in the files.

    Raises:
      UserError: text, vocabulary or folder cannot be used, or other files stand in the way.
    """
    make_data_set_with(worker_processes(num_workers), settings)


def make_data_set_with(engine: Engine, settings: DataSettings) -> None:
    """Makes the record files that are missing, describes them beside them, and reports what was done.

    Args:
      engine: makes the shards; which one changes nothing in the files.
      settings: text, files and records.

    Raises:
      UserError: text, vocabulary or folder cannot be used, or other files stand in the way.
    """
    paths = expand_globs(settings.input_file)
    tokenizer = build_tokenizer(settings.build)
    training, heldout, more = settings.outputs
    outputs = Outputs(
        os.path.normpath(training), heldout and os.path.normpath(heldout), tuple(map(os.path.normpath, more))
    )
    settings = settings._replace(outputs=outputs)
    with hold_lock(outputs.names()):
        results, done = _make_outputs(settings, paths, tokenizer, engine)
    _report(outputs, results, done, settings.build)


def show_examples(input_file: str, settings: BuildSettings, count: int) -> None:
    """Logs the first examples of the text (names and globs, separated by commas); writes no file."""
    paths = expand_globs(input_file)
    task = ShardTask("", 0, plan_shards(paths, None)[0], is_heldout=False)
    to_tokens = build_tokenizer(settings).convert_ids_to_tokens
    _log.info("%s", LEGEND)
    for text in preview(ShardBuilder(settings), task, count, to_tokens):
        _log.info("%s", text)


def _make_outputs(
    settings: DataSettings, paths: Sequence[str], tokenizer: FullTokenizer, engine: Engine
) -> Tuple[Dict[str, List[ShardResult]], WorkDone]:
    """Makes what is missing of the outputs and their sidecars; returns the shards of each output."""
    outputs = settings.outputs
    tasks = plan_tasks(paths, outputs, settings.num_shards)
    check_output_paths(paths, outputs, tasks)
    description = describe_plan(settings.build, tokenizer, paths, tasks)
    if outputs.more:  # a file that was another's neighbour holds other documents
        description["output_files"] = [os.path.basename(name) for name in (outputs.training, *outputs.more)]
    finished = claim_output(outputs.names(), [task.path for task in tasks], description, overwrite=settings.overwrite)
    done = _make_missing(tasks, finished, settings.build, engine, outputs.training)
    results = {name: [finished[task.path] for task in outputs.tasks_of(name, tasks)] for name in outputs.names()}
    _check_results(results, outputs, settings.build)
    for name in reversed(outputs.names()):
        write_sidecar(name, outputs.content(name), description, results[name])
    finish_output(outputs.training)
    return results, done


def _report(outputs: Outputs, results: Dict[str, List[ShardResult]], done: WorkDone, settings: BuildSettings) -> None:
    """Logs what was made, and writes the same beside it."""
    for name in outputs.names():
        summary = summarize(name, results[name])
        write_json(report_path(name), report_values(summary, done))
        for level, line in output_report(summary, done, settings):
            _log.log(level, "%s", line)
    num_shards = len(results[outputs.training]) + len(outputs.more)
    _log.info("%s", next_step(outputs.training, outputs.heldout, num_shards, settings, outputs.more))


def _make_missing(
    tasks: Sequence[ShardTask],
    finished: Dict[str, ShardResult],
    settings: BuildSettings,
    engine: Engine,
    output_file: str,
) -> WorkDone:
    """Makes the shards that are not `finished`, adds them to it and to the journal, and shows progress."""
    missing = [task for task in tasks if task.path not in finished]
    num_bytes = sum(text_bytes(task, settings) for task in missing)
    if finished:
        _log.info("%d of %d shards are there already", len(tasks) - len(missing), len(tasks))
    start = time.monotonic()
    if missing:
        forecast = Forecast(tasks, finished, settings, size_estimate(settings))
        _build(missing, finished, forecast, engine, output_file, BuildProgress(sys.stderr, num_bytes))
    return WorkDone(num_bytes, time.monotonic() - start, engine.workers(len(missing)))


def _build(
    missing: Sequence[ShardTask],
    finished: Dict[str, ShardResult],
    forecast: Forecast,
    engine: Engine,
    output_file: str,
    progress: BuildProgress,
) -> None:
    def keep(result: ShardResult) -> None:
        add_to_journal(output_file, result)
        finished[result.path] = result

    try:
        forecast.check_room()
        with forecast.explained_errors():
            engine.build(
                missing, forecast.settings, on_finished=keep, on_progress=lambda totals: progress.update(*totals)
            )
    finally:
        progress.close()
        if not finished:
            discard_output(output_file)  # nothing that another run could take up


def _check_results(results: Dict[str, List[ShardResult]], outputs: Outputs, settings: BuildSettings) -> None:
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
