"""The service around a model that needs no TensorFlow, in a thread of this process, and a plain client."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from typing import Any, Iterator, NamedTuple

import numpy as np

from albert.base.errors import UserError
from albert.serving.app import build_app
from albert.serving.batches import Bounds
from albert.serving.guard import Limits
from albert.serving.hosts import AllowedHosts
from albert.serving.model import EMBED, FILL_MASK, PAIRS, ServedModel
from albert.serving.protocol import ServerOptions
from albert.serving.server import listen, make_server
from tests.support import tiny_model
from tokenization import FullTokenizer

BOUNDS = Bounds(max_rows=8, max_tokens=1000, max_wait=0.0, max_queue=50)
LIMITS = Limits(max_text_length=30, max_rows=20, max_body_bytes=5000, body_seconds=0.5)
LOOPBACK = AllowedHosts()
OPTIONS = ServerOptions(head_seconds=0.5, body_seconds=0.5, stop_seconds=2.0)


class Model:
    """Says of a pair the share of the first text's length; waits while `busy` is held; "broken" breaks it."""

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.rows = []
        self.calls = 0

    def answer_pairs(self, rows, symmetric):
        self.calls += 1
        with self.busy:
            self.rows += [row.content for row in rows]
        for row in rows:
            if row.content[0] == "broken":
                raise ZeroDivisionError("a secret of the model")
            if row.content[0] == "bad":
                raise UserError("row {} is bad".format(row.number))
        shares = [0.5 if symmetric else share_of(*row.content) for row in rows]
        return np.array([[1 - share, share] for share in shares], np.float32)

    def embed(self, rows, options):
        return np.array([[len(row.content), 0.1234567891] for row in rows], np.float32)

    def served(self, folder, **changes) -> ServedModel:
        model = ServedModel(
            answers={PAIRS: self.answer_pairs, EMBED: self.embed},
            refusals={FILL_MASK: "it has no such head"},
            labels=("no", "yes"),
            engine="tensorflow",
            tokenizer=FullTokenizer(tiny_model.write_vocab(folder), False),
            max_seq_length=8,
        )
        return model._replace(**changes)


class LineSearcher:
    """Finds lines 1, 2, … that begin with the question, at 0.9876543, half of that, a third of it, …"""

    def __init__(self) -> None:
        self.asked = []
        self.is_closed = False

    def search(self, texts, top_k, place):
        self.asked.append(list(texts))
        for number, text in enumerate(texts, start=1):
            if text == "bad":
                raise UserError("{} is bad".format(place(number)))
        return [[(line, text + str(line), 0.9876543 / line) for line in range(1, top_k + 1)] for text in texts]

    def close(self):
        self.is_closed = True


def share_of(first, second):
    return len(first) / (len(first) + len(second or ""))


class Answer(NamedTuple):
    """What a client got."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self):
        return json.loads(self.body.decode("utf-8"))


class Client:
    """Asks a server, each time by a new connection."""

    def __init__(self, port: int, server: Any = None) -> None:
        self.port = port
        self.server = server

    def post(self, path, body, **headers) -> Answer:
        """Sends a value as JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode("ascii")
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, content, dict({"Content-Type": "application/json"}, **names))

    def get(self, path, **headers) -> Answer:
        return self.ask("GET", path, None, headers)

    def ask(self, method, path, content, headers) -> Answer:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def metric(self, name: str) -> float:
        """A figure of /metrics; 0 where it was not counted yet."""
        lines = self.get("/metrics").body.decode("utf-8").splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


@contextlib.contextmanager
def serving(model: ServedModel, bounds=BOUNDS, limits=LIMITS, options=OPTIONS, hosts=LOOPBACK) -> Iterator[Client]:
    """Runs the service on a free port."""
    bound = listen("127.0.0.1", 0)
    server = make_server(build_app(model, bounds, limits, hosts), options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        yield Client(bound.getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def until(condition) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
