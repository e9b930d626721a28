"""Word segmentation: the words of a raw text, which are masked as a whole (docs/en/records.md, "Masking").

A masking unit is known by the places of its characters, never by marks in the token text. In Chinese it is a word as
jieba (default mode, HMM on) cuts the raw line, of any length; a punctuation mark, a number or a Latin word is a unit as
well. In other languages it is a word between blanks and punctuation, or a punctuation mark.

jieba cuts a text into blocks first and never looks beyond one. In a block of nothing but Han characters rjieba, which
is compiled, finds the words of the dictionary exactly as jieba does. The characters left between them are joined to
words by jieba itself, with its hidden Markov model, whose constants rjieba rounds (three other cuts in 20 MB of text).
jieba also cuts all blocks that contain Latin letters or digits, where the two differ more.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import unicodedata
import warnings
from itertools import accumulate
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.files.plain_text import as_utf8, is_blank
from albert.text.arrays import CharacterTable, code_points, ranges, runs_of
from tokenization import IN_WORD, BasicTokenizer

CHINESE = "chinese"
OTHER = "other"

# jieba's time and memory grow with the square of a run of Han characters without any punctuation: a megabyte of it
# would take hours. Written Chinese has no run of this length; a longer one is cut without regard to its words.
MAX_HAN_RUN = 500
_LONG_HAN_RUN = re.compile("[\u4e00-\u9fd5]{%d}" % MAX_HAN_RUN)

_FIRST_HAN, _LAST_HAN = 0x4E00, 0x9FD5
_IN_BLOCK = re.compile(r"[\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]")  # the characters between which jieba looks for words
_BETWEEN_BLOCKS = ord("。")
# Names, numbers, "17%", the same few characters between words: longer ones hardly ever come back.
_MAX_REMEMBERED = 1 << 15
_MAX_REMEMBERED_LENGTH = 16
_USER_LINE = re.compile(r"(?P<word>\S+)(?: [1-9][0-9]*)?(?: [a-z]+)?")


class UserDictionary(NamedTuple):
    """Words that the segmenter knows in addition to its own.

    Attributes:
      path: the file, in jieba's format: one word per line, with an optional frequency and part of speech.
      sha256: of its content.
    """

    path: str
    sha256: str


def read_user_dictionary(path: str) -> UserDictionary:
    """Reads and checks a user dictionary.

    Raises:
      UserError: it cannot be read, has no word, or a line is not in jieba's format.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UserError("cannot read the user dictionary {}: {}".format(path, error.strerror)) from error
    lines = _user_lines(path, content)
    for number, line in enumerate(lines, start=1):
        _check_user_line(path, number, line)
    if not any(lines):
        raise UserError("the user dictionary {} is empty: it must hold one word per line".format(path))
    return UserDictionary(path, hashlib.sha256(content).hexdigest())


def _user_lines(path: str, content: bytes) -> List[str]:
    """Returns the lines of a user dictionary without blanks at their ends; those without anything to read are empty."""
    lines = []
    try:
        content = as_utf8(content)
    except UnicodeDecodeError as error:
        raise UserError(
            "{} is not in the encoding that its byte order mark names: save it as UTF-8".format(path)
        ) from error
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise UserError("{} line {} is not UTF-8: save it as UTF-8".format(path, number)) from error
        lines.append("" if is_blank(text) else text)
    return lines


def _check_user_line(path: str, number: int, text: str) -> None:
    match = _USER_LINE.fullmatch(text)
    if text and not match:
        raise UserError(
            "{} line {} must hold a word, with an optional frequency and part of speech: '{}'".format(
                path, number, text
            )
        )
    if match and not all(map(_IN_BLOCK.match, match.group("word"))):
        raise UserError(
            "{} line {}: '{}' holds a character at which text is always cut, so it would never be found".format(
                path, number, match.group("word")
            )
        )


