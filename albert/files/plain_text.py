"""Plain text as machines write it: encodings named by a byte order mark, line ends, lines in which nothing can be read.

Text is UTF-8, with or without a byte order mark. What begins with the mark of UTF-16 or UTF-32 is converted. Lines end
at "\\n"; only where there is none do they end at "\\r", as on a classic Mac.
"""

from __future__ import annotations

import codecs
from typing import Any, BinaryIO, Iterable, Optional, Tuple

from albert.base.errors import UserError
from albert.files.streams import Convert, stream

_LOOK_BYTES = 1 << 20  # in which a line end is looked for
_BLOCK_BYTES = 1 << 12  # read at a time; nearly always the first holds one
# UTF-32 first: its mark begins with that of UTF-16.
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WHITESPACE_AND_CONTROLS = (
    (0x00, 0x20),
    (0x7F, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
)
# Unicode's Default_Ignorable_Code_Point: characters without a glyph of their own.
_DEFAULT_IGNORABLE = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)


def _characters(ranges: Iterable[Tuple[int, int]]) -> str:
    return "".join(chr(code) for first, last in ranges for code in range(first, last + 1))


_UNREADABLE = frozenset(_characters(_WHITESPACE_AND_CONTROLS + _DEFAULT_IGNORABLE))


def is_blank(text: str) -> bool:
    """Whether nothing in a text can be read: it has only whitespace, controls and characters without a glyph."""
    return not text or (text[0] in _UNREADABLE and _UNREADABLE.issuperset(text))


def without_mark(content: bytes) -> bytes:
    """The beginning of a file without the byte order mark of UTF-8 that some editors write there."""
    return content[len(codecs.BOM_UTF8) :] if content.startswith(codecs.BOM_UTF8) else content


def as_utf8(content: bytes) -> bytes:
    """Converts the whole content of a text file to UTF-8 without a mark, with lines that end at "\\n".

    Raises:
      UnicodeDecodeError: it begins like UTF-16 or UTF-32 and is damaged.
    """
    encoding = _wide_encoding(content)
    content = content.decode(encoding).encode("utf-8") if encoding else without_mark(content)
    return content if b"\n" in content else _with_line_feeds(content)


def as_utf8_lines(file: BinaryIO, path: str) -> BinaryIO:
    """Returns an open file itself, or a file with its text in UTF-8 and lines that end at "\\n".

    Args:
      file: must be at its beginning.
      path: for messages.

    Raises:
      UserError: while it is read, if it is UTF-16 or UTF-32 and damaged.
    """
    encoding = _wide_encoding(file.read(len(codecs.BOM_UTF32_LE)))
    file.seek(0)
    if encoding:
        file = stream(file, lambda: _decoding(str(encoding), path))
    is_classic = _has_only_returns(file)
    file.seek(0)
    return stream(file, lambda: _with_line_feeds) if is_classic else file


def _wide_encoding(content: bytes) -> Optional[str]:
    return next((encoding for mark, encoding in _WIDE_MARKS if content.startswith(mark)), None)


def _with_line_feeds(content: bytes) -> bytes:
    return content.replace(b"\r", b"\n")


def _decoding(encoding: str, path: str) -> Convert:
    decoder: Any = codecs.getincrementaldecoder(encoding)()

    def convert(block: bytes) -> bytes:
        try:
            return decoder.decode(block, not block).encode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                "{} is {} and is cut off or damaged: save it as UTF-8".format(path, encoding.upper())
            ) from error

    return convert


def _has_only_returns(file: BinaryIO) -> bool:
    """Whether the first megabyte has a "\\r" and no "\\n"."""
    has_return, num_bytes = False, 0
    while num_bytes < _LOOK_BYTES:
        block = file.read(_BLOCK_BYTES)
        if not block or b"\n" in block:
            return has_return and not block
        has_return = has_return or b"\r" in block
        num_bytes += len(block)
    return has_return
