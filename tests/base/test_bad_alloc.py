"""Memory that C++ does not find: a sentence and status 1 in place of an abort."""

import subprocess
import sys

import pytest

from albert.base import bad_alloc

ENDS = """
import ctypes, sys, threading
from albert.base.bad_alloc import explain_bad_alloc
assert explain_bad_alloc("no memory: a smaller batch needs less") and explain_bad_alloc("of another phase")
library = ctypes.CDLL("libstdc++.so.6")
library._Znwm.argtypes = [ctypes.c_size_t]  # operator new
{}
"""
NEW = "thread = threading.Thread(target=library._Znwm, args=[2**62]); thread.start(); thread.join()"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc and libstdc++")
@pytest.mark.parametrize(
    "what, status, said", [(NEW, 1, "error: of another phase\n"), ("library._ZSt9terminatev()", -6, "terminate called")]
)
def test_a_thread_without_memory_ends_the_process_with_a_sentence(what, status, said):
    command = [sys.executable, "-c", ENDS.format(what)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    _, errors = process.communicate()
    assert (process.returncode, errors[: len(said)]) == (status, said)


def test_another_c_plus_plus_library_is_left_alone(monkeypatch):
    def fail(name):
        raise OSError("no such library")

    monkeypatch.setattr(bad_alloc.ctypes, "CDLL", fail)
    assert not bad_alloc.explain_bad_alloc("unused")