class WordFinder:
    """Segmenter: finds where the words of a raw text start."""

    def __init__(self, language: str = CHINESE, user_dictionary: Optional[UserDictionary] = None) -> None:
        """Loads the dictionaries.

        Args:
          language: `CHINESE` for jieba's words, `OTHER` for words between blanks and punctuation (--non_chinese).
          user_dictionary: more words; all blocks are then cut by jieba, since rjieba has a dictionary of its own.
        """
        if language not in (CHINESE, OTHER):
            raise ValueError("language must be '{}' or '{}', not '{}'".format(CHINESE, OTHER, language))
        self._find = self._chinese_starts if language == CHINESE else _other_starts
        self._jieba: Any = _load_jieba(user_dictionary) if language == CHINESE else None
        self._uses_rjieba = user_dictionary is None
        self._in_block = CharacterTable(lambda char: bool(_IN_BLOCK.match(char)))
        self._joining = CharacterTable(_stays_in_word)
        self._blocks_by_jieba = _RememberedCuts(self._cut_block)
        self._unknown_words = _RememberedCuts(self._cut_unknown)

    def word_starts(self, text: str) -> np.ndarray:
        """Returns bool [characters + 1]: whether a word starts at a character; each blank is a word, and so is the end.

        Args:
          text: lines as in the file, separated by "\\n": not lower-cased, nothing removed.
        """
        codes = code_points(text)
        starts = np.ones(len(codes) + 1, dtype=bool)
        self._find(text, codes, starts)
        return starts

    def _chinese_starts(self, text: str, codes: np.ndarray, starts: np.ndarray) -> None:
        in_block = self._in_block.look_up(codes).astype(bool)
        is_han = (codes >= _FIRST_HAN) & (codes <= _LAST_HAN)
        block_starts, block_ends = runs_of(in_block)
        num_han = np.concatenate([[0], np.cumsum(is_han)])
        lengths = block_ends - block_starts
        is_plain = (num_han[block_ends] - num_han[block_starts] == lengths) & (lengths <= MAX_HAN_RUN)
        is_plain &= self._uses_rjieba
        self._cut_plain(codes, block_starts[is_plain], block_ends[is_plain], starts)
        self._blocks_by_jieba.cut_stretches(text, block_starts[~is_plain], block_ends[~is_plain], starts)
        joining = self._joining.look_up(codes).astype(bool)
        starts[1:-1] &= ~(joining[:-1] & joining[1:])

    def _cut_plain(
        self, codes: np.ndarray, block_starts: np.ndarray, block_ends: np.ndarray, starts: np.ndarray
    ) -> None:
        """Cuts all blocks of Han characters in one call, with a mark between them."""
        lengths = block_ends - block_starts
        places = ranges(block_starts, lengths + 1)  # of each character of the joined text in the whole
        is_mark = places == np.repeat(block_ends, lengths + 1)
        joined = np.where(is_mark, _BETWEEN_BLOCKS, codes[np.where(is_mark, 0, places)]).astype("<u4")
        text = joined.tobytes().decode("utf-32-le")
        words = _rjieba_cut(text)
        is_start = np.zeros(len(joined), dtype=bool)
        is_start[[0, *accumulate(map(len, words[:-1]))] if words else []] = True
        # Single characters in a row may be a word that the dictionary lacks.
        is_single = is_start & np.append(is_start[1:], True) & ~is_mark
        run_starts, run_ends = runs_of(is_single)
        is_long = run_ends - run_starts > 1
        self._unknown_words.cut_stretches(text, run_starts[is_long], run_ends[is_long], is_start)
        starts[places[~is_mark]] = is_start[~is_mark]

    def _cut_unknown(self, run: str) -> Iterable[str]:
        return run if self._jieba.FREQ.get(run) else _cut_by_model(run)

    def _cut_block(self, block: str) -> Iterator[str]:
        ends = [run.end() for run in _LONG_HAN_RUN.finditer(block)] if len(block) > MAX_HAN_RUN else []
        start = 0
        for end in ends + [len(block)]:
            yield from self._jieba.cut(block[start:end])
            start = end


