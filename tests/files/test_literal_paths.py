"""Names of files and folders that TensorFlow would take for patterns."""

import os
import subprocess
import sys

import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.files import literal_paths
from albert.files.literal_paths import is_literal, literal_path, with_real_paths

ODD_NAMES = ["out[v1]", "a*", "b?", "[", "c\\d", b"\xff\xd6".decode("utf-8", "surrogateescape")]


@pytest.mark.parametrize("name", ["out", "a b", "~x", "中文 (1)", "{a,b}", "%s", "-x", "a'b\"c"])
def test_most_names_are_left_alone(tmp_path, name):
    assert literal_path(str(tmp_path / name)) == str(tmp_path / name)
    assert literal_path(name) == name


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_folder_is_reached_through_a_link(tmp_path, name):
    folder = os.path.join(str(tmp_path), name)
    os.mkdir(folder)
    link = literal_path(folder)
    assert is_literal(link) and link == literal_path(folder)
    assert os.path.realpath(link) == os.path.realpath(folder)
    prefix = literal_path(os.path.join(folder, "model.ckpt-5"))  # need not be there yet
    assert prefix == os.path.join(link, "model.ckpt-5")
    assert with_real_paths("no {}.index".format(prefix)) == "no {}.index".format(os.path.join(folder, "model.ckpt-5"))
    inner = os.path.join(folder, "a", "x.tfrecord")
    os.mkdir(os.path.dirname(inner))
    assert os.path.realpath(os.path.dirname(literal_path(inner))) == os.path.realpath(os.path.dirname(inner))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_files_of_a_checkpoint_are_linked_under_another_name(tmp_path, name):
    prefix = os.path.join(str(tmp_path), name)
    for suffix in (".index", ".data-00000-of-00001"):
        with open(prefix + suffix, "w") as file:
            file.write(suffix)
    for _ in range(2):
        link = literal_path(prefix)
        assert is_literal(link)
        for suffix in (".index", ".data-00000-of-00001"):
            with open(link + suffix) as file:
                assert file.read() == suffix


def test_a_relative_path_stays_right_when_the_folder_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("out[v1]")
    link = literal_path("out[v1]")
    monkeypatch.chdir(ROOT)
    assert os.path.realpath(link) == os.path.realpath(str(tmp_path / "out[v1]"))


def test_where_no_link_can_be_made_it_is_said(tmp_path, monkeypatch):
    (tmp_path / "out[v1]").mkdir()

    def refuse(*arguments):
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refuse)
    message = r"TensorFlow takes a character in .*out\[v1\] for a pattern.* required privilege .*: rename it"
    with pytest.raises(UserError, match=message):
        literal_path(str(tmp_path / "out[v1]"))
    monkeypatch.setattr(literal_paths.tempfile, "mkdtemp", lambda prefix: os.mkdir("x[") or "x[")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="the temporary folder .* has such a name too"):
        literal_path(str(tmp_path / "out[v1]"))


def test_links_are_gone_when_the_process_ends(tmp_path):
    (tmp_path / "out[v1]").mkdir()
    (tmp_path / "out[v1]" / "kept").touch()
    code = "import sys; from albert.files.literal_paths import literal_path; print(literal_path(sys.argv[1]))"
    arguments = [sys.executable, "-c", code, str(tmp_path / "out[v1]")]
    link = subprocess.check_output(arguments, cwd=ROOT, env=dict(os.environ, TMPDIR=str(tmp_path))).decode().strip()
    assert link.startswith(str(tmp_path)) and not os.path.lexists(os.path.dirname(link))
    assert os.listdir(str(tmp_path / "out[v1]")) == ["kept"]
