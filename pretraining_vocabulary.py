"""What pre-training data has to know about a vocabulary: special tokens, clause ends and possible replacements."""

from __future__ import annotations

import re
from typing import Callable, FrozenSet, List, Mapping, NamedTuple, Tuple

from errors import UserError
from tokenization import CONTINUATION_PREFIX, FullTokenizer, is_chinese_character

CLAUSE_END_CHARACTERS = "，；：、,;:。！？!?."
_SENTENCEPIECE_SPACE = "\u2581"
_SENTENCEPIECE_SPECIAL = re.compile(r"<.+>|\[.+\]")


class PretrainingVocabulary(NamedTuple):
    """The parts of a vocabulary that examples are made with.

    Attributes:
      cls_id: the id of [CLS].
      sep_id: the id of [SEP].
      mask_id: the id of [MASK].
      unmaskable_ids: a unit that contains one of these ids is never masked.
      clause_end_ids: the punctuation at which a single sentence may be cut in two.
      replacement_ids: the ids of all tokens that can occur in text, ascending.
    """

    cls_id: int
    sep_id: int
    mask_id: int
    unmaskable_ids: FrozenSet[int]
    clause_end_ids: FrozenSet[int]
    replacement_ids: Tuple[int, ...]


def from_tokenizer(tokenizer: FullTokenizer) -> PretrainingVocabulary:
    """Reads the parts off the tokenizer that reads the text.

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
    return PretrainingVocabulary(
        cls_id=tokenizer.cls_id,
        sep_id=tokenizer.sep_id,
        mask_id=tokenizer.mask_id,
        unmaskable_ids=frozenset((tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id, tokenizer.unk_id)),
        clause_end_ids=frozenset(
            vocab[prefix + character]
            for character in CLAUSE_END_CHARACTERS
            for prefix in ("", _SENTENCEPIECE_SPACE)
            if prefix + character in vocab
        ),
        replacement_ids=tuple(sorted(replacements)),
    )


def replacement_ids(vocab: Mapping[str, int], split_words: Callable[[str], List[str]]) -> List[int]:
    """The ids of the WordPiece tokens that can occur in text.

    A token can occur if the splitter into words leaves it whole, which it does with no special token and no
    [unusedN]; a `##` piece if it can stand within a word, which a Chinese character never does.

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
