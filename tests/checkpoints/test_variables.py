"""Finding, describing and starting from checkpoints of every kind."""

import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints import warm_start
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.values import (
    read_contents,
    read_weights,
    restore_variables,
    step_of,
    variable_shapes,
    write_weights,
)
from tests.support import model_fixtures
from tests.support.published_checkpoints import published_values, save

NAMES = sorted(model_fixtures.FAMILY_OF)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The prefix of a published checkpoint for each fixture."""
    folder = tmp_path_factory.mktemp("published")
    return {name: save(folder / name / "albert_model.ckpt", published_values(name)) for name in NAMES}


def build_model(name, **changes):
    arrays = model_fixtures.load(name)
    config = model_fixtures.config_of(name, arrays)
    for key, value in changes.items():
        setattr(config, key, value)
    return model_fixtures.FAMILY_OF[name].model_class(config, False, tf.zeros([2, 3], tf.int32), scope="bert")


@pytest.mark.parametrize("name", NAMES)
def test_warm_start_gives_every_weight(published, name):
    expected = model_fixtures.variables_of(model_fixtures.load(name))
    with tf.Graph().as_default(), tf.Session() as session:
        build_model(name)
        tf.get_variable("output_weights", [2, 48], initializer=tf.ones_initializer())
        plan = warm_start.warm_start_variables(published[name])
        session.run(tf.global_variables_initializer())
        values = session.run({v.op.name: v for v in tf.trainable_variables()})
    assert set(plan.missing) == {"output_weights"}
    assert set(plan.matched) == {n for n in expected if n.startswith("bert/")}
    assert set(plan.left_over) == {n for n in expected if n.startswith("cls/")}
    assert np.all(values.pop("output_weights") == 1.0)
    for variable, value in values.items():
        np.testing.assert_array_equal(value, expected[variable])


def test_report_says_what_matched_is_missing_and_left_over(published):
    with tf.Graph().as_default():
        build_model("zh_postln")
        tf.get_variable("output_weights", [2, 48])
        text = warm_start.report(warm_start.warm_start_variables(published["zh_postln"]), "x.ckpt")
    assert "matched: 24 variables" in text
    assert "missing, so newly initialised: output_weights" in text
    assert "and 4 more" in text.splitlines()[-1]


@pytest.mark.parametrize(
    "name,changes,message",
    [
        ("zh_postln", {"hidden_size": 96}, "is zh with hidden_size 48, the config asks for zh with hidden_size 96: "),
        ("zh_postln", {"vocab_size": 300}, "vocab_size 211, not 300"),
        ("zh_postln", {"intermediate_size": 95}, "intermediate_size 96, not 95"),
        ("google_g1", {"max_position_embeddings": 39}, "max_position_embeddings 40, not 39"),
        ("google_g1", {"num_hidden_groups": 2}, "num_hidden_groups 1, not 2"),
    ],
)
def test_other_sizes_are_refused_naming_both_sides(published, name, changes, message):
    with tf.Graph().as_default():
        build_model(name, **changes)
        with pytest.raises(UserError, match=message):
            warm_start.warm_start_variables(published[name])


@pytest.mark.parametrize("name,other", [("zh_postln", "google_g1"), ("google_g1", "zh_preln")])
def test_the_other_family_is_refused(published, name, other):
    with tf.Graph().as_default():
        build_model(name)
        with pytest.raises(UserError, match="the families differ") as error:
            warm_start.warm_start_variables(published[other])
    assert "is {} with".format(other.split("_")[0]) in str(error.value)
    assert "asks for {} with".format(name.split("_")[0]) in str(error.value)


def test_a_checkpoint_of_bert_is_refused(published, tmp_path):
    values = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    bert = {n.replace("layer_shared", "layer_0"): v for n, v in values.items() if "word_embeddings_2" not in n}
    prefix = save(tmp_path / "bert.ckpt", bert)
    with tf.Graph().as_default():
        build_model("zh_postln")
        with pytest.raises(UserError, match="is BERT with hidden_size 48, the config asks for zh"):
            warm_start.warm_start_variables(prefix)


def test_a_checkpoint_without_an_encoder_is_refused(tmp_path):
    prefix = save(tmp_path / "other.ckpt", {"dense/kernel": np.zeros([2, 3], np.float32)})
    with tf.Graph().as_default():
        build_model("zh_postln")
        with pytest.raises(UserError, match="holds no encoder"):
            warm_start.warm_start_variables(prefix)


def test_a_prefix_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no checkpoint .*none.ckpt: the file .*none.ckpt.index does not"):
        find_checkpoint(str(tmp_path / "none.ckpt"))


def test_a_folder_an_index_and_a_prefix_name_the_same(published):
    prefix = published["zh_postln"]
    for path in (os.path.dirname(prefix), prefix + ".index", prefix):
        assert find_checkpoint(path) == prefix


def test_a_folder_without_its_checkpoint_file_is_understood_when_it_holds_one(published, tmp_path):
    folder = tmp_path / "copied"
    shutil.copytree(os.path.dirname(published["google_g1"]), str(folder))
    os.remove(str(folder / "checkpoint"))
    assert find_checkpoint(str(folder)) == str(folder / "albert_model.ckpt")
    (folder / "other.ckpt.index").write_bytes(b"")
    with pytest.raises(UserError, match="holds 2 checkpoints and no `checkpoint` file"):
        find_checkpoint(str(folder))


def test_a_checkpoint_file_of_another_place_is_understood(published, tmp_path):
    folder = tmp_path / "unpacked"
    shutil.copytree(os.path.dirname(published["google_g1"]), str(folder))
    (folder / "checkpoint").write_text('model_checkpoint_path: "/home/someone/else/albert_model.ckpt"\n')
    assert find_checkpoint(str(folder)) == str(folder / "albert_model.ckpt")


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no checkpoint: no file in it ends in .index"):
        find_checkpoint(str(tmp_path))


def test_what_is_no_checkpoint_is_called_what_it_is(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="holds no checkpoint: it holds a model of transformers .*export_model.py"):
        find_checkpoint(str(tmp_path))
    (tmp_path / "albert_tiny.zip").write_bytes(b"")
    with pytest.raises(UserError, match="albert_tiny.zip is no checkpoint: name a folder"):
        find_checkpoint(str(tmp_path / "albert_tiny.zip"))


def test_the_newest_checkpoint_half_copied_is_not_passed_over_for_an_older_one(published, tmp_path):
    copy_files(published["zh_postln"], tmp_path, "model.ckpt-5")
    copy_files(published["zh_postln"], tmp_path, "model.ckpt-9", leave_out=[".index"])
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-9"\n')
    with pytest.raises(UserError, match="model.ckpt-9 is incomplete: its index"):
        find_checkpoint(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"<html>not found</html>"])
def test_a_checkpoint_file_that_says_nothing_is_passed_over(published, tmp_path, content):
    prefix = copy_files(published["zh_postln"], tmp_path)
    (tmp_path / "checkpoint").write_bytes(content)
    assert find_checkpoint(str(tmp_path)) == prefix


def test_a_damaged_index_is_named(tmp_path):
    (tmp_path / "bad.ckpt.index").write_bytes(b"no table")
    (tmp_path / "bad.ckpt.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(UserError, match="cannot read the checkpoint .*bad.ckpt"):
        variable_shapes(str(tmp_path / "bad.ckpt"))


def test_a_checkpoint_without_its_data_is_incomplete(published, tmp_path):
    shutil.copy(published["zh_postln"] + ".index", str(tmp_path / "half.ckpt.index"))
    with pytest.raises(UserError, match="half.ckpt is incomplete: its weights, .*half.ckpt.data-…, are missing"):
        variable_shapes(str(tmp_path / "half.ckpt"))


def copy_files(prefix, folder, name="half.ckpt", leave_out=()):
    """Copies a checkpoint's files but some under another name; returns the new prefix."""
    for suffix in (".index", ".data-00000-of-00001"):
        if suffix not in leave_out:
            shutil.copy(prefix + suffix, str(folder / (name + suffix)))
    return str(folder / name)


