"""Tokenizer: text to tokens and ids, by a WordPiece vocabulary as in BERT or by a sentencepiece model.

The basic step finds the words: controls are dropped, Chinese characters and punctuation marks stand alone, everything
else is cut at whitespace; with `do_lower_case` the words are lower-cased and lose their accents. WordPiece cuts each
word into the longest entries of the vocabulary, left to right.

Every token knows the span of the original text it came from, so word boundaries never have to live in token text.
Special tokens written in a text ("[MASK]") are plain text, as in the published tokenizer.

No text makes the tokenizer fail; a vocabulary that cannot be used raises `UserError`.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar, Union

from albert.base.errors import UserError
from albert.files.plain_text import as_utf8

PAD_TOKEN = "[PAD]"
UNK_TOKEN = "[UNK]"
CLS_TOKEN = "[CLS]"
SEP_TOKEN = "[SEP]"
MASK_TOKEN = "[MASK]"
SPECIAL_TOKENS = (PAD_TOKEN, UNK_TOKEN, CLS_TOKEN, SEP_TOKEN, MASK_TOKEN)
CONTINUATION_PREFIX = "##"

# What to do about a missing file.
VOCABULARY_SOURCE = "`bash scripts/setup.sh` brings albert_config/vocab.txt"
SENTENCEPIECE_SOURCE = "give the .model file that came with the checkpoint"

MAX_CHARS_PER_WORD = 200  # a longer word is one [UNK]
MOST_SPARE_ROWS = 127  # of a table of embeddings that is larger than its vocabulary
# A cached word costs a few hundred bytes; longer ones hardly ever come back (addresses, base64, a line of dashes).
MAX_CACHED_WORDS = 100000
MAX_CACHED_WORD_LENGTH = 40

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

# What the folders of BERT's published checkpoints begin with, by the case of their vocabulary.
_LOWER_CASE_MODELS = ("uncased_L-", "multilingual_L-", "chinese_L-")
_CASED_MODELS = ("cased_L-", "multi_cased_L-")

K = TypeVar("K")
V = TypeVar("V")


class Token(NamedTuple):
    """A token and the span of characters [start, end) of the original text that it came from."""

    text: str
    start: int
    end: int


def convert_to_unicode(text: Union[str, bytes]) -> str:
    """Returns `text` as str; bytes are decoded as UTF-8, without those that are not UTF-8 (as published)."""
    if isinstance(text, str):
        return text
    if isinstance(text, bytes):
        return text.decode("utf-8", "ignore")
    raise TypeError("text must be str or bytes, not {}".format(type(text).__name__))


printable_text = convert_to_unicode  # two published names for what is the same in Python 3


def whitespace_tokenize(text: str) -> List[str]:
    """Splits a text at whitespace."""
    return text.split()


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
    """Table from character to normal form: "" (dropped), " ", itself, or its lower-case base characters."""

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
    """Table from code point to SPACE, ALONE or IN_WORD for `str.translate`; filled as characters appear."""

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
        # The class is that of the normal form: U+2260 is "=" and a stroke, so it is punctuation and stands alone.
        if is_chinese_character(char) or (len(form) == 1 and is_punctuation(form)):
            return ALONE
        return IN_WORD


class BasicTokenizer:
    """Basic step of BERT's tokenization: text to normalised words, each with its place in the text.

    What a character becomes is computed once, when it first appears.
    """

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
        """Returns the class of a character in the basic step: SPACE, ALONE or IN_WORD."""
        return self._classes[ord(char)]

    def prepare(self, text: Union[str, bytes]) -> str:
        """Returns `text` as str of unchanged length, ready to be read character by character."""
        text = convert_to_unicode(text)
        return settle_final_sigmas(text) if self.do_lower_case and "\u03a3" in text else text

    def word_spans(self, text: str) -> Iterator[Tuple[int, int]]:
        """Yields [start, end) of each word of a prepared text, even of words that are empty when normalised."""
        for match in _WORD_PATTERN.finditer(text.translate(self._classes)):
            yield match.span()

    def normalize(self, text: str) -> Tuple[str, List[int]]:
        """Returns the normal form of a prepared text, and the place in `text` that each of its characters came from."""
        characters = []
        origins = []
        for position, char in enumerate(text):
            for part in self._forms[char]:
                characters.append(part)
                origins.append(position)
        return "".join(characters), origins


def settle_final_sigmas(text: str) -> str:
    """Lower-cases each capital sigma of `text` to the form for its place in the word; the length stays the same.

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


