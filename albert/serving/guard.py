"""ASGI guard: hosts, token, type, size and time of requests, and the responses that refuse them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import email.message
import hmac
import time
from typing import Any, Awaitable, Callable, Mapping, MutableMapping, NamedTuple, Optional, Sequence

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from albert.base.sentences import Sentence
from albert.serving.bodies import BodyReader
from albert.serving.chinese import in_language_of
from albert.serving.hosts import AllowedHosts
from albert.serving.metrics import ServingMetrics

CLIENT_GONE = 499  # the customary status, for the metrics alone: nobody reads the response
LANGUAGE_HEADER = "accept-language"
READ_BODY = "albert.body"  # the key of a scope under which the application finds what a body holds
_SMALL_BODY = 64 << 10  # bytes of an unfinished body that every client may send, however many do
_LARGE_BODIES = 16  # times the largest body: the bytes of all unfinished bodies beyond their small parts
_NO_ROOM = "too many large bodies are arriving at this moment: send it again in 1 s"
_UTF_8 = ("", "utf-8", "utf8")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]  # ASGI 3


class Limits(NamedTuple):
    """Limits of a request.

    Attributes:
      max_text_length: characters of a text.
      max_rows: rows of a list.
      max_body_bytes: bytes of the body.
      body_seconds: seconds within which the body must arrive.
      token: what a client must send; None lets everyone in.
    """

    max_text_length: int = 4096
    max_rows: int = 1000
    max_body_bytes: int = 4 << 20
    body_seconds: float = 10.0
    token: Optional[str] = None


def refusal(error: HTTPException, headers: Headers) -> JSONResponse:
    """Returns the response that says why a request with these headers is refused, in the language of the client."""
    said = in_language_of(error.detail, headers.get(LANGUAGE_HEADER))
    return JSONResponse({"error": said}, error.status_code, headers=error.headers)


class Guard:
    """ASGI application around another one, which gets only requests that are allowed, with what their body holds."""

    def __init__(
        self,
        application: Application,
        limits: Limits,
        metrics: ServingMetrics,
        *,
        hosts: AllowedHosts,
        readers: Mapping[str, BodyReader],
        open_paths: Sequence[str],
        other_paths: Sequence[str],
        refuse_waiting: Callable[[], int],
    ) -> None:
        """Creates the guard.

        Args:
          application: gets the allowed requests.
          limits: see `Limits`.
          metrics: counts the responses.
          hosts: see `AllowedHosts`.
          readers: the readers of bodies, by path; the application finds what they read in scope[READ_BODY].
          open_paths: paths that need no token.
          other_paths: the other paths that are counted by name.
          refuse_waiting: refuses the requests that wait for the model, and returns their number.
        """
        self.refuse_waiting = refuse_waiting
        self._application = application
        self._limits = limits
        self._metrics = metrics
        self._hosts = hosts
        self._readers = readers
        self._open_paths = frozenset(open_paths)
        self._known_paths = self._open_paths.union(other_paths, readers)
        self._room = _LARGE_BODIES * limits.max_body_bytes  # bytes that are free for large bodies
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "bodies")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request (ASGI 3)."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        start = time.monotonic()
        status = CLIENT_GONE

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._answer(scope, receive, send_noting_status)
        finally:
            path = scope["path"] if scope["path"] in self._known_paths else "other"
            self._metrics.count_request(path, status, time.monotonic() - start)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_post = scope["method"] == "POST"
        try:
            self._hosts.check(headers, is_host_needed=scope["http_version"] == "1.1", is_origin_checked=is_post)
            self._check_token(scope["path"], headers)
            if is_post:
                _check_content(headers)
            if is_post and scope["path"] in self._readers:
                read = await self._read(scope, headers, receive)
                if read is None:
                    return
                receive = _replay(receive)
        except HTTPException as error:
            await refusal(error, headers)(scope, receive, send)
            return
        await self._application(scope, receive, send)

    def _check_token(self, path: str, headers: Mapping[str, str]) -> None:
        token = self._limits.token
        if token is None or path in self._open_paths:
            return
        shown = headers.get("authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(shown, b"Bearer " + token.encode("utf-8")):
            raise HTTPException(
                401,
                "this service needs a token: send it in the header 'Authorization: Bearer TOKEN'",
                {"WWW-Authenticate": "Bearer"},
            )

    async def _read(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Any:
        """Reads the body into the scope; its bytes are gone before the model is asked.

        Returns:
          what it holds; None from a client that hung up.
        """
        length = headers.get("content-length", "")
        if length.isdigit():
            self._check_size(int(length))
        body = _Body()
        try:
            if not await self._receive_in_time(body, receive):
                return None
            read = self._readers[scope["path"]].read
            if len(body.content) <= _SMALL_BODY:
                found = read(body.content)
            else:  # in a thread, so that others are answered meanwhile
                found = await asyncio.get_event_loop().run_in_executor(self._thread, read, body.content)
        finally:
            self._room += body.held
        scope[READ_BODY] = found
        return found

    def _check_size(self, size: int) -> None:
        limit = self._limits.max_body_bytes
        if size > limit:
            raise HTTPException(413, Sentence("the body has more than {:,} bytes: send it in parts", limit))

    async def _receive_in_time(self, body: _Body, receive: Receive) -> bool:
        try:
            return await asyncio.wait_for(self._receive(body, receive), self._limits.body_seconds)
        except asyncio.TimeoutError:
            raise HTTPException(
                408,
                Sentence("the body did not arrive within {:g} seconds", self._limits.body_seconds),
                {"Connection": "close"},
            ) from None

    async def _receive(self, body: _Body, receive: Receive) -> bool:
        """Receives the body; returns whether the client stayed."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            part = message.get("body", b"")
            size = len(body.content) + len(part)
            self._check_size(size)
            self._take_room(body, size)
            body.content += part
            if not message.get("more_body", False):
                return True

    def _take_room(self, body: _Body, size: int) -> None:
        more = max(0, size - _SMALL_BODY) - body.held
        if more > self._room:
            raise HTTPException(503, _NO_ROOM, {"Retry-After": "1"})
        self._room -= more
        body.held += more


class _Body:
    """Body that is arriving; `held` is what it takes of the room that all bodies share."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.held = 0


def _check_content(headers: Headers) -> None:
    """Checks that a body is JSON as it is, in UTF-8."""
    described = email.message.Message()
    described["Content-Type"] = headers.get("content-type", "text/plain")
    if described.get_content_type() != "application/json":
        raise HTTPException(415, "the body must be JSON: send the header 'Content-Type: application/json'")
    if str(described.get_param("charset", "")).lower() not in _UTF_8:
        raise HTTPException(415, "the body must be JSON in UTF-8: the header 'Content-Type' names another charset")
    for coding in headers.getlist("content-encoding"):
        if coding.strip().lower() not in ("", "identity"):
            raise HTTPException(
                415,
                "the body must not be compressed: send no header 'Content-Encoding'",
                {"Accept-Encoding": "identity"},
            )
    for coding in headers.getlist("transfer-encoding"):
        if coding.strip().lower() != "chunked":
            raise HTTPException(501, "the body must not be compressed: 'Transfer-Encoding' may only be 'chunked'")


def _replay(receive: Receive) -> Receive:
    """Returns a `receive` for an application whose body was read: a short stand-in, then what comes after the body."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": b"-", "more_body": False}

    return receive_again
