"""Connections by raw sockets: slow clients, too many, other protocols, the end of the server."""

import asyncio
import contextlib
import json
import select
import socket
import threading
import time

import pytest

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from albert.serving.protocol import ServerOptions
from albert.serving.server import listen, make_server
from tests.support.tiny_service import until

OPTIONS = ServerOptions(
    head_seconds=0.3, body_seconds=0.1, idle_seconds=0.6, answer_seconds=1.0, stop_seconds=0.5, max_connections=40
)
GET = b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


class Application:
    """Answers /echo with the body, /large with 20 MB, /wait when it is let go, and all others without the body."""

    def __init__(self):
        self.waiting = 0
        self.is_free = threading.Event()
        self.num_refused = 0

    def refuse_waiting(self):
        self.num_refused = self.waiting
        self.is_free.set()
        return self.waiting

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        answer = b"answered"
        if scope["path"] == "/echo":
            answer = await self.body(receive)
        elif scope["path"] == "/large":
            answer = b"x" * 20_000_000
        elif scope["path"] == "/wait":
            self.waiting += 1
            while not self.is_free.is_set():
                await asyncio.sleep(0.01)
            self.waiting -= 1
        head = [(b"content-length", str(len(answer)).encode("ascii"))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    async def body(self, receive):
        parts = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)


class Running:
    """A server around the application in a thread."""

    def __init__(self, application, server, port):
        self.application = application
        self.server = server
        self.port = port

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, content):
        """All that comes until the server closes or waits."""
        with self.connect() as connection:
            connection.sendall(content)
            return read_answer(connection)

    def num_connections(self):
        return len(self.server.server_state.connections)


def read_answer(connection):
    """Head and body of one answer; less where the connection ends."""
    received = bytearray()
    length = None
    while length is None or len(received) < length:
        more = connection.recv(1 if length is None else length - len(received))
        if not more:
            break
        received += more
        if received.endswith(b"\r\n\r\n") and length is None:
            lines = received.lower().split(b"\r\n")
            length = len(received) + int(next(line[15:] for line in lines if line.startswith(b"content-length:")))
    return bytes(received)


def is_closed(connection):
    """Whether nothing more comes: for a connection that was reset, too."""
    try:
        return connection.recv(1 << 20) == b""
    except ConnectionError:
        return True


@contextlib.contextmanager
def serving(options=OPTIONS):
    application = Application()
    bound = listen("127.0.0.1", 0)
    server = make_server(application, options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        yield Running(application, server, bound.getsockname()[1])
    finally:
        application.is_free.set()
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def running():
    with serving() as running:
        yield running


SLOW = {  # what is sent first, and then without an end
    "nothing": (b"", b""),
    "one carriage return": (b"\r", b""),
    "empty lines": (b"", b"\r\n"),
    "empty lines after an answer": (GET, b"\r\n"),
    "one carriage return after an answer": (GET + b"\r", b""),
    "a head by bytes": (GET[:-4] + b"\r\nX: ", b"x"),
    "a head by lines": (GET[:-2], b"X: y\r\n"),
    "a second head by bytes": (GET + GET[:-2] + b"X: ", b"x"),
    "a body that is read": (b"POST /echo" + CHUNKED, b"1\r\nx\r\n"),
    "a body of GET": (b"GET /other" + CHUNKED, b"1\r\nx\r\n"),
    "a body of PUT": (b"PUT /other" + CHUNKED, b"1\r\nx\r\n"),
    "a large body that nobody reads": (b"POST /other" + CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "a body that stops": (b"POST /other HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx", b""),
    "an extension of a chunk": (b"POST /other" + CHUNKED + b"1;", b"x"),
    "trailers": (b"POST /other" + CHUNKED + b"0\r\n", b"X: y\r\n"),
}


def test_no_slow_client_stays(running):
    connections = {name: running.connect() for name in SLOW}
    begin = time.monotonic()
    for name, (first, _) in SLOW.items():
        connections[name].sendall(first)
    while connections:
        assert time.monotonic() < begin + 10, "still open: {}".format(list(connections))
        readable, _, _ = select.select(list(connections.values()), [], [], 0.05)
        for name, connection in list(connections.items()):
            try:
                connection.sendall(SLOW[name][1])
                is_open = connection not in readable or connection.recv(1 << 20)
            except ConnectionError:
                is_open = False
            if not is_open:
                connections.pop(name).close()
    assert running.ask(GET).startswith(b"HTTP/1.1 200")


def test_a_head_without_end_is_not_kept(running):
    for name in (b"X: ", b"X: y\r\nX: "):
        with running.connect() as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(GET[:-2] + name + b"x" * 400000)
            assert is_closed(connection)


def test_a_client_that_does_not_take_its_answer_is_left(running):
    with running.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: running.num_connections() == 1)
        until(lambda: running.num_connections() == 0)


def test_a_client_that_takes_it_slowly_gets_it_all(running):
    with running.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.1)
        assert len(read_answer(connection)) > 20_000_000


