"""Hostile bodies for a load test of the service: 4 MB that a careless reader turns into millions of objects."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import threading
import time
from typing import Dict, Iterator, List

_BYTES = 4 << 20


def hostile_bodies(size: int = _BYTES) -> Dict[str, bytes]:
    """Returns bodies of about `size` bytes by name; the service has to refuse every one."""
    keys = b",".join(b'"key%07d":1' % number for number in range(size // 15))
    return {
        "numbers": _list_of(b"1", size),
        "objects": _list_of(b"{}", size),
        "nulls": _list_of(b"null", size),
        "lists": _list_of(b"[]", size),
        "keys": b"{" + keys + b"}",
        "brackets": b"[" * size,
        "a list for a text": b'{"text_b":"","text_a":' + _list_of(b"[]", size - 24) + b"}",
        "a number for a text": b'{"text_a":' + b"9" * (size - 12) + b"}",
        "escapes": b'{"text_b":"","text_a":"' + b"\\u4f60" * ((size - 40) // 6) + b'"}',
        "too many rows": _list_of(b'{"text_a":"a","text_b":"b"}', size),
    }


def _list_of(unit: bytes, size: int) -> bytes:
    return b"[" + b",".join([unit] * ((size - 2) // (len(unit) + 1))) + b"]"


@contextlib.contextmanager
def sent_to(port: int, per_second: float) -> Iterator[List[int]]:
    """Sends hostile bodies in turn to POST /similarity on 127.0.0.1; yields the list of the statuses that come."""
    statuses: List[int] = []
    stop = threading.Event()
    bodies = list(hostile_bodies().values())
    thread = threading.Thread(target=_send, args=(port, bodies, per_second, stop, statuses), daemon=True)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join()


def _send(port: int, bodies: List[bytes], per_second: float, stop: threading.Event, statuses: List[int]) -> None:
    due = time.monotonic()
    for body in itertools.cycle(bodies):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=300)) as connection:
            connection.request("POST", "/similarity", body, {"Content-Type": "application/json"})
            statuses.append(connection.getresponse().status)
        due += 1.0 / per_second
        if stop.wait(max(0.0, due - time.monotonic())):
            return
