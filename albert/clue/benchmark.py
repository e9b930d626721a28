"""Fine-tunes a model on CLUE's tasks, keeps the best checkpoint of each, and writes submissions, a table and a picture.

    bash run_classifier_clue.sh                       the six tasks afqmc cmnli csl iflytek tnews wsc
    bash run_classifier_clue.sh tnews lcqmc --num_runs=5 --num_train_epochs=2
    MODEL=albert_small_zh_google bash run_classifier_clue.sh
    bash run_classifier_clue.sh --sample              no download: random weights, shipped samples

MODEL (an environment variable) is a published model's name, a folder or checkpoint, or a config file (random weights).
Flags of the runners are passed on to them and win over a task's preset. Data are looked for in --data_dir, a folder for
each task, and downloaded where they are not there. The same command goes on where it stopped, and runs nothing twice.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import importlib
import json
import logging
import os
import signal
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError, asks_for_help, errors_in_words, write_help
from albert.checkpoints.families import ZH
from albert.clue.data import (
    bring_data,
    commonest_label_accuracy,
    folder_of,
    missing_data_files,
    parse_folders,
    split_file,
)
from albert.clue.model import (
    DEFAULT_MODEL,
    BenchmarkModel,
    bring_model,
    find_model,
    fingerprint,
    missing_model_files,
    runner_flags,
)
from albert.clue.picture import draw_results
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
from albert.clue.run import Outcome, Run, make_run
from albert.clue.tasks import CLUE, BenchmarkTask, find_tasks
from albert.downloads.published_files import LCQMC, MODELS
from albert.files.lock import hold_lock
from albert.training.run import RUN_CONFIG_FILE

_log = logging.getLogger(__name__)

_OWN_FLAGS = ("sample", "num_runs", "data_dirs", "data_dir", "output_dir", "seed")
# What the benchmark sets itself, and by what it is set instead.
_SET_BY = {
    "task_name": "name the tasks as words",
    "task_file": "use run_classifier.py for a task of your own",
    "init_checkpoint": "set MODEL=…",
    "do_train": "it trains",
    "do_eval": "it evaluates",
    "do_predict": "it predicts where there is a test file",
}
_SAMPLE_FLAG = "--sample"
_SAMPLE_TASKS = os.path.join("data", "sample_tasks")
_SAMPLE_CONFIG = os.path.join("data", "sample_model", "sample_{}.json")
_SAMPLE_PRESET = {
    "max_seq_length": 64,
    "max_query_length": 24,
    "train_batch_size": 8,
    "learning_rate": 1e-3,
    "num_train_epochs": 2,
    "save_checkpoints_steps": 4,
}
_SAMPLE_NOTE = "Shipped samples and random weights: these figures mean nothing, they show that everything runs."
_BATCH_SIZES = {"eval_batch_size": 64, "predict_batch_size": 64}


class Benchmark(NamedTuple):
    """What is to be done.

    Attributes:
      model: what is fine-tuned.
      tasks: in the order in which they run.
      flags: runner -> its flags as the user gave them.
      folders: task -> the folder of its data.
      folder: of all results.
      is_sample: whether it runs on the shipped samples.
    """

    model: BenchmarkModel
    tasks: Tuple[BenchmarkTask, ...]
    flags: Dict[str, Flags]
    folders: Dict[str, str]
    folder: str
    is_sample: bool

    def runner_of(self, task: BenchmarkTask) -> str:
        """The command's file that fine-tunes a task."""
        return task.runner or self.model.family.classification_runner


def declare_flags(runner: str) -> Flags:
    """The flags of a runner, and those of the benchmark."""
    flags = importlib.import_module(os.path.splitext(runner)[0]).declare_flags()
    flags.boolean("sample", False, "run on the samples that ship with the project, from random weights")
    flags.integer("num_runs", 1, "runs of each task with the seeds --seed, --seed + 1, …", minimum=1)
    flags.string("data_dirs", None, "folders of single tasks: wsc=FOLDER,lcqmc=FOLDER")
    flags.set_default("data_dir", "CLUEdataset")
    flags.set_default("output_dir", "clue_output")
    return flags


def plan(words: Sequence[str], options: Sequence[str]) -> Benchmark:
    """What the command line and MODEL ask for.

    Raises:
      UserError: a task, a flag or the model is not known; nothing has been started then.
    """
    is_sample = _SAMPLE_FLAG in options
    model = find_model(os.environ.get("MODEL") or DEFAULT_MODEL)
    if is_sample:
        model = find_model(_SAMPLE_CONFIG.format(model.family.name))
    tasks = find_tasks(words or (sorted(os.listdir(_SAMPLE_TASKS)) if is_sample else CLUE))
    flags = {}
    for runner in sorted({task.runner or model.family.classification_runner for task in tasks}):
        flags[runner] = declare_flags(runner)
        flags[runner].parse(options)
        _check(flags[runner])
    any_flags = flags[runner]
    if is_sample:
        any_flags.set_default("data_dir", _SAMPLE_TASKS)
        any_flags.set_default("output_dir", "clue_output_sample")
    named = parse_folders(any_flags.data_dirs)
    return Benchmark(
        model=model,
        tasks=tasks,
        flags=flags,
        folders={task.name: folder_of(task, any_flags.data_dir, named) for task in tasks},
        folder=os.path.join(any_flags.output_dir, model.name),
        is_sample=is_sample,
    )


