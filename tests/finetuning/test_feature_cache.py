import json
import logging
import os

import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.files.features import CLASSIFICATION_FEATURES
from albert.finetuning.classification import features as classification_records
from albert.finetuning.classification.features import features_of
from albert.finetuning.feature_cache import CachedFeatures, cached_features
from albert.tasks.registry import get_task
from albert.tasks.rows import Row
from albert.tasks.splits import read_split, split_path
from albert.text.sequences import encode_pair
from tokenization import FullTokenizer

TASK = get_task("lcqmc")
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("甲乙丙丁戊己庚a")
TEXT = "甲乙\t丙\t1\n丁戊己庚甲乙丙\t丁寅\t0\n甲乙\tA\t1\n"


class Workshop:
    """Everything a cache is made of, each to be changed on its own."""

    def __init__(self, folder):
        self.folder = folder
        self.cache_dir = str(folder / "output")
        self.write_rows(TEXT)
        self.write_vocabulary(TOKENS)
        self.settings = {"max_seq_length": 16}
        self.do_lower_case = True
        self.task = TASK

    def write_rows(self, text, split="train"):
        (self.folder / (split + ".txt")).write_text(text, encoding="utf-8")

    def write_vocabulary(self, tokens):
        (self.folder / "vocab").write_text("".join(token + "\n" for token in tokens), encoding="utf-8")

    def tokenizer(self):
        return FullTokenizer(str(self.folder / "vocab"), self.do_lower_case)

    def rows(self, split="train"):
        return read_split(self.task, str(self.folder), split)

    def cache(self, split="train", rows=None):
        return cached_features(
            self.rows(split) if rows is None else rows,
            encoder=classification_records.record_encoder(self.task, self.tokenizer(), **self.settings),
            split=split,
            source_files=[split_path(self.task, str(self.folder), split)],
            cache_dir=self.cache_dir,
        )

    def files(self):
        return sorted(os.listdir(self.cache_dir))


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)


@pytest.fixture
def encoded_rows(monkeypatch):
    """How many rows were encoded so far: none when a file was reused."""
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return features_of(*arguments)

    monkeypatch.setattr(classification_records, "features_of", counted)
    return calls


def read_with_tensorflow(path):
    dtypes = {"int64": tf.int64, "float32": tf.float32}
    declared = {
        feature.name: tf.VarLenFeature(dtypes[feature.dtype])
        if feature.length is None
        else tf.FixedLenFeature([feature.length], dtypes[feature.dtype])
        for feature in CLASSIFICATION_FEATURES
    }

    def parse(record):
        parsed = tf.parse_single_example(record, declared)
        return {
            name: tf.sparse_tensor_to_dense(value) if isinstance(value, tf.SparseTensor) else value
            for name, value in parsed.items()
        }

    with tf.Graph().as_default(), tf.Session() as session:
        following = tf.data.make_one_shot_iterator(tf.data.TFRecordDataset(path).map(parse)).get_next()
        records = []
        while True:
            try:
                records.append({name: value.tolist() for name, value in session.run(following).items()})
            except tf.errors.OutOfRangeError:
                return records


def test_the_records_are_the_rows(workshop):
    features = workshop.cache()
    assert read_with_tensorflow(features.path) == [
        {"row_index": [0], "input_ids": [2, 5, 6, 3, 7, 3], "segment_ids": [0, 0, 0, 0, 1, 1], "label_ids": [1]},
        {
            "row_index": [1],
            "input_ids": [2, 8, 9, 10, 11, 5, 6, 7, 3, 8, 1, 3],
            "segment_ids": [0] * 9 + [1] * 3,
            "label_ids": [0],
        },
        {"row_index": [2], "input_ids": [2, 5, 6, 3, 12, 3], "segment_ids": [0, 0, 0, 0, 1, 1], "label_ids": [1]},
    ]


def test_many_rows_repeated_and_long_ones(workshop, monkeypatch):
    monkeypatch.setattr(classification_records, "_MAX_REMEMBERED_TEXTS", 3)
    monkeypatch.setattr(classification_records, "_MAX_REMEMBERED_LENGTH", 9)
    texts = ["甲" * (1 + number % 13) for number in range(40)]
    workshop.write_rows("".join("{}\t{}\t1\n".format(a, b) for a, b in zip(texts, reversed(texts))))
    tokenizer = workshop.tokenizer()
    expected = [
        features_of(row, encode_pair(tokenizer, row.text_a, row.text_b, 16), TASK.labels) for row in workshop.rows()
    ]
    assert read_with_tensorflow(workshop.cache().path) == expected


