"""Scores of similarity.py on the screen or in a file: pairs, a file of pairs, the most similar lines, a prompt.

The model is a BertSim everywhere.
"""

from __future__ import annotations

import itertools
import logging
import sys
from typing import Any, Iterator, List, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.base.terminal import say
from albert.files.complete import CompleteFile
from albert.files.reading import text_lines
from albert.inference.text_batches import place_in, read_texts
from albert.tasks.delimited_rows import TAB, names_texts

_log = logging.getLogger(__name__)

_CHUNK_LINES = 10000  # of a file that are scored at a time
_SCORE_COLUMN = "similar"  # its name, where the file has a header

TextPair = Tuple[str, str]


def score_lines(pairs: Sequence[TextPair], probabilities: np.ndarray) -> List[str]:
    """Formats a line for each pair from probabilities [n, 2]."""
    return [
        "{:6.1%} similar | {} | {}".format(float(row[1]), first, second)
        for (first, second), row in zip(pairs, probabilities)
    ]


def score_pairs(model: Any, pairs: Sequence[TextPair]) -> None:
    """Writes the score of each pair to the screen."""
    say(score_lines(pairs, model.predict_sentences(pairs)))


def score_file(model: Any, input_file: str, output_file: str) -> None:
    """Writes the lines of a file of pairs with the probability of similar as one more column.

    Raises:
      UserError: a line holds no pair, or the file is empty; then nothing is written.
    """
    lines, scored = text_lines(input_file), 0
    with CompleteFile(output_file) as file:
        first = list(itertools.islice(lines, 1))
        if first and names_texts(first[0][1].split(TAB)[:2]):
            file.write("{}\t{}\n".format(first[0][1], _SCORE_COLUMN).encode("utf-8"))
        else:
            lines = itertools.chain(first, lines)
        while True:
            chunk = list(itertools.islice(lines, _CHUNK_LINES))
            if not chunk:
                break
            pairs = [_pair_of(text, input_file, number) for number, text in chunk]
            probabilities = model.predict_sentences(pairs, place_in(input_file, chunk[0][0] - 1))
            for (_, text), row in zip(chunk, probabilities):
                file.write("{}\t{:.6f}\n".format(text, row[1]).encode("utf-8"))
            scored += len(chunk)
        if not scored:
            raise UserError("{} is empty: it holds no pair".format(input_file))
    _log.info("%s holds the probabilities of %s pairs.", output_file, "{:,}".format(scored))


def _pair_of(text: str, path: str, number: int) -> TextPair:
    cells = text.split(TAB)
    if len(cells) < 2:
        raise UserError("{} line {} has no tab: give two sentences, separated by a tab".format(path, number))
    return cells[0], cells[1]


def find_similar(model: Any, sentence: str, input_file: str, top_k: int) -> None:
    """Writes the lines of a file that are most similar to a sentence to the screen."""
    lines = read_texts(input_file)
    matches = model.top_k(sentence, lines, top_k, place_in(input_file))
    say(["{:6.1%} similar | line {} | {}".format(score, index + 1, lines[index]) for index, score in matches])


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
        first = _typed("first sentence: ")
        if not first.strip():
            return
        cells = first.split(TAB)
        yield (cells[0], cells[1]) if len(cells) > 1 else (first, _typed("second sentence: "))


def _typed(request: str) -> str:
    if sys.stdin.isatty():
        sys.stderr.write(request)
        sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n")
