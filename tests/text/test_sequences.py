import random

import pytest
import tokenizers

from albert.base.errors import UserError
from albert.text.sequences import EncodedPair, encode_pair, lengths_that_fit
from tokenization import FullTokenizer

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("甲乙丙丁戊己庚") + ["ab", "##c", "?"]
UNK, CLS, SEP = 1, 2, 3


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("".join(token + "\n" for token in TOKENS), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def tokenizer(vocabulary):
    return FullTokenizer(vocabulary)


def ids(text):
    return [TOKENS.index(char) for char in text]


def test_a_pair(tokenizer):
    assert encode_pair(tokenizer, "甲乙", "丙 abc？", 16) == EncodedPair(
        [CLS, 5, 6, SEP, 7, 12, 13, UNK, SEP], [0, 0, 0, 0, 1, 1, 1, 1, 1], False
    )


def test_a_single_text(tokenizer):
    assert encode_pair(tokenizer, "甲乙丙", None, 5) == EncodedPair([CLS, 5, 6, 7, SEP], [0] * 5, False)
    assert encode_pair(tokenizer, "甲乙丙", None, 4) == EncodedPair([CLS, 5, 6, SEP], [0] * 4, True)


def test_special_tokens_in_a_text_are_text(tokenizer):
    encoded = encode_pair(tokenizer, "[SEP]", "甲", 16)
    assert encoded.input_ids.count(SEP) == 2
    assert encoded.segment_ids == [0] * (len(encoded.input_ids) - 2) + [1, 1]


def test_texts_without_tokens(tokenizer):
    assert encode_pair(tokenizer, "\u200b", "", 5) == EncodedPair([CLS, SEP, SEP], [0, 0, 1], False)


@pytest.mark.parametrize(
    "text_a, text_b, max_seq_length, kept_a, kept_b",
    [
        ("甲乙丙丁戊", "己庚", 10, "甲乙丙丁戊", "己庚"),
        ("甲乙丙丁戊", "己庚", 9, "甲乙丙丁", "己庚"),
        ("甲乙丙丁戊", "己庚", 8, "甲乙丙", "己庚"),
        ("甲乙丙丁戊", "己庚", 7, "甲乙", "己庚"),
        ("甲乙丙丁戊", "己庚", 6, "甲乙", "己"),
        ("甲乙丙丁戊", "己庚", 5, "甲", "己"),
        ("甲", "乙丙丁戊己", 6, "甲", "乙丙"),
        ("甲乙", "丙丁", 6, "甲乙", "丙"),
    ],
)
def test_the_longer_text_loses_its_end(tokenizer, text_a, text_b, max_seq_length, kept_a, kept_b):
    encoded = encode_pair(tokenizer, text_a, text_b, max_seq_length)
    assert encoded.input_ids == [CLS] + ids(kept_a) + [SEP] + ids(kept_b) + [SEP]
    assert encoded.segment_ids == [0] * (len(kept_a) + 2) + [1] * (len(kept_b) + 1)
    assert encoded.was_truncated == ((kept_a, kept_b) != (text_a, text_b))


def popped_lengths(length_a, length_b, room):
    """The rule as BERT states it: one token at a time from the longer one, of two equal ones from the second."""
    while length_a + length_b > room:
        if length_a > length_b:
            length_a -= 1
        else:
            length_b -= 1
    return length_a, length_b


def test_lengths_equal_those_of_popping_one_by_one():
    for length_a in range(14):
        for length_b in range(14):
            for room in range(30):
                lengths = lengths_that_fit(length_a, length_b, room)
                assert lengths == popped_lengths(length_a, length_b, room), (length_a, length_b, room)


def test_very_long_texts(tokenizer):
    encoded = encode_pair(tokenizer, "甲" * 100000, "乙" * 100000, 512)
    assert encoded.input_ids == [CLS] + [5] * 255 + [SEP] + [6] * 254 + [SEP]


@pytest.mark.parametrize("text_b, too_short", [("甲", 4), ("甲", 0), (None, 2)])
def test_a_length_without_room_is_refused(tokenizer, text_b, too_short):
    with pytest.raises(
        UserError, match="max_seq_length {} is too short: .* at least {}".format(too_short, 5 if text_b else 3)
    ):
        encode_pair(tokenizer, "甲", text_b, too_short)


def outside_tokenizer(vocabulary):
    with open(vocabulary, encoding="utf-8") as file:
        vocab = {token.rstrip("\n"): index for index, token in enumerate(file)}
    outside = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocab, unk_token="[UNK]"))
    outside.normalizer = tokenizers.normalizers.BertNormalizer()
    outside.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    outside.post_processor = tokenizers.processors.BertProcessing(("[SEP]", SEP), ("[CLS]", CLS))
    return outside


def ids_of_outside(outside, text_a, text_b, max_seq_length):
    """Ids and segments by the outside tokenizer, by BERT's rule where the two differ.

    Where both texts are cut and the room is odd, tokenizers gives the token that is over to the text that was longer,
    and of two equal ones to the second; BERT's pops always leave it to the first.
    """
    outside.no_truncation()
    tokens_a, tokens_b = (outside.encode(text, add_special_tokens=False).ids for text in (text_a, text_b))
    half, is_odd = divmod(max_seq_length - 3, 2)
    if is_odd and half < len(tokens_a) <= len(tokens_b):
        return [CLS] + tokens_a[: half + 1] + [SEP] + tokens_b[:half] + [SEP], [0] * (half + 3) + [1] * (half + 1)
    outside.enable_truncation(max_seq_length, strategy="longest_first")
    encoding = outside.encode(text_a, text_b)
    return encoding.ids, encoding.type_ids


@pytest.mark.parametrize("max_seq_length", [5, 8, 9, 13, 32])
def test_pairs_equal_those_of_another_implementation(vocabulary, tokenizer, max_seq_length):
    outside = outside_tokenizer(vocabulary)
    rng = random.Random(max_seq_length)
    for _ in range(200):
        text_a, text_b = ("".join(rng.choices("甲乙丙丁庚abc ？?é", k=rng.randint(1, 17))) for _ in range(2))
        encoded = encode_pair(tokenizer, text_a, text_b, max_seq_length)
        expected = ids_of_outside(outside, text_a, text_b, max_seq_length)
        assert (encoded.input_ids, encoded.segment_ids) == expected, (text_a, text_b)
