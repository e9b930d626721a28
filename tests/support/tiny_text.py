"""Texts of a few tokens, as arrays, and what it takes to make examples of them."""

import numpy as np

from albert.pretraining_data.vocabulary import PretrainingVocabulary
from albert.text.encoded_text import EncodedText

PAD, UNK, CLS, SEP, MASK, COMMA, STOP = range(7)
FIRST_WORD = 10  # ids from here on are words
REPLACEMENTS = (900, 901, 902, 903)
VOCAB_SIZE = 1000


def flags(size, where):
    mask = np.zeros(size, dtype=bool)
    mask[list(where)] = True
    return mask


VOCABULARY = PretrainingVocabulary(
    cls_id=CLS,
    sep_id=SEP,
    mask_id=MASK,
    pad_id=PAD,
    is_maskable=~flags(VOCAB_SIZE, (PAD, UNK, CLS, SEP, MASK)),
    replacement_ids=np.array(REPLACEMENTS, np.int32),
)
IS_CLAUSE_END = flags(VOCAB_SIZE, (COMMA, STOP))


def text_of(*documents):
    """Documents: lists of sentences, each a list of units, each a list of ids."""
    ids, units, sentences, starts = [], [], [], []
    for document in documents:
        starts.append(len(ids))
        for sentence in document:
            sentences.append(len(ids))
            for unit in sentence:
                units.append(len(ids))
                ids.extend(unit)
    return EncodedText(np.array(ids, np.int32), flags(len(ids), units), *map(_places, (sentences, starts)))


def _places(numbers):
    return np.array(numbers, np.int64)


def plain_document(*sentence_lengths):
    """A document of one-token units with distinct ids from 100 on."""
    numbers = iter(range(100, 100 + sum(sentence_lengths)))
    return [[[next(numbers)] for _ in range(length)] for length in sentence_lengths]


def random_documents(rng, count, longest_unit=4):
    """Documents of all shapes: punctuation and unknown tokens in them, units longer than a short chunk."""

    def token():
        kind = rng.random()
        return COMMA if kind < 0.15 else UNK if kind < 0.2 else rng.randrange(FIRST_WORD, VOCAB_SIZE)

    def sentence():
        return [[token() for _ in range(rng.randint(1, longest_unit))] for _ in range(rng.randint(1, 12))]

    return [[sentence() for _ in range(rng.choice((1, 1, 2, 5)))] for _ in range(count)]
