"""Vocabulary for masking: special tokens, clause ends, tokens that may be masked, and possible replacements."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.text.arrays import runs_of
from tokenization import CONTINUATION_PREFIX, FullTokenizer, is_chinese_character

CLAUSE_END_CHARACTERS = "，；：、,;:。！？!?."
_SENTENCEPIECE_SPACE = "\u2581"
_SENTENCEPIECE_SPECIAL = re.compile(r"<.+>|\[.+\]")


class PretrainingVocabulary(NamedTuple):
    """Parts of a vocabulary that examples are made with.

    Attributes:
      cls_id, sep_id, mask_id, pad_id: the ids of [CLS], [SEP], [MASK] and [PAD].
      is_maskable: bool [V]; a unit that contains another token is never masked.
      replacement_ids: int32, the ids of all tokens that can occur in text, ascending.
    """

    cls_id: int
    sep_id: int
    mask_id: int
    pad_id: int
    is_maskable: np.ndarray
    replacement_ids: np.ndarray


def vocabulary_from_tokenizer(tokenizer: FullTokenizer) -> PretrainingVocabulary:
    """Returns the parts of a tokenizer's vocabulary.

    Raises:
      UserError: no token of the vocabulary can occur in text.
    """
    vocab = tokenizer.vocab
    if tokenizer.is_sentencepiece:
        replacements = [index for piece, index in vocab.items() if not _SENTENCEPIECE_SPECIAL.fullmatch(piece)]
    else:
        replacements = replacement_ids(vocab, tokenizer.basic_tokenizer.tokenize)
    if not replacements:
        raise UserError("vocabulary {} has no token that can occur in text".format(tokenizer.vocab_file))
    is_maskable = np.ones(len(vocab), dtype=bool)
    special = [tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id, tokenizer.pad_id, tokenizer.unk_id]
    is_maskable[special] = False
    return PretrainingVocabulary(
        cls_id=tokenizer.cls_id,
        sep_id=tokenizer.sep_id,
        mask_id=tokenizer.mask_id,
        pad_id=tokenizer.pad_id,
        is_maskable=is_maskable,
        replacement_ids=np.array(sorted(replacements), np.int32),
    )


def clause_ends(vocab: Mapping[str, int]) -> np.ndarray:
    """Returns bool [V]: the punctuation at which a single sentence may be cut in two."""
    is_clause_end = np.zeros(len(vocab), dtype=bool)
    for character in CLAUSE_END_CHARACTERS:
        for token in (character, _SENTENCEPIECE_SPACE + character):
            if token in vocab:
                is_clause_end[vocab[token]] = True
    return is_clause_end


def replacement_ids(vocab: Mapping[str, int], split_words: Callable[[str], List[str]]) -> List[int]:
    """Returns the ids of the WordPiece tokens that can occur in text.

    A token can occur if splitting into words leaves it whole, as it never does with special tokens and [unusedN]; a
    `##` piece if it can be inside a word, where no Chinese character ever is.

    Args:
      vocab: ids by token.
      split_words: text → its words, normalised as the tokenizer does before it looks for pieces.
    """
    return [index for token, index in vocab.items() if _can_occur(token, split_words)]


def _can_occur(token: str, split_words: Callable[[str], List[str]]) -> bool:
    if not token.startswith(CONTINUATION_PREFIX) or token == CONTINUATION_PREFIX:
        return split_words(token) == [token]
    word = "a" + token[len(CONTINUATION_PREFIX) :]
    return not any(map(is_chinese_character, word)) and split_words(word) == [word]


def vocabulary_to_json(vocabulary: PretrainingVocabulary) -> Dict[str, Any]:
    """Returns a vocabulary for the sidecar of dynamic records, so that training masks without a vocabulary file."""
    values = vocabulary._asdict()
    is_replacement = np.zeros(len(vocabulary.is_maskable), dtype=bool)
    is_replacement[vocabulary.replacement_ids] = True
    return dict(
        values,
        is_maskable=_ranges(vocabulary.is_maskable),
        replacement_ids=_ranges(is_replacement),
        vocab_size=len(vocabulary.is_maskable),
    )


def vocabulary_from_json(values: Mapping[str, Any]) -> PretrainingVocabulary:
    """Returns the vocabulary from what `vocabulary_to_json` returned."""
    values = dict(values)
    vocab_size = values.pop("vocab_size")
    is_replacement = _from_ranges(values["replacement_ids"], vocab_size)
    return PretrainingVocabulary(
        **dict(
            values,
            is_maskable=_from_ranges(values["is_maskable"], vocab_size),
            replacement_ids=np.flatnonzero(is_replacement).astype(np.int32),
        )
    )


def _ranges(mask: np.ndarray) -> List[List[int]]:
    return [list(edges) for edges in zip(*(places.tolist() for places in runs_of(mask)))]


def _from_ranges(ranges: Sequence[Sequence[int]], size: int) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    for start, end in ranges:
        mask[start:end] = True
    return mask
