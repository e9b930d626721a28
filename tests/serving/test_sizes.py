"""Estimates of how many sequences rows become, against the cutting itself."""

import pytest

from albert.inference.context_windows import WindowSettings, windows_of
from albert.inference.sentence_parts import parts_of
from albert.serving.sizes import long_size, pair_size, tagged_size, windows_size
from albert.tasks.mrc_rows import Question
from albert.tasks.ner_rows import Sentence, word_places
from albert.text.long_texts import WINDOWS_MEAN, sequences_of
from tests.support import tiny_model
from tokenization import FullTokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return FullTokenizer(tiny_model.write_vocab(tmp_path_factory.mktemp("vocab")), False)


def test_texts_that_are_cut_are_one_sequence():
    assert pair_size(("我喜欢", "你")) == (1, 7) and pair_size(("我", None)) == (1, 4)
    assert long_size(("我喜欢", "你"), 8) == (1, 7)


@pytest.mark.parametrize("length", [1, 10, 11, 37, 500])
def test_long_texts_are_estimated_as_they_are_cut(tokenizer, length):
    text = "我" * length
    parts = len(list(parts_of([Sentence(0, text, word_places(text), None, 1)], tokenizer, 12)))
    assert parts <= tagged_size(text, 12).sequences <= 2 * parts
    settings = WindowSettings(max_seq_length=16, doc_stride=5, max_query_length=4)
    windows = len(list(windows_of([Question("1", "我" * 9, text, ())], tokenizer, settings)))
    assert windows_size("我" * 9, text, *settings).sequences == windows
    ids = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
    for first, second in ((ids, None), (ids[:2], ids)):
        sequences = len(sequences_of(tokenizer, first, second, 16, WINDOWS_MEAN))
        texts = (text, None) if second is None else (text[:2], text)
        assert sequences <= long_size(texts, 16).sequences <= 2 * sequences + 1
