"""Windows over contexts: every token once, places that lead back to the source."""

import pytest

from albert.inference.context_windows import WindowSettings, best_windows, window_reaches, windows_of
from tests.support.context_windows import CHARACTERS, ODD, question, write_vocabulary


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return write_vocabulary(tmp_path_factory.mktemp("vocab"))


@pytest.mark.parametrize("room,stride", [(1, 1), (5, 2), (5, 5), (5, 9), (13, 4)])
def test_windows_cover_every_token_and_each_begins_answers_in_one(room, stride):
    for num_tokens in range(40):
        reaches = window_reaches(num_tokens, room, stride)
        assert sorted({token for begin, end in reaches for token in range(begin, end)}) == list(range(num_tokens))
        assert all(end - begin <= room for begin, end in reaches)
        assert len(reaches) == 1 or reaches[-1][1] - reaches[-2][1] > 0  # none that adds nothing
        for token, place in enumerate(best_windows(num_tokens, reaches)):
            sides = [min(token - b, e - 1 - token) if b <= token < e else -1 for b, e in reaches]
            assert sides[place] == max(sides)


@pytest.mark.parametrize("answer", ["甲", "CSOL", "2008", "乙2008", "𠮷É丙", "丙\r\n丁", "甲\u3000CSOL"])
def test_places_lead_back_to_the_source(tokenizer, answer):
    row = question(ODD, answer)
    windows = [w for w in windows_of([row], tokenizer, WindowSettings(12, 2, 4)) if w.answer != (0, 0)]
    assert windows
    for window in windows:
        first, last = (window.spans[position - window.offset] for position in window.answer)
        assert ODD[first[0] : last[1]] == answer


def test_a_long_question_loses_its_end_and_an_empty_one_is_asked(tokenizer):
    long, empty = windows_of(
        [question("甲", text=CHARACTERS), question("甲", text="")], tokenizer, WindowSettings(8, 2, 3)
    )
    assert long.encoded.input_ids == [2, 5, 6, 7, 3, 5, 3] and long.encoded.was_truncated
    assert empty.encoded.input_ids == [2, 3, 5, 3] and not empty.encoded.was_truncated
