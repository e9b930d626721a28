"""Builder of index folders: vectors of all lines, a graph of them where there are many, the description last."""

from __future__ import annotations

import io
import logging
import os
import sys
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.base.terminal import StatusLine
from albert.files.complete import CompleteFolder, may_be_replaced, recover
from albert.files.reading import describe_files
from albert.files.vector_files import map_vectors
from albert.inference.text_batches import Place, place_in, read_text_column
from albert.search import approximate, description
from albert.search.description import (
    DESCRIPTION_FILE,
    GRAPH_FILE,
    LINES_FILE,
    VECTORS_FILE,
    FileMark,
    IndexDescription,
    IndexModel,
    Source,
)
from albert.search.unit_vectors import blocks_of_vectors

_log = logging.getLogger(__name__)

GRAPH_FROM = 100000  # lines from which on a graph is built
_STORED = np.dtype("<f2")


class Request(NamedTuple):
    """What to build.

    Attributes:
      lines_file: a sentence in each line, or a table.
      column: of the table; None where its header says it, or the file is none.
      folder: the index; an older one is replaced when the new one is whole.
      graph_from: the number of lines from which on search is approximate.
    """

    lines_file: str
    column: Optional[str]
    folder: str
    graph_from: int = GRAPH_FROM


def check_folder(folder: str) -> None:
    """Checks that an index may take a name, before hours are spent on it.

    Raises:
      UserError: something else has it.
    """
    if not may_be_replaced(recover(folder), DESCRIPTION_FILE):
        raise UserError("{} holds something else than a search index: name another --index".format(folder))


def build_index(request: Request, embedder: Any, model: IndexModel) -> IndexDescription:
    """Builds an index folder, whole or not at all; returns its description.

    Args:
      request: see `Request`.
      embedder: an `Embedder`.
      model: what it was opened from.

    Raises:
      UserError: the lines cannot be read, or the folder cannot be written.
    """
    check_folder(request.folder)
    lines, source = _read(request)
    place = place_in(request.lines_file, source.first_line - 1)
    with CompleteFolder(request.folder, marker=DESCRIPTION_FILE) as folder, StatusLine(
        sys.stderr, time.monotonic()
    ) as line:
        _write_lines(os.path.join(folder, LINES_FILE), lines)
        _write_vectors(os.path.join(folder, VECTORS_FILE), embedder, lines, place, _shown(line, "vectors", len(lines)))
        library = "numpy " + np.__version__
        if len(lines) >= request.graph_from:
            library = _write_graph(folder, _shown(line, "graph", len(lines))) or library
        built = IndexDescription(len(lines), embedder.width, source, model, library, _marks(folder))
        description.write(folder, built)
    return built


def _read(request: Request) -> Any:
    """The lines and their source; the file's mark is taken before and after, so that it is that of the lines."""
    mark = mark_of_file(request.lines_file)
    lines, first_line = read_text_column(request.lines_file, request.column)
    if mark_of_file(request.lines_file) != mark:
        raise UserError("{} was changed while it was read: start again".format(request.lines_file))
    place = os.path.abspath(request.lines_file)
    return lines, Source(request.lines_file, place, request.column, first_line, mark)


def mark_of_file(path: str) -> FileMark:
    """Returns the mark of a file's bytes.

    Raises:
      UserError: it cannot be read.
    """
    found: Dict[str, Any] = describe_files([path])[0]
    return FileMark(found["bytes"], found["sha256"])


def _shown(line: StatusLine, what: str, total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        line.show("{}: {:,} of {:,} lines".format(what, done, total), time.monotonic())

    return show


def _write_lines(path: str, lines: Sequence[str]) -> None:
    with open(path, "wb") as file:
        for line in lines:
            file.write((line + "\n").encode("utf-8"))


def _write_vectors(path: str, embedder: Any, lines: Sequence[str], place: Place, show: Callable[[int], None]) -> None:
    """Writes float16 [lines, width] block by block: memory is taken for one block at a time."""
    header = io.BytesIO()
    shape = (len(lines), embedder.width)
    write_header: Any = np.lib.format.write_array_header_1_0
    write_header(header, {"descr": _STORED.str, "fortran_order": False, "shape": shape})
    done = 0
    with open(path, "wb") as file:
        file.write(header.getvalue())
        for block in blocks_of_vectors(embedder, lines, place):
            file.write(block.astype(_STORED).tobytes())
            done += len(block)
            show(done)


def _write_graph(folder: str, show: Callable[[int], None]) -> Optional[str]:
    """Writes the graph and returns what made it; None without the library, which is said."""
    library = approximate.library_version()
    if library is None:
        _log.warning("%s; then build the index again.", approximate.NEEDS_LIBRARY)
        return None
    content = approximate.build_graph(map_vectors(os.path.join(folder, VECTORS_FILE)), show)
    with open(os.path.join(folder, GRAPH_FILE), "wb") as file:
        file.write(content)
    return library


def _marks(folder: str) -> Dict[str, FileMark]:
    names: List[str] = sorted(os.listdir(folder))
    return {name: mark_of_file(os.path.join(folder, name)) for name in names}
