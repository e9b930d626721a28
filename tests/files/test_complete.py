"""Whole or absent: files and folders after errors, full disks and kills at every step."""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.files.complete import (
    CompleteFile,
    CompleteFolder,
    is_unfinished,
    may_be_replaced,
    recover,
    remove_unfinished,
    remove_unfinished_in,
    write_json,
)
from albert.files.space import DiskFullError


def test_complete_file_appears_at_the_end(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    with CompleteFile(str(path)) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" whole")
    assert path.read_bytes() == b"half whole"
    assert os.listdir(str(path.parent)) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, UserError])
def test_complete_file_leaves_nothing_after_an_error(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), CompleteFile(str(path)) as file:
        file.write(b"new")
        raise error()
    assert path.read_bytes() == b"old"
    assert os.listdir(str(tmp_path)) == ["file"]


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "below", tmp_path):
        with pytest.raises(UserError, match="cannot write"), CompleteFile(str(path)) as file:
            file.write(b"x")
    assert os.listdir(str(tmp_path)) == ["file"]


def test_a_killed_process_leaves_no_file_under_the_final_name(tmp_path):
    path = tmp_path / "[1].tfrecord"
    code = (
        "import os, sys\nfrom albert.files.complete import CompleteFile\n"
        "with CompleteFile(sys.argv[1]) as f:\n f.write(b'x')\n os._exit(9)"
    )
    assert subprocess.call([sys.executable, "-c", code, str(path)], cwd=ROOT) == 9
    (left,) = os.listdir(str(tmp_path))
    assert left != path.name
    (tmp_path / "other").write_bytes(b"")
    remove_unfinished(str(path))
    assert os.listdir(str(tmp_path)) == ["other"]


OLD, NEW = {"mark": "old", "a": "1", "b": "2"}, {"mark": "new", "c": "3"}

NUM_STEPS = 7  # parent, temporary folder, name is taken, set aside, take the name, set free, remove
KILLED = 9


def replace(path, last_step=None, moment=None):
    """Replaces a folder in a process of its own, which ends before, in or after a step; returns its exit status."""
    process = os.fork()
    if process:
        return os.WEXITSTATUS(os.waitpid(process, 0)[1])
    try:
        steps = CountedSteps(last_step, moment)
        for module, name in ((os, "mkdir"), (os, "rename"), (shutil, "rmtree")):
            setattr(module, name, steps.counted(getattr(module, name)))
        with CompleteFolder(str(path), marker="mark") as folder:
            fill(folder, NEW)
        os._exit(0 if steps.count == NUM_STEPS or last_step is None else 1)
    finally:
        os._exit(2)


class CountedSteps:
    """Steps that change folders, of which one is the last of its process."""

    def __init__(self, last_step, moment):
        self.count, self.last_step, self.moment = 0, last_step, moment

    def counted(self, function):
        def step(*arguments, **options):
            self.count += 1
            is_last = self.count == self.last_step
            if is_last and self.moment == "in" and function.__name__ == "rmtree":
                os.remove(os.path.join(arguments[0], "a"))
            if is_last and self.moment != "after":
                os._exit(KILLED)
            try:
                return function(*arguments, **options)
            finally:
                if is_last:
                    os._exit(KILLED)

        return step


def fill(folder, content):
    for name, text in content.items():
        with open(os.path.join(str(folder), name), "w") as file:
            file.write(text)


def make_folder(path, content):
    path.mkdir()
    fill(path, content)


def content_of(path):
    return {file.name: file.read_text() for file in path.iterdir()}


@pytest.mark.parametrize("moment", ["before", "in", "after"])
@pytest.mark.parametrize("last_step", range(1, NUM_STEPS + 1))
def test_a_process_killed_at_any_step_leaves_the_old_folder_or_the_new_one(tmp_path, last_step, moment):
    best = tmp_path / "best"
    make_folder(best, OLD)
    assert replace(best, last_step, moment) == KILLED
    assert recover(str(best)) == str(best)  # a reader
    assert content_of(best) in (OLD, NEW)
    assert replace(best) == 0  # the next writer
    assert content_of(best) == NEW and os.listdir(str(tmp_path)) == ["best"]


@pytest.mark.parametrize("last_step", range(1, NUM_STEPS + 1))
def test_what_a_killed_process_left_in_a_folder_is_removed(tmp_path, last_step):
    make_folder(tmp_path / "best", OLD)
    (tmp_path / "run.unfinished-notes").write_text("mine")
    (tmp_path / "figures.unfinished-77").write_text("half")
    assert replace(tmp_path / "best", last_step, "in") == KILLED
    remove_unfinished_in(str(tmp_path))
    assert content_of(tmp_path / "best") in (OLD, NEW)
    assert sorted(os.listdir(str(tmp_path))) == ["best", "run.unfinished-notes"]


def test_replacing_a_folder_takes_as_many_steps_as_are_tested(tmp_path):
    make_folder(tmp_path / "best", OLD)
    assert replace(tmp_path / "best", NUM_STEPS + 1, "before") == 0
    assert content_of(tmp_path / "best") == NEW and os.listdir(str(tmp_path)) == ["best"]