def test_what_is_told_of_the_rows(workshop):
    features = workshop.cache()
    assert features == CachedFeatures(
        path=features.path,
        num_rows=3,
        num_truncated=0,
        unknown_share=pytest.approx(1 / 15),
        max_length=12,
        mean_length=8.0,
    )
    workshop.settings["max_seq_length"] = 7
    features = workshop.cache()
    assert (features.num_truncated, features.unknown_share, features.max_length) == (1, pytest.approx(1 / 10), 7)


def test_single_texts(workshop):
    rows = [Row(0, "甲寅", None, "1", 1), Row(1, "甲", None, "0", 2)]
    features = workshop.cache(rows=rows)
    assert (features.unknown_share, features.mean_length) == (pytest.approx(1 / 3), 3.5)
    assert read_with_tensorflow(features.path)[0]["segment_ids"] == [0, 0, 0, 0]


def test_rows_without_labels(workshop):
    workshop.write_rows("甲\t乙\n丙\t丁\n", split="test")
    features = workshop.cache("test")
    assert [record["label_ids"] for record in read_with_tensorflow(features.path)] == [[0], [0]]


def test_choices_are_one_record_and_are_counted_as_sequences(workshop):
    rows = [Row(0, "甲寅", None, "1", 1, None, ("乙丙", "丁"))]
    features = workshop.cache(rows=rows)
    assert (features.num_rows, features.mean_length, features.max_length) == (1, 6.5, 7)
    assert features.unknown_share == pytest.approx(2 / 7)
    (record,) = read_with_tensorflow(features.path)
    assert record["input_ids"] == [2, 2, 5, 5, 1, 1, 3, 3, 6, 8, 7, 3, 3, 0]
    assert record["segment_ids"] == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, -1]
    assert record["label_ids"] == [1]


def test_the_name_and_the_log_line(workshop, caplog):
    with caplog.at_level(logging.INFO, logger="albert.finetuning.feature_cache"):
        features = workshop.cache()
        workshop.cache()
    name = os.path.basename(features.path)
    assert name.startswith("train-") and name.endswith(".tfrecord") and len(name) == len("train-.tfrecord") + 16
    assert workshop.files() == [name, name + ".json"]
    assert [record.getMessage() for record in caplog.records] == [
        "train: 3 rows, 8.0 tokens on average, 12 at most, 0.00 % of the rows truncated, 6.67 % of the tokens unknown"
        " ({} {})".format(action, features.path)
        for action in ("made", "reused")
    ]


def test_the_same_again_is_reused(workshop, encoded_rows):
    first = workshop.cache()
    assert len(encoded_rows) == 3
    assert workshop.cache() == first
    assert len(encoded_rows) == 3


def change_rows(workshop):
    workshop.write_rows(TEXT.replace("丙\t1", "丙\t0"))


def change_line_ends(workshop):
    workshop.write_rows(TEXT.replace("\n", "\r\n"))


def change_vocabulary(workshop):
    workshop.write_vocabulary(TOKENS[:5] + TOKENS[:4:-1])


def change_vocabulary_elsewhere(workshop):
    workshop.write_vocabulary(TOKENS + ["未"])


def change_length(workshop):
    workshop.settings["max_seq_length"] = 15


def change_case(workshop):
    workshop.do_lower_case = False


def change_task(workshop):
    workshop.task = get_task("lcqmc_pair")


def change_labels(workshop):
    workshop.task = TASK._replace(labels=("1", "0"))


