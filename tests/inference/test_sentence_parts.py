"""Parts of sentences: no token without a prediction, text on both sides of it."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference.sentence_parts import are_characters, parts_of, reaches, token_places
from albert.tasks.ner_rows import Sentence, word_places
from tokenization import FullTokenizer

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("甲乙")
UNK, CLS, SEP = 1, 2, 3


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("".join(token + "\n" for token in TOKENS), encoding="utf-8")
    return FullTokenizer(str(path))


def sentence(text, tokens=None):
    return Sentence(0, text, word_places(text) if tokens is None else tokens, None, 1)


def test_a_token_of_which_nothing_is_left_has_a_place(tokenizer):
    row = sentence("甲\u200b乙", tokens=((0, 1), (1, 2), (2, 3)))
    (part,) = parts_of([row], tokenizer, 16)
    assert part.encoded.input_ids == [CLS, 5, UNK, 6, SEP] and part.positions == [1, 2, 3]


@pytest.mark.parametrize("room", [1, 2, 3, 4, 7, 30])
def test_every_token_is_tagged_once_with_text_on_both_sides(room):
    random = np.random.RandomState(room)
    for _ in range(40):
        lengths = random.randint(1, min(room, 4) + 1, random.randint(1, 40)).tolist()
        found = list(reaches(lengths, room))
        assert [token for reach in found for token in range(reach.first, reach.last)] == list(range(len(lengths)))
        for number, reach in enumerate(found):
            assert reach.begin <= reach.first < reach.last <= reach.end
            assert sum(lengths[reach.begin : reach.end]) <= room
            if number and max(lengths) == 1 and room >= 4:
                assert reach.first - reach.begin == room // 4
                assert found[number - 1].end - found[number - 1].last == room // 4


def test_a_token_longer_than_a_sequence_loses_its_end_and_is_counted(tokenizer):
    (part,) = parts_of([sentence("甲" * 9, tokens=((0, 9),))], tokenizer, 6)
    assert part.positions == [1] and len(part.encoded.input_ids) == 6 and part.encoded.was_truncated


def test_too_short_sequences_are_refused(tokenizer):
    with pytest.raises(UserError, match="max_seq_length 2 is too short"):
        list(parts_of([sentence("甲")], tokenizer, 2))


def sentence_of(*tokens):
    places, text = [], ""
    for token in tokens:
        places.append((len(text), len(text) + len(token)))
        text += token
    return sentence(text, tuple(places))


@pytest.mark.parametrize(
    "sentences, expected",
    [
        ([sentence_of("我", "2", "0", "0", "8", "年")], True),
        ([sentence_of("我", "i", "P")], True),
        ([sentence_of("2008", "年")], False),
        ([sentence_of("2", "0"), sentence_of("abc"), sentence_of("hello")], False),
        ([sentence_of("我", "A", "1", "，", "北")], None),
        ([sentence("a 1 b", ((0, 1), (2, 3), (4, 5)))], None),
        ([], None),
    ],
)
def test_files_tell_whether_letters_and_digits_stand_one_by_one(sentences, expected):
    assert are_characters(sentences) is expected


def test_a_text_that_is_asked_is_cut_as_the_files_were():
    text = "我 2008年iP\n甲"
    assert [text[start:end] for start, end in token_places(text, False)] == ["我", "2008", "年", "iP", "甲"]
    assert [text[start:end] for start, end in token_places(text, True)] == list("我2008年iP甲")
