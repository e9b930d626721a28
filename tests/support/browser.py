"""A headless Chromium, driven over the pipe of its DevTools protocol; needs no package."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60.0


def find_chromium() -> Optional[str]:
    """The path of a Chromium, if this machine has one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """A page and what went wrong in it."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._session: Optional[str] = None
        self._number = 0
        self._buffer = b""
        self.complaints: List[str] = []
        self.asked: List[str] = []  # addresses of all that was loaded
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(domain + ".enable")

    def open(self, url: str, width: int, height: int = 900) -> None:
        """Shows an address on a screen of a width."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self._call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        answer = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError("{}: {}".format(script, answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait(self, script: str) -> Any:
        """The value of an expression once it is true."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError):  # the page is not there yet
                value = self.run(script)
                if value:
                    return value
            time.sleep(0.05)
        raise AssertionError("never came true: {}; complaints: {}".format(script, self.complaints))

    def screenshot(self, path: str) -> None:
        """Writes the whole page as PNG."""
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self._call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def _call(self, method: str, **parameters: Any) -> Dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode("utf-8") + b"\0")
        while True:
            answer = self._next_message()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _note(self, event: Dict[str, Any]) -> None:
        if event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(event["params"]["exceptionDetails"]))
        elif event["method"] == "Log.entryAdded":
            self.complaints.append(event["params"]["entry"]["text"])
        elif event["method"] == "Network.requestWillBeSent":
            self.asked.append(event["params"]["request"]["url"])

    def _next_message(self) -> Dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], _SECONDS)
            content = os.read(self._answers, 1 << 16) if ready else b""
            assert content, "Chromium does not answer"
            self._buffer += content
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)


@contextlib.contextmanager
def open_page(folder: str) -> Iterator[Page]:
    """Runs a Chromium that keeps its files in a folder."""
    with _pipe() as (read_commands, commands), _pipe() as (answers, write_answers):
        command = [find_chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        command += ["--user-data-dir=" + str(folder), "--lang=en", "about:blank"]
        # Chromium reads commands from descriptor 3 and writes answers to 4.
        shell = 'exec "$@" 3<&{} 4>&{}'.format(read_commands, write_answers)
        process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *command],
            pass_fds=(read_commands, write_answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Page(commands, answers)
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def _pipe() -> Iterator[Tuple[int, int]]:
    """A pipe whose descriptors are above those that Chromium wants for itself."""
    low = os.pipe()
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in low]
    for end in low:
        os.close(end)
    try:
        yield ends[0], ends[1]
    finally:
        for end in ends:
            os.close(end)
