"""Encoded text: documents as arrays of token ids, with the places where masking units and sentences start."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from albert.text.batch_tokenization import BatchTokenizer
from albert.text.segmentation import WordFinder, unit_starts
from tokenization import FullTokenizer


class EncodedText(NamedTuple):
    """Tokenized and segmented documents, one after the other.

    Attributes:
      token_ids: int32 [tokens].
      starts_unit: bool [tokens], whether a masking unit starts at a token; every sentence starts with one.
      sentence_starts: the places in `token_ids` where a sentence starts, ascending.
      document_starts: where a document starts, ascending; documents without a token are left out.
    """

    token_ids: np.ndarray
    starts_unit: np.ndarray
    sentence_starts: np.ndarray
    document_starts: np.ndarray


class TextEncoder:
    """Encoder: tokenizes and segments documents."""

    def __init__(self, tokenizer: FullTokenizer, word_finder: Optional[WordFinder] = None) -> None:
        """Without `word_finder` every token is a masking unit."""
        self._tokenizer = BatchTokenizer(tokenizer)
        self._word_finder = word_finder

    def encode(self, documents: Sequence[Sequence[str]]) -> EncodedText:
        """Encodes documents, each a list of at least one sentence; sentences without a token are dropped."""
        lines = [line for document in documents for line in document]
        text = "\n".join(lines)
        tokens = self._tokenizer.encode(text)
        line_starts = _starts([len(line) + 1 for line in lines])
        sentence_starts = _with_tokens(np.searchsorted(tokens.starts, line_starts), len(tokens.ids))
        document_starts = np.searchsorted(tokens.starts, line_starts[_starts([len(lines) for lines in documents])])
        if self._word_finder:
            starts_unit = unit_starts(self._word_finder.word_starts(text), tokens.starts, tokens.ends)
        else:
            starts_unit = np.ones(len(tokens.ids), dtype=bool)
        return EncodedText(tokens.ids, starts_unit, sentence_starts, _with_tokens(document_starts, len(tokens.ids)))


def _starts(lengths: List[int]) -> np.ndarray:
    return np.cumsum([0] + lengths[:-1])


def _with_tokens(starts: np.ndarray, num_tokens: int) -> np.ndarray:
    """Drops stretches without a token: they start where the next one does."""
    return np.unique(starts[starts < num_tokens])