class WordpieceTokenizer:
    """Piece step: cuts words into the longest entries of a vocabulary, from left to right."""

    def __init__(
        self, vocab: Dict[str, int], unk_token: str = UNK_TOKEN, max_input_chars_per_word: int = MAX_CHARS_PER_WORD
    ) -> None:
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word
        self._longest_entry = max(map(len, vocab), default=0)

    def tokenize(self, text: Union[str, bytes]) -> List[str]:
        """Returns the pieces of a text that went through the basic step, its words separated by whitespace."""
        return [piece.text for word in whitespace_tokenize(convert_to_unicode(text)) for piece in self.pieces(word)]

    def pieces(self, word: str) -> List[Token]:
        """Returns the pieces of one word with their spans in it, or one `unk_token` if any part cannot be matched."""
        unknown = [Token(self.unk_token, 0, len(word))]
        if len(word) > self.max_input_chars_per_word:
            return unknown
        pieces = []
        start = 0
        while start < len(word):
            piece = self._longest_match(word, start)
            if piece is None:
                return unknown
            pieces.append(piece)
            start = piece.end
        return pieces

    def _longest_match(self, word: str, start: int) -> Optional[Token]:
        prefix = CONTINUATION_PREFIX if start else ""
        for end in range(min(len(word), start + self._longest_entry), start, -1):
            candidate = prefix + word[start:end]
            if candidate in self.vocab:
                return Token(candidate, start, end)
        return None


