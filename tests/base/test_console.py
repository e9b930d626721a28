"""Consoles and arguments that are not UTF-8."""

import io
import os
import subprocess
import sys

import pytest

from albert.base import console
from albert.base.paths import ROOT

_SHOUT = r"""
from albert.base.flags import Flags, run_command
from albert.base.terminal import say
import logging, sys
flags = Flags()
flags.string("text", None, "\u4e00 \U0001f602")
def main(flags):
    say([flags.text])
    logging.info(flags.text)
    sys.stderr.write(flags.text + "\n")
run_command("\u5b83\u8bf4\u4ec0\u4e48 \U0001f602", flags, main)
"""


def shout(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", _SHOUT, *arguments],
        cwd=ROOT,
        env=dict(os.environ, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    "environment, encoding, shown",
    [
        ({"PYTHONIOENCODING": "gbk"}, "gbk", "好?"),
        ({"PYTHONIOENCODING": "ascii"}, "ascii", "??"),
        ({"PYTHONIOENCODING": "latin-1:strict"}, "latin-1", "??"),
        # A locale of ASCII: the argument's bytes are not decoded either.
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}, "ascii", "??"),
        (
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"},
            "utf-8",
            "好\U0001f602",
        ),
    ],
)
def test_what_a_console_cannot_show_is_replaced(environment, encoding, shown):
    done = shout("--text=好\U0001f602".encode("utf-8"), **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode(encoding) == shown + "\n"
    assert done.stderr.decode(encoding) == 2 * (shown + "\n")


def test_help_is_shown_everywhere():
    done = shout("--help", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.startswith(b"???? ?\n\nFlags:\n"), done


def test_an_argument_in_no_known_encoding_is_named():
    done = shout("--text=今天".encode("gbk"), PYTHONIOENCODING="gbk", LC_ALL="C.UTF-8")
    assert done.returncode == 2
    assert b"it is neither UTF-8 nor in the encoding of the locale" in done.stderr


def test_typed_lines(monkeypatch):
    for typed, expected in (("好", "好"), ("\udce5\udca5\udcbd", "好"), ("a\udcff", "a\ufffd")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
        assert console.decoded_line(typed) == expected


def test_streams_that_a_program_replaced_are_left_alone(monkeypatch):
    for stream in (None, io.StringIO()):
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, stream)
        console.make_streams_tolerant()
