"""HTTP server: its socket, its signals, and an end that answers or refuses every request that it accepted."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import math
import signal
import socket
from typing import Any, Generator, List, Optional

import uvicorn

from albert.base.errors import UserError
from albert.serving.guard import Guard
from albert.serving.protocol import PatientProtocol, ServerOptions

_log = logging.getLogger(__name__)

_LAST_PORT = 65535
_BACKLOG = 1024
_LAST_TICK = 0.05  # seconds for connections that the system has accepted for the server
_GRACE_SECONDS = 5.0  # within which clients must take the last answers
_FILES = 200  # open files beside connections: of the model, the libraries
_ALWAYS = (signal.SIGINT, signal.SIGTERM)  # shells start what runs in the background with SIGINT ignored
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


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


def serve_app(application: Guard, bound: socket.socket, options: Optional[ServerOptions] = None) -> int:
    """Serves until SIGINT, SIGTERM or SIGHUP, then ends as `Server` does; more signals do not hasten it.

    Args:
      application: from `build_app`.
      bound: from `listen`.
      options: see `ServerOptions`.

    Returns:
      the number of requests that were refused at the end, since they would have waited too long.
    """
    options = options or ServerOptions()
    _raise_file_limit(options.max_connections + _FILES)
    server = make_server(application, options)

    def stop(number: int, frame: Any) -> None:
        del number, frame
        server.should_exit = True

    for number in _SIGNALS:
        if number in _ALWAYS or signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    server.run(sockets=[bound])
    return server.num_refused


def make_server(application: Guard, options: ServerOptions) -> Server:
    """Makes the server of an application."""

    class Protocol(PatientProtocol):
        pass

    Protocol.options = options
    return Server(application, Protocol, options)


class Server(uvicorn.Server):
    """Server that ends in order: no more connections, answers, refusals of what waits too long.

    Attributes:
      num_refused: the number of requests that were refused at the end.
    """

    def __init__(self, application: Guard, protocol: Any, options: ServerOptions) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=protocol,
                ws="none",
                interface="asgi3",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,
                timeout_graceful_shutdown=math.ceil(options.stop_seconds + 2 * _GRACE_SECONDS),
            )
        )
        self.num_refused = 0
        self._application = application
        self._protocol = protocol
        self._options = options

    def install_signal_handlers(self) -> None:
        """Does nothing: `serve_app` handles signals (uvicorn up to 0.28)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Does nothing: `serve_app` handles signals (uvicorn from 0.29 on)."""
        yield

    async def shutdown(self, sockets: Optional[List[socket.socket]] = None) -> None:
        """Ends the server; returns when all connections have ended."""
        _log.info("Stopping: requests that were accepted are answered for %g s more.", self._options.stop_seconds)
        self._protocol.is_server_ending = True
        await asyncio.sleep(_LAST_TICK)
        loop = asyncio.get_event_loop()
        timers = [
            loop.call_later(self._options.stop_seconds, self._refuse_waiting),
            loop.call_later(self._options.stop_seconds + _GRACE_SECONDS, self._leave_clients),
        ]
        await super().shutdown(sockets)
        for timer in timers:
            timer.cancel()

    def _refuse_waiting(self) -> None:
        self.num_refused += self._application.refuse_waiting()

    def _leave_clients(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _raise_file_limit(needed: int) -> None:
    """Raises the limit of open files where the system lets it."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # another system
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