def test_a_connection_is_kept_between_requests(running):
    with running.connect() as connection:
        for _ in range(3):
            connection.sendall(GET)
            assert read_answer(connection).startswith(b"HTTP/1.1 200")
            time.sleep(0.35)  # longer than a head may take
        connection.sendall(GET * 5)
        for _ in range(5):
            assert read_answer(connection).startswith(b"HTTP/1.1 200")


def test_requests_far_ahead_of_their_answers_are_not_kept(running):
    with running.connect() as connection:
        connection.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET * 100)
        assert is_closed(connection)


H2C = (
    b"POST /echo HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 5\r\nHost: localhost\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\nContent-Type: text/plain\r\n\r\n"
    b"ab\r\nc"
)


@pytest.mark.parametrize("cut", [1, 40, 120, len(H2C) - 7, len(H2C) - 5, len(H2C) - 2, len(H2C)])
def test_an_offer_of_http_2_is_answered_by_http_1(running, cut):
    with running.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (H2C[:cut], H2C[cut:] + H2C.replace(b"ab\r\nc", b"later")):
            connection.sendall(part)
            time.sleep(0.02)
        assert read_answer(connection).endswith(b"\r\n\r\nab\r\nc")
        assert read_answer(connection).endswith(b"\r\n\r\nlater")


def test_other_protocols(running):
    websocket = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n\r\n"
    assert running.ask(websocket).startswith(b"HTTP/1.1 200")
    for content in (
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"hello\r\n\r\n",
    ):
        answer = running.ask(content)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        sentence = json.loads(answer.partition(b"\r\n\r\n")[2].decode("ascii"))
        assert sentence == {"error": "the request is not HTTP/1.1 that can be read"}


def test_those_that_wait_longest_make_room():
    with serving(OPTIONS._replace(max_connections=5, head_seconds=10.0)) as running, contextlib.ExitStack() as open_:
        silent = []
        for number in range(5):
            silent.append(open_.enter_context(running.connect()))
            until(lambda: running.num_connections() == number + 1)  # noqa: B023
        for _ in range(3):
            assert running.ask(GET).startswith(b"HTTP/1.1 200")
        assert is_closed(silent[0])
        silent[4].settimeout(0.05)
        with pytest.raises(socket.timeout):
            silent[4].recv(1)


def test_where_all_connections_are_answered_a_new_one_is_refused():
    with serving(OPTIONS._replace(max_connections=3)) as running, contextlib.ExitStack() as open_:
        asking = [open_.enter_context(running.connect()) for _ in range(3)]
        for connection in asking:
            connection.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: running.application.waiting == 3)
        head, _, body = running.ask(GET).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in head.lower()
        assert json.loads(body.decode("ascii"))["error"].startswith("the service has no room")
        running.application.is_free.set()
        for connection in asking:
            assert read_answer(connection).startswith(b"HTTP/1.1 200")


def test_the_end_answers_what_came_and_what_is_on_its_way():
    with serving(OPTIONS._replace(stop_seconds=20.0)) as running:
        with running.connect() as waiting, running.connect() as kept, running.connect() as unused:
            waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
            kept.sendall(GET)
            assert b"connection: close" not in read_answer(kept)
            until(lambda: running.application.waiting == 1 and running.num_connections() == 3)
            running.server.should_exit = True
            until(lambda: not running.server.servers[0].is_serving())
            kept.sendall(GET)  # it cannot know yet
            assert b"connection: close" in read_answer(kept)
            assert is_closed(kept) and is_closed(unused)
            running.application.is_free.set()
            assert b"connection: close" not in read_answer(waiting)  # another answer follows
            assert b"connection: close" in read_answer(waiting)
            assert is_closed(waiting)
        assert running.application.num_refused == 0


def test_the_end_waits_only_so_long(monkeypatch):
    monkeypatch.setattr("albert.serving.server._GRACE_SECONDS", 0.3)
    options = OPTIONS._replace(stop_seconds=0.3, body_seconds=30.0)
    with serving(options) as running, running.connect() as waiting, running.connect() as unfinished:
        waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        unfinished.sendall(b"POST /echo" + CHUNKED)
        until(lambda: running.application.waiting == 1 and running.num_connections() == 2)
        running.server.should_exit = True
        assert read_answer(waiting).startswith(b"HTTP/1.1 200")
        assert running.application.num_refused == 1
        assert is_closed(unfinished)