def test_a_reader_that_recovers_at_the_wrong_moment_does_not_stop_the_writer(tmp_path, monkeypatch):
    make_folder(tmp_path / "best", OLD)
    rename, seen = os.rename, []

    def renamed(source, target):
        rename(source, target)
        if target.endswith("replaced") and not seen:
            seen.append(recover(str(tmp_path / "best")))

    monkeypatch.setattr(os, "rename", renamed)
    with CompleteFolder(str(tmp_path / "best"), marker="mark") as folder:
        fill(folder, NEW)
    assert seen and content_of(tmp_path / "best") == NEW
    assert os.listdir(str(tmp_path)) == ["best"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("step", ["write", "name"])
def test_complete_folder_leaves_the_old_one_after_an_error(tmp_path, monkeypatch, error, step):
    make_folder(tmp_path / "best", OLD)
    rename = os.rename

    def interrupted(source, target):
        if target == str(tmp_path / "best") and not source.endswith("replaced") and not os.path.exists(target):
            raise error()
        rename(source, target)

    if step == "name":
        monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(error), CompleteFolder(str(tmp_path / "best"), marker="mark") as folder:
        fill(folder, NEW)
        if step == "write":
            raise error()
    assert content_of(tmp_path / "best") == OLD
    assert os.listdir(str(tmp_path)) == ["best"]


def test_folders_of_others_are_never_replaced(tmp_path):
    make_folder(tmp_path / "thesis", {"text": "mine"})
    (tmp_path / "file").write_text("mine")
    for name, marker in (("thesis", "mark"), ("thesis", None), ("file", "*")):
        place = str(tmp_path / name)
        assert not may_be_replaced(place, marker)
        message = "cannot write|holds something else: move it away or name another folder"
        with pytest.raises(UserError, match=message), CompleteFolder(place, marker=marker):
            pass
    assert content_of(tmp_path / "thesis") == {"text": "mine"}
    assert sorted(os.listdir(str(tmp_path))) == ["file", "thesis"]


def test_what_a_running_process_writes_is_left_to_it(tmp_path):
    for process in (os.getppid(), 2**22 + 1):  # one that runs, and a number that no process has
        make_folder(tmp_path / "new.unfinished-{}".format(process), {"c": "3"})
    with CompleteFolder(str(tmp_path / "new")):
        pass
    assert sorted(os.listdir(str(tmp_path))) == ["new", "new.unfinished-{}".format(os.getppid())]


def test_a_folder_behind_a_link_is_replaced_where_it_is(tmp_path):
    make_folder(tmp_path / "disk", OLD)
    (tmp_path / "best").symlink_to(tmp_path / "disk")
    assert replace(tmp_path / "best", 4, "after") == KILLED
    recover(str(tmp_path / "best"))
    assert content_of(tmp_path / "best") == OLD
    assert replace(tmp_path / "best") == 0
    assert content_of(tmp_path / "disk") == NEW and (tmp_path / "best").is_symlink()
    assert sorted(os.listdir(str(tmp_path))) == ["best", "disk"]


def test_a_folder_on_a_full_disk(tmp_path):
    message = r"new: its disk is full, .* more than 1.5 KB are needed"
    with pytest.raises(DiskFullError, match=message), CompleteFolder(str(tmp_path / "new")) as folder:
        fill(folder, {"a": "x" * 1500})
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert os.listdir(str(tmp_path)) == []


def synced_and_renamed(monkeypatch):
    """Records, in order, the inodes that are synced and the names that are given."""
    steps = []
    fsync, real = os.fsync, {name: getattr(os, name) for name in ("replace", "rename")}
    monkeypatch.setattr(os, "fsync", lambda descriptor: steps.append(os.fstat(descriptor).st_ino) or fsync(descriptor))
    for name, function in real.items():
        monkeypatch.setattr(os, name, lambda a, b, function=function: steps.append("name") or function(a, b))
    return steps


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = synced_and_renamed(monkeypatch)
    with CompleteFile(str(tmp_path / "file")) as file:
        file.write(b"x" * 100000)
    assert steps == [os.stat(str(tmp_path / "file")).st_ino, "name", os.stat(str(tmp_path)).st_ino]


def test_all_files_of_a_folder_are_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = synced_and_renamed(monkeypatch)
    with CompleteFolder(str(tmp_path / "new")) as folder:
        (tmp_path / os.path.basename(folder) / "below").mkdir()
        for place in (folder, os.path.join(folder, "below")):
            with open(os.path.join(place, "file"), "wb") as file:
                file.write(b"x" * 1000)
    new = tmp_path / "new"
    before = set(steps[: steps.index("name")])
    assert before == {os.stat(str(path)).st_ino for path in (new, new / "file", new / "below", new / "below" / "file")}
    assert steps[steps.index("name") + 1] == os.stat(str(tmp_path)).st_ino


def test_a_disk_that_cannot_say_when_it_is_done_is_written_all_the_same(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)
    with CompleteFile(str(tmp_path / "file")) as file:
        file.write(b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_an_error_of_the_disk_when_all_is_written_leaves_the_old_file(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UserError, match="cannot write .*file: Input/output error"), CompleteFile(
        str(tmp_path / "file")
    ) as file:
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"old" and os.listdir(str(tmp_path)) == ["file"]


def test_names_of_what_is_unfinished(tmp_path):
    for path in ("a.txt.unfinished-77", "best.unfinished-replaced", "out.unfinished-1/a.txt"):
        assert is_unfinished(path)
    for path in ("a.txt", "a.unfinished-notes", "unfinished-77", "a.unfinished-7b"):
        assert not is_unfinished(path)


def test_what_cannot_be_recovered_is_not_removed(tmp_path, monkeypatch):
    make_folder(tmp_path / "best.unfinished-replaced", OLD)

    def refuse(source, target):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "rename", refuse)
    remove_unfinished(str(tmp_path / "best"))
    assert content_of(tmp_path / "best.unfinished-replaced") == OLD


def test_json_takes_paths_whose_bytes_are_no_text(tmp_path):
    value = {"--output_dir": b"out/\xd6\xd0".decode("utf-8", "surrogateescape"), "text": "\U0001f602\\"}
    write_json(str(tmp_path / "a.json"), value)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == value
