"""Downloads of models and data sets: complete or absent, and continued after an interruption.

    python -m albert.downloads.download lcqmc --to=FOLDER              LCQMC's three files
    python -m albert.downloads.download albert_tiny_489k --to=FOLDER   a published model, unpacked
    python -m albert.downloads.download tnews --to=FOLDER              a task of CLUE, unpacked
    python -m albert.downloads.download --list                         all known names
    HF_ENDPOINT=https://hf-mirror.com python -m albert.downloads.download albert_chinese_tiny

Where an address cannot be reached, an environment variable names a mirror: ALBERT_ZH_MIRROR (models), CLUE_MIRROR,
LCQMC_MIRROR, HF_ENDPOINT (models in the format of transformers).

As a module: `download_file` and `unpack_zip`.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import stat
import sys
import time
from typing import BinaryIO, Callable, Iterator, List, NamedTuple, Optional, TextIO

from albert.base.errors import UsageError, UserError, nearest
from albert.base.flags import Flags, run_command
from albert.base.paths import shell_word
from albert.base.terminal import StatusLine, say
from albert.downloads.http_transfer import MissingFileError, PassingError, Progress, UnreachableError, receive, size_of
from albert.downloads.published_files import (
    CLUE_TASKS,
    HUB_FILES,
    HUB_MODELS,
    HUB_WEIGHTS,
    LCQMC,
    MODELS,
    PublishedFile,
    archive_of,
    hub_file,
    known_names,
    lcqmc_files,
    mirror_advice,
)
from albert.downloads.unpack import check_zip, unpack_zip

try:
    import fcntl
except ImportError:  # Windows: there the user must not start two downloads of one file at once
    fcntl = None  # type: ignore[assignment]

__all__ = ["download_file", "unpack_zip"]


_IMPORT = "python export_model.py --format=tensorflow --checkpoint={0} --output_dir={0}_checkpoint"


class RetryPolicy(NamedTuple):
    """Waiting times and retries of a download."""

    timeout: float  # seconds without a byte after which the connection counts as stalled
    retries: int  # further attempts in a row that may fail without receiving a byte
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
    check: Optional[Callable[[str], None]] = None,
) -> None:
    """Downloads `url` to `destination`; does nothing if the file exists already.

    The bytes are written to `destination + ".part"`, and the version (ETag or Last-Modified) is noted beside it. A
    later call continues from there if the server still has that version, otherwise it starts again. The file gets its
    final name only when its length, its checksum and what `check` looks at are right.

    Args:
      url: an http or https address. Proxies are taken from the environment.
      destination: the file to make; its folder is made too.
      sha256: the checksum of the file in hex, if it is known.
      timeout: seconds without a byte after which the connection counts as stalled.
      retries: further attempts in a row that may fail without receiving a byte.
      pause: seconds before the first further attempt; each next pause is longer.
      progress: called with the number of bytes received and the total (or None).
      check: called with the path of all bytes before they get the file's name; raises `UserError` if it is not whole.

    Raises:
      UserError: the file cannot be downloaded or written, its checksum is wrong, or it is not what it should be.
    """
    if not re.match(r"https?://", url):
        raise UserError(f"{url} is no address that can be downloaded: give one with http or https")
    if os.path.lexists(destination):
        _check_existing(destination, sha256)
        return
    part = destination + ".part"
    try:
        with _folder_of(destination), _opened_part(part) as stream:
            _lock(stream, destination)
            if os.path.lexists(destination):  # another process finished it just before the lock
                _remove(part)
                return
            _receive_all(url, stream, destination, RetryPolicy(timeout, retries, pause), progress)
            os.fsync(stream.fileno())
            if sha256:
                _check_new(url, part, sha256)
            _check_content(check or _refuse_page, url, part)
            os.replace(part, destination)
            _remove(part + ".json")
    except OSError as error:
        raise UserError(
            f"{destination} cannot be written ({error.strerror or error}): "
            "check the path, the free space and your right to write there"
        ) from error


@contextlib.contextmanager
def _folder_of(destination: str) -> Iterator[None]:
    """Makes the folder of the file; an attempt that received nothing leaves nothing behind."""
    folder = os.path.dirname(os.path.abspath(destination))
    was_there = os.path.isdir(folder)
    os.makedirs(folder, exist_ok=True)
    try:
        yield
    finally:
        part = destination + ".part"
        if os.path.isfile(part) and not os.path.islink(part) and os.path.getsize(part) == 0:
            _remove(part)
            _remove(part + ".json")
        if not was_there:
            with contextlib.suppress(OSError):  # it holds something now, so it stays
                os.rmdir(folder)


def _check_existing(destination: str, sha256: Optional[str]) -> None:
    if not os.path.isfile(destination):
        raise UserError(f"{destination} exists and is not a file: name another place")
    if sha256 and _sha256_of(destination) != sha256.lower():
        raise UserError(f"{destination} exists, but its SHA-256 is not {sha256}: move it away to download it again")


def _opened_part(part: str) -> BinaryIO:
    """Opens the unfinished file for appending; not through a link, which could lead to any file."""
    is_link = os.path.islink(part)
    if is_link or (os.path.lexists(part) and not _is_own_file(os.lstat(part))):
        raise UserError(
            "{} is {}, so nothing was written to it: remove it".format(
                part, "a link" if is_link else "no file of its own"
            )
        )
    no_link = getattr(os, "O_NOFOLLOW", 0)
    return open(part, "ab", opener=lambda path, flags: os.open(path, flags | no_link, 0o666))


def _is_own_file(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _refuse_page(part: str) -> None:
    with open(part, "rb") as stream:
        beginning = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith((b"<!doctype html", b"<html")):
        raise UserError(
            "it is a page, not the file; a proxy or the server may want a log-in: open the address in a browser, or "
            "get the file from another place"
        )


def _check_content(check: Callable[[str], None], url: str, part: str) -> None:
    try:
        check(part)
    except UserError as error:
        _remove(part)
        _remove(part + ".json")
        raise UserError(f"{url} was not kept: {error}") from error


def _check_new(url: str, part: str, sha256: str) -> None:
    found = _sha256_of(part)
    if found != sha256.lower():
        _remove(part)
        _remove(part + ".json")
        raise UserError(
            f"{url} is a file whose SHA-256 is {found}, not {sha256}, so it was not kept: "
            "try again later or get the file from another place"
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
        raise UserError(f"{destination} is being downloaded by another process: wait until that ends") from error


def _receive_all(
    url: str,
    stream: BinaryIO,
    destination: str,
    policy: RetryPolicy,
    progress: Optional[Progress],
) -> None:
    """Tries until the file is complete; an attempt that receives bytes starts the count again."""
    failures = 0
    answered = False
    while True:
        before = size_of(stream)
        try:
            receive(url, stream, policy.timeout, progress)
            return
        except PassingError as error:
            answered = answered or not isinstance(error, UnreachableError)
            failures = 1 if size_of(stream) > before else failures + 1
            # Without any network the error comes at once.
            if failures > policy.retries or not answered:
                raise UserError(_failure(url, destination, error)) from error
        time.sleep(policy.pause * failures)


def _failure(url: str, destination: str, error: PassingError) -> str:
    if isinstance(error, UnreachableError):
        advice = mirror_advice(url)
        return (
            f"{url} cannot be reached ({error}): check the network and the proxy settings "
            f"(https_proxy), {advice + ', ' if advice else ''}or get the file from another place and put it at "
            f"{destination}"
        )
    return (
        f"{url} could not be downloaded ({error}): run the command again later; "
        "it continues from where it stopped if the server allows it"
    )


class DownloadProgress:
    """Status line of a download: megabytes received and in all."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name
        self._line = StatusLine(stream, time.monotonic())
        self._next = 0.0

    def __call__(self, done: int, total: Optional[int]) -> None:
        """Shows the progress at most five times a second, and at the end."""
        now = time.monotonic()
        is_last = done == total
        if now < self._next and not is_last:
            return
        self._next = now + 0.2
        share = f" of {total / 1e6:.1f} MB ({100 * done // total} %)" if total else " MB"
        self._line.show(f"{self._name}: {done / 1e6:.1f}{share}", now, is_last=is_last)
        if is_last:
            self._line.close()