class FullTokenizer:
    """Tokenizer: text to tokens and ids, by a WordPiece vocabulary or by a sentencepiece model.

    Attributes:
      vocab: token -> id; `inv_vocab` is its inverse.
      vocab_hash: SHA-256 of the vocabulary or model file, in hexadecimal digits.
      is_sentencepiece: whether a sentencepiece model cuts the text.
      pad_id, unk_id, cls_id, sep_id, mask_id: ids of the special tokens.
    """

    def __init__(
        self, vocab_file: Optional[str] = None, do_lower_case: bool = True, spm_model_file: Optional[str] = None
    ) -> None:
        """Reads the vocabulary; a sentencepiece model takes precedence over a vocabulary file.

        Raises:
          UserError: neither file is given, or the one that takes precedence cannot be used.
        """
        path = spm_model_file or vocab_file
        if not path:
            raise UserError("the tokenizer needs a vocabulary: give --vocab_file or --spm_model_file")
        self.basic_tokenizer = BasicTokenizer(do_lower_case)
        self.is_sentencepiece = bool(spm_model_file)
        self.vocab_file = path
        content = _read_file(path, SENTENCEPIECE_SOURCE if self.is_sentencepiece else VOCABULARY_SOURCE)
        self.vocab_hash = hashlib.sha256(content).hexdigest()
        if self.is_sentencepiece:
            self._model = _load_sentencepiece_model(path, content)
            self.vocab = {self._model.id_to_piece(i): i for i in range(self._model.get_piece_size())}
        else:
            self.vocab = _parse_vocab(path, content)
            self.wordpiece_tokenizer = WordpieceTokenizer(self.vocab)
        self.inv_vocab = {index: token for token, index in self.vocab.items()}
        self._set_special_ids()
        self._cached_pieces = {}  # type: Dict[str, Tuple[Token, ...]]

    @classmethod
    def from_scratch(
        cls, vocab_file: Optional[str], do_lower_case: bool, spm_model_file: Optional[str] = None
    ) -> FullTokenizer:
        """Makes a tokenizer, by the published name (raises as `__init__`)."""
        return cls(vocab_file, do_lower_case, spm_model_file)

    def tokenize(self, text: Union[str, bytes]) -> List[str]:
        """Returns the tokens of `text`."""
        return [piece[0] for _, pieces in self._placed_pieces(text) for piece in pieces]

    def tokenize_with_offsets(self, text: Union[str, bytes]) -> List[Token]:
        """Returns the tokens of `text` with their spans in it (of bytes: in the text that they decode to)."""
        return [
            Token(token, offset + start, offset + end)
            for offset, pieces in self._placed_pieces(text)
            for token, start, end in pieces
        ]

    def convert_tokens_to_ids(self, tokens: Iterable[str]) -> List[int]:
        """Returns the ids of `tokens`; one that is not in the vocabulary is a KeyError (`tokenize` returns none)."""
        return convert_by_vocab(self.vocab, tokens)

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> List[str]:
        """Returns the tokens with these ids; an id outside of the vocabulary is a KeyError."""
        return convert_by_vocab(self.inv_vocab, ids)

    def _placed_pieces(self, text: Union[str, bytes]) -> Iterator[Tuple[int, Sequence[Token]]]:
        """Yields (offset in the text, pieces with spans counted from there)."""
        text = self.basic_tokenizer.prepare(text)
        if self.is_sentencepiece:
            yield 0, self._model_pieces(text)
            return
        for start, end in self.basic_tokenizer.word_spans(text):
            yield start, self._remembered_pieces(text[start:end])

    def word_pieces(self, word: str) -> Tuple[Token, ...]:
        """Returns the WordPiece tokens of one word of a prepared text, with their spans in the word."""
        normal, origins = self.basic_tokenizer.normalize(word)
        return tuple(
            Token(token, origins[start], origins[end - 1] + 1)
            for token, start, end in (self.wordpiece_tokenizer.pieces(normal) if normal else ())
        )

    def _remembered_pieces(self, word: str) -> Tuple[Token, ...]:
        pieces = self._cached_pieces.get(word)  # one look-up: another thread may empty the cache at any time
        if pieces is None:
            pieces = self.word_pieces(word)
            if len(word) <= MAX_CACHED_WORD_LENGTH:
                if len(self._cached_pieces) >= MAX_CACHED_WORDS:
                    self._cached_pieces.clear()
                self._cached_pieces[word] = pieces
        return pieces

    def _model_pieces(self, text: str) -> List[Token]:
        # As in the published google scripts the text is lower-cased and loses its accents before the model sees it.
        normal, origins = self.basic_tokenizer.normalize(text)
        origins.append(len(text))
        pieces = []
        for piece in self._model.encode(normal, out_type="immutable_proto").pieces:
            start, end = piece.begin, piece.end
            # A piece that begins with the blank sign belongs to the word after the blank, so its span starts there.
            while start < end and normal[start] == " ":
                start += 1
            last = origins[end - 1] + 1 if end > start else origins[start]
            # By its id: the surface of an unknown piece may read "[MASK]".
            pieces.append(Token(self.inv_vocab[piece.id], origins[start], last))
        return pieces

    def _set_special_ids(self) -> None:
        tokens = list(SPECIAL_TOKENS)
        if self.is_sentencepiece:
            tokens[0] = "<pad>"
            tokens[1] = self._model.id_to_piece(self._model.unk_id())
        missing = [token for token in tokens if token not in self.vocab]
        if missing:
            raise UserError(
                "{} has no {}: take the vocabulary that came with the model".format(self.vocab_file, ", ".join(missing))
            )
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (self.vocab[token] for token in tokens)


def validate_case_matches_checkpoint(do_lower_case: bool, init_checkpoint: Optional[str]) -> None:
    """Raises `ValueError` where `do_lower_case` does not suit a published checkpoint of BERT, known by its folder.

    Args:
      do_lower_case: of the tokenizer.
      init_checkpoint: such as "chinese_L-12_H-768_A-12/bert_model.ckpt"; any other name passes.
    """
    folder, name = os.path.split(init_checkpoint or "")
    model = os.path.basename(folder) if name.startswith("bert_model.ckpt") else ""
    if model.startswith(_CASED_MODELS if do_lower_case else _LOWER_CASE_MODELS):
        raise ValueError(
            "do_lower_case={} does not suit {}, whose vocabulary is {}: give do_lower_case={}".format(
                do_lower_case, init_checkpoint, "cased" if do_lower_case else "in lower case", not do_lower_case
            )
        )


