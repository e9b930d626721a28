"""An HTTP server on this machine that can be told to misbehave."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from typing import Dict, Iterator, List, Optional, Tuple


class Site:
    """What the server sends, how it misbehaves, and what it was asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag: Optional[str] = '"one"'
        self.ranges = True
        self.status = 200
        self.missing: Tuple[str, ...] = ()  # ends of paths at which there is no file
        self.cuts: List[int] = []  # bytes after which each of the next answers breaks off
        self.stall_at: Optional[int] = None  # bytes after which answers stop coming
        self.stalling = threading.Event()
        self.asked: List[Optional[str]] = []  # the Range header of each request
        self.heeds_version = True  # whether If-Range is looked at
        self.longest_part: Optional[int] = None  # bytes of a partial answer
        self.headers: Dict[str, str] = {}  # beside those of a file, or instead of them
        self.url = ""


def _handler_of(site: Site):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format, *args):
            pass

        def do_GET(self):
            asked = self.headers.get("Range")
            site.asked.append(asked)
            if site.status != 200 or self.path.endswith(site.missing):
                self.send_error(site.status if site.status != 200 else 404)
                return
            start = 0
            is_same = not site.heeds_version or self.headers.get("If-Range") == site.etag
            if asked and site.ranges and is_same:
                start = int(asked[len("bytes=") : -1])
            end = len(site.content) if not start or site.longest_part is None else start + site.longest_part
            body = site.content[start:end]
            self.send_response(206 if start else 200)
            headers = {"ETag": site.etag, "Content-Length": str(len(body))}
            if start:
                total = len(site.content)
                headers["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{total}"
            for name, value in dict(headers, **site.headers).items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self._send(body)

        def _send(self, body):
            if site.stall_at is not None:
                self.wfile.write(body[: site.stall_at])
                self.wfile.flush()
                site.stalling.wait(5)
            elif site.cuts:
                self.wfile.write(body[: site.cuts.pop(0)])
            else:
                self.wfile.write(body)

    return Handler


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[Site]:
    """Runs the server in a thread; yields the site, whose `url` is the file's address."""
    site = Site(content)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler_of(site))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/file"
    try:
        yield site
    finally:
        site.stalling.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def closed_port() -> str:
    """An address on this machine at which nothing listens."""
    with socketserver.TCPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_address[1]
    return f"http://127.0.0.1:{port}"