def download_lcqmc(folder: str, stream: TextIO) -> None:
    """Downloads the files of LCQMC that `folder` does not have yet."""
    for published in lcqmc_files():
        _download_into(folder, published, stream)


def download(name: str, folder: str, stream: TextIO) -> None:
    """Downloads what is not in the folder yet of a published model or data set.

    Args:
      name: one of `published_files.known_names`.
      folder: the folder to fill.
      stream: where progress is written.

    Raises:
      UserError: it cannot be downloaded or written.
    """
    if name == LCQMC:
        download_lcqmc(folder, stream)
    elif name in HUB_MODELS:
        download_hub_model(name, folder, stream)
    else:
        mark = "*.index" if name in MODELS else "*"
        download_archive(archive_of(name), folder, mark, stream)


def download_hub_model(name: str, folder: str, stream: TextIO) -> None:
    """Downloads the files of a model on the hub of Hugging Face that `folder` does not have yet."""
    for file_name in HUB_FILES:
        _download_into(folder, hub_file(name, file_name), stream)
    if any(os.path.exists(os.path.join(folder, file_name)) for file_name in HUB_WEIGHTS):
        return
    first, second = HUB_WEIGHTS
    try:
        _download_into(folder, hub_file(name, first), stream)
    except MissingFileError:
        _download_into(folder, hub_file(name, second), stream)


