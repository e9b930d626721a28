import numpy as np
import pytest

from albert.files.features import NO_SENTENCE_ORDER
from albert.pretraining_data.examples import SWAPPED, ExampleBatch
from albert.pretraining_data.preview import example_text, readable

TOKENS = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "北", "京", "很", "大", "al", "##bert", "is", "。"]


def to_tokens(ids):
    return [TOKENS[index] for index in ids]


def ids_of(*tokens):
    return [TOKENS.index(token) for token in tokens]


def batch(seen, positions, labels, order):
    return ExampleBatch(
        np.array([seen + [0]]),
        np.zeros((1, len(seen) + 1), np.int32),
        np.array([len(seen)]),
        np.array([positions + [0]]),
        np.array([labels + [0]]),
        np.array([len(positions)]),
        np.array([order]),
    )


@pytest.mark.parametrize(
    "tokens, text",
    [
        (["北", "京", "is", "al", "##bert", "is", "大", "。"], "北京is albert is大。"),
        (["al", ".", "is"], "al.is"),
        (["[MASK]", "[MASK]"], "[MASK][MASK]"),
        ([], ""),
    ],
)
def test_readable(tokens, text):
    assert readable(tokens) == text


def test_masked_kept_and_replaced_words_are_marked():
    seen = ids_of("[CLS]", "[MASK]", "[MASK]", "很", "大", "[SEP]", "al", "京", "is", "[SEP]")
    labels = ids_of("北", "京", "大", "##bert")
    text = example_text(batch(seen, [1, 2, 4, 7], labels, SWAPPED), 0, to_tokens)
    assert text == (
        "sentence order swapped (1), 4 of 10 tokens to predict\n"
        "  [CLS] 【北京 → [MASK][MASK]】 很 【大】 [SEP] al 【bert → 京】 is [SEP]"
    )


def test_one_segment():
    text = example_text(batch(ids_of("[CLS]", "[MASK]", "[SEP]"), [1], ids_of("大"), NO_SENTENCE_ORDER), 0, to_tokens)
    assert text.startswith("sentence order none: one segment only (-1), 1 of 3")
