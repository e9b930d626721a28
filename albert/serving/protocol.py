"""HTTP connections with one time limit for every state, a bound on their number, and an end that drops no request."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import httptools
from starlette.datastructures import Headers
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from albert.serving.chinese import in_language_of
from albert.serving.guard import LANGUAGE_HEADER, Message, Receive, Scope, Send

_MAX_HEAD_BYTES = 64 << 10  # of a head, of trailers, of anything that is no body
_MAX_PIPELINED = 16  # requests that a client may send ahead of their answers
_GUARD_SECONDS = 1.0  # by which the guard is ahead: it answers late bodies, the protocol only closes
_LAST_SECONDS = 1.0  # in which a kept connection may still ask when the server ends: its request may be on its way
_CLOSE_SECONDS = 2.0  # within which a client must take the last bytes
_UPGRADE_HEADERS = (b"upgrade", b"http2-settings")
_NO_ROOM = "the service has no room for another connection: try again in 1 s"


class ServerOptions(NamedTuple):
    """Options of the server.

    Attributes:
      head_seconds: seconds within which the head of a request must arrive.
      max_connections: connections at a time; beyond them the one that has kept the server waiting longest is closed.
      body_seconds: seconds within which the body of a request must arrive.
      idle_seconds: seconds for which a connection is kept between two requests.
      answer_seconds: seconds within which a client must take an answer that does not fit the buffers.
      stop_seconds: seconds within which requests are still answered when the server ends.
    """

    head_seconds: float = 10.0
    max_connections: int = 1000
    body_seconds: float = 10.0
    idle_seconds: float = 30.0
    answer_seconds: float = 30.0
    stop_seconds: float = 30.0


# States of a connection. In all but _ANSWERED the server waits for the client.
_FIRST, _IDLE, _HEAD, _BODY, _ANSWERED, _ANSWER, _CLOSED = range(7)


class PatientProtocol(HttpToolsProtocol):
    """HTTP protocol with a time limit for every state in which the server waits for the client.

    A state's time begins with the state: bytes that do not change it, such as empty lines, gain a client nothing. The
    application limits bodies; a body that it does not want is read and thrown away, since a client that is still
    sending would miss the answer.
    """

    options = ServerOptions()
    is_server_ending = False

    # Attributes of the parent, whose types differ from release to release.
    transport: Any
    connections: Any
    flow: FlowControl
    cycle: Any
    parser: Any
    headers: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.app: Any = self._with_close_header(self.app)
        self.parser = self._new_parser()
        self.waits_since: Optional[float] = None
        self._state: Tuple[int, int] = (_ANSWERED, 0)
        self._timer: Optional[asyncio.TimerHandle] = None
        self._messages = 0
        self._is_in_message = self._has_head = False
        self._bytes_without_body = 0

    def connection_made(self, transport: Any) -> None:
        """Starts to wait for the first head, in the place of another connection if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.options.max_connections and not self._take_place():
            self.app = self._with_close_header(_refuse)
        self._watch()
        if self.is_server_ending:
            self.shutdown()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        """Stops the time."""
        super().connection_lost(exc)
        self._stop_time()

    def data_received(self, data: bytes) -> None:
        """Reads bytes of requests; those of an upgrade to another protocol are read without the upgrade."""
        if self.transport.is_closing():
            return
        self._bytes_without_body += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            if not self.transport.is_closing():
                self.send_400_response("the request is not HTTP/1.1 that can be read")
        if self._bytes_without_body > _MAX_HEAD_BYTES:
            self.transport.close()
        self._watch()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = data[upgrade.args[0] :]
                data = self._head_without_upgrade() + rest
                self.parser = self._new_parser()
                self._messages -= 1

    def _head_without_upgrade(self) -> bytes:
        """The head of a request that offers another protocol, as Java's HttpClient does; nobody has to accept."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise httptools.HttpParserError("no proxy")
        lines = [b" ".join((method, self.url, b"HTTP/" + self.parser.get_http_version().encode("ascii")))]
        lines += [name + b": " + value for name, value in self.headers if name not in _UPGRADE_HEADERS]
        return b"\r\n".join([*lines, b"", b""])

    def _new_parser(self) -> Any:
        parser = httptools.HttpRequestParser(self)
        with contextlib.suppress(AttributeError):  # another release
            parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def send_400_response(self, msg: str) -> None:
        """Refuses what cannot be read, unless earlier requests are still to be answered."""
        if not self._is_answering():
            self.transport.write(_plain_response("400 Bad Request", msg))
        self.transport.close()

    def on_message_begin(self) -> None:
        """Begins a request; a client that sends far ahead is left."""
        if len(self.pipeline) >= _MAX_PIPELINED:
            self.transport.abort()
            raise httptools.HttpParserError("too many requests ahead")
        super().on_message_begin()
        self._messages += 1
        self._is_in_message, self._has_head = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header; those after the body mean nothing here."""
        if not self._has_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Starts to answer, unless the head is to be read again without its upgrade."""
        if self.parser.should_upgrade():
            return
        self._has_head = True
        self._bytes_without_body = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keeps bytes of a body."""
        self._bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Ends a request."""
        if self.parser.should_upgrade():
            return
        self._is_in_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Goes on with the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Starts to wait until the client takes its answer."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Stops waiting for that."""
        super().resume_writing()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Does nothing: the time of idle connections is limited here."""

    def shutdown(self) -> None:
        """Ends the connection with the answers that it waits for; an idle one after a last chance to ask."""
        if self._is_answering():
            super().shutdown()
        else:
            self.loop.call_later(_LAST_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if not self._is_answering():
            self.transport.close()
            self._watch()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _take_place(self) -> bool:
        """Closes the connection that has kept the server waiting longest; tells whether there was one."""
        waiting = [other for other in self.connections if other is not self and other.waits_since is not None]
        if waiting:
            longest = min(waiting, key=lambda other: other.waits_since)
            longest.waits_since = None
            longest.transport.abort()
        return bool(waiting)

    def _watch(self) -> None:
        """Starts the time of a new state."""
        state = self._state_now()
        if state == self._state:
            return
        self._stop_time()
        self._state = state
        if state[0] != _ANSWERED:
            self._timer = self.loop.call_later(self._seconds()[state[0]], self._end)
            self.waits_since = self.loop.time()

    def _state_now(self) -> Tuple[int, int]:
        if self.transport.is_closing():
            return _CLOSED, 0
        if self.flow.write_paused:
            return _ANSWER, 0
        if self._is_in_message and self._has_head and not self.pipeline:
            return _BODY, self._messages
        if self._is_answering():
            return _ANSWERED, 0
        if self._is_in_message:
            return (_BODY if self._has_head else _HEAD), self._messages
        return (_IDLE if self._messages else _FIRST), self._messages

    def _seconds(self) -> Dict[int, float]:
        options = self.options
        return {
            _FIRST: options.head_seconds,
            _IDLE: options.idle_seconds,
            _HEAD: options.head_seconds,
            _BODY: options.body_seconds + _GUARD_SECONDS,
            _ANSWER: options.answer_seconds,
            _CLOSED: _CLOSE_SECONDS,
        }

    def _stop_time(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.waits_since = None

    def _end(self) -> None:
        """Ends the connection: its buffers are lost where the client does not take them."""
        if self._state[0] in (_ANSWER, _CLOSED):
            self.transport.abort()
        else:
            self.transport.close()
            self._watch()

    def _with_close_header(self, application: Any) -> Callable[..., Any]:
        """An application that tells clients when its answer is the last one of a connection."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_last(message: Message) -> None:
                if message["type"] == "http.response.start" and self.is_server_ending and not self.pipeline:
                    message = dict(message, headers=[*message.get("headers", []), (b"connection", b"close")])
                await send(message)

            await application(scope, receive, send_last)

        return answer


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    body = _error_body(in_language_of(_NO_ROOM, Headers(scope=scope).get(LANGUAGE_HEADER)))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _plain_response(status: str, message: str) -> bytes:
    body = _error_body(message)
    head = "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n"
    return head.format(status, len(body)).encode("ascii") + body


def _error_body(message: str) -> bytes:
    return json.dumps({"error": message}).encode("ascii")
