"""Vectors of others: a file is measured before its header is believed."""

from __future__ import annotations

import io

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference.vector_table import read_vectors, write_vectors


def header(shape, descr="'<f4'", order="False"):
    """The beginning of an .npy file, as a program of others may write it."""
    text = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}".format(descr, order, shape)
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin-1")


def pickled():
    content = io.BytesIO()
    np.save(content, np.array([{}], dtype=object))
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00",
        header("(1000000000000, 8)"),
        header("(1000000000000, 8)") + bytes(100),
        header("(-1, 8)") + bytes(64),
        header("(2, 8)") + bytes(63),
        header("(2, 8)", order="7") + bytes(64),
        header("(2, 8)", descr="'|O'") + bytes(64),
        header("(2, 8)", descr="'<i4'") + bytes(64),
        header("(2, 8)", descr="'<U4'") + bytes(256),
        header("'many'") + bytes(64),
        header("(" * 3000) + bytes(64),
        header("__import__('os').getcwd()") + bytes(64),
        pickled(),
        b"PK\x03\x04" + bytes(100),
    ],
)
def test_what_holds_no_vectors_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "lines.npy"
    path.write_bytes(content)
    (tmp_path / "lines.txt").write_text("一\n二\n", encoding="utf-8")
    with pytest.raises(UserError, match="cannot read the vectors .*lines.npy: ") as caught:
        read_vectors(str(path))
    assert "\n" not in str(caught.value)


def test_vectors_that_were_written_are_read(tmp_path):
    vectors = np.arange(16, dtype=np.float32).reshape(2, 8)
    for array in (vectors, np.asfortranarray(vectors), vectors.astype(np.float16)):
        write_vectors(str(tmp_path / "lines.npy"), array, ["一", "二"])
        found, lines = read_vectors(str(tmp_path / "lines.npy"))
        np.testing.assert_array_equal(found, array)
        assert lines == ["一", "二"] and found.flags.owndata
