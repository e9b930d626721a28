"""HTTP clients with keep-alive, at full speed or at a given rate; light, since they share the server's cores."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Callable, List, NamedTuple, Optional, Sequence

_CONTENT_LENGTH = b"content-length:"


class Load(NamedTuple):
    """Result of a run of clients.

    Attributes:
      seconds: the latency of each request, from the moment when it was due.
      errors: number of responses with another status than 200, and of broken connections.
      duration: seconds of the whole run.
    """

    seconds: List[float]
    errors: int
    duration: float

    @property
    def per_second(self) -> float:
        """Successful responses per second."""
        return (len(self.seconds) - self.errors) / self.duration

    def percentile(self, share: float) -> float:
        """Latency in seconds that a share of the responses do not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    """Connection with one request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: Optional[asyncio.Future] = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:
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

    def connection_lost(self, error: Optional[Exception]) -> None:
        self._settle(False)

    async def request(self, request: bytes) -> bool:
        """Sends a request; tells whether the status was 200."""
        self._answer = asyncio.get_event_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self._transport.close()

    def _settle(self, is_right: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(is_right)


def put_load(port: int, bodies: Sequence[bytes], *, clients: int, seconds: float, rate: Optional[float] = None) -> Load:
    """Sends requests POST /similarity.

    Args:
      port: the port on 127.0.0.1.
      bodies: bodies of the requests, sent in turns.
      clients: number of connections.
      seconds: duration.
      rate: requests per second of all clients together; None to send a request as soon as the last response came.
    """
    requests = [_request(port, body) for body in bodies]
    return asyncio.run(_run_clients(port, requests, clients, seconds, rate))


def _request(port: int, body: bytes) -> bytes:
    head = [
        "POST /similarity HTTP/1.1",
        "Host: 127.0.0.1:{}".format(port),
        "Content-Type: application/json",
        "Content-Length: {}".format(len(body)),
    ]
    return "\r\n".join(head + ["", ""]).encode("ascii") + body


async def _run_clients(
    port: int, requests: Sequence[bytes], clients: int, seconds: float, rate: Optional[float]
) -> Load:
    loop = asyncio.get_event_loop()
    connections = [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(clients)]
    latencies: List[float] = []
    errors = 0
    start = time.monotonic()

    async def client(number: int) -> None:
        nonlocal errors
        due = _schedule(number, clients, rate, start)
        count = number
        while True:
            moment = due()
            if moment >= start + seconds:
                return
            if moment > time.monotonic():
                await asyncio.sleep(moment - time.monotonic())
            if not await connections[number].request(requests[count % len(requests)]):
                errors += 1
            latencies.append(time.monotonic() - moment)
            count += clients

    await asyncio.gather(*map(client, range(clients)))
    duration = time.monotonic() - start
    for connection in connections:
        connection.close()
    return Load(latencies, errors, duration)


def _schedule(number: int, clients: int, rate: Optional[float], start: float) -> Callable[[], float]:
    """Due times of a client's requests: random, as those of independent clients; a late response delays none."""
    if rate is None:
        return time.monotonic
    randomness = random.Random(number)
    moment = start

    def due() -> float:
        nonlocal moment
        moment += randomness.expovariate(rate / clients)
        return moment

    return due
