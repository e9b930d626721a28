"""The data of the benchmark's tasks: found where the user has them, else downloaded."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.clue.tasks import BENCHMARK_TASKS, BenchmarkTask
from albert.downloads import download
from albert.downloads.published_files import LCQMC, archive_of, lcqmc_files
from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.splits import read_splits


def parse_folders(text: Optional[str]) -> Dict[str, str]:
    """Task -> folder, from "wsc=/data/wsc,lcqmc=./lcqmc".

    Raises:
      UserError: it is not written so, or names an unknown task.
    """
    folders = {}
    for entry in (text or "").split(","):
        name, _, folder = entry.partition("=")
        if entry and (not folder or name not in BENCHMARK_TASKS):
            raise UserError(
                "--data_dirs must be like wsc=FOLDER,lcqmc=FOLDER, with names of tasks, not '{}'".format(text)
            )
        folders[name] = folder
    return folders


def folder_of(task: BenchmarkTask, data_dir: str, named: Dict[str, str]) -> str:
    """The folder of a task's data: the one that was named, else the first of its names that is there, or is to be."""
    if task.name in named:
        return named[task.name]
    places = [os.path.join(data_dir, name) for name in task.folders]
    return next((place for place in places if os.path.isdir(place)), places[0])


def bring_data(task: BenchmarkTask, folder: str) -> None:
    """Downloads what the folder lacks of a task's data; a folder with files of the user's is left as it is.

    Raises:
      UserError: the data cannot be had.
    """
    if split_file(task, folder, "train") and split_file(task, folder, "dev"):
        return
    if task.published is None:
        if not os.path.isdir(folder):
            raise UserError("the data of {} are in no open archive: bring {}".format(task.name, wanted(task, folder)))
        return
    download.download(task.published, folder, sys.stderr)


def split_file(task: BenchmarkTask, folder: str, split: str) -> Optional[str]:
    """The file of a split; None where the folder has none."""
    paths = [os.path.join(folder, name) for name in task.files.get(split, ())]
    return next((path for path in paths if os.path.isfile(path)), None)


def wanted(task: BenchmarkTask, folder: str) -> str:
    """The files of a task and where they go, in words."""
    files = ", ".join(names[0] for names in task.files.values())
    return "{} into {}{}".format(files, os.path.join(folder, ""), _source(task, folder))


def _source(task: BenchmarkTask, folder: str) -> str:
    if task.published is None:
        return ""
    if task.published == LCQMC:
        return " ({})".format(os.path.dirname(lcqmc_files()[0].url))
    archive = archive_of(task.published)
    return " (or {} into {})".format(archive.url, os.path.join(os.path.dirname(folder), ""))


def commonest_label_accuracy(task: BenchmarkTask, folder: str) -> Optional[float]:
    """The accuracy on the dev split of always answering the commonest label of the train split: what chance reaches.

    None for tasks that are not measured by accuracy.
    """
    declared = CLASSIFICATION_TASKS.get(task.name)
    if declared is None or declared.metric != "accuracy":
        return None
    rows = read_splits(declared, folder, ("train", "dev"))
    commonest, _ = Counter(row.label for row in rows["train"]).most_common(1)[0]
    labels: List[Optional[str]] = [row.label for row in rows["dev"]]
    return labels.count(commonest) / len(labels)


def missing_data_files(tasks: Sequence[BenchmarkTask], folders: Dict[str, str]) -> List[str]:
    """A line for each task whose data are not there."""
    return [
        "  {}".format(wanted(task, folders[task.name]))
        for task in tasks
        if not (split_file(task, folders[task.name], "train") and split_file(task, folders[task.name], "dev"))
    ]
