"""Downloads files so that a file under its final name is whole, and an interruption costs little.

    python -m albert.downloads.download lcqmc --to=FOLDER              LCQMC's three files
    python -m albert.downloads.download albert_tiny_489k --to=FOLDER   a published model, unpacked
    python -m albert.downloads.download tnews --to=FOLDER              a task of CLUE, unpacked
    python -m albert.downloads.download --list                         the names that are known

As a module: `download_file` and `unpack_zip`. Needs the standard library only.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import sys
import time
from typing import BinaryIO, Iterator, List, NamedTuple, Optional, TextIO

from albert.base.errors import UsageError, UserError, nearest
from albert.base.flags import Flags, run_command
from albert.base.terminal import say
from albert.downloads.http_transfer import PassingError, Progress, UnreachableError, receive, size_of
from albert.downloads.published_files import (
    CLUE_TASKS,
    LCQMC,
    MODELS,
    PublishedFile,
    archive_of,
    known_names,
    lcqmc_files,
)
from albert.downloads.unpack import unpack_zip

try:
    import fcntl
except ImportError:  # Windows: two downloads of one file at once are then the user's to avoid.
    fcntl = None  # type: ignore[assignment]

__all__ = ["download_file", "unpack_zip"]


class Patience(NamedTuple):
    """How long a download waits, and how often it tries again."""

    timeout: float  # seconds without a byte after which the connection counts as stalled
    retries: int  # further attempts in a row that may fail without bringing a byte
    pause: float  # seconds before the first further attempt; each next pause is longer


def download_file(
    url: str,
    destination: str,
    sha256: Optional[str] = None,
    *,
    timeout: float = 30.0,
    retries: int = 3,
    pause: float = 1.0,
    progress: Optional[Progress] = None,
) -> None:
    """Downloads `url` to `destination`; does nothing when the file is there already.

    The bytes go to `destination + ".part"`, whose version (ETag or Last-Modified) is noted beside
    it; a later call goes on from there if the server still has that version, else it starts again.
    The file gets its name only when its length and its checksum are right.

    Args:
      url: an http or https address. Proxies are taken from the environment.
      destination: the file to make; its folder is made too.
      sha256: the file's checksum in hex, where it is known.
      timeout: seconds without a byte after which the connection counts as stalled.
      retries: further attempts in a row that may fail without bringing a byte.
      pause: seconds before the first further attempt; each next pause is longer.
      progress: called with the bytes that are there and the bytes in all (or None).

    Raises:
      UserError: the file cannot be had, or is not what it should be.
    """
    if not re.match(r"https?://", url):
        raise UserError(f"{url} is no address that can be downloaded; give one with http or https.")
    if os.path.lexists(destination):
        _check_existing(destination, sha256)
        return
    part = destination + ".part"
    try:
        with _folder_of(destination), open(part, "ab") as stream:
            _lock(stream, destination)
            if os.path.lexists(destination):  # Finished by another process just before the lock.
                _remove(part)
                return
            _receive_all(url, stream, destination, Patience(timeout, retries, pause), progress)
            os.fsync(stream.fileno())
            if sha256:
                _check_new(url, part, sha256)
            os.replace(part, destination)
            _remove(part + ".json")
    except OSError as error:
        raise UserError(
            f"{destination} cannot be written ({error.strerror or error}); "
            "check the path, the free space and your right to write there."
        ) from error


@contextlib.contextmanager
def _folder_of(destination: str) -> Iterator[None]:
    """Makes the file's folder; an attempt that brought nothing leaves nothing behind."""
    folder = os.path.dirname(os.path.abspath(destination))
    was_there = os.path.isdir(folder)
    os.makedirs(folder, exist_ok=True)
    try:
        yield
    finally:
        part = destination + ".part"
        if os.path.exists(part) and os.path.getsize(part) == 0:
            _remove(part)
            _remove(part + ".json")
        if not was_there:
            with contextlib.suppress(OSError):  # It holds something now: it stays.
                os.rmdir(folder)


def _check_existing(destination: str, sha256: Optional[str]) -> None:
    if not os.path.isfile(destination):
        raise UserError(f"{destination} is there and is not a file; name another place.")
    if sha256 and _sha256_of(destination) != sha256.lower():
        raise UserError(f"{destination} is there, but its SHA-256 is not {sha256}; move it away to have it downloaded.")


def _check_new(url: str, part: str, sha256: str) -> None:
    found = _sha256_of(part)
    if found != sha256.lower():
        _remove(part)
        _remove(part + ".json")
        raise UserError(
            f"{url} brought a file whose SHA-256 is {found}, not {sha256}, so it was not kept; "
            "try again later or bring the file from elsewhere."
        )


