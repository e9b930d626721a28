"""Masking units: which stretches of a raw line are masked as a whole (spec: pretraining_data, "Masking").

A unit is known by its character span, never by marks in the token text. In Chinese it is a word as jieba (default
mode, HMM on) cuts the raw line, whatever its length; a punctuation mark, a number or a Latin word is a unit as well.
In other languages it is a word between blanks and punctuation, or a punctuation mark.
"""

from __future__ import annotations

import functools
import re
import unicodedata
import warnings
from typing import Any, Iterator, List, Sequence, Tuple

from basic_tokenization import BasicTokenizer
from tokenization import Token

CHINESE = "chinese"
OTHER = "other"

Span = Tuple[int, int]

# jieba's time and memory grow with the square of a run of Han characters without any punctuation: a megabyte of it
# would take hours. Written Chinese has no run of this length; a longer one is cut, whatever words are there.
MAX_HAN_RUN = 500
_LONG_HAN_RUN = re.compile("[\u4e00-\u9fd5]{%d}" % MAX_HAN_RUN)


def unit_spans(text: str, *, language: str = CHINESE) -> List[Span]:
    """Returns the spans [start, end) of the masking units of a raw line, in order; whitespace is in none of them.

    Args:
      text: the line as it stands in the file: not lower-cased, nothing removed.
      language: `CHINESE` for jieba's words, `OTHER` for words between blanks and punctuation (--non_chinese).
    """
    if language == CHINESE:
        return _jieba_spans(text)
    if language == OTHER:
        words = _word_splitter()
        return [span for span in words.word_spans(words.prepare(text)) if words.normalize(text[slice(*span)])[0]]
    raise ValueError("language must be '{}' or '{}', not '{}'".format(CHINESE, OTHER, language))


def unit_starts(tokens: Sequence[Token], spans: Sequence[Span]) -> List[int]:
    """Returns the indices of the tokens at which a masking unit starts.

    Each token belongs to the unit of its first character. It starts a new unit unless it begins in the span in which
    the token before it ends: so no word is ever masked in part, and a token that reaches over several words (an [UNK],
    a sentencepiece piece) makes one unit of them. A token that begins outside of all spans is a unit of its own.

    Args:
      tokens: the tokens of the line, in order.
      spans: what `unit_spans` returned for the same line.
    """
    starts = []
    span = 0  # the first span that ends behind the place looked at
    open_span = -1  # where the token before ends; -1: outside of all spans
    for index, token in enumerate(tokens):
        span = _first_span_behind(spans, token.start, span)
        if not (_covers(spans, span, token.start) and span == open_span):
            starts.append(index)
        last_character = max(token.start, token.end - 1)
        end_span = _first_span_behind(spans, last_character, span)
        open_span = end_span if _covers(spans, end_span, last_character) else -1
    return starts


def _first_span_behind(spans: Sequence[Span], position: int, span: int) -> int:
    while span < len(spans) and spans[span][1] <= position:
        span += 1
    return span


def _covers(spans: Sequence[Span], span: int, position: int) -> bool:
    return span < len(spans) and spans[span][0] <= position


def _jieba_spans(text: str) -> List[Span]:
    spans = []  # type: List[Span]
    for word, start, end in _jieba_words(text):
        if word.isspace():
            continue
        if spans and spans[-1][1] == start and _stays_in_word(text[start - 1]) and _stays_in_word(text[start]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _jieba_words(text: str) -> Iterator[Tuple[str, int, int]]:
    ends = [run.end() for run in _LONG_HAN_RUN.finditer(text)] if len(text) > MAX_HAN_RUN else []
    start = 0
    for end in ends + [len(text)]:
        for word, word_start, word_end in _jieba().tokenize(text[start:end]):
            yield word, start + word_start, start + word_end
        start = end


def _stays_in_word(char: str) -> bool:
    """Whether two neighbours of this kind belong to one number or Latin word.

    jieba knows ASCII letters only: it cuts "café", "Привет" and "１２" character by character, "5.3p1" after its
    decimals and "HTPC机" before "PC机". The tokenizer takes such letters and digits as one word, whose pieces are one
    unit. Letters of scripts without case (kana, hangul, Chinese) are left as jieba cuts them.
    """
    return char.lower() != char.upper() or char.isdecimal() or unicodedata.category(char) == "Mn"


@functools.lru_cache(maxsize=None)
def _word_splitter() -> BasicTokenizer:
    return BasicTokenizer()


@functools.lru_cache(maxsize=None)
def _jieba() -> Any:
    """Returns a jieba tokenizer of our own, loaded on first use.

    Its dictionary is read directly: jieba's own way logs to standard error and shares a cache file in the temporary
    folder with whoever runs on the machine. Words that other code adds to jieba's global tokenizer do not reach it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its pkg_resources is deprecated, its regular expressions have bad escapes
        import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
