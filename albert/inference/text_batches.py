"""Batches of texts: tokenized at once, sorted by length, answered in batches, put back into order.

Needs NumPy, but no TensorFlow. All functions may be called from several threads at once.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.base.sentences import Sentence
from albert.files.reading import text_lines
from albert.tasks.text_table import column_of, open_texts
from albert.text.arrays import has_lone_surrogate
from albert.text.batch_tokenization import BatchTokenizer
from albert.text.long_texts import CUT, sequences_of
from albert.text.sequences import EncodedPair, join_ids, text_ids
from tokenization import FullTokenizer

# The tokens of a batch, padding included: more would not fit into the caches of a processor and gain nothing.
MAX_BATCH_TOKENS = 4096
# Up to this number texts are tokenized one by one: the look-ups of a whole batch would cost more than they save.
_FEW_TEXTS = 8
_MOST_SHOWN = 40  # characters of a bad value in a message
_WHICH = (Sentence("first"), Sentence("second"))

Pair = Tuple[str, Optional[str]]  # two texts, or one and None
Place = Callable[[int], str]  # the number of a row, from 1 -> what messages call it


class PairEncoder:
    """Makes rows of single texts and pairs."""

    def __init__(self, tokenizer: FullTokenizer, max_seq_length: int) -> None:
        """Creates the encoder.

        Args:
          tokenizer: the model's.
          max_seq_length: tokens of a row, special ones included; longer rows are cut as in fine-tuning.
        """
        self._tokenizer = tokenizer
        self._batch_tokenizer = BatchTokenizer(tokenizer)
        self._max_seq_length = max_seq_length

    def encode(self, pairs: Sequence[Pair], place: Place = "row {}".format) -> List[EncodedPair]:
        """Encodes pairs (text_a, text_b or None) as rows.

        Args:
          pairs: the texts.
          place: what messages call a row, by its number from 1.

        Raises:
          UserError: a value is not a text or pair of texts, or a text holds nothing that can be read.
        """
        ids = self._checked_ids(pairs, place)
        return [
            join_ids(self._tokenizer, ids[a], None if b is None else ids[b], self._max_seq_length) for a, b in pairs
        ]

    def encode_long(
        self, pairs: Sequence[Pair], place: Place = "row {}".format, long_text: str = CUT
    ) -> Tuple[List[EncodedPair], List[int]]:
        """Encodes pairs as `encode`, each as the sequences that are read of it.

        Args:
          pairs: the texts.
          place: see `encode`.
          long_text: see `long_texts`.

        Returns:
          The sequences of all rows one after the other, and their number for each row.
        """
        ids = self._checked_ids(pairs, place)
        found = [
            sequences_of(self._tokenizer, ids[a], None if b is None else ids[b], self._max_seq_length, long_text)
            for a, b in pairs
        ]
        return [sequence for sequences in found for sequence in sequences], [len(sequences) for sequences in found]

    def encode_apart(
        self, pairs: Sequence[Pair], place: Place = "row {}".format
    ) -> Tuple[List[EncodedPair], np.ndarray]:
        """Encodes each text of pairs as a row of its own; a text that comes again has one row.

        Args:
          pairs: the texts.
          place: see `encode`.

        Returns:
          The rows, and the numbers of both texts' rows for each pair, int [n, 2].

        Raises:
          UserError: as `encode`, or there is a single text.
        """
        ids = self._checked_ids(pairs, place)
        single = next((number for number, (_, b) in enumerate(pairs, start=1) if b is None), None)
        if single:
            raise UserError("{} has one text: give pairs (text_a, text_b)".format(place(single)))
        numbers = {text: number for number, text in enumerate(ids)}
        rows = [join_ids(self._tokenizer, text, None, self._max_seq_length) for text in ids.values()]
        return rows, np.array([[numbers[a], numbers[b or ""]] for a, b in pairs], np.int64).reshape(-1, 2)

    def _checked_ids(self, pairs: Sequence[Pair], place: Place) -> Dict[str, List[int]]:
        """Returns the ids of all texts (see `_ids_of_texts`), which hold something that can be read."""
        for number, pair in enumerate(pairs, start=1):
            _check_pair(pair, place(number))
        ids = self._ids_of_texts([text for pair in pairs for text in pair if text is not None])
        for number, pair in enumerate(pairs, start=1):
            for which, text in zip(_WHICH, pair):
                if text is not None and not ids[text]:
                    raise nothing_to_read(Sentence("{} text", which), place(number))
        return ids

    def _ids_of_texts(self, texts: Sequence[str]) -> Dict[str, List[int]]:
        """Returns the ids of each text without special tokens, by text."""
        unique = list(dict.fromkeys(texts))
        if len(unique) <= _FEW_TEXTS:
            return {text: text_ids(self._tokenizer, text) for text in unique}
        tokens = self._batch_tokenizer.encode("\n".join(text.replace("\n", " ") for text in unique))
        ends = np.cumsum([len(text) + 1 for text in unique])
        cuts = np.searchsorted(tokens.starts, ends)
        ids = tokens.ids.tolist()
        return {text: ids[start:end] for text, start, end in zip(unique, [0, *cuts[:-1].tolist()], cuts.tolist())}


def read_texts(path: str) -> List[str]:
    """Reads the lines of a file, one text in each.

    Raises:
      UserError: it cannot be read, is empty, or holds a line that is blank or not UTF-8.
    """
    texts = [text for _, text in text_lines(path)]
    if not texts:
        raise UserError("{} is empty".format(path))
    return texts


def read_text_column(path: str, column: Optional[str] = None) -> Tuple[List[str], int]:
    """Reads the texts of a file of lines, or of a column of a table (see `text_table.open_texts`).

    Args:
      path: the file.
      column: the column's name or number from 1; None where the header says it, or the file is no table.

    Returns:
      The texts, and the number of the first one's line.

    Raises:
      UserError: the file cannot be read or is empty, or has no such column.
    """
    table = open_texts(path, None if column is None else column_of(column))
    texts = [row.texts[0] for row in table.rows]
    if not texts:
        raise UserError("{} is empty".format(path))
    return texts, 1 if table.header is None else 2


def place_in(path: str, before: int = 0) -> Place:
    """Names the rows of a file in messages, after the lines that were read before."""
    return lambda number: "{} line {}".format(path, before + number)


def _check_pair(pair: Pair, place: str) -> None:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise UserError("{} is {}: give pairs (text_a, text_b)".format(place, shown(pair)))
    for which, text in zip(_WHICH, pair):
        if text is None and which == "second":
            continue
        if not isinstance(text, str):
            raise UserError("the {} text of {} must be a text, not {}".format(which, place, shown(text)))
        if not text.strip():
            raise UserError(Sentence("the {} text of {} is empty", which, place))


def check_text(text: object, place: str) -> None:
    """Raises `UserError` where a value is not a text; an empty one is."""
    if not isinstance(text, str):
        raise UserError("{} must be a text, not {}".format(place, shown(text)))
    if has_lone_surrogate(text):
        raise UserError("{} has half a character (\\ud800 to \\udfff)".format(place))


def nothing_to_read(which: str, place: str) -> UserError:
    """Error of a text of which the tokenizer leaves nothing."""
    return UserError(
        Sentence("the {} of {} holds nothing that can be read, only blanks and control characters", which, place)
    )


def shown(value: object) -> str:
    """Formats a value for a message: long ones are cut, unprintable characters escaped."""
    text = repr(value[:_MOST_SHOWN] if isinstance(value, (str, bytes, tuple, list)) else value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def batches_by_length(lengths: Sequence[int], *, max_rows: int, max_tokens: int) -> Iterator[List[int]]:
    """Yields batches of row numbers, from the shortest rows on, so that little of a batch is padding.

    Args:
      lengths: tokens of each row.
      max_rows: of a batch.
      max_tokens: of a batch that is padded to its longest row; a row that is longer alone is a batch of its own.
    """
    batch: List[int] = []
    for row in np.argsort(lengths, kind="stable").tolist():
        if batch and (len(batch) == max_rows or (len(batch) + 1) * lengths[row] > max_tokens):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def answer_in_batches(
    lengths: Sequence[int], answer: Callable[[List[int]], np.ndarray], *, max_rows: int, max_tokens: int
) -> np.ndarray:
    """Returns the answers for at least one row, in the order of the rows.

    Args:
      lengths: tokens of each row.
      answer: numbers of rows of a batch -> an array with one answer for each along its first axis.
      max_rows, max_tokens: see `batches_by_length`.
    """
    batches = list(batches_by_length(lengths, max_rows=max_rows, max_tokens=max_tokens))
    first = answer(batches[0])
    answers = np.zeros((len(lengths),) + first.shape[1:], first.dtype)
    answers[batches[0]] = first
    for batch in batches[1:]:
        answers[batch] = answer(batch)
    return answers