def takes_vocabulary(vocab_size: int, num_tokens: int) -> bool:
    """Whether a table of `vocab_size` embeddings is that of a vocabulary of `num_tokens`.

    A table may have rows to spare, since some programs round its size up to a multiple of 8, 64 or 128. A vocabulary
    never has more tokens than the table has rows.
    """
    return 0 <= vocab_size - num_tokens <= min(MOST_SPARE_ROWS, vocab_size // 20)


def check_vocab_size(tokenizer: FullTokenizer, vocab_size: int, config_file: str = "the config") -> None:
    """Raises `UserError` unless the vocabulary is one for the model configuration (see `takes_vocabulary`)."""
    if not takes_vocabulary(vocab_size, len(tokenizer.vocab)):
        raise UserError(
            "vocabulary {} has {} tokens, {} says vocab_size {}: give the vocabulary that belongs to the model".format(
                tokenizer.vocab_file, len(tokenizer.vocab), config_file, vocab_size
            )
        )


def _load_sentencepiece_model(path: str, content: bytes) -> Any:
    import sentencepiece  # here: loading it is wasted on a plain vocabulary

    message = "{} is not a sentencepiece model: {}".format(path, SENTENCEPIECE_SOURCE)
    if not content:  # the library takes an empty model and fails when it is used
        raise UserError(message)
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=content)
    except (OSError, RuntimeError) as error:
        raise UserError(message) from error


def convert_by_vocab(vocab: Mapping[K, V], items: Iterable[K]) -> List[V]:
    """Returns what a vocabulary (or its inverse) has for each item; an unknown one is a KeyError."""
    return [vocab[item] for item in items]


def convert_tokens_to_ids(vocab: Mapping[str, int], tokens: Iterable[str]) -> List[int]:
    """Returns the ids of tokens, as `FullTokenizer.convert_tokens_to_ids` does."""
    return convert_by_vocab(vocab, tokens)


def convert_ids_to_tokens(inv_vocab: Mapping[int, str], ids: Iterable[int]) -> List[str]:
    """Returns the tokens with these ids, as `FullTokenizer.convert_ids_to_tokens` does."""
    return convert_by_vocab(inv_vocab, ids)


def load_vocab(vocab_file: str) -> Dict[str, int]:
    """Returns {token: id} of a vocabulary file: UTF-8, one token a line, the id is the line number from 0.

    Raises:
      UserError: the file is missing or not UTF-8, or a line is empty or repeats another.
    """
    return _parse_vocab(vocab_file, _read_file(vocab_file, VOCABULARY_SOURCE))


def _read_file(path: str, source: str) -> bytes:
    try:
        with open(path, "rb") as vocabulary_file:
            return vocabulary_file.read()
    except FileNotFoundError as error:
        raise UserError("vocabulary {} does not exist: {}".format(path, source)) from error
    except OSError as error:
        raise UserError("vocabulary {} cannot be read ({}): {}".format(path, error.strerror, source)) from error


def _parse_vocab(path: str, content: bytes) -> Dict[str, int]:
    vocab = {}  # type: Dict[str, int]
    try:
        # Only "\n" ends a line: BERT's Chinese vocabulary has a token that is the line separator U+2028.
        lines = as_utf8(content).split(b"\n")
    except UnicodeDecodeError as error:
        raise UserError(
            "{} is not in the encoding that its byte order mark names: save it as UTF-8".format(path)
        ) from error
    if not lines[-1]:
        lines.pop()
    for index, line in enumerate(lines):
        try:
            token = line.rstrip(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError("{} line {} is not UTF-8: save it as UTF-8".format(path, index + 1)) from error
        if not token:
            raise UserError("{} line {} is empty: each line must hold one token".format(path, index + 1))
        if token in vocab:
            raise UserError(
                "{} line {} repeats the token '{}' of line {}: each line must hold another token".format(
                    path, index + 1, token, vocab[token] + 1
                )
            )
        vocab[token] = index
    return vocab
