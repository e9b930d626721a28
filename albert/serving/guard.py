"""ASGI guard: token, body size and time limits of requests, and the responses that refuse them."""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import Any, Awaitable, Callable, Mapping, MutableMapping, NamedTuple, Optional, Sequence

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from albert.serving.metrics import ServingMetrics

CLIENT_GONE = 499  # the customary status, for the metrics alone: nobody reads the response
# This much more of a body that is too large is read and thrown away: a client that is still sending would miss the
# response.
_DISCARDED_BYTES = 32 << 20

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


def refusal(error: HTTPException) -> JSONResponse:
    """Returns the response that says why a request is refused."""
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


class Guard:
    """ASGI application around another one, which gets only requests that are allowed, with their whole body."""

    def __init__(
        self,
        application: Application,
        limits: Limits,
        metrics: ServingMetrics,
        *,
        open_paths: Sequence[str],
        other_paths: Sequence[str],
    ) -> None:
        """Creates the guard.

        Args:
          application: gets the allowed requests.
          limits: see `Limits`.
          metrics: counts the responses.
          open_paths: paths that need no token.
          other_paths: the other paths that are counted by name.
        """
        self._application = application
        self._limits = limits
        self._metrics = metrics
        self._open_paths = frozenset(open_paths)
        self._known_paths = self._open_paths.union(other_paths)

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
        try:
            self._check_token(scope["path"], headers)
            if scope["method"] == "POST":
                _check_content_type(headers)
                body = await self._read_body(receive)
                if body is None:
                    return
                receive = _replay(body, receive)
        except HTTPException as error:
            await refusal(error)(scope, receive, send)
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

    async def _read_body(self, receive: Receive) -> Optional[bytes]:
        """Reads the body; None from a client that hung up."""
        try:
            return await asyncio.wait_for(self._receive_body(receive), self._limits.body_seconds)
        except asyncio.TimeoutError:
            raise HTTPException(
                408,
                "the body did not arrive within {:g} seconds".format(self._limits.body_seconds),
                {"Connection": "close"},
            ) from None

    async def _receive_body(self, receive: Receive) -> Optional[bytes]:
        limit = self._limits.max_body_bytes
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size <= limit:
                parts.append(part)
            if size > limit + _DISCARDED_BYTES or not message.get("more_body", False):
                break
        if size > limit:
            raise HTTPException(
                413,
                "the body has more than {:,} bytes: send it in parts".format(limit),
                {"Connection": "close"},
            )
        return b"".join(parts)


def _check_content_type(headers: Mapping[str, str]) -> None:
    content_type = headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "the body must be JSON: send the header 'Content-Type: application/json'")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns a `receive` that gives a body that was read already, and then what the client sends after it."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
