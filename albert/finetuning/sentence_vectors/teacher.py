"""Teacher of a distillation: files of sentences, a line each, and the vectors of any encoder for them."""

from __future__ import annotations

import logging
from typing import List, NamedTuple, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.files.vector_files import JoinedVectors, joined_center, map_vectors, statistics_of
from albert.finetuning.sentence_vectors.features import Line
from albert.inference.text_batches import Place, place_in, read_texts

_log = logging.getLogger(__name__)


class Teacher(NamedTuple):
    """Sentences and a teacher's vectors of them.

    Attributes:
      lines: of all files, one after the other.
      vectors: as many, read from the files while training runs.
      place: names a line by its number from 1, with its file.
    """

    lines: List[Line]
    vectors: JoinedVectors
    place: Place


def vector_width(vector_files: Sequence[str]) -> int:
    """Reads the numbers of a vector off the first file."""
    return int(map_vectors(vector_files[0]).shape[1])


def read_teacher(text_files: Sequence[str], vector_files: Sequence[str], *, is_centered: bool) -> Teacher:
    """Reads sentences, and opens and checks the vectors of a teacher.

    Args:
      text_files: a sentence in each line.
      vector_files: the vectors of each text file, in the same order.
      is_centered: whether the mean of all vectors is taken away from each.

    Raises:
      UserError: numbers of files, rows or widths differ, a file cannot be read, or a vector is none.
    """
    if len(text_files) != len(vector_files):
        raise UserError(
            "{} text files and {} files of vectors: give one .npy file for each text file, in the same order".format(
                len(text_files), len(vector_files)
            )
        )
    texts = [read_texts(path) for path in text_files]
    parts, means = [], []
    for path, vector_path, lines in zip(text_files, vector_files, texts):
        vectors = map_vectors(vector_path)
        means.append(_checked_mean(vectors, vector_path, path, len(lines)))
        parts.append(vectors)
        if vectors.shape[1] != parts[0].shape[1]:
            raise UserError(
                "{} has vectors of {} numbers, {} of {}: all must be of one teacher".format(
                    vector_path, vectors.shape[1], vector_files[0], parts[0].shape[1]
                )
            )
    center = joined_center(parts, means)
    _log.info(
        "teacher: %s vectors of %d numbers from %d file%s; their mean, of length %.3f, %s.",
        format(sum(map(len, texts)), ","),
        parts[0].shape[1],
        len(parts),
        "" if len(parts) == 1 else "s",
        float(np.linalg.norm(center)),
        "is taken away from each" if is_centered else "stays in each",
    )
    rows = [Line(text) for part in texts for text in part]
    return Teacher(rows, JoinedVectors(parts, center if is_centered else None), _places(text_files, texts))


def _checked_mean(vectors: np.ndarray, vector_path: str, text_path: str, num_lines: int) -> np.ndarray:
    if len(vectors) != num_lines:
        raise UserError(
            "{} has {:,} vectors, {} has {:,} lines: make the vectors of these lines again".format(
                vector_path, len(vectors), text_path, num_lines
            )
        )
    mean, faulty_row = statistics_of(vectors)
    if faulty_row is not None:
        raise UserError(
            "{} row {} ({} line {}) is no vector: it holds NaN, an infinite number or zeros alone".format(
                vector_path, faulty_row, text_path, faulty_row + 1
            )
        )
    return mean


def _places(paths: Sequence[str], texts: Sequence[Sequence[str]]) -> Place:
    ends = np.cumsum([len(lines) for lines in texts])

    def place(number: int) -> str:
        owner = int(np.searchsorted(ends, number))
        before = int(ends[owner]) - len(texts[owner])
        return place_in(paths[owner])(number - before)

    return place
