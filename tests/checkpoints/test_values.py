"""Values of checkpoints: read, checked, restored and written; damage is named."""

import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints import warm_start
from albert.checkpoints.values import (
    float32_prefix,
    read_contents,
    read_weights,
    restore_variables,
    step_of,
    variable_shapes,
    write_weights,
)
from tests.support import model_fixtures
from tests.support.published_checkpoints import copy_files, save

NAMES = sorted(model_fixtures.FAMILY_OF)


def test_a_damaged_index_is_named(tmp_path):
    (tmp_path / "bad.ckpt.index").write_bytes(b"no table")
    (tmp_path / "bad.ckpt.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(UserError, match="cannot read the checkpoint .*bad.ckpt"):
        variable_shapes(str(tmp_path / "bad.ckpt"))


def test_a_checkpoint_without_its_data_is_incomplete(prefixes, tmp_path):
    shutil.copy(prefixes["zh_postln"] + ".index", str(tmp_path / "half.ckpt.index"))
    with pytest.raises(UserError, match="half.ckpt is incomplete: its weights, .*half.ckpt.data-…, are missing"):
        variable_shapes(str(tmp_path / "half.ckpt"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_download_that_was_cut_off_is_named_without_reading_it(prefixes, tmp_path, name, left):
    prefix = copy_files(prefixes[name], tmp_path)
    data = tmp_path / "half.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:left])
    with pytest.raises(UserError, match="half.ckpt is cut off: its weights take [0-9,]+ bytes, .* copy or download it"):
        variable_shapes(prefix)


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_cut_off_index_is_named(prefixes, tmp_path, left):
    prefix = copy_files(prefixes["zh_postln"], tmp_path)
    index = tmp_path / "half.ckpt.index"
    index.write_bytes(index.read_bytes()[:left])
    with pytest.raises(UserError, match="cannot read the checkpoint .*half.ckpt: ") as error:
        variable_shapes(prefix)
    assert "\n" not in str(error.value)


def test_a_missing_part_of_the_data_is_named(prefixes, tmp_path):
    prefix = copy_files(prefixes["zh_postln"], tmp_path)
    os.rename(prefix + ".data-00000-of-00001", prefix + ".data-00001-of-00002")
    with pytest.raises(UserError, match="half.ckpt is incomplete: .*half.ckpt.data-00000-of-00002 is missing"):
        variable_shapes(prefix)


def test_bytes_that_changed_are_found_when_they_are_read(prefixes, tmp_path):
    prefix = copy_files(prefixes["zh_postln"], tmp_path)
    data = tmp_path / "half.ckpt.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    for position in range(0, len(content), 50):
        content[position] ^= 0xFF
    data.write_bytes(bytes(content))
    with pytest.raises(UserError, match="half.ckpt is damaged: ") as error:
        read_weights(prefix)
    assert "\n" not in str(error.value)
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        model_fixtures.build_encoder("zh_postln")
        with pytest.raises(UserError, match="half.ckpt is damaged: "):
            restore_variables(session, prefix)


def as_type(values, dtype):
    """Weights as another type; the step stays."""
    return {name: value.astype(dtype) if np.ndim(value) else value for name, value in values.items()}


@pytest.mark.parametrize("dtype", [np.float16, np.float64, tf.bfloat16.as_numpy_dtype])
def test_weights_of_any_precision_are_read_restored_and_started_from_as_float32(tmp_path, dtype):
    values = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    prefix = save(tmp_path / "half.ckpt", dict(as_type(values, dtype), global_step=np.int64(3)))
    expected = {name: value.astype(dtype).astype(np.float32) for name, value in values.items()}
    for name, value in read_weights(prefix).items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, expected[name])
    for start in (restore, warm_start_and_initialise):
        with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
            model_fixtures.build_encoder("zh_postln")
            start(session, prefix)
            restored = session.run({variable.op.name: variable for variable in tf.global_variables()})
        for name, value in restored.items():
            np.testing.assert_array_equal(value, expected[name])
    assert step_of(float32_prefix(prefix)) == 3


def restore(session, prefix):
    restore_variables(session, prefix)


def warm_start_and_initialise(session, prefix):
    warm_start.warm_start_variables(prefix)
    session.run(tf.global_variables_initializer())


def test_a_float32_checkpoint_is_not_copied(prefixes):
    assert float32_prefix(prefixes["google_g1"]) == prefixes["google_g1"]


def test_weights_that_are_whole_numbers_are_named_and_not_called_damaged(tmp_path):
    values = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    name = "bert/embeddings/word_embeddings"
    prefix = save(tmp_path / "int8.ckpt", dict(values, **{name: values[name].astype(np.int8)}))
    with pytest.raises(UserError, match="int8.ckpt keeps {} as int8: only floating-point".format(name)):
        read_contents(prefix)


@pytest.mark.parametrize(
    "changes, message", [({}, "lacks weights that this needs: other"), ({"other": 3}, r"has other \[3\], not \[2\]")]
)
def test_a_sound_checkpoint_of_something_else_is_not_called_damaged(tmp_path, changes, message):
    values = {name: np.ones([size], np.float32) for name, size in dict({"own": 2}, **changes).items()}
    prefix = save(tmp_path / "sound.ckpt", values)
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.get_variable("other", [2])
        with pytest.raises(UserError, match=message) as error:
            restore_variables(session, prefix)
    assert "damaged" not in str(error.value)


def test_slots_of_every_name_are_no_weights(prefixes):
    for name in NAMES:
        contents = read_contents(prefixes[name])
        assert set(contents.shapes) == set(model_fixtures.variables_of(model_fixtures.load(name)))
        assert contents.slots == (
            "Adam", "Adam_1", "LAMB/adam_m", "Momentum", "adam_m", "adam_v", "lamb_m", "lamb_v"
        )  # fmt: skip


def test_slots_without_their_weights_are_no_weights_either(tmp_path):
    prefix = save(tmp_path / "x.ckpt", {"a/kernel/adam_m": np.zeros([2]), "b/bias/Adam_1": np.zeros([2])})
    assert read_contents(prefix) == ({}, ("Adam_1", "adam_m"), (), False)


def test_cut_data_is_named_where_it_is_restored(prefixes, tmp_path):
    for suffix in (".index", ".data-00000-of-00001"):
        shutil.copy(prefixes["zh_postln"] + suffix, str(tmp_path / ("cut.ckpt" + suffix)))
    data = tmp_path / "cut.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        model_fixtures.build_encoder("zh_postln")
        with pytest.raises(UserError, match="cut.ckpt is cut off: its weights take"):
            restore_variables(session, str(tmp_path / "cut.ckpt"))


def test_copied_weights_leave_slots_behind(prefixes, tmp_path):
    target = str(tmp_path / "copy.ckpt")
    write_weights(prefixes["zh_preln"], target)
    expected = model_fixtures.variables_of(model_fixtures.load("zh_preln"))
    reader = tf.train.load_checkpoint(target)
    assert set(reader.get_variable_to_shape_map()) == set(expected) | {"global_step"}
    for name, value in expected.items():
        np.testing.assert_array_equal(reader.get_tensor(name), value)
    assert step_of(prefixes["zh_preln"]) == step_of(target) == 17
