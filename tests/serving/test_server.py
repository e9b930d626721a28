"""Signals to a server in a process of its own, around a model that needs no TensorFlow."""

import contextlib
import signal
import subprocess
import sys
import threading

import pytest

from albert.base.paths import ROOT

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from tests.support.tiny_service import Client, until

# Says its port first and at the end how many requests it refused; the first answer waits for a line of input.
PROGRAM = """
import pathlib, sys, tempfile
from albert.serving.app import build_app
from albert.serving.server import listen, serve_app
from tests.support import tiny_service

def say(line):
    sys.stdout.write(line + "\\n")
    sys.stdout.flush()

def answer(rows, symmetric):
    if not model.calls:
        say("the model is asked")
        sys.stdin.readline()
    return answer_pairs(rows, symmetric)

model = tiny_service.Model()
answer_pairs = model.answer_pairs
with tempfile.TemporaryDirectory() as folder:
    served = model.served(pathlib.Path(folder), answers={"pairs": answer})
    bound = listen("127.0.0.1", 0)
    say(str(bound.getsockname()[1]))
    options = tiny_service.OPTIONS._replace(stop_seconds=float(sys.argv[1]))
    refused = serve_app(build_app(served, tiny_service.BOUNDS, tiny_service.LIMITS), bound, options)
    say("refused {}".format(refused))
"""
PAIR = {"text_a": "喜欢苹果", "text_b": "香蕉"}


@contextlib.contextmanager
def ending(numbers, stop_seconds):
    """A server with 8 lists accepted and one of them in the model, to which signals were sent; the answers so far."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(stop_seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        client = Client(int(process.stdout.readline()))
        answers = []
        threads = [
            threading.Thread(target=lambda: answers.append(client.post("/similarity", [PAIR] * 2))) for _ in range(8)
        ]
        threads[0].start()
        assert process.stdout.readline() == "the model is asked\n"
        for thread in threads[1:]:
            thread.start()
        until(lambda: client.metric('albert_rows_waiting{model="pairs"}') == 14)
        for number in numbers:
            process.send_signal(number)
        yield process, answers
        for thread in threads:
            thread.join(20)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("numbers", [[signal.SIGINT] * 2, [signal.SIGHUP]], ids=str)
def test_every_signal_ends_the_server_in_order(numbers):
    with ending(numbers, stop_seconds=20) as (process, answers):
        said, errors = process.communicate("go\n", timeout=20)
    assert (process.returncode, said) == (0, "refused 0\n")
    assert "Traceback" not in errors
    assert [(answer.status, len(answer.json)) for answer in answers] == [(200, 2)] * 8


def test_what_waits_too_long_is_refused_in_words():
    with ending([signal.SIGTERM], stop_seconds=0.1) as (process, answers):
        until(lambda: len(answers) == 7)
        said, errors = process.communicate("go\n", timeout=20)
    assert (process.returncode, said) == (0, "refused 7\n")
    assert "Traceback" not in errors
    assert [answer.status for answer in answers] == [503] * 7 + [200]
    assert all(answer.headers["Retry-After"] == "10" for answer in answers[:7])
