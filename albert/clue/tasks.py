"""Tasks of the benchmark: runner, files, preset, metric and download of each."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UsageError, nearest
from albert.downloads.published_files import CLUE_TASKS, LCQMC
from albert.tasks.registry import CLASSIFIER, TASKS_OF
from albert.tasks.task import Task

CLUE = ("afqmc", "cmnli", "csl", "iflytek", "tnews", "wsc")  # the tasks that run if none is named


class BenchmarkTask(NamedTuple):
    """Task of the benchmark.

    Attributes:
      name: the runner's --task_name; the submission is <name>_predict.json.
      files: split ("train", "dev", "test") -> names in the data folder; the first that exists is read.
      preset: flags of the runner, by name.
      metric: chooses the best checkpoint: "eval_<metric>" in the runner's eval_results.json.
      runner: the command that fine-tunes; None for the classification runner of the model's family.
      published: the name of its data among the downloads; None if there is no open download.
      folders: names that its data folder may have.
    """

    name: str
    files: Dict[str, Tuple[str, ...]]
    preset: Dict[str, Any]
    metric: str
    runner: Optional[str] = None
    published: Optional[str] = None
    folders: Tuple[str, ...] = ()


_OTHER_FOLDERS = {"wsc": ("cluewsc2020",), "lcqmc_pair": ("lcqmc",)}


def _declared(task: Task, runner: Optional[str] = None) -> BenchmarkTask:
    folders = (task.name,) + _OTHER_FOLDERS.get(task.name, ())
    published = [name for name in folders if name in CLUE_TASKS or name == LCQMC]
    return BenchmarkTask(
        name=task.name,
        files=task.files,
        preset=dict(task.preset._asdict()) if task.preset else {},
        metric=task.metric,
        runner=runner,
        published=published[0] if published else None,
        folders=folders,
    )


_ALL = tuple(
    _declared(task, None if runner == CLASSIFIER else runner)
    for runner, tasks_of_runner in TASKS_OF.items()
    for task in tasks_of_runner.values()
)
BENCHMARK_TASKS: Dict[str, BenchmarkTask] = {task.name: task for task in _ALL}


def find_tasks(names: Sequence[str]) -> Tuple[BenchmarkTask, ...]:
    """Finds tasks by their names or the names of their folders, each once.

    Raises:
      UsageError: a name is not known; gives the nearest one and all known names.
    """
    found: Dict[str, BenchmarkTask] = {}
    for name in names:
        task = BENCHMARK_TASKS.get(name.lower()) or _task_of_folder(name.lower())
        if task is None:
            near = nearest(name.lower(), BENCHMARK_TASKS)
            raise UsageError(
                "unknown task '{}': the nearest known one is {} (known: {}; flags are written --name=value)".format(
                    name, near, ", ".join(sorted(BENCHMARK_TASKS))
                )
            )
        found[task.name] = task
    return tuple(found.values())


def _task_of_folder(name: str) -> Optional[BenchmarkTask]:
    return next((task for task in _ALL if name in task.folders), None)
