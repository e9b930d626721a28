"""Tokenizer of a folder of the library `transformers`: its vocabulary, and whether its text is lower-cased."""

from __future__ import annotations

import glob
import logging
import os
from typing import NamedTuple, Optional

from albert.base.errors import UserError
from albert.checkpoints.tokenizer_file import read_do_lower_case, read_tokenizer_config
from albert.files.complete import CompleteFile, copy_file
from albert.files.json_reading import read_description

VOCAB_FILE = "vocab.txt"
TOKENIZER_FILE = "tokenizer.json"
_SENTENCEPIECE_SUFFIX = ".model"
_ALBERT_CLASS = "Albert"  # the beginning of the classes that use sentencepiece
# What the tokenizers here always do.
_FIXED = {"strip_accents": (True, None), "tokenize_chinese_chars": (True, None), "keep_accents": (False, None)}

_log = logging.getLogger(__name__)


class SourceTokenizer(NamedTuple):
    """Tokenizer of a folder.

    Attributes:
      path: the vocabulary, a sentencepiece model, or a tokenizer.json that holds a vocabulary; None without one.
      is_sentencepiece: whether it is a sentencepiece model.
      do_lower_case: whether text is lower-cased.
      model_max_length: the longest sequence; None where nothing says it.
    """

    path: Optional[str]
    is_sentencepiece: bool
    do_lower_case: bool
    model_max_length: Optional[int]

    @property
    def name(self) -> str:
        """The name of the copy beside a checkpoint."""
        return os.path.basename(self.path) if self.path and self.is_sentencepiece else VOCAB_FILE

    def write(self, folder: str) -> Optional[str]:
        """Writes the vocabulary into a folder, and returns its path; None without a vocabulary.

        Raises:
          UserError: it cannot be read, or tokenizer.json holds another kind of model.
        """
        if self.path is None:
            return None
        target = os.path.join(folder, self.name)
        if os.path.basename(self.path) == TOKENIZER_FILE:
            with CompleteFile(target) as file:
                file.write(_wordpieces(self.path))
            return target
        try:
            copy_file(self.path, target)
        except OSError as error:
            raise UserError("cannot copy {}: {}".format(self.path, error.strerror)) from error
        return target


def read_tokenizer(folder: str, vocab_file: Optional[str], do_lower_case: bool) -> SourceTokenizer:
    """Finds the tokenizer of a folder.

    Args:
      folder: of transformers.
      vocab_file: the vocabulary or sentencepiece model, where it is not in the folder.
      do_lower_case: whether text is lower-cased, where the folder does not say so.

    Raises:
      UserError: a file of the tokenizer cannot be read.
    """
    config = read_tokenizer_config(folder)
    path = vocab_file or _find(folder, str(config.values.get("tokenizer_class") or ""))
    case = read_do_lower_case(folder)
    if case is None:
        case = _case_of_normalizer(os.path.join(folder, TOKENIZER_FILE))
    longest = config.values.get("model_max_length")
    for key, allowed in _FIXED.items():
        if config.values.get(key) not in allowed:
            _log.info("The source has %s %r, which no tokenizer here has.", key, config.values[key])
    return SourceTokenizer(
        path=path,
        is_sentencepiece=bool(path) and str(path).endswith(_SENTENCEPIECE_SUFFIX),
        do_lower_case=do_lower_case if case is None else case,
        model_max_length=longest if isinstance(longest, int) and longest > 0 else None,
    )


def _find(folder: str, tokenizer_class: str) -> Optional[str]:
    vocabulary = [path for path in (os.path.join(folder, VOCAB_FILE),) if os.path.isfile(path)]
    models = sorted(glob.glob(os.path.join(glob.escape(folder), "*" + _SENTENCEPIECE_SUFFIX)))
    whole = [path for path in (os.path.join(folder, TOKENIZER_FILE),) if os.path.isfile(path)]
    models = models if len(models) == 1 else []
    found = (models + vocabulary if tokenizer_class.startswith(_ALBERT_CLASS) else vocabulary + models) + whole
    return found[0] if found else None


def _case_of_normalizer(path: str) -> Optional[bool]:
    """Whether the normalizer in a tokenizer.json lower-cases; None where it does not say."""
    if not os.path.isfile(path):
        return None
    normalizer = read_description(path, "a tokenizer").values.get("normalizer")
    value = normalizer.get("lowercase") if isinstance(normalizer, dict) else None
    return value if isinstance(value, bool) else None


def _wordpieces(path: str) -> bytes:
    """Returns the vocabulary in a tokenizer.json as the content of a vocab.txt."""
    model = read_description(path, "a tokenizer").section("model").values
    vocab = model.get("vocab")
    if model.get("type") not in ("WordPiece", None) or not isinstance(vocab, dict):
        raise UserError(
            "{} holds a model of the type {}: name the vocabulary or the sentencepiece model with --vocab_file".format(
                path, model.get("type")
            )
        )
    tokens = {index: token for token, index in vocab.items() if isinstance(index, int)}
    if sorted(tokens) != list(range(len(vocab))):
        raise UserError("{}: the ids of the tokens are not 0 to {}".format(path, len(vocab) - 1))
    return "".join(tokens[index] + "\n" for index in range(len(vocab))).encode("utf-8")
