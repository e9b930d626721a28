"""Ways to read long texts: what each keeps, and the answers of windows as one."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.text import long_texts
from albert.text.long_texts import CUT, HEAD_TAIL, LONG_TEXTS, WINDOWS, WINDOWS_MAX, WINDOWS_MEAN


class Ids:
    """What of a tokenizer is needed."""

    cls_id, sep_id = -1, -2


def ids_of(sequences):
    return [sequence.input_ids for sequence in sequences]


def read(a, b, length, way):
    return long_texts.sequences_of(Ids(), list(a), None if b is None else list(b), length, way)


@pytest.mark.parametrize("way", LONG_TEXTS)
def test_a_row_that_fits_is_one_sequence_in_every_way(way):
    assert ids_of(read(range(8), None, 10, way)) == [[-1, *range(8), -2]]
    assert ids_of(read(range(3), range(10, 14), 10, way)) == [[-1, 0, 1, 2, -2, 10, 11, 12, 13, -2]]
    assert not read(range(8), None, 10, way)[0].was_truncated


def test_cut_and_head_tail_of_a_text_and_of_a_pair():
    assert ids_of(read(range(20), None, 10, CUT)) == [[-1, *range(8), -2]]
    (sequence,) = read(range(20), None, 10, HEAD_TAIL)
    assert sequence.input_ids == [-1, 0, 1, *range(14, 20), -2] and sequence.was_truncated
    (sequence,) = read(range(20), range(50, 53), 14, HEAD_TAIL)  # the short second text stays whole
    assert sequence.input_ids == [-1, 0, 1, *range(14, 20), -2, 50, 51, 52, -2]
    assert sequence.segment_ids == [0] * 10 + [1] * 4


def test_windows_of_a_text_cover_it():
    sequences = read(range(30), None, 10, WINDOWS_MEAN)
    inside = [sequence.input_ids[1:-1] for sequence in sequences]
    assert all(len(window) == 8 for window in inside) and not any(s.was_truncated for s in sequences)
    assert inside[0][0] == 0 and inside[-1][-1] == 29
    assert all(set(a) & set(b) for a, b in zip(inside, inside[1:]))
    assert sorted(set(sum(inside, []))) == list(range(30))


def test_windows_slide_over_the_second_text_behind_the_first():
    sequences = read(range(3), range(100, 120), 14, WINDOWS_MAX)  # room for 8 of the second text
    assert all(s.input_ids[:5] == [-1, 0, 1, 2, -2] and len(s.input_ids) == 14 for s in sequences)
    assert [s.input_ids[5] for s in sequences] == [100, 106, 112]
    both = read(range(40), range(100, 120), 13, WINDOWS_MAX)  # both long: half the room each
    assert all(s.input_ids[1:6] == list(range(5)) and s.was_truncated for s in both)
    short_second = read(range(40), range(100, 102), 13, WINDOWS_MAX)
    assert ids_of(short_second) == [[-1, *range(8), -2, 100, 101, -2]] and short_second[0].was_truncated


@pytest.mark.parametrize("size", [1, 2, 3, 5, 126])
@pytest.mark.parametrize("length", [1, 2, 7, 127, 128, 1000])
def test_windows_are_even_and_few(length, size):
    starts = long_texts.window_starts(length, size)
    assert starts[0] == 0 and starts[-1] == max(0, length - size)
    strides = np.diff(starts)
    assert (strides > 0).all() and (strides <= max(1, size - size // 4)).all()
    assert not len(strides) or strides.max() - strides.min() <= 1
    assert len(starts) <= 1 + -(-max(0, length - size) // max(1, size - size // 4))


@pytest.mark.parametrize("way", LONG_TEXTS)
def test_too_short_a_sequence_is_said(way):
    with pytest.raises(UserError, match="max_seq_length 4 is too short: two texts need at least 5"):
        read([1, 2], [3, 4], 4, way)


LOGITS = np.array([[1.0, -2.0], [3.0, 0.0], [-1.0, 5.0], [0.5, 0.25]])
COUNTS = [2, 1, 1]


def test_logits_of_windows_become_those_of_rows():
    mean = long_texts.merge_windows(LOGITS, COUNTS, WINDOWS_MEAN)
    np.testing.assert_allclose(mean, [[2.0, -1.0], [-1.0, 5.0], [0.5, 0.25]])
    most = long_texts.merge_windows(LOGITS, COUNTS, WINDOWS_MAX)
    np.testing.assert_allclose(most, [[3.0, 0.0], [-1.0, 5.0], [0.5, 0.25]])


@pytest.mark.parametrize("way", WINDOWS)
@pytest.mark.parametrize("is_multilabel", [False, True])
def test_probabilities_are_merged_as_the_logits_they_stand_for(way, is_multilabel):
    logs = long_texts.log_softmax(LOGITS)
    of_logits = long_texts.sigmoid if is_multilabel else lambda values: np.exp(long_texts.log_softmax(values))
    expected = of_logits(long_texts.merge_windows(LOGITS if is_multilabel else logs, COUNTS, way))
    probabilities = of_logits(LOGITS).astype(np.float32)
    found = long_texts.merge_probabilities(probabilities, COUNTS, way, is_multilabel=is_multilabel)
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    assert (found[1:] == probabilities[2:]).all()  # of one sequence: to the last bit
    if way == WINDOWS_MEAN and not is_multilabel:  # a mean does not ask what is added to all logits of a window
        np.testing.assert_allclose(found[0], of_logits(LOGITS[:2].mean(axis=0)), rtol=2e-6)


def test_certain_windows_stay_finite():
    certain = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    for way in WINDOWS:
        for is_multilabel in (False, True):
            found = long_texts.merge_probabilities(certain, [2], way, is_multilabel=is_multilabel)
            assert np.isfinite(found).all() and found[0, 0] == pytest.approx(found[0, 1])


def test_a_certain_window_does_not_outweigh_a_more_certain_one():
    logits = np.array([[20.0], [-30.0]])
    of_logits = long_texts.sigmoid(long_texts.merge_independent(logits, [2], WINDOWS_MEAN))
    probabilities = long_texts.sigmoid(logits).astype(np.float32)  # 1 and 9e-14
    found = long_texts.merge_probabilities(probabilities, [2], WINDOWS_MEAN, is_multilabel=True)
    np.testing.assert_allclose(found, of_logits, atol=1e-6)
    assert found[0, 0] <= 0.5