def _sha256_of(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


def _lock(stream: BinaryIO, destination: str) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(f"{destination} is being downloaded by another process; wait until that has ended.") from error


def _receive_all(
    url: str,
    stream: BinaryIO,
    destination: str,
    patience: Patience,
    progress: Optional[Progress],
) -> None:
    """Repeats the attempts until the file is whole; one that brings bytes starts the count anew."""
    failures = 0
    answered = False
    while True:
        before = size_of(stream)
        try:
            receive(url, stream, patience.timeout, progress)
            return
        except PassingError as error:
            answered = answered or not isinstance(error, UnreachableError)
            failures = 1 if size_of(stream) > before else failures + 1
            # With no network at all the answer comes at once.
            if failures > patience.retries or not answered:
                raise UserError(_last_word(url, destination, error)) from error
        time.sleep(patience.pause * failures)


def _last_word(url: str, destination: str, error: PassingError) -> str:
    if isinstance(error, UnreachableError):
        return (
            f"{url} cannot be reached ({error}); check the network and the proxy settings "
            f"(https_proxy), or bring the file from elsewhere and put it at {destination}."
        )
    return (
        f"{url} could not be downloaded ({error}); run the command again later: "
        "it goes on from where it stopped if the server allows it."
    )


class ProgressLine:
    """Writes how far a download is: a line that renews itself, without a terminal a few lines."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name
        self._stream = stream
        self._renew = stream.isatty()
        self._next = time.monotonic() + (0.0 if self._renew else 10.0)

    def __call__(self, done: int, total: Optional[int]) -> None:
        """Writes when it is time to, and at the end."""
        now = time.monotonic()
        if now < self._next and done != total:
            return
        self._next = now + (0.2 if self._renew else 10.0)
        share = f" of {total / 1e6:.1f} MB ({100 * done // total} %)" if total else " MB"
        end = "\r" if self._renew and done != total else "\n"
        self._stream.write(f"{self._name}: {done / 1e6:.1f}{share}{end}")
        self._stream.flush()


def download_lcqmc(folder: str, stream: TextIO) -> None:
    """Brings the files of LCQMC that `folder` does not have yet."""
    for name, url in lcqmc_files():
        download_file(url, os.path.join(folder, name), progress=ProgressLine(name, stream))


def download(name: str, folder: str, stream: TextIO) -> None:
    """Brings what `published_files.known_names` calls so: what `folder` does not have yet of it.

    Raises:
      UserError: it cannot be had, or not be written.
    """
    if name == LCQMC:
        download_lcqmc(folder, stream)
    else:
        mark = "*.index" if name in MODELS else "*"
        download_archive(archive_of(name), folder, mark, stream)


def download_archive(published: PublishedFile, folder: str, mark: str, stream: TextIO) -> None:
    """Brings an archive and unpacks it, unless `folder` holds a file whose name fits the pattern `mark`.

    The archive is kept beside the folder while it is incomplete and removed when it is unpacked;
    one that was put there by hand is used, and left.
    """
    if glob.glob(os.path.join(glob.escape(folder), mark)):
        return
    archive = os.path.normpath(folder) + ".zip"
    as_published = os.path.join(os.path.dirname(archive), published.name)
    if os.path.exists(as_published):
        archive = as_published
    brought_by_hand = os.path.exists(archive)
    download_file(published.url, archive, progress=ProgressLine(published.name, stream))
    unpack_zip(archive, folder)
    if not brought_by_hand:
        _remove(archive)


def declare_flags() -> Flags:
    """All flags."""
    flags = Flags()
    flags.word("name", "lcqmc, a task of CLUE, or a published model", is_required=False)
    flags.string("to", None, "the folder to fill; by default ./NAME")
    flags.boolean("list", False, "write the known names")
    return flags


def main(flags: Flags) -> None:
    """Downloads what the command line names, or lists the names."""
    if flags.list:
        say(_known())
        return
    if not flags.name:
        raise UsageError("name what to download (--list lists all names)")
    if flags.name not in known_names():
        near = nearest(flags.name, known_names())
        raise UsageError(
            "there is nothing called '{}': the nearest known name is {} (--list lists all)".format(flags.name, near)
        )
    folder = flags.to or flags.name
    download(flags.name, folder, sys.stderr)
    say(["{} is in {}.".format(flags.name, folder)])


def _known() -> List[str]:
    lines = [f"{LCQMC}: 260,000 question pairs"]
    lines += [f"{name}: {what}" for name, what in CLUE_TASKS.items()]
    return lines + [f"{name}: {model.family} family, {model.what}" for name, model in MODELS.items()]


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