def _check(flags: Flags) -> None:
    for name, instead in _SET_BY.items():
        if name in flags.as_dict() and flags.was_given(name):
            raise UsageError("--{} is not for this command: {}".format(name, instead))


def runs_of(benchmark: Benchmark, task: BenchmarkTask) -> List[Run]:
    """The runs of a task, one for each seed."""
    runner = benchmark.runner_of(task)
    flags = benchmark.flags[runner]
    known = flags.as_dict()
    values = {name: value for name, value in _BATCH_SIZES.items() if name in known}
    values.update(task.preset)
    if benchmark.is_sample:
        values.update({name: value for name, value in _SAMPLE_PRESET.items() if name in known})
    values.update(runner_flags(benchmark.model))
    values.update({name: known[name] for name in known if flags.was_given(name) and name not in _OWN_FLAGS})
    folder = benchmark.folders[task.name]
    values.update(task_name=task.name, data_dir=folder, do_train=True, do_eval=True)
    values["do_predict"] = split_file(task, folder, "test") is not None
    model = fingerprint(benchmark.model)
    runs = []
    for seed in range(flags.seed, flags.seed + flags.num_runs):
        output_dir = os.path.join(benchmark.folder, task.name, "seed_{}".format(seed))
        runs.append(Run(task, runner, dict(values, seed=seed, output_dir=output_dir), model))
    return runs


def run(benchmark: Benchmark) -> None:
    """Brings model and data, makes all runs, and writes the results after each task.

    Raises:
      UserError: the model cannot be had, or tasks failed; the results of the others are written.
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
            "{} of {} tasks failed ({}), each for the reason above: the same command runs what is left".format(
                len(failed), len(results), ", ".join(failed)
            )
        )


def _bring_all(benchmark: Benchmark) -> Dict[str, str]:
    """Downloads what is missing; returns task -> sentence for those whose data cannot be had.

    Raises:
      UserError: the model or the data of all tasks cannot be had.
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
    lines = ["Files to put where, by hand, before the same command is run again:"]
    lines += missing_model_files(benchmark.model)
    lines += missing_data_files(benchmark.tasks, benchmark.folders)
    lines += ["A run on shipped samples, from random weights, needs no download:"]
    lines += ["  bash run_classifier_clue.sh --sample"]
    return "\n".join(lines)


def _result(benchmark: Benchmark, task: BenchmarkTask, error: Optional[str]) -> TaskResult:
    """Makes the runs of a task; one that fails does not keep the others from being made."""
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
    is_published = task.name in (LCQMC, LCQMC + "_pair") and benchmark.model.published
    return result._replace(
        commonest=commonest_label_accuracy(task, benchmark.folders[task.name]),
        published=MODELS[benchmark.model.published].lcqmc_test_accuracy if is_published else None,
    )


def _report(benchmark: Benchmark, results: Sequence[TaskResult]) -> Report:
    notes = [_SAMPLE_NOTE] if benchmark.is_sample else []
    if benchmark.model.is_random and not benchmark.is_sample:
        notes.append("Random weights, no pre-training.")
    return Report(benchmark.model.name, tuple(results), notes, _environment(benchmark, results), benchmark.is_sample)


def _environment(benchmark: Benchmark, results: Sequence[TaskResult]) -> Dict[str, Any]:
    """That of the last run that was finished."""
    for result in reversed(results):
        for outcome in result.finished:
            folder = os.path.join(benchmark.folder, result.name, "seed_{}".format(outcome.seed))
            with open(os.path.join(folder, RUN_CONFIG_FILE), encoding="utf-8") as file:
                return json.load(file)["environment"]
    return {}


def _show(report: Report, folder: str) -> None:
    """Writes archive and picture; shows the table and says where all is."""
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
    """The command; ends the process with a status other than 0 where a task failed."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    options = [argument for argument in arguments if argument.startswith("-")]
    if asks_for_help(options):
        write_help(__doc__, declare_flags(ZH.classification_runner))
        return
    with errors_in_words():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
        benchmark = plan(words, options)
        try:
            run(benchmark)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted: the same command goes on where it stopped") from None


if __name__ == "__main__":
    main(sys.argv[1:])
