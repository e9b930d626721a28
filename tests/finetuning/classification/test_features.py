from albert.files.features import CLASSIFICATION_FEATURES
from albert.files.record_encoding import encode_rows
from albert.finetuning.classification.features import features_of
from albert.finetuning.interleaved import NO_TOKEN, interleave
from albert.tasks.rows import Row
from albert.text.sequences import EncodedPair

SHORTER_SECOND = [EncodedPair([2, 5, 3, 6, 3], [0, 0, 0, 1, 1], False), EncodedPair([2, 5, 3], [0, 0, 0], False)]


def test_shorter_choices_are_filled_up_with_no_tokens():
    assert interleave(SHORTER_SECOND, 9) == EncodedPair(
        [2, 2, 5, 5, 3, 3, 6, 9, 3, 9], [0, 0, 0, 0, 0, 0, 1, NO_TOKEN, 1, NO_TOKEN], False
    )
    cut = [SHORTER_SECOND[0], SHORTER_SECOND[1]._replace(was_truncated=True)]
    assert interleave(cut, 0).was_truncated


def test_the_values_of_a_record():
    encoded = EncodedPair([2, 5, 3], [0, 0, 0], False)
    values = features_of(Row(7, "甲", None, "b", 9), encoded, ("a", "b", "c"))
    assert values == {"row_index": [7], "input_ids": [2, 5, 3], "segment_ids": [0, 0, 0], "label_ids": [1]}
    assert features_of(Row(0, "甲", None, None, 1), encoded, ("a", "b"))["label_ids"] == [0]
    assert encode_rows(CLASSIFICATION_FEATURES, [values])
