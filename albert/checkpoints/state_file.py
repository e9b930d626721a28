"""State file of a folder of checkpoints, `checkpoint`: which checkpoint of the folder it names.

It is the text of a message of TensorFlow. Only the last name of the path in it counts, since folders are moved and
copied, also from Windows; editors may have given the file a byte order mark or another encoding.
"""

from __future__ import annotations

import ntpath
import os
import re
from typing import List, Optional

from albert.base.errors import UserError
from albert.files.plain_text import as_utf8

STATE_FILE = "checkpoint"
_LINE = re.compile(r"""^\s*model_checkpoint_path\s*:\s*(["'])(?P<path>(?:\\.|(?!\1).)*)\1""", re.MULTILINE)
_ESCAPE = re.compile(rb"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hexadecimal>[0-9a-fA-F]{1,2})|(?P<other>.))", re.DOTALL)
_ENDINGS = (".index", ".data-00000-of-00001")


def named_checkpoint(folder: str) -> Optional[str]:
    """Finds the prefix, in a folder, of the checkpoint that its state file names, whether or not that is there.

    Returns:
      None where there is no state file; "" where it names nothing.

    Raises:
      UserError: it cannot be read.
    """
    names = _names(folder)
    if not names:
        return "" if names is not None else None
    prefixes = [os.path.join(folder, name) for name in names]
    return next((prefix for prefix in prefixes if _is_there(prefix)), prefixes[0])


def _is_there(prefix: str) -> bool:
    return any(os.path.exists(prefix + ending) for ending in _ENDINGS)


def _names(folder: str) -> Optional[List[str]]:
    """What may be the name of the checkpoint, the likeliest first; empty if nothing is; None without a state file."""
    raw = _raw_path(folder)
    if not raw:
        return None if raw is None else []
    path = _unescaped(raw)
    # Someone may have written D:\models\model.ckpt by hand, without the escapes of the message.
    candidates = (ntpath.basename(path), os.path.basename(path), ntpath.basename(raw))
    return [name for name in dict.fromkeys(candidates) if name]


def _raw_path(folder: str) -> Optional[str]:
    """The path with its escapes; "" if the file names none; None without a file."""
    try:
        with open(os.path.join(folder, STATE_FILE), "rb") as file:
            text = as_utf8(file.read()).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise UserError("cannot read {}: {}".format(os.path.join(folder, STATE_FILE), error.strerror)) from error
    except UnicodeDecodeError:
        return ""
    match = _LINE.search(text)
    return match.group("path") if match else ""


def _unescaped(raw: str) -> str:
    """The text of a literal of the message: `\\\\` is a backslash, octal and hexadecimal escapes are bytes of UTF-8."""

    def replaced(match: "re.Match[bytes]") -> bytes:
        octal, hexadecimal, other = match.group("octal", "hexadecimal", "other")
        if other is not None:
            return other if other in b"\\\"'" else match.group()
        return bytes([(int(octal, 8) if octal else int(hexadecimal, 16)) & 0xFF])

    return _ESCAPE.sub(replaced, raw.encode("utf-8")).decode("utf-8", "surrogateescape")
