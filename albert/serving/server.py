"""HTTP server: its socket, time limits for slow clients, and an end that finishes accepted requests."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from typing import Any, NamedTuple, Optional

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from albert.base.errors import UserError
from albert.serving.guard import Application

_LAST_PORT = 65535
_BACKLOG = 1024
_IDLE_SECONDS = 30  # after which a connection without a request is closed
_HEAD_SECONDS = 10.0  # within which the head of a request must arrive
_MAX_HEAD_BYTES = 64 << 10
_STOP_SECONDS = 30  # within which accepted requests must end


class ServerOptions(NamedTuple):
    """Options of the server.

    Attributes:
      head_seconds: seconds within which the head of a request must arrive.
      max_connections: connections at a time; requests beyond them get the status 503.
    """

    head_seconds: float = _HEAD_SECONDS
    max_connections: int = 1000


def listen(host: str, port: int) -> socket.socket:
    """Opens a socket; port 0 takes a free one.

    Raises:
      UserError: the address is not available.
    """
    if port > _LAST_PORT:
        raise UserError("there is no port {}: the last one is {}".format(port, _LAST_PORT))
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError("cannot listen on {} port {}: {}; name another one".format(host, port, reason)) from error
    return bound


def address_of(bound: socket.socket) -> str:
    """Returns the URL of a socket."""
    host, port = bound.getsockname()[:2]
    return "http://{}:{}".format("[{}]".format(host) if ":" in host else host, port)


def is_local(bound: socket.socket) -> bool:
    """Returns whether only this machine reaches a socket."""
    return ipaddress.ip_address(bound.getsockname()[0].split("%")[0]).is_loopback


def serve_app(application: Application, bound: socket.socket, options: Optional[ServerOptions] = None) -> None:
    """Serves until SIGINT or SIGTERM, then finishes accepted requests and returns.

    Args:
      application: an ASGI application.
      bound: from `listen`.
      options: see `ServerOptions`.
    """
    server = make_server(application, options or ServerOptions())
    # When it is done, the server sends itself the signal that ended it once more: the process must not fail then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[bound])


def make_server(application: Application, options: ServerOptions) -> uvicorn.Server:
    """Makes the server of an application."""

    class Protocol(PatientProtocol):
        head_seconds = options.head_seconds

    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=Protocol,
            ws="none",
            interface="asgi3",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            limit_concurrency=options.max_connections,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )


class PatientProtocol(HttpToolsProtocol):
    """HTTP protocol that closes connections whose request's head does not arrive in time or is too large.

    The application itself limits bodies.
    """

    head_seconds = _HEAD_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_timer: Optional[asyncio.TimerHandle] = None
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Starts to wait for the first head."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        """Stops waiting."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of a head."""
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self.transport.close()

    def on_message_begin(self) -> None:
        """Starts to wait for the rest of a head."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Stops waiting: the head is complete."""
        self._head_came()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_came()
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer = None
        self._head_bytes = 0