def test_a_checkpoint_without_its_index_is_incomplete(published, tmp_path):
    prefix = copy_files(published["zh_postln"], tmp_path, leave_out=[".index"])
    for path in (prefix, prefix + ".data-00000-of-00001", str(tmp_path)):
        with pytest.raises(UserError, match="half.ckpt is incomplete: its index, .*half.ckpt.index, is missing"):
            find_checkpoint(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_download_that_was_cut_off_is_named_without_reading_it(published, tmp_path, name, left):
    prefix = copy_files(published[name], tmp_path)
    data = tmp_path / "half.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:left])
    with pytest.raises(UserError, match="half.ckpt is cut off: its weights take [0-9,]+ bytes, .* copy or download it"):
        variable_shapes(prefix)


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_cut_off_index_is_named(published, tmp_path, left):
    prefix = copy_files(published["zh_postln"], tmp_path)
    index = tmp_path / "half.ckpt.index"
    index.write_bytes(index.read_bytes()[:left])
    with pytest.raises(UserError, match="cannot read the checkpoint .*half.ckpt: ") as error:
        variable_shapes(prefix)
    assert "\n" not in str(error.value)


def test_a_missing_part_of_the_data_is_named(published, tmp_path):
    prefix = copy_files(published["zh_postln"], tmp_path)
    os.rename(prefix + ".data-00000-of-00001", prefix + ".data-00001-of-00002")
    with pytest.raises(UserError, match="half.ckpt is incomplete: .*half.ckpt.data-00000-of-00002 is missing"):
        variable_shapes(prefix)


def test_bytes_that_changed_are_found_when_they_are_read(published, tmp_path):
    prefix = copy_files(published["zh_postln"], tmp_path)
    data = tmp_path / "half.ckpt.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    for position in range(0, len(content), 50):
        content[position] ^= 0xFF
    data.write_bytes(bytes(content))
    with pytest.raises(UserError, match="half.ckpt is damaged: ") as error:
        read_weights(prefix)
    assert "\n" not in str(error.value)


def test_slots_of_every_name_are_no_weights(published):
    for name in NAMES:
        contents = read_contents(published[name])
        assert set(contents.shapes) == set(model_fixtures.variables_of(model_fixtures.load(name)))
        assert contents.slots == (
            "Adam", "Adam_1", "LAMB/adam_m", "Momentum", "adam_m", "adam_v", "lamb_m", "lamb_v"
        )  # fmt: skip


def test_slots_without_their_weights_are_no_weights_either(tmp_path):
    prefix = save(tmp_path / "x.ckpt", {"a/kernel/adam_m": np.zeros([2]), "b/bias/Adam_1": np.zeros([2])})
    assert read_contents(prefix) == ({}, ("Adam_1", "adam_m"))


def test_cut_data_is_damaged(published, tmp_path):
    for suffix in (".index", ".data-00000-of-00001"):
        shutil.copy(published["zh_postln"] + suffix, str(tmp_path / ("cut.ckpt" + suffix)))
    data = tmp_path / "cut.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        build_model("zh_postln")
        with pytest.raises(UserError, match="cut.ckpt is damaged: "):
            restore_variables(session, str(tmp_path / "cut.ckpt"))


def test_copied_weights_leave_slots_behind(published, tmp_path):
    target = str(tmp_path / "copy.ckpt")
    write_weights(published["zh_preln"], target)
    expected = model_fixtures.variables_of(model_fixtures.load("zh_preln"))
    reader = tf.train.load_checkpoint(target)
    assert set(reader.get_variable_to_shape_map()) == set(expected) | {"global_step"}
    for name, value in expected.items():
        np.testing.assert_array_equal(reader.get_tensor(name), value)
    assert step_of(published["zh_preln"]) == step_of(target) == 17
