import random

import numpy as np
import pytest

from albert.text import batch_tokenization
from albert.text.batch_tokenization import BatchTokenizer, as_columns
from tests.support.odd_texts import ODD_STRINGS, SPM_SENTENCES, random_texts, train_sentencepiece
from tests.support.real_text import CORPORA, NEWS, read_lines, real_path
from tokenization import FullTokenizer

# What the random texts of the oracle leave out.
MORE_CHARACTERS = "ΣΟΔσς.'\u0345\u0301İß\ud800\udc00\udfff\x00\x1f\x85\u200b\ufeff\u2028\r" + "한\ufffd𠮷龘\U0001fadf"


def encoded(batch_tokenizer, text):
    """The tokens as rows of (id, start, end)."""
    arrays = batch_tokenizer.encode(text)
    assert [column.dtype for column in arrays] == [np.int32] * 3
    assert all(column.shape == arrays.ids.shape for column in arrays)
    return list(zip(*(column.tolist() for column in arrays)))


def by_lines(tokenizer, lines):
    """The same, by the tokenizer that takes line by line."""
    rows, offset = [], 0
    for line in lines:
        tokens = tokenizer.tokenize_with_offsets(line)
        ids = tokenizer.convert_tokens_to_ids(token.text for token in tokens)
        rows.extend((index, token.start + offset, token.end + offset) for index, token in zip(ids, tokens))
        offset += len(line) + 1
    return rows


def assert_equals_tokenizer(tokenizer, lines):
    assert encoded(BatchTokenizer(tokenizer), "\n".join(lines)) == by_lines(tokenizer, lines)


def assert_equals_oracle(tokenizer, oracle, lines):
    rows, offset = [], 0
    for line in lines:
        encoding = oracle.encode(line, add_special_tokens=False)
        spans = zip(encoding.ids, encoding.offsets)
        rows.extend((index, start + offset, end + offset) for index, (start, end) in spans)
        offset += len(line) + 1
    assert encoded(BatchTokenizer(tokenizer), "\n".join(lines)) == rows


def odd_lines(rng, count):
    """Random lines, a third of whose characters are those that make trouble."""
    for text in random_texts(rng, count):
        yield "".join(rng.choice(MORE_CHARACTERS) if rng.random() < 0.3 else char for char in text)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "\n\n\n", " \t\n ", "中", "x", "\u200b", "b\n", "\nab", "a\nb", "中\n\n国\n", "b\u200b\n\u200bc"],
)
def test_tiny_texts(tokenizer, text):
    assert_equals_tokenizer(tokenizer, text.split("\n"))


def test_no_token_reaches_over_a_line(tokenizer):
    (first, second) = encoded(BatchTokenizer(tokenizer), "linux\nlinux")
    assert (first[1:], second[1:]) == ((0, 5), (6, 11))


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_odd_strings(vocab_file, do_lower_case):
    lines = [line for text in ODD_STRINGS for line in text.split("\n")]
    assert_equals_tokenizer(FullTokenizer(vocab_file, do_lower_case), lines)
    for line in lines:
        assert_equals_tokenizer(FullTokenizer(vocab_file, do_lower_case), [line])


def test_sigma_at_the_end_of_a_line(tokenizer):
    assert_equals_tokenizer(tokenizer, ["ΟΔΟΣ", "ΣΟΣ,Σ.", "ΑΣ\u0345", "ΑΣΑ", "Σ", "İΟΣ"])
    whole = encoded(BatchTokenizer(tokenizer), "ΟΔΟΣ\nΑ")
    assert tokenizer.inv_vocab[whole[3][0]] == "##ς"


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_random_lines(vocab_file, do_lower_case):
    tokenizer = FullTokenizer(vocab_file, do_lower_case)
    lines = list(odd_lines(random.Random(11), 3000))
    assert_equals_tokenizer(tokenizer, lines)
    batch_tokenizer = BatchTokenizer(tokenizer)
    for line in lines[:300]:  # one tokenizer for many texts
        assert encoded(batch_tokenizer, line) == by_lines(tokenizer, [line])


def test_random_lines_equal_the_oracle(tokenizer, oracle):
    assert_equals_oracle(tokenizer, oracle, random_texts(random.Random(12), 3000))


@pytest.mark.parametrize("length", [40, 41, 199, 200, 201])
def test_long_words(tokenizer, oracle, length):
    lines = [unit * length for unit in ("a", "é", "e\u0301", "中", "한", "##", "z\u200b", "ab9")]
    assert_equals_oracle(tokenizer, oracle, lines * 2)
    assert_equals_tokenizer(tokenizer, lines * 2)


def test_one_line_of_a_megabyte(tokenizer):
    assert len(encoded(BatchTokenizer(tokenizer), "中" * 350000)) == 350000
    assert encoded(BatchTokenizer(tokenizer), "x" * 1000000) == [(tokenizer.unk_id, 0, 1000000)]


def test_what_is_remembered_is_bounded_and_changes_nothing(tokenizer, monkeypatch):
    monkeypatch.setattr(batch_tokenization, "_MAX_REMEMBERED_WORDS", 3)
    small = BatchTokenizer(tokenizer)
    lines = ["one two three four five one two 一二三四五六 " * 3 + "y" * 100, "three ONE six"]
    for _ in range(2):
        assert encoded(small, "\n".join(lines)) == by_lines(tokenizer, lines)
        assert 1 <= len(small._remembered) <= 3


def test_shipped_news(tokenizer, oracle):
    lines = read_lines(NEWS)
    assert_equals_tokenizer(tokenizer, lines)
    assert_equals_oracle(tokenizer, oracle, lines)


@pytest.mark.parametrize("name", CORPORA)
def test_real_lines(tokenizer, oracle, name):
    lines = read_lines(real_path(name))
    lines = lines[:: len(lines) // 3000]
    assert_equals_tokenizer(tokenizer, lines)
    assert_equals_oracle(tokenizer, oracle, lines)


def test_columns_of_tokens(tokenizer):
    tokens = tokenizer.tokenize_with_offsets("中 kubernetes")
    ids, starts, ends = as_columns(tokenizer, tokens)
    assert list(zip(tokenizer.convert_ids_to_tokens(ids), starts, ends)) == tokens
    assert as_columns(tokenizer, []) == ((), (), ())


@pytest.fixture(scope="module")
def sentencepiece_tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("spm") / "zh.model"
    return FullTokenizer(spm_model_file=train_sentencepiece(path, ["[CLS]", "[SEP]", "[MASK]"]))


def test_sentencepiece(sentencepiece_tokenizer):
    tokenizer = sentencepiece_tokenizer
    for lines in (SPM_SENTENCES, ["", "  LINUX\x00 是 Café\ud800里  Ok ", " ", "", "龘 x", "[MASK]是"], [""], ["是"]):
        assert_equals_tokenizer(tokenizer, lines)
    assert_equals_tokenizer(tokenizer, list(odd_lines(random.Random(13), 500)))


def test_starts_ascend(tokenizer, sentencepiece_tokenizer):
    text = "\n".join(odd_lines(random.Random(14), 500))
    for each in (tokenizer, sentencepiece_tokenizer):
        tokens = BatchTokenizer(each).encode(text)
        assert (np.diff(tokens.starts) >= 0).all()
        assert (tokens.starts <= tokens.ends).all() and tokens.ends[-1] <= len(text)
        assert "\n" not in {text[start] for start in tokens.starts[tokens.starts < tokens.ends].tolist()}