def _download_into(folder: str, published: PublishedFile, stream: TextIO) -> None:
    progress = DownloadProgress(published.name, stream)
    download_file(published.url, os.path.join(folder, published.name), progress=progress)


def download_archive(published: PublishedFile, folder: str, mark: str, stream: TextIO) -> None:
    """Downloads an archive and unpacks it, unless `folder` holds a file whose name fits the pattern `mark`.

    The archive lies beside the folder and is removed after unpacking. An archive that the user put there is used and
    kept.
    """
    if glob.glob(os.path.join(glob.escape(folder), mark)):
        return
    archive = os.path.normpath(folder) + ".zip"
    as_published = os.path.join(os.path.dirname(archive), published.name)
    if os.path.exists(as_published):
        archive = as_published
    is_of_user = os.path.exists(archive)
    progress = DownloadProgress(published.name, stream)
    download_file(published.url, archive, progress=progress, check=check_zip)
    unpack_zip(archive, folder)
    if not is_of_user:
        _remove(archive)


def declare_flags() -> Flags:
    """All flags."""
    flags = Flags()
    flags.word("name", "lcqmc, a task of CLUE, or a published model", is_required=False)
    flags.location("to", None, "the folder to fill; by default ./NAME", kind="FOLDER")
    flags.boolean("list", False, "write the known names")
    return flags


def main(flags: Flags) -> None:
    """Downloads the model or data set that the command line names, or lists all names."""
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
    if flags.name in HUB_MODELS:
        say(["Next: " + _IMPORT.format(shell_word(folder))])


def _known() -> List[str]:
    lines = [f"{LCQMC}: 260,000 question pairs"]
    lines += [f"{name}: {what}" for name, what in CLUE_TASKS.items()]
    lines += [f"{name}: {model.family} family, {model.what}" for name, model in MODELS.items()]
    return lines + [f"{name}: {what}, in the format of transformers" for name, (_, what) in HUB_MODELS.items()]


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
