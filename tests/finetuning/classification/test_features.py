from albert.files.features import CLASSIFICATION_FEATURES
from albert.files.record_encoding import encode_rows
from albert.finetuning.classification.features import features_of, record_encoder
from albert.finetuning.interleaved import NO_TOKEN, interleave
from albert.tasks.rows import Row
from albert.tasks.task import Task
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


class Ids:
    """What of a tokenizer is needed: each character is its number."""

    cls_id, sep_id, pad_id = 2, 3, 0

    def tokenize(self, text):
        return list(text)

    def convert_tokens_to_ids(self, tokens):
        return [ord(token) for token in tokens]


def test_records_of_several_labels_have_one_number_for_each():
    task = Task("topics", ("a", "b", "c"), {}, iter, is_multilabel=True)
    rows = [Row(0, "甲", None, None, 1, labels=("c", "a")), Row(1, "甲", None, None, 2, labels=())]
    encoder = record_encoder(task, Ids(), 8)
    records = list(encoder.records(rows + [Row(2, "乙", None, None, 3)]))
    assert [record.values["label_ids"] for record in records] == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert encode_rows(encoder.features, [record.values for record in records])


def test_windows_of_a_row_stand_together_and_name_their_number():
    task = Task("stars", ("a", "b"), {}, iter)
    rows = [Row(0, "x" * 20, None, "b", 1), Row(1, "y", None, "a", 2)]
    encoder = record_encoder(task, Ids(), 10, "windows_mean")
    values = [record.values for record in encoder.records(rows)]
    assert [value["row_index"] for value in values] == [[0], [1], [2], [3]]
    assert [value["num_windows"] for value in values] == [[3], [3], [3], [1]]
    assert [value["label_ids"] for value in values] == [[1], [1], [1], [0]]
    assert encode_rows(encoder.features, values)
    assert encoder.settings == record_encoder(task, Ids(), 10, "windows_max").settings  # the same records
    assert encoder.settings != record_encoder(task, Ids(), 10).settings