class _RememberedCuts:
    """Cuts short texts, and remembers them in case they come back."""

    def __init__(self, cut: Callable[[str], Iterable[str]]) -> None:
        self._cut = cut
        self._remembered: Dict[str, Tuple[int, ...]] = {}

    def cut_stretches(self, text: str, starts: np.ndarray, ends: np.ndarray, is_start: np.ndarray) -> None:
        """Sets in `is_start` where the words of the stretches [start, end) of a text start."""
        is_start[ranges(starts, ends - starts)] = False
        words = []
        for start, end in zip(starts.tolist(), ends.tolist()):
            stretch = text[start:end]
            places = self._remembered.get(stretch) or self._places_in(stretch)
            words += [start + place for place in places]
        is_start[words] = True

    def _places_in(self, stretch: str) -> Tuple[int, ...]:
        lengths = [len(word) for word in self._cut(stretch)]
        places = (0, *accumulate(lengths[:-1]))
        if len(stretch) <= _MAX_REMEMBERED_LENGTH:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[stretch] = places
        return places


def _other_starts(text: str, codes: np.ndarray, starts: np.ndarray) -> None:
    kinds = _word_kinds().look_up(codes).astype(bool)
    starts[1:-1] &= ~(kinds[:-1] & kinds[1:])


def _stays_in_word(char: str) -> bool:
    """Whether neighbours of this kind belong to one number or Latin word.

    jieba knows ASCII letters only: it cuts "café", "Привет" and "１２" character by character, "5.3p1" after its
    decimals and "HTPC机" before "PC机". To the tokenizer such letters and digits are one word, whose pieces are one
    unit. Letters of scripts without case (kana, hangul, Chinese) are left as jieba cuts them.
    """
    return char.lower() != char.upper() or char.isdecimal() or unicodedata.category(char) == "Mn"


def unit_starts(word_starts: np.ndarray, token_starts: np.ndarray, token_ends: np.ndarray) -> np.ndarray:
    """Returns bool [tokens]: whether a masking unit starts at a token.

    Each token belongs to the unit of its first character. It starts a new unit unless it begins in the word in which
    the token before it ends. So no word is ever masked in part, and a token that spans several words (an [UNK], a
    sentencepiece piece) makes one unit of them.

    Args:
      word_starts: of `WordFinder.word_starts` for the text.
      token_starts, token_ends: the spans of its tokens, in order.
    """
    word = np.cumsum(word_starts)
    starts = np.ones(len(token_starts), dtype=bool)
    last_characters = np.maximum(token_starts, token_ends - 1)
    starts[1:] = word[token_starts[1:]] != word[last_characters[:-1]]
    return starts


@functools.lru_cache(maxsize=None)
def _word_kinds() -> CharacterTable:
    kind_of = BasicTokenizer().kind_of
    return CharacterTable(lambda char: kind_of(char) == IN_WORD)


def _rjieba_cut(text: str) -> List[str]:
    import rjieba  # here: its dictionary takes 0.1 s to load

    return rjieba.cut(text, False)


def _cut_by_model(run: str) -> Iterable[str]:
    import jieba.finalseg

    return jieba.finalseg.cut(run)


@functools.lru_cache(maxsize=None)
def _load_jieba(user_dictionary: Optional[UserDictionary]) -> Any:
    """Returns a jieba tokenizer of our own.

    Its dictionary is read directly: jieba's own loader logs to standard error and shares a cache file in the temporary
    folder with everyone on the machine. Words that other code adds to jieba's global tokenizer do not reach it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its pkg_resources is deprecated, its regular expressions have bad escapes
        import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    if user_dictionary:
        with open(user_dictionary.path, "rb") as file:
            lines = _user_lines(user_dictionary.path, file.read())
        tokenizer.load_userdict(io.BytesIO("".join(line + "\n" for line in lines).encode("utf-8")))
    return tokenizer
