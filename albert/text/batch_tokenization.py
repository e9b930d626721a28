"""Batch tokenizer: the tokens of whole texts as arrays, equal to those of FullTokenizer line by line, but faster.

In Chinese most tokens are characters that stand alone, so their ids are one look-up in a table over all code points;
only the words between them (Latin letters, digits) are cut into pieces one by one, and remembered.
"""

from __future__ import annotations

from itertools import chain
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from albert.text.arrays import CharacterTable, code_points, runs_of
from tokenization import ALONE, MAX_CACHED_WORD_LENGTH, SPACE, FullTokenizer, Token

# Text of 50 MB holds some 300,000 different Latin words; most of them never come back.
_MAX_REMEMBERED_WORDS = 1 << 14
_SPACE_MARK = -1
_WORD_MARK = -2

_Pieces = Tuple[Tuple[int, ...], Tuple[int, ...], Tuple[int, ...]]  # ids, starts, ends


class TokenArrays(NamedTuple):
    """Tokens of a text in order: int32 vectors of equal length.

    Attributes:
      ids: token ids.
      starts, ends: the span of characters [start, end) of the text that each token came from.
    """

    ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


class BatchTokenizer:
    """Tokenizes texts of many lines at once; the tokens are those that `tokenizer` finds in each line."""

    def __init__(self, tokenizer: FullTokenizer) -> None:
        self._tokenizer = tokenizer
        self._table = CharacterTable(self._id_or_mark)
        self._remembered: Dict[str, _Pieces] = {}

    def encode(self, text: str) -> TokenArrays:
        """Returns the tokens of a text whose lines are separated by "\\n"; no token crosses the end of a line."""
        if self._tokenizer.is_sentencepiece:
            return self._encode_lines(text)
        text = self._tokenizer.basic_tokenizer.prepare(text)
        values = self._table.look_up(code_points(text))
        alone = np.flatnonzero(values >= 0)
        word_ids, word_starts, word_ends = self._encode_words(text, *runs_of(values == _WORD_MARK))
        ids = np.concatenate([values[alone], word_ids])
        starts = np.concatenate([alone, word_starts]).astype(np.int32)
        ends = np.concatenate([alone + 1, word_ends]).astype(np.int32)
        # Both parts ascend; the pieces of a word stay in their order even where several start at one character.
        order = np.argsort(starts, kind="stable")
        return TokenArrays(ids[order], starts[order], ends[order])

    def _id_or_mark(self, char: str) -> int:
        kind = self._tokenizer.basic_tokenizer.kind_of(char)
        if kind == SPACE:
            return _SPACE_MARK
        if kind != ALONE:
            return _WORD_MARK
        (piece,) = self._tokenizer.word_pieces(char)
        return self._tokenizer.vocab[piece.text]

    def _encode_words(
        self, text: str, starts: np.ndarray, ends: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        remembered = self._remembered
        words: List[_Pieces] = []
        for start, end in zip(starts.tolist(), ends.tolist()):
            word = text[start:end]
            words.append(remembered.get(word) or self._pieces(word))
        shift = np.repeat(starts, [len(ids) for ids, _, _ in words])
        ids, piece_starts, piece_ends = (
            np.fromiter(chain.from_iterable(column), np.int32) for column in (zip(*words) if words else ((), (), ()))
        )
        return ids, piece_starts + shift, piece_ends + shift

    def _pieces(self, run: str) -> _Pieces:
        """Returns the pieces of a run of characters that do not stand alone, dropped ones among them."""
        pieces = as_columns(self._tokenizer, self._tokenizer.word_pieces(run))
        if len(run) <= MAX_CACHED_WORD_LENGTH:
            if len(self._remembered) >= _MAX_REMEMBERED_WORDS:
                self._remembered.clear()
            self._remembered[run] = pieces
        return pieces

    def _encode_lines(self, text: str) -> TokenArrays:
        columns: Tuple[List[int], ...] = ([], [], [])
        offset = 0
        for line in text.split("\n"):
            ids, starts, ends = as_columns(self._tokenizer, self._tokenizer.tokenize_with_offsets(line))
            columns[0].extend(ids)
            columns[1].extend(start + offset for start in starts)
            columns[2].extend(end + offset for end in ends)
            offset += len(line) + 1
        return TokenArrays(*(np.array(column, np.int32) for column in columns))


def as_columns(tokenizer: FullTokenizer, tokens: Sequence[Token]) -> _Pieces:
    """Returns tokens as (ids, starts, ends)."""
    return (
        tuple(tokenizer.convert_tokens_to_ids(token.text for token in tokens)),
        tuple(token.start for token in tokens),
        tuple(token.end for token in tokens),
    )
