"""Description of an index folder: its lines, their source, the model and the files; the JSON that is written last."""

from __future__ import annotations

import os
from typing import Any, Dict, NamedTuple, Optional

from albert.base.errors import UserError
from albert.base.paths import shell_word
from albert.files.complete import recover, write_json
from albert.files.json_reading import Description, read_description

DESCRIPTION_FILE = "search_index.json"  # marks a folder that is an index
LINES_FILE, VECTORS_FILE, GRAPH_FILE = "lines.txt", "vectors.npy", "graph.usearch"
FORMAT = 1
_KIND = "a description of a search index"
_MODEL_FILES = ("config_file", "vocab_file", "spm_model_file")


class FileMark(NamedTuple):
    """Size and SHA-256 of a file."""

    num_bytes: int
    sha256: str


class Source(NamedTuple):
    """File of lines that an index was built from.

    Attributes:
      path: as it was given.
      absolute_path: where it was.
      column: of the table, as it was given; None where the header or nothing said it.
      first_line: the number of the first line that was read; 2 behind a header.
      mark: its size and SHA-256.
    """

    path: str
    absolute_path: str
    column: Optional[str]
    first_line: int
    mark: FileMark


class IndexModel(NamedTuple):
    """Model that made the vectors of an index.

    Attributes:
      checkpoint: its path as it was given.
      arguments: those of `encoder_model.open_encoder`, with absolute paths.
      mark: see `model_mark.mark_of`.
    """

    checkpoint: str
    arguments: Dict[str, Any]
    mark: str


class IndexDescription(NamedTuple):
    """Description of an index.

    Attributes:
      num_lines: the number of lines and of vectors.
      width: numbers of a vector.
      source: the file of lines.
      model: the model.
      library: what finds the nearest vectors, with its version, such as "usearch 2.26.6".
      files: marks of the folder's other files by name.
    """

    num_lines: int
    width: int
    source: Source
    model: IndexModel
    library: str
    files: Dict[str, FileMark]

    @property
    def has_graph(self) -> bool:
        """Whether the folder holds a graph for approximate search."""
        return GRAPH_FILE in self.files


def index_command(lines: str, folder: str, checkpoint: str, column: Optional[str] = None) -> str:
    """Returns the command that builds an index."""
    words = ["python search.py index", shell_word(lines), shell_word("--index=" + folder)]
    words += [shell_word("--checkpoint=" + checkpoint)]
    return " ".join(words + ([] if column is None else [shell_word("--column=" + column)]))


def remedy(description: IndexDescription, folder: str) -> str:
    """Returns what to do about an index that cannot be used: the end of a message."""
    command = index_command(description.source.path, folder, description.model.checkpoint, description.source.column)
    return "build the index again with `{}`".format(command)


def write(folder: str, description: IndexDescription) -> None:
    """Writes a description into the folder of its index."""
    values = description._asdict()
    values["source"] = dict(description.source._asdict(), mark=description.source.mark._asdict())
    values["model"] = dict(description.model._asdict())
    values["files"] = {name: dict(mark._asdict()) for name, mark in description.files.items()}
    write_json(os.path.join(folder, DESCRIPTION_FILE), dict(values, format=FORMAT))


def read(folder: str) -> IndexDescription:
    """Reads the description of an index.

    Raises:
      UserError: the folder is no index, one of another format, or its description is damaged.
    """
    path = os.path.join(recover(folder), DESCRIPTION_FILE)
    if not os.path.exists(path):
        raise UserError(
            "there is no search index in {}: build one with `{}`".format(
                folder, index_command("LINES", folder, "MODEL")
            )
        )
    values = read_description(path, _KIND)
    try:
        found = values.count("format")
        if found == FORMAT:
            return _parsed(values)
    except UserError as error:
        raise UserError("{} is not {}: {}; build the index again".format(path, _KIND, error)) from error
    raise UserError(
        "the search index {} has the format {}, and this version reads {}: build it again with `{}`".format(
            folder, found, FORMAT, index_command("LINES", folder, "MODEL")
        )
    )


def _parsed(values: Description) -> IndexDescription:
    values.check_keys(IndexDescription._fields + ("format",), required=IndexDescription._fields)
    files = values.section("files")
    known = (LINES_FILE, VECTORS_FILE, GRAPH_FILE)
    files.check_keys(known, required=known[:2])
    return IndexDescription(
        num_lines=values.count("num_lines", least=1),
        width=values.count("width", least=1),
        source=_source(values.section("source")),
        model=_model(values.section("model")),
        library=values.text("library"),
        files={name: _mark(files.section(name)) for name in files.values},
    )


def _source(values: Description) -> Source:
    return Source(
        path=values.text("path"),
        absolute_path=values.text("absolute_path"),
        column=_optional_text(values, "column"),
        first_line=values.count("first_line", least=1),
        mark=_mark(values.section("mark")),
    )


def _model(values: Description) -> IndexModel:
    arguments = values.section("arguments")
    arguments.check_keys(("path", "do_lower_case") + _MODEL_FILES, required=("path", "do_lower_case"))
    parsed: Dict[str, Any] = {name: _optional_text(arguments, name) for name in _MODEL_FILES}
    parsed.update(path=arguments.text("path"), do_lower_case=arguments.flag("do_lower_case"))
    return IndexModel(values.text("checkpoint"), parsed, values.text("mark"))


def _mark(values: Description) -> FileMark:
    return FileMark(values.count("num_bytes"), values.text("sha256"))


def _optional_text(values: Description, key: str) -> Optional[str]:
    return values.text(key) if values.values.get(key) is not None else None
