"""The basic step of BERT's tokenization: text to words.

Controls are dropped, Chinese characters and punctuation marks stand alone, everything else is cut at whitespace; with
`do_lower_case` the words are lower-cased and lose their accents. What becomes of a character is worked out once, when
it first turns up. Words keep their place in the original text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Iterator, List, Tuple, Union

# BERT's CJK blocks: unified ideographs, extensions A to E, compatibility ideographs and their supplement.
_CHINESE_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)

# What the basic step does with a character; one letter each, so that a text translates to a text.
SPACE = " "
ALONE = "a"
IN_WORD = "w"
_WORD_PATTERN = re.compile("{}|{}+".format(ALONE, IN_WORD))


def convert_to_unicode(text: Union[str, bytes]) -> str:
    """Returns `text` as str; bytes are read as UTF-8, and what is no UTF-8 in them is left out (as published)."""
    if isinstance(text, str):
        return text
    if isinstance(text, bytes):
        return text.decode("utf-8", "ignore")
    raise TypeError("text must be str or bytes, not {}".format(type(text).__name__))


def is_chinese_character(char: str) -> bool:
    """Whether `char` is in one of BERT's CJK blocks (kana and hangul are not)."""
    code = ord(char)
    return any(first <= code <= last for first, last in _CHINESE_BLOCKS)


def is_whitespace(char: str) -> bool:
    """Whether `char` ends a word: blanks, tabs, line ends, and the line and paragraph separators U+2028, U+2029."""
    return char in "\t\n\r" or unicodedata.category(char).startswith("Z")


def is_punctuation(char: str) -> bool:
    """Whether `char` is ASCII and neither letter, digit, blank nor control, or in a Unicode category P*."""
    if char < "\x7f":
        return char >= "!" and not char.isalnum()
    return unicodedata.category(char).startswith("P")


def is_dropped(char: str) -> bool:
    """Whether the basic step removes `char`: U+FFFD, controls, format characters, private use, lone surrogates.

    Characters that the Unicode tables of this Python do not know yet stay: a new emoji is an [UNK] under every Python.
    """
    if char == "\ufffd":
        return True
    return char not in "\t\n\r" and unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs")


class _NormalForms(dict):
    """Character -> what becomes of it: "" (dropped), " ", itself, or its lower-case base characters."""

    def __init__(self, do_lower_case: bool) -> None:
        super().__init__()
        self._do_lower_case = do_lower_case

    def __missing__(self, char: str) -> str:
        self[char] = form = self._normal_form(char)
        return form

    def _normal_form(self, char: str) -> str:
        if is_whitespace(char):
            return " "
        if is_dropped(char):
            return ""
        if not self._do_lower_case:
            return char
        # Decomposing character by character is exact: the reordering of a whole text moves marks, which go anyway.
        decomposed = unicodedata.normalize("NFD", char.lower())
        return "".join(part for part in decomposed if unicodedata.category(part) != "Mn")


class _CharacterClasses(dict):
    """Code point -> SPACE, ALONE or IN_WORD; filled as characters turn up, for `str.translate`."""

    def __init__(self, forms: _NormalForms) -> None:
        super().__init__()
        self._forms = forms

    def __missing__(self, code: int) -> str:
        self[code] = kind = self._classify(chr(code))
        return kind

    def _classify(self, char: str) -> str:
        form = self._forms[char]
        if form == " ":
            return SPACE
        # Punctuation is looked for after lower-casing: U+2260 is "=" and a stroke, so it stands alone.
        if is_chinese_character(char) or (len(form) == 1 and is_punctuation(form)):
            return ALONE
        return IN_WORD


class BasicTokenizer:
    """The basic step: words of a text, normalised."""

    def __init__(self, do_lower_case: bool = True) -> None:
        self.do_lower_case = do_lower_case
        self._forms = _NormalForms(do_lower_case)
        self._classes = _CharacterClasses(self._forms)

    def tokenize(self, text: Union[str, bytes]) -> List[str]:
        """Returns the normalised words of `text`."""
        text = self.prepare(text)
        words = (self.normalize(text[start:end])[0] for start, end in self.word_spans(text))
        return [word for word in words if word]

    def kind_of(self, char: str) -> str:
        """SPACE, ALONE or IN_WORD: what the basic step takes a character for."""
        return self._classes[ord(char)]

    def prepare(self, text: Union[str, bytes]) -> str:
        """Returns `text` as str of unchanged length, ready to be read character by character."""
        text = convert_to_unicode(text)
        return settle_final_sigmas(text) if self.do_lower_case and "\u03a3" in text else text

    def word_spans(self, text: str) -> Iterator[Tuple[int, int]]:
        """Yields [start, end) of each word of a prepared text, also of words of which normalising leaves nothing."""
        for match in _WORD_PATTERN.finditer(text.translate(self._classes)):
            yield match.span()

    def normalize(self, text: str) -> Tuple[str, List[int]]:
        """Returns the normal form of a prepared text and, for each of its characters, where in `text` it came from."""
        characters = []
        origins = []
        for position, char in enumerate(text):
            for part in self._forms[char]:
                characters.append(part)
                origins.append(position)
        return "".join(characters), origins


def settle_final_sigmas(text: str) -> str:
    """Lower-cases each capital sigma of `text` to the form that its place in the word asks for; the length stays.

    Sigma is the only letter whose lower case depends on its neighbours. The published tokenizer and HF's
    BertTokenizer call `str.lower` on whole words and so write a final sigma; the Rust tokenizers library lower-cases
    character by character and does not.
    """
    lowered = text.lower()
    settled = []
    position = 0
    for char in text:
        settled.append(lowered[position] if char == "\u03a3" else char)
        position += len(char.lower())
    return "".join(settled)
