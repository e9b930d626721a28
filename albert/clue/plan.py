"""Plan of a benchmark: model, tasks, data folders and runs, from the command line and the variable MODEL."""

from __future__ import annotations

import os
from typing import Any, Dict, FrozenSet, List, NamedTuple, Sequence, Tuple

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.base.paths import DATA
from albert.clue.data import folder_of, parse_folders, split_file
from albert.clue.model import DEFAULT_MODEL, BenchmarkModel, find_model, fingerprint, model_flags
from albert.clue.run import BenchmarkRun
from albert.clue.tasks import CLUE, BenchmarkTask, find_tasks
from albert.finetuning.flags import FLAGS_OF

_OWN_FLAGS = ("sample", "num_runs", "data_dirs", "data_dir", "output_dir", "seed")
# Flags that the benchmark sets itself, and what to do instead of giving them.
_REFUSED_FLAGS = {
    "task_name": "name the tasks as words",
    "task_file": "use run_classifier.py for a task of your own",
    "init_checkpoint": "set MODEL=…",
    "do_train": "it trains",
    "do_eval": "it evaluates",
    "do_predict": "it predicts where there is a test file",
    "predict_split": "it predicts the test split",
    "teacher_predictions": "use run_classifier.py, as each task needs a file of its own",
    "teacher_weight": "use run_classifier.py with --teacher_predictions",
    "teacher_temperature": "use run_classifier.py with --teacher_predictions",
}
_SAMPLE_FLAG = "--sample"
_SAMPLE_TASKS = os.path.join(DATA, "sample_tasks")
_SAMPLE_CONFIG = os.path.join(DATA, "sample_model", "sample_{}.json")
_SAMPLE_PRESET = {
    "max_seq_length": 64,
    "max_query_length": 24,
    "train_batch_size": 8,
    "learning_rate": 1e-3,
    "num_train_epochs": 2,
    "save_checkpoints_steps": 4,
}
_BATCH_SIZES = {"eval_batch_size": 64, "predict_batch_size": 64}


class RunnerFlags(NamedTuple):
    """Flags of a runner: the command that fine-tunes a task.

    Attributes:
      names: all flags that the runner takes.
      given: the values that the user gave, by name, without the benchmark's own flags.
    """

    names: FrozenSet[str]
    given: Dict[str, Any]


class Benchmark(NamedTuple):
    """Settings of a benchmark.

    Attributes:
      model: the model that is fine-tuned.
      tasks: the tasks, in the order in which they run.
      flags: runner -> its flags.
      seeds: the seed of each run of a task.
      folders: task -> the folder of its data.
      folder: the folder of all results.
      is_sample: whether the benchmark runs on the shipped samples.
    """

    model: BenchmarkModel
    tasks: Tuple[BenchmarkTask, ...]
    flags: Dict[str, RunnerFlags]
    seeds: Tuple[int, ...]
    folders: Dict[str, str]
    folder: str
    is_sample: bool


def declare_flags(runner: str) -> Flags:
    """Declares the flags of a runner and those of the benchmark."""
    flags = FLAGS_OF[runner]()
    flags.forget_needs()
    flags.group("Benchmark")
    flags.boolean("sample", False, "run on the samples that ship with the project, from random weights")
    flags.integer("num_runs", 1, "number of runs per task, with the seeds --seed, --seed + 1, …", minimum=1)
    flags.string("data_dirs", None, "data folders of single tasks: wsc=FOLDER,lcqmc=FOLDER")
    flags.set_default("data_dir", "CLUEdataset")
    flags.set_default("output_dir", "clue_output")
    return flags


def plan(words: Sequence[str], options: Sequence[str]) -> Benchmark:
    """Builds the settings of a benchmark from the command line and MODEL.

    Args:
      words: names of tasks.
      options: the command line's flags.

    Raises:
      UserError: a task, a flag or the model is not known; nothing has been started then.
    """
    is_sample = _SAMPLE_FLAG in options
    model = find_model(os.environ.get("MODEL") or DEFAULT_MODEL)
    if is_sample:
        model = find_model(_SAMPLE_CONFIG.format(model.family.name))
    tasks = find_tasks(words or (sorted(os.listdir(_SAMPLE_TASKS)) if is_sample else CLUE))
    parsed = {runner: _parse(runner, options) for runner in sorted({runner_of(task, model) for task in tasks})}
    own = next(iter(parsed.values()))  # the benchmark's own flags have the same values for each runner
    if is_sample:
        own.set_default("data_dir", _SAMPLE_TASKS)
        own.set_default("output_dir", "clue_output_sample")
    named = parse_folders(own.data_dirs)
    return Benchmark(
        model=model,
        tasks=tasks,
        flags={runner: _runner_flags(flags) for runner, flags in parsed.items()},
        seeds=tuple(range(own.seed, own.seed + own.num_runs)),
        folders={task.name: folder_of(task, own.data_dir, named) for task in tasks},
        folder=os.path.join(own.output_dir, model.name),
        is_sample=is_sample,
    )


def _parse(runner: str, options: Sequence[str]) -> Flags:
    flags = declare_flags(runner)
    flags.parse(options)
    for name in sorted(flags.given()):
        if name in _REFUSED_FLAGS:
            raise UsageError("--{} is not for this command: {}".format(name, _REFUSED_FLAGS[name]))
    return flags


def _runner_flags(flags: Flags) -> RunnerFlags:
    values = flags.as_dict()
    return RunnerFlags(frozenset(values), {name: values[name] for name in flags.given() if name not in _OWN_FLAGS})


def runner_of(task: BenchmarkTask, model: BenchmarkModel) -> str:
    """The file of the command that fine-tunes a model on a task."""
    return task.runner or model.family.classification_runner


def runs_of(benchmark: Benchmark, task: BenchmarkTask) -> List[BenchmarkRun]:
    """Plans the runs of a task, one per seed; model and data must be there."""
    runner = runner_of(task, benchmark.model)
    values = _flags_of_run(benchmark, task, benchmark.flags[runner])
    model = fingerprint(benchmark.model)
    runs = []
    for seed in benchmark.seeds:
        output_dir = os.path.join(benchmark.folder, task.name, "seed_{}".format(seed))
        runs.append(BenchmarkRun(task, runner, dict(values, seed=seed, output_dir=output_dir), model))
    return runs


def _flags_of_run(benchmark: Benchmark, task: BenchmarkTask, flags: RunnerFlags) -> Dict[str, Any]:
    """Values of a runner's flags for a task, without seed and output folder; the user's values come last and win."""
    values: Dict[str, Any] = {name: value for name, value in _BATCH_SIZES.items() if name in flags.names}
    values.update(task.preset)
    if benchmark.is_sample:
        values.update({name: value for name, value in _SAMPLE_PRESET.items() if name in flags.names})
    values.update(model_flags(benchmark.model))
    values.update(flags.given)
    folder = benchmark.folders[task.name]
    values.update(task_name=task.name, data_dir=folder, do_train=True, do_eval=True)
    values["do_predict"] = split_file(task, folder, "test") is not None
    return values
