"""Scores of similarity.py on the screen or in a file: pairs, a file of pairs, the most similar lines, a prompt.

The model is a BertSim everywhere.
"""

from __future__ import annotations

import itertools
import logging
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.base.console import typed_line
from albert.base.errors import UserError
from albert.base.terminal import say
from albert.files.complete import CompleteFile
from albert.files.plain_text import is_blank
from albert.inference.text_batches import place_in, read_text_column
from albert.tasks.delimited_rows import TAB
from albert.tasks.text_table import column_of, open_pairs

_log = logging.getLogger(__name__)

_CHUNK_LINES = 10000  # of a file that are scored at a time

TextPair = Tuple[str, str]


class Score(NamedTuple):
    """Kind of a score.

    Attributes:
      name: what a score says of a pair; also the name of its column in a table.
      form: how a score is written.
      plural: what several are called.
    """

    name: str
    form: str
    plural: str

    def text(self, score: float) -> str:
        """Writes a score with what it is."""
        return "{} {}".format(self.form.format(score), self.name)


PROBABILITY = Score("similar", "{:6.1%}", "probabilities")
COSINE = Score("cosine", "{:6.3f}", "cosines")


def score_lines(pairs: Sequence[TextPair], scores: np.ndarray, kind: Score = PROBABILITY) -> List[str]:
    """Formats a line for each pair from the second column of scores [n, 2]."""
    return [
        "{} | {} | {}".format(kind.text(float(row[1])), first, second) for (first, second), row in zip(pairs, scores)
    ]


def score_pairs(model: Any, pairs: Sequence[TextPair]) -> None:
    """Writes the score of each pair to the screen."""
    say(score_lines(pairs, model.predict_sentences(pairs), model.score))


def score_file(
    model: Any, input_file: str, output_file: str, column_a: Optional[str] = None, column_b: Optional[str] = None
) -> None:
    """Writes the lines of a file of pairs with the score of each as one more column.

    Args:
      model: the scorer.
      input_file: a table as `text_table.open_pairs` reads it.
      output_file: the same lines with the score.
      column_a, column_b: the columns of the sentences, names or numbers from 1; None for those that the header names.

    Raises:
      UserError: a line holds no pair, or the file is empty; then nothing is written.
    """
    columns = [column_of(column) for column in (column_a, column_b) if column is not None]
    table, scored = open_pairs(input_file, columns, "--column_a and --column_b"), 0
    with CompleteFile(output_file) as file:
        if table.header is not None:
            file.write((table.header + table.separator + model.score.name + "\n").encode("utf-8"))
        while True:
            chunk = list(itertools.islice(table.rows, _CHUNK_LINES))
            if not chunk:
                break
            pairs = [(row.texts[0], row.texts[1]) for row in chunk]
            answers = model.predict_sentences(pairs, place_in(input_file, chunk[0].line - 1))
            for row, scores in zip(chunk, answers):
                file.write("{}{}{:.6f}\n".format(row.content, table.separator, scores[1]).encode("utf-8"))
            scored += len(chunk)
        if not scored:
            raise UserError("{} is empty: it holds no pair".format(input_file))
    _log.info("%s holds the %s of %s pairs.", output_file, model.score.plural, "{:,}".format(scored))


def find_similar(model: Any, sentence: str, input_file: str, top_k: int, column_b: Optional[str] = None) -> None:
    """Writes the lines of a file that are most similar to a sentence to the screen."""
    texts, first_line = read_text_column(input_file, column_b)
    matches = model.top_k(sentence, texts, top_k, place_in(input_file, first_line - 1))
    say([found_line(model.score.text(score), index + first_line, texts[index]) for index, score in matches])


def found_line(score: str, number: int, text: str) -> str:
    """Formats a line of a file that was found, with its score and its number."""
    return "{} | line {} | {}".format(score, number, text)


def prompt(model: Any) -> None:
    """Reads pairs from the keyboard and answers them until an empty line or the end; a bad pair costs a message."""
    for pair in _typed_pairs():
        try:
            score_pairs(model, [pair])
        except UserError as error:
            _log.info("error: %s", error)


def _typed_pairs() -> Iterator[TextPair]:
    """Yields pairs that were typed in one line, separated by a tab, or in two."""
    while True:
        first = typed_line("first sentence: ")
        if is_blank(first):
            return
        cells = first.split(TAB)
        yield (cells[0], cells[1]) if len(cells) > 1 else (first, typed_line("second sentence: "))
