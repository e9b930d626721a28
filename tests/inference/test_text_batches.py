"""Rows of texts against the encoding of one pair at a time, and batches by what they must hold."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference import text_batches
from albert.inference.text_batches import PairEncoder
from albert.text.sequences import encode_pair
from tests.support import odd_texts, tiny_model
from tokenization import FullTokenizer


def test_many_pairs_are_encoded_as_one_by_one(tokenizer):
    readable = [text for text in odd_texts.ODD_STRINGS if tokenizer.tokenize(text)] + ["ὈΔΥΣΣΕΎΣ", "a\nb", "好" * 300]
    pairs = [(a, b) for a in readable for b in readable + [None]]
    rows = PairEncoder(tokenizer, 24).encode(pairs)
    assert rows == [encode_pair(tokenizer, a, b, 24) for a, b in pairs]
    assert PairEncoder(tokenizer, 24).encode(pairs[:1]) == rows[:1]


@pytest.mark.parametrize(
    "pair,message",
    [
        ("好", "^line 2 is '好': give pairs"),
        (("好", 3), "^the second text of line 2 must be a text, not 3$"),
        ((None, "好"), "^the first text of line 2 must be a text, not None"),
        (("好", " \n"), "^the second text of line 2 is empty$"),
        (("\x00\x07\ud800", "好"), "^the first text of line 2 holds nothing that can be read"),
        ((b"x" * 10**6, "好"), "^the first text of line 2 must be a text, not b'x{38}…$"),
    ],
)
def test_a_bad_row_is_one_sentence(tokenizer, pair, message):
    with pytest.raises(UserError, match=message) as caught:
        PairEncoder(tokenizer, 24).encode([("好", "好"), pair], "line {}".format)
    assert len(str(caught.value)) < 120 and str(caught.value).encode("utf-8")


def test_batches_hold_each_row_once_and_no_more_tokens_than_told():
    lengths = np.random.RandomState(5).randint(3, 90, 500).tolist()
    batches = list(text_batches.batches_by_length(lengths, max_rows=17, max_tokens=600))
    assert sorted(row for batch in batches for row in batch) == list(range(500))
    sizes = [(len(batch), max(lengths[row] for row in batch)) for batch in batches]
    assert all(rows <= 17 and rows * longest <= 600 for rows, longest in sizes)
    padded = sum(rows * longest for rows, longest in sizes)
    assert sum(lengths) <= padded < 1.1 * sum(lengths)
    # None could have taken the next row too.
    for (rows, _), batch in zip(sizes, batches[1:]):
        assert rows == 17 or (rows + 1) * lengths[batch[0]] > 600


def test_a_row_over_the_bound_is_a_batch_of_its_own():
    assert list(text_batches.batches_by_length([9, 3], max_rows=8, max_tokens=5)) == [[1], [0]]


def test_answers_stand_in_the_order_of_the_rows():
    lengths = [5, 2, 9, 2, 7]
    seen = []

    def answer(batch):
        seen.append(batch)
        return np.array([[row, 10 * row] for row in batch], np.float32)

    answers = text_batches.answer_in_batches(lengths, answer, max_rows=2, max_tokens=100)
    assert answers.tolist() == [[row, 10 * row] for row in range(5)] and seen == [[1, 3], [0, 4], [2]]


def test_an_empty_file_is_said_to_be(tmp_path):
    (tmp_path / "none.txt").write_text("")
    with pytest.raises(UserError, match="none.txt is empty"):
        text_batches.read_texts(str(tmp_path / "none.txt"))


def test_a_sentencepiece_model_is_taken_too(tmp_path):
    path = tmp_path / "x.model"
    odd_texts.train_sentencepiece(path, ["[CLS]", "[SEP]", "[MASK]"])
    tokenizer = FullTokenizer(None, True, str(path))
    texts = ["linux 系统", "a\nb", "今天 天气"] * 4 + list(odd_texts.SPM_SENTENCES) + tiny_model.VOCABULARY[5:12]
    pairs = [(text, None) for text in texts]
    assert PairEncoder(tokenizer, 12).encode(pairs) == [encode_pair(tokenizer, text, None, 12) for text in texts]
