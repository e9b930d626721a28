"""CLUE benchmark: fine-tunes a model on CLUE's tasks; writes best checkpoints, submissions, a table and a picture.

    bash run_classifier_clue.sh                       the six tasks afqmc cmnli csl iflytek tnews wsc
    bash run_classifier_clue.sh tnews lcqmc --num_runs=5 --num_train_epochs=2
    MODEL=albert_small_zh_google bash run_classifier_clue.sh
    bash run_classifier_clue.sh --sample              no download: random weights, shipped samples

MODEL (an environment variable) is the name of a published model, a folder, a checkpoint, or a config file (random
weights). Flags of the fine-tuning commands are passed on to them and override a task's preset. Data are read from
--data_dir, which has a folder for each task; missing data are downloaded. Run the same command again to continue where
it stopped: finished runs are not repeated.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import logging
import os
import signal
import sys
from typing import Any, Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.base.flags import asks_for_help, errors_in_words, separate_words, write_help
from albert.checkpoints.card import RUN_CONFIG_FILE
from albert.checkpoints.families import ZH
from albert.clue.data import bring_data, commonest_label_accuracy, missing_data_files
from albert.clue.model import bring_model, missing_model_files
from albert.clue.picture import draw_results
from albert.clue.plan import Benchmark, declare_flags, plan, runs_of
from albert.clue.results import (
    JSON_FILE,
    MARKDOWN_FILE,
    Report,
    TaskResult,
    failure_lines,
    text_table,
    write_tables,
    zip_submissions,
)
from albert.clue.run import Outcome, make_run
from albert.clue.tasks import BenchmarkTask
from albert.downloads.published_files import LCQMC, MODELS
from albert.files.json_reading import read_description
from albert.files.lock import hold_lock
from albert.finetuning.flags import FLAGS_OF

_log = logging.getLogger(__name__)

_SAMPLE_NOTE = (
    "Shipped samples and random weights: the figures are meaningless, they only show that everything runs "
    "(MODEL=starter starts from the shipped model)."
)


def run(benchmark: Benchmark) -> None:
    """Downloads what is missing, makes all runs, and writes the results after each task.

    Raises:
      UserError: the model cannot be downloaded, or tasks failed; the results of the other tasks are written.
    """
    if benchmark.is_sample:
        _log.warning(_SAMPLE_NOTE)
    results_file = os.path.join(benchmark.folder, JSON_FILE)
    without_data = _bring_all(benchmark)
    os.makedirs(benchmark.folder, exist_ok=True)
    with hold_lock([results_file]):
        results: List[TaskResult] = []
        for number, task in enumerate(benchmark.tasks, start=1):
            _log.info("\n== %s (task %d of %d)", task.name, number, len(benchmark.tasks))
            results.append(_result(benchmark, task, without_data.get(task.name)))
            report = _report(benchmark, results)
            write_tables(report, benchmark.folder)
        _show(report, benchmark.folder)
    failed = [result.name for result in results if result.errors]
    if failed:
        raise UserError(
            "{} of {} tasks failed ({}), for the reasons above: run the same command again to complete them".format(
                len(failed), len(results), ", ".join(failed)
            )
        )


def _bring_all(benchmark: Benchmark) -> Dict[str, str]:
    """Downloads what is missing; returns task -> error message for tasks whose data cannot be downloaded.

    Raises:
      UserError: the model, or the data of every task, cannot be downloaded.
    """
    try:
        bring_model(benchmark.model)
    except UserError as error:
        raise UserError("{}\n{}".format(error, _what_to_bring(benchmark))) from error
    errors = {}
    for task in benchmark.tasks:
        try:
            bring_data(task, benchmark.folders[task.name])
        except UserError as error:
            errors[task.name] = str(error)
    if len(errors) == len(benchmark.tasks):
        raise UserError("{}\n{}".format(next(iter(errors.values())), _what_to_bring(benchmark)))
    if errors:
        _log.warning("%s", _what_to_bring(benchmark))
    return errors


def _what_to_bring(benchmark: Benchmark) -> str:
    lines = ["Copy these files by hand, then run the same command again:"]
    lines += missing_model_files(benchmark.model)
    lines += missing_data_files(benchmark.tasks, benchmark.folders)
    lines += ["To run on shipped samples from random weights, without any download:"]
    lines += ["  bash run_classifier_clue.sh --sample"]
    return "\n".join(lines)


def _result(benchmark: Benchmark, task: BenchmarkTask, error: Optional[str]) -> TaskResult:
    """Makes the runs of a task; a failed run does not stop the others."""
    if error is not None:
        return TaskResult(task.name, task.metric, (Outcome(seed=0, error=error),))
    outcomes = []
    for planned in runs_of(benchmark, task):
        outcomes.append(make_run(planned))
        if outcomes[-1].error is not None:
            _log.error("%s failed: %s", task.name, outcomes[-1].error)
    result = TaskResult(task.name, task.metric, tuple(outcomes))
    if not result.finished:
        return result
    name = benchmark.model.published if task.name in (LCQMC, LCQMC + "_pair") else None
    return result._replace(
        commonest=commonest_label_accuracy(task, benchmark.folders[task.name]),
        published=MODELS[name].lcqmc_test_accuracy if name else None,
    )


def _report(benchmark: Benchmark, results: Sequence[TaskResult]) -> Report:
    notes = [_SAMPLE_NOTE] if benchmark.is_sample else []
    if benchmark.model.is_random and not benchmark.is_sample:
        notes.append("Random weights, no pre-training.")
    return Report(benchmark.model.name, tuple(results), notes, _environment(benchmark, results), benchmark.is_sample)


def _environment(benchmark: Benchmark, results: Sequence[TaskResult]) -> Dict[str, Any]:
    """Environment of the last finished run."""
    for result in reversed(results):
        for outcome in result.finished:
            folder = os.path.join(benchmark.folder, result.name, "seed_{}".format(outcome.seed))
            config = read_description(os.path.join(folder, RUN_CONFIG_FILE), "a description of a run")
            return dict(config.section("environment").values)
    return {}


def _show(report: Report, folder: str) -> None:
    """Writes the archive and the picture; shows the table and the paths of the results."""
    archive = zip_submissions(report, folder)
    sys.stdout.write("\n" + text_table(report))
    for line in list(report.notes) + failure_lines(report):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    for name in (MARKDOWN_FILE, JSON_FILE):
        _log.info("Results: %s", os.path.join(folder, name))
    try:
        _log.info("Picture: %s", draw_results(report, folder))
    except UserError as error:
        _log.warning("No picture was drawn: %s", error)
    if archive:
        _log.info("Submissions: %s", archive)


def main(arguments: Sequence[str]) -> None:
    """Runs the command; the exit status is not 0 if a task failed."""
    if asks_for_help(arguments):
        write_help(__doc__, declare_flags(ZH.classification_runner))
        return
    with errors_in_words():
        words, options = separate_words(arguments, [declare_flags(runner) for runner in FLAGS_OF])
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends as Ctrl-C does
        benchmark = plan(words, options)
        try:
            run(benchmark)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted: run the same command again to continue") from None


if __name__ == "__main__":
    main(sys.argv[1:])
