"""Work of a data set as it travels to the machines of a cluster, and its checks there.

All machines share the folders of text and output. The vocabulary travels along, and so do marks by which a worker sees
that it has the driver's folders, text and packages before it makes a shard.
"""

from __future__ import annotations

import importlib
import os
import pickle
import random
import sys
import tempfile
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.lock import lock_path
from albert.files.reading import file_stamp
from albert.pretraining_data.shards import BuildSettings, ShardBuilder, ShardResult, ShardTask

_FILE_SETTINGS = ("vocab_file", "spm_model_file")
_DICTIONARY = "user_dictionary"
# Other versions may cut words, or words into tokens, elsewhere.
_SAME_VERSIONS = ("jieba", "sentencepiece")


class ShippedWork(NamedTuple):
    """Everything that a worker needs for the shards of a data set.

    Attributes:
      settings: what decides the records.
      contents: of the files that they name, by the setting.
      locks: content of the files that lock the outputs, by their paths.
      versions: of the packages that decide the records, by name.
    """

    settings: BuildSettings
    contents: Dict[str, bytes]
    locks: Dict[str, bytes]
    versions: Dict[str, str]


def pack_work(tasks: Sequence[ShardTask], settings: BuildSettings) -> bytes:
    """Packs the settings of tasks, whose outputs this process has locked, for `make_packed`."""
    paths = {name: getattr(settings, name) for name in _FILE_SETTINGS if getattr(settings, name)}
    if settings.user_dictionary:
        paths[_DICTIONARY] = settings.user_dictionary.path
    locks = {os.path.abspath(lock_path(task.path)) for task in tasks}
    work = ShippedWork(
        settings,
        {name: _content(path) for name, path in paths.items()},
        {path: _content(path) for path in locks if os.path.exists(path)},
        _versions(),
    )
    return pickle.dumps(work, protocol=4)


def pack_tasks(tasks: Sequence[ShardTask]) -> List[bytes]:
    """Packs each task with paths that do not depend on the current folder."""
    return [pickle.dumps(_absolute(task), protocol=4) for task in tasks]


def result_of(task: ShardTask, made: Tuple[Any, ...]) -> ShardResult:
    """Returns the result of a task from what `make_packed` returned for it: with the path as the task has it."""
    return ShardResult(*made)._replace(path=task.path)


def make_packed(work: bytes, task: bytes, host: str) -> Tuple[Optional[Tuple[Any, ...]], str]:
    """Makes a shard on a worker.

    Returns:
      The `ShardResult` as a plain tuple and an empty text; or None and the sentence that says why there is none.
    """
    try:
        return tuple(_make(work, pickle.loads(task), host)), ""
    except UserError as error:
        return None, str(error)


def _make(work: bytes, task: ShardTask, host: str) -> ShardResult:
    shipped: ShippedWork = pickle.loads(work)
    _check_versions(shipped.versions, host)
    _check_folders(shipped.locks, host)
    for part in task.ranges:
        _check_text(part.path, part.stamp, host)
    try:
        # Two workers may have the same process number, or be at the same shard where one was taken for lost.
        return _builder(work, shipped).write(task, writer=random.SystemRandom().getrandbits(60))
    except UserError as error:
        raise UserError("on host {}: {}".format(host, error)) from error


_builders: Dict[bytes, ShardBuilder] = {}  # of this process, for the data set that it is at


def _builder(work: bytes, shipped: ShippedWork) -> ShardBuilder:
    if work not in _builders:
        _builders.clear()
        with tempfile.TemporaryDirectory() as folder:
            _builders[work] = ShardBuilder(_unpacked(shipped, folder))
    return _builders[work]


def _unpacked(shipped: ShippedWork, folder: str) -> BuildSettings:
    """The settings with the files that they name in a folder of this machine."""
    settings: Any = shipped.settings
    for name, content in shipped.contents.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        value = settings.user_dictionary._replace(path=path) if name == _DICTIONARY else path
        settings = settings._replace(**{name: value})
    return settings


def _absolute(task: ShardTask) -> ShardTask:
    ranges = [part._replace(path=os.path.abspath(part.path)) for part in task.ranges]
    return task._replace(path=os.path.abspath(task.path), ranges=ranges)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _versions() -> Dict[str, str]:
    return {name: str(getattr(importlib.import_module(name), "__version__", "")) for name in _SAME_VERSIONS}


def _check_versions(wanted: Dict[str, str], host: str) -> None:
    for name, version in _versions().items():
        if version != wanted[name]:
            raise UserError(
                "the Python of host {} ({}) has {} {}, and the driver has {}: install requirements/spark.txt on "
                "both".format(host, sys.executable, name, version, wanted[name])
            )


def _check_folders(locks: Dict[str, bytes], host: str) -> None:
    for path, content in locks.items():
        try:
            is_same = _content(path) == content
        except OSError:
            is_same = False
        if not is_same:
            raise UserError(
                "host {} does not see the driver's folder {}: give --output_file and --heldout_file in a folder that "
                "all hosts share, under the same path".format(host, os.path.dirname(path))
            )


def _check_text(path: str, stamp: Any, host: str) -> None:
    try:
        found = file_stamp(path)
    except OSError as error:
        raise UserError(
            "host {} cannot read the text {} ({}): give --input_file in a folder that all hosts share".format(
                host, path, error.strerror
            )
        ) from error
    if found != stamp:
        raise UserError(
            "{} is not the same file on host {} as on the driver ({}): give --input_file in a folder that all hosts "
            "share, and do not change it meanwhile".format(path, host, _stamps_text(found, stamp))
        )


def _stamps_text(found: Any, wanted: Any) -> str:
    if found[0] != wanted[0]:
        return "{:,} bytes there, {:,} here".format(found[0], wanted[0])
    return "of another time"
