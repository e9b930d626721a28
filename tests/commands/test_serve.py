"""The command itself, in a process of its own."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from albert.base.paths import ROOT
from tests.support import exports

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

import search
import serve
from albert.base.flags import run_command
from tests.support.tiny_service import Client, until

PAIR = {"text_a": "我喜欢吃苹果", "text_b": "你喜欢吃香蕉吗"}


@contextlib.contextmanager
def command(*flags, **variables):
    """A running serve.py."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", os.path.join(ROOT, "serve.py"), *flags],
        stderr=subprocess.PIPE,
        env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", **variables),
        universal_newlines=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def client_of(process):
    """A client, once the server says where it answers."""
    for line in process.stderr:
        found = re.search(r"answers at http://127\.0\.0\.1:(\d+) ", line)
        if found:
            return Client(int(found.group(1)))
    raise AssertionError("it ended with {}".format(process.wait()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exports.write_classifier(tmp_path_factory.mktemp("model"), labels=("0", "1"))


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(number, marks=pytest.mark.slow) for number in (signal.SIGINT, signal.SIGHUP))],
)
def test_the_end_finishes_what_was_taken(folder, number):
    answers = []
    flags = "--model=" + folder, "--port=0", "--max_wait_ms=2000", "--allowed_hosts=albert.example"
    with command(*flags, ALBERT_SERVE_TOKEN="abc") as process:
        client = client_of(process)
        assert client.get("/healthz", Host="albert.example").status == 200
        assert client.get("/healthz", Host="evil.example").status == 421
        assert client.post("/similarity", PAIR).status == 401
        metrics = {"Authorization": "Bearer abc"}
        asking = threading.Thread(
            target=lambda: answers.append(client.post("/similarity", [PAIR] * 3, Authorization="Bearer abc"))
        )
        asking.start()
        until(lambda: b'albert_rows_waiting{model="pairs"} 3.0' in client.get("/metrics", **metrics).body)
        process.send_signal(number)
        asking.join(20)
        assert (answers[0].status, len(answers[0].json)) == (200, 3)
        assert len({row["score"] for row in answers[0].json}) == 1
        assert process.wait(20) == 0
        said = process.stderr.read()
        assert "Allowed hosts: localhost, 127.0.0.1, albert.example (--allowed_hosts=NAME,NAME allows more)." in said
        assert "Stopped; all accepted requests are answered." in said and "Traceback" not in said
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            client.get("/healthz")


def test_mistakes_end_it_with_one_sentence(tmp_path, capsys):
    def said_by(*flags, status=1):
        with pytest.raises(SystemExit) as caught:
            run_command(serve.__doc__, serve.declare_flags(), serve.main, list(flags))
        assert caught.value.code == status
        return capsys.readouterr().err

    said = said_by("--max_queue=10", status=2)  # without --model the shipped one is served
    assert said == "error: --max_queue=10 has no room for a list of --max_rows=1000: raise it\n"
    said = said_by("--model=x", "--port=0", "--allowed_hosts=http://a.example", status=2)
    assert said.startswith("error: --allowed_hosts: 'http://a.example' is not a host name: ") and said.count("\n") == 1
    for token in ("", "ключ"):
        assert said_by("--model=x", "--token=" + token, status=2).startswith("error: the token ")
    said = said_by("--model=" + str(tmp_path / "nothing"), "--port=0")
    assert said.startswith("error: ") and said.count("\n") == 1 and "nothing" in said


def test_what_is_not_installed_is_named(tmp_path):
    (tmp_path / "fastapi.py").write_text("raise ImportError('no', name='fastapi')")
    with command("--model=x", PYTHONPATH=str(tmp_path)) as process:
        said = process.communicate(timeout=60)[1]
    assert said == "error: serve.py needs fastapi: `pip install -r requirements/serve.txt` brings it\n"


@pytest.mark.slow
def test_an_index_is_served(folder, published, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("一丁七万\n万七\n丈三上下不与\n", encoding="utf-8")
    index = str(tmp_path / "index")
    words = ["index", str(lines), "--index=" + index, "--checkpoint=" + published["zh_postln"]]
    run_command(search.__doc__, search.declare_flags(), search.main, words)
    with command("--model=" + folder, "--port=0", "--index=" + index) as process:
        found = client_of(process).post("/search?top_k=2", {"text": "万七"}).json["matches"]
        assert (found[0]["line"], found[0]["text"], len(found)) == (2, "万七", 2)
        assert found[0]["score"] == pytest.approx(1.0, abs=1e-3) and found[1]["score"] < 0.999
    lines.write_text("另\n", encoding="utf-8")
    with command("--model=" + folder, "--port=0", "--index=" + index) as process:
        assert process.wait(60) == 1
        assert "was changed after the index" in process.stderr.read()


@pytest.mark.slow
def test_many_clients_at_once_get_their_own_answers(folder):
    pairs = [("我" * (1 + number % 9), "你" * (1 + number // 9)) for number in range(80)]
    with command("--model=" + folder, "--port=0") as process:
        client = client_of(process)
        rows = [{"text_a": a, "text_b": b} for a, b in pairs]
        expected = [answer["score"] for answer in client.post("/similarity", rows).json]
        got = {}

        def ask(first):
            for number in list(range(first, 80)) + list(range(first)):
                got[first, number] = json.loads(client.post("/similarity", rows[number]).body.decode())["score"]

        threads = [threading.Thread(target=ask, args=(first,)) for first in range(0, 80, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for (_, number), score in got.items():
            assert score == pytest.approx(expected[number], abs=1e-5)
        assert len(got) == 16 * 80
        assert client.metric("albert_batch_rows_count") < 16 * 80