CHANGES = [
    change_rows,
    change_line_ends,
    change_vocabulary,
    change_vocabulary_elsewhere,
    change_length,
    change_case,
    change_task,
    change_labels,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_makes_new_features_and_removes_the_old(workshop, encoded_rows, change):
    old = workshop.cache()
    change(workshop)
    new = workshop.cache()
    assert new.path != old.path
    assert len(encoded_rows) == 6
    expected = [
        features_of(row, encode_pair(workshop.tokenizer(), row.text_a, row.text_b, 16), workshop.task.labels)
        for row in workshop.rows()
    ]
    assert read_with_tensorflow(new.path) == expected
    assert workshop.files() == [os.path.basename(new.path), os.path.basename(new.path) + ".json"]


def test_a_part_of_the_rows_is_something_else(workshop, encoded_rows):
    whole = workshop.cache()
    part = workshop.cache(rows=workshop.rows()[1:])
    other_part = workshop.cache(rows=workshop.rows()[:2])
    assert len({whole.path, part.path, other_part.path}) == 3
    assert len(encoded_rows) == 3 + 2 + 2


def test_a_file_that_changed_after_it_was_read(workshop):
    rows = workshop.rows()
    change_rows(workshop)
    workshop.cache(rows=rows)
    assert [record["label_ids"] for record in read_with_tensorflow(workshop.cache().path)] == [[0], [0], [1]]


def truncate_file(path):
    os.truncate(path, os.path.getsize(path) - 1)


def drop_last_record(path):
    with open(path, "rb") as file:
        content = file.read()
    start = 0
    for _ in range(2):
        start += 16 + int.from_bytes(content[start : start + 8], "little")
    os.truncate(path, start)


def remove_file(path):
    os.remove(path)


def remove_sidecar(path):
    os.remove(path + ".json")


def truncate_sidecar(path):
    os.truncate(path + ".json", os.path.getsize(path + ".json") // 2)


def overwrite_sidecar(path):
    with open(path + ".json", "w") as file:
        file.write("[]")


def cut_counts_from_sidecar(path):
    with open(path + ".json", encoding="utf-8") as file:
        sidecar = json.load(file)
    del sidecar["counts"]["max_length"]
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump(sidecar, file)


def change_description_in_sidecar(path):
    with open(path + ".json", encoding="utf-8") as file:
        sidecar = json.load(file)
    sidecar["made_of"]["max_seq_length"] = 512
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump(sidecar, file)


DAMAGES = [
    truncate_file,
    drop_last_record,
    remove_file,
    remove_sidecar,
    truncate_sidecar,
    overwrite_sidecar,
    cut_counts_from_sidecar,
    change_description_in_sidecar,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_is_made_again(workshop, encoded_rows, damage):
    first = workshop.cache()
    records = read_with_tensorflow(first.path)
    damage(first.path)
    assert workshop.cache() == first
    assert len(encoded_rows) == 6
    assert read_with_tensorflow(first.path) == records
    assert workshop.cache() == first
    assert len(encoded_rows) == 6


def test_nothing_is_left_of_an_interrupted_run(workshop, monkeypatch):
    def fail_at_the_second_row(row, *others):
        if row.row_id:
            raise KeyboardInterrupt
        return features_of(row, *others)

    monkeypatch.setattr(classification_records, "features_of", fail_at_the_second_row)
    with pytest.raises(KeyboardInterrupt):
        workshop.cache()
    assert workshop.files() == []
    monkeypatch.setattr(classification_records, "features_of", features_of)
    assert len(read_with_tensorflow(workshop.cache().path)) == 3


def test_a_run_that_was_killed_is_cleared_away(workshop):
    path = workshop.cache().path
    os.remove(path + ".json")
    os.rename(path, path + ".unfinished-1")
    assert workshop.cache().path == path
    assert workshop.files() == [os.path.basename(path), os.path.basename(path) + ".json"]


def test_other_splits_and_foreign_files_stay(workshop):
    workshop.write_rows(TEXT, split="dev")
    dev = workshop.cache("dev")
    foreign = [
        "train.tf_record",
        "train-0123456789abcdef.tfrecord",  # no sidecar
        "train-1123456789abcdef.tfrecord",
        "train-1123456789abcdef.tfrecord.json",  # a sidecar of something else
        "train-2123456789abcdef.tfrecord.json",  # no JSON
        "train-news.tfrecord",
        "model.ckpt-1.index",
    ]
    for name in foreign:
        with open(os.path.join(workshop.cache_dir, name), "w") as file:
            file.write('{"content": "training"}' if name.startswith("train-1") else "x")
    old = workshop.cache()
    change_length(workshop)
    new = workshop.cache()
    kept = [os.path.basename(path) for features in (dev, new) for path in (features.path, features.path + ".json")]
    assert workshop.files() == sorted(foreign + kept)
    assert not os.path.exists(old.path)


def test_a_folder_that_cannot_be_written(workshop):
    with open(workshop.cache_dir, "w"):
        pass
    with pytest.raises(UserError, match="cannot write .*output"):
        workshop.cache()


def test_a_length_that_is_too_short_leaves_nothing(workshop):
    workshop.settings["max_seq_length"] = 4
    with pytest.raises(UserError, match="max_seq_length 4 is too short"):
        workshop.cache()
    assert workshop.files() == []


def test_no_rows_are_a_mistake_of_the_caller(workshop):
    with pytest.raises(ValueError, match="no rows"):
        workshop.cache(rows=[])
