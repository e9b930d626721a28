"""Dynamic masking through tf.data, from the data command to batches."""

import collections
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.batches import dynamic_masking
from albert.batches.pipeline import pretraining_input_fn
from albert.files.features import NO_SENTENCE_ORDER, pretraining_features
from albert.files.tfrecords import count_records
from albert.pretraining.run import check_records
from tests.support.data_command import long_text, make
from tests.support.tiny_corpus import write_text
from tokenization import FullTokenizer

LENGTH, PREDICTIONS = 32, 5


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the same text as dynamic and as static records."""
    from tests.support import tiny_corpus

    folder = tmp_path_factory.mktemp("dynamic")
    write_text(folder, long_text(150))
    tiny_corpus.write_vocab(folder)
    make(folder, output_file=folder / "dynamic.tfrecord", dynamic_masking=True, dupe_factor=None, num_shards=1)
    make(folder, output_file=folder / "static.tfrecord", dupe_factor=20, num_shards=1)
    return folder


def batches(path, batch_size, count=None, is_training=False, seed=1, predictions=PREDICTIONS, start_step=0):
    with tf.Graph().as_default(), tf.Session() as session:
        input_fn = pretraining_input_fn(
            [str(path)],
            max_seq_length=LENGTH,
            max_predictions_per_seq=predictions,
            is_training=is_training,
            seed=seed,
            dynamic=dynamic_masking.of_files([str(path)], LENGTH, predictions),
            start_step=start_step,
        )
        step = tf.data.make_one_shot_iterator(input_fn({"batch_size": batch_size})).get_next()
        found = []
        while count is None or len(found) < count:
            try:
                found.append(session.run(step))
            except tf.errors.OutOfRangeError:
                break
        return found


def joined(found):
    return {name: np.concatenate([batch[name] for batch in found]) for name in found[0]}


def unmasked(batch):
    """The sequences with the labels put back, as tuples without padding."""
    ids = batch["input_ids"].copy()
    rows, columns = np.nonzero(batch["masked_lm_weights"])
    ids[rows, batch["masked_lm_positions"][rows, columns]] = batch["masked_lm_ids"][rows, columns]
    return [tuple(row[: mask.sum()]) for row, mask in zip(ids, batch["input_mask"])]


def chunk_of(sequence, segment_ids, order):
    """The text of a sequence in its own order, without special tokens."""
    first_end = sum(1 for segment in segment_ids[: len(sequence)] if segment == 0)
    first, second = list(sequence[1 : first_end - 1]), list(sequence[first_end:-1])
    return tuple(second + first if order == 1 else first + second)


def test_shapes_and_types(made):
    (batch,) = batches(made / "dynamic.tfrecord", 7, count=1)
    for feature in pretraining_features(LENGTH, PREDICTIONS):
        assert batch[feature.name].shape == (7, feature.length)
        assert batch[feature.name].dtype == (np.float32 if feature.dtype == "float32" else np.int32)


def test_evaluation_reads_each_record_once_and_always_alike(made):
    path = made / "dynamic.tfrecord"
    first, again = (joined(batches(path, 8)) for _ in range(2))
    assert len(first["input_ids"]) == count_records(str(path))
    assert all((first[name] == again[name]).all() for name in first)


def test_every_epoch_has_new_masks_of_the_same_chunks(made):
    path = made / "dynamic.tfrecord"
    count = count_records(str(path))
    found = joined(batches(path, 1, count=3 * count, is_training=True))
    chunks = [
        chunk_of(sequence, segments, order)
        for sequence, segments, order in zip(unmasked(found), found["segment_ids"], found["next_sentence_labels"][:, 0])
    ]
    epochs = [collections.Counter(chunks[start : start + count]) for start in (0, count, 2 * count)]
    assert epochs[0] == epochs[1] == epochs[2]
    masks = collections.defaultdict(set)
    for chunk, positions in zip(chunks, found["masked_lm_positions"]):
        masks[chunk].add(tuple(positions))
    long_chunks = [chunk for chunk in masks if len(chunk) > 20]
    assert len(long_chunks) > 10
    assert sum(len(masks[chunk]) > 1 for chunk in long_chunks) > 0.95 * len(long_chunks)


def test_training_repeats_with_its_seed(made):
    path = made / "dynamic.tfrecord"
    one, same, other = (joined(batches(path, 5, count=4, is_training=True, seed=seed)) for seed in (3, 3, 4))
    assert all((one[name] == same[name]).all() for name in one)
    assert (one["input_ids"] != other["input_ids"]).any()


def test_training_starts_anywhere_with_the_same_masks(made, monkeypatch):
    monkeypatch.setattr(dynamic_masking, "_RECORDS_AT_ONCE", 12)  # three batches
    path = made / "dynamic.tfrecord"
    steps = 2 * count_records(str(path)) // 4 + 3
    uninterrupted = batches(path, 4, count=steps, is_training=True)
    for start_step in (1, 3, 8, steps - 2):
        found = batches(path, 4, count=steps - start_step, is_training=True, start_step=start_step)
        for one, other in zip(found, uninterrupted[start_step:]):
            assert all((one[name] == other[name]).all() for name in one)


def statistics(found, tokenizer):
    weights = found["masked_lm_weights"]
    rows, columns = np.nonzero(weights)
    seen = found["input_ids"][rows, found["masked_lm_positions"][rows, columns]]
    labels = found["masked_lm_ids"][rows, columns]
    orders = found["next_sentence_labels"][:, 0]
    return {
        "predictions": weights.sum() / found["input_mask"].sum(),
        "masked": np.mean(seen == tokenizer.mask_id),
        "kept": np.mean(seen == labels),
        "swapped": np.mean(orders[orders != NO_SENTENCE_ORDER]),
        "tokens": found["input_mask"].sum() / len(orders),
    }


def test_statistics_are_those_of_static_records(made):
    """20 passes over the text, masked when they were made and masked when they are read."""
    tokenizer = FullTokenizer(str(made / "vocab.txt"))
    count = count_records(str(made / "dynamic.tfrecord"))
    found = batches(made / "dynamic.tfrecord", 64, count=20 * count // 64, is_training=True)
    dynamic = statistics(joined(found), tokenizer)
    static = statistics(joined(batches(made / "static.tfrecord", 64)), tokenizer)
    tolerances = {"predictions": 0.004, "masked": 0.02, "kept": 0.015, "swapped": 0.03, "tokens": 0.7}
    for name, tolerance in tolerances.items():
        assert dynamic[name] == pytest.approx(static[name], abs=tolerance), name
    assert dynamic["masked"] == pytest.approx(0.8, abs=0.02)


def test_the_run_decides_how_many_predictions(made):
    (batch,) = batches(made / "dynamic.tfrecord", 16, count=1, predictions=2)
    assert batch["masked_lm_ids"].shape == (16, 2)
    check_records(str(made / "dynamic.tfrecord"), LENGTH, 2, len(FullTokenizer(str(made / "vocab.txt")).vocab))


def test_dynamic_records_are_a_fraction_of_static_ones(made):
    assert (made / "dynamic.tfrecord").stat().st_size * 10 < (made / "static.tfrecord").stat().st_size


def test_both_kinds_at_once_are_refused(made):
    paths = [str(made / "dynamic.tfrecord"), str(made / "static.tfrecord")]
    with pytest.raises(UserError, match="dynamic.tfrecord and .*static.tfrecord need different masking"):
        dynamic_masking.of_files(paths, LENGTH, PREDICTIONS)
    assert dynamic_masking.of_files(paths[1:], LENGTH, PREDICTIONS) is None


def test_other_lengths_are_refused(made):
    with pytest.raises(UserError, match="was made for max_seq_length 32, asked for 64"):
        check_records(str(made / "dynamic.tfrecord"), 64, PREDICTIONS, 100)


def test_without_the_sidecar(made, tmp_path):
    lonely = tmp_path / "lonely.tfrecord"
    lonely.write_bytes((made / "dynamic.tfrecord").read_bytes())
    with pytest.raises(UserError, match="needs the file .*lonely.tfrecord.json beside them"):
        check_records(str(lonely), LENGTH, PREDICTIONS, 100)


def test_the_sidecar_carries_the_vocabulary(made):
    sidecar = json.loads((made / "dynamic.tfrecord.json").read_text(encoding="utf-8"))
    tokenizer = FullTokenizer(str(made / "vocab.txt"))
    dynamic = dynamic_masking.of_files([str(made / "dynamic.tfrecord")], LENGTH, PREDICTIONS)
    assert dynamic.vocabulary.mask_id == sidecar["masking_vocabulary"]["mask_id"] == tokenizer.mask_id
    replacements = tokenizer.convert_ids_to_tokens(dynamic.vocabulary.replacement_ids.tolist())
    assert "[unused1]" not in replacements and "##天" not in replacements and "天" in replacements


@pytest.mark.parametrize(
    "key, change",
    [
        ("settings", {"ngram": "3"}),
        ("settings", {"favor_shorter_ngram": 1}),
        ("settings", {"masked_lm_prob": True}),
        ("masking_vocabulary", {"vocab_size": 10**12}),
        ("masking_vocabulary", {"is_maskable": [[1]]}),
        ("masking_vocabulary", {"replacement_ids": "all"}),
        ("masking_vocabulary", {"unknown": 1}),
    ],
)
def test_a_sidecar_of_another_form_is_refused(made, tmp_path, key, change):
    values = json.loads((made / "dynamic.tfrecord.json").read_text(encoding="utf-8"))
    (tmp_path / "x.tfrecord.json").write_text(json.dumps(dict(values, **{key: dict(values[key], **change)})))
    with pytest.raises(UserError, match="x.tfrecord.json is not a sidecar of dynamic records: "):
        dynamic_masking.of_files([str(tmp_path / "x.tfrecord")], LENGTH, PREDICTIONS)
