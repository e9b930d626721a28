"""Clients over kept connections, at full speed or at a given rate; cheap, since they share the server's cores."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

_CONTENT_LENGTH = b"content-length:"


class Asked(NamedTuple):
    """What a run of clients saw.

    Attributes:
      seconds: of each answer, from the moment when the question was due.
      errors: answers that were not 200, and connections that broke.
      lasted: seconds of the whole run.
    """

    seconds: List[float]
    errors: int
    lasted: float

    @property
    def per_second(self) -> float:
        """Right answers in a second."""
        return (len(self.seconds) - self.errors) / self.lasted

    def percentile(self, share: float) -> float:
        """The seconds within which a share of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    """One question at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: Optional[asyncio.Future] = None
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or self._answer is None:
            return
        lower = head.lower()
        place = lower.index(_CONTENT_LENGTH) + len(_CONTENT_LENGTH)
        if len(body) >= int(lower[place:].split(b"\r\n", 1)[0]):
            self._received = b""
            self._settle(head.startswith(b"HTTP/1.1 200 "))

    def connection_lost(self, error: Any) -> None:
        self._settle(False)

    async def ask(self, request: bytes) -> bool:
        """Whether the answer was 200."""
        self._answer = asyncio.get_event_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self._transport.close()

    def _settle(self, is_right: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(is_right)


def ask(port: int, bodies: Sequence[bytes], *, clients: int, seconds: float, rate: Optional[float] = None) -> Asked:
    """Asks POST /similarity.

    Args:
      port: of 127.0.0.1.
      bodies: what is asked, in turn.
      clients: connections.
      seconds: how long.
      rate: questions in a second, of all clients together; None asks as soon as the last answer came.
    """
    requests = [_request(port, body) for body in bodies]
    return asyncio.run(_ask(port, requests, clients, seconds, rate))


def _request(port: int, body: bytes) -> bytes:
    head = [
        "POST /similarity HTTP/1.1",
        "Host: 127.0.0.1:{}".format(port),
        "Content-Type: application/json",
        "Content-Length: {}".format(len(body)),
    ]
    return "\r\n".join(head + ["", ""]).encode("ascii") + body


async def _ask(port: int, requests: Sequence[bytes], clients: int, seconds: float, rate: Optional[float]) -> Asked:
    loop = asyncio.get_event_loop()
    connections = [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(clients)]
    took: List[float] = []
    wrong: List[bool] = []
    start = time.monotonic()

    async def client(number: int) -> None:
        due = _schedule(number, clients, rate, start)
        count = number
        while True:
            moment = due()
            if moment >= start + seconds:
                return
            if moment > time.monotonic():
                await asyncio.sleep(moment - time.monotonic())
            if not await connections[number].ask(requests[count % len(requests)]):
                wrong.append(True)
            took.append(time.monotonic() - moment)
            count += clients

    await asyncio.gather(*map(client, range(clients)))
    lasted = time.monotonic() - start
    for connection in connections:
        connection.close()
    return Asked(took, len(wrong), lasted)


def _schedule(number: int, clients: int, rate: Optional[float], start: float) -> Callable[[], float]:
    """When a client asks: at random moments, so that the clients meet as strangers do; a late answer delays nothing."""
    if rate is None:
        return time.monotonic
    randomness = random.Random(number)
    moment = start

    def due() -> float:
        nonlocal moment
        moment += randomness.expovariate(rate / clients)
        return moment

    return due
