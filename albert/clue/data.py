"""Data of the benchmark's tasks: read from the user's folders, downloaded if they are missing."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.base.paths import expand_home
from albert.clue.tasks import BENCHMARK_TASKS, BenchmarkTask
from albert.downloads import download
from albert.downloads.published_files import LCQMC, archive_of, lcqmc_files
from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.splits import read_splits


def parse_folders(text: Optional[str]) -> Dict[str, str]:
    """Parses --data_dirs, such as "wsc=/data/wsc,lcqmc=./lcqmc", into task -> folder.

    Raises:
      UserError: the text has another form, or names an unknown task.
    """
    folders = {}
    for entry in (text or "").split(","):
        name, _, folder = entry.partition("=")
        if entry and (not folder or name not in BENCHMARK_TASKS):
            raise UserError(
                "--data_dirs must be like wsc=FOLDER,lcqmc=FOLDER, with names of tasks, not '{}'".format(text)
            )
        folders[name] = _at_home(folder)
    return folders


def _at_home(folder: str) -> str:
    try:
        return expand_home(folder)
    except ValueError as error:
        raise UserError("--data_dirs: {}".format(error)) from error


def folder_of(task: BenchmarkTask, data_dir: str, named: Dict[str, str]) -> str:
    """Finds the data folder of a task: the named one, else the first existing one of its names, else the first name."""
    if task.name in named:
        return named[task.name]
    places = [os.path.join(data_dir, name) for name in task.folders]
    return next((place for place in places if os.path.isdir(place)), places[0])


def bring_data(task: BenchmarkTask, folder: str) -> None:
    """Downloads a task's missing data; a folder that already has a train and a dev file is left as it is.

    Raises:
      UserError: the data cannot be downloaded.
    """
    if split_file(task, folder, "train") and split_file(task, folder, "dev"):
        return
    if task.published is None:
        if not os.path.isdir(folder):
            raise UserError("the data of {} cannot be downloaded: copy {}".format(task.name, wanted(task, folder)))
        return
    download.download(task.published, folder, sys.stderr)


def split_file(task: BenchmarkTask, folder: str, split: str) -> Optional[str]:
    """Path of a split's file; None if the folder has no such file."""
    paths = [os.path.join(folder, name) for name in task.files.get(split, ())]
    return next((path for path in paths if os.path.isfile(path)), None)


def wanted(task: BenchmarkTask, folder: str) -> str:
    """Text that names the files of a task and their folder."""
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
    """Accuracy on the dev split of always answering the commonest label of the train split (majority baseline).

    None for tasks whose metric is not accuracy.
    """
    declared = CLASSIFICATION_TASKS.get(task.name)
    if declared is None or declared.metric != "accuracy":
        return None
    rows = read_splits(declared, folder, ("train", "dev"))
    commonest, _ = Counter(row.label for row in rows["train"]).most_common(1)[0]
    labels: List[Optional[str]] = [row.label for row in rows["dev"]]
    return labels.count(commonest) / len(labels)


def missing_data_files(tasks: Sequence[BenchmarkTask], folders: Dict[str, str]) -> List[str]:
    """Lines that name the files to copy, one for each task without data."""
    return [
        "  {}".format(wanted(task, folders[task.name]))
        for task in tasks
        if not (split_file(task, folders[task.name], "train") and split_file(task, folders[task.name], "dev"))
    ]
