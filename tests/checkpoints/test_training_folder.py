"""Which checkpoint is good: every way in which a killed run may leave one unfinished."""

import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.training_folder import flaw, latest_checkpoint, mend_checkpoints, saved_checkpoints
from albert.checkpoints.values import write_values
from albert.files.literal_paths import literal_path

DATA = ".data-00000-of-00001"


def write(folder, step):
    values = {"global_step": np.int64(step), "w": np.arange(4000, dtype=np.float32) + step}
    write_values(dict(values, **{"w/adam_m": np.ones([4000], np.float32)}), prefix_of(folder, step))


def prefix_of(folder, step):
    return str(folder / "model.ckpt-{}".format(step))


def name(folder, *steps):
    prefixes = [prefix_of(folder, step) for step in steps]
    tf.train.update_checkpoint_state(str(folder), prefixes[-1], all_model_checkpoint_paths=prefixes)


@pytest.fixture
def trained(tmp_path):
    """A folder with checkpoints of steps 2, 5 and 10."""
    for step in (2, 5, 10):
        write(tmp_path, step)
    name(tmp_path, 2, 5, 10)
    return tmp_path


def change(path, place, byte=None):
    """Cuts a file off at a place, or puts another byte there."""
    with open(path, "rb") as file:
        content = file.read()
    place = place % len(content)
    with open(path, "wb") as file:
        file.write(content[:place] + (b"" if byte is None else byte + content[place + 1 :]))


def all_agree(folder, step, kept):
    assert tf.train.latest_checkpoint(str(folder)) == latest_checkpoint(str(folder)) == prefix_of(folder, step)
    assert saved_checkpoints(str(folder)) == [prefix_of(folder, step) for step in kept]


def test_a_whole_folder_stays_as_it_is(trained, caplog):
    before = {path: (trained / path).read_bytes() for path in os.listdir(str(trained))}
    assert mend_checkpoints(str(trained)) == prefix_of(trained, 10)
    assert {path: (trained / path).read_bytes() for path in os.listdir(str(trained))} == before
    assert not caplog.messages
    all_agree(trained, 10, [2, 5, 10])


@pytest.mark.parametrize("suffix", [".index", DATA])
@pytest.mark.parametrize("place", [None, 0, 1, 100, -1])
def test_a_file_that_is_missing_or_cut_off(trained, caplog, suffix, place):
    path = prefix_of(trained, 10) + suffix
    if place is None:
        os.remove(path)
    else:
        change(path, place)
    assert latest_checkpoint(str(trained)) == prefix_of(trained, 5)  # also where nothing may be mended
    assert mend_checkpoints(str(trained)) == prefix_of(trained, 5)
    (line,) = caplog.messages
    assert line.startswith("Passed over: ")
    assert line.endswith("the last good checkpoint is {}.".format(prefix_of(trained, 5)))
    all_agree(trained, 5, [2, 5])


def test_a_damaged_value_is_seen_before_training(trained, caplog):
    change(prefix_of(trained, 10) + DATA, 7000, b"\x7f")
    change(prefix_of(trained, 5) + DATA, -1)
    assert flaw(prefix_of(trained, 10)) is None and "is damaged" in flaw(prefix_of(trained, 10), read_all=True)
    assert mend_checkpoints(str(trained)) == prefix_of(trained, 2)
    assert len(caplog.messages) == 1
    all_agree(trained, 2, [2])


def test_what_is_not_named_is_not_chosen(trained):
    """A run that was killed before it named a checkpoint makes it again; a user may name an earlier one."""
    name(trained, 2, 5)
    assert mend_checkpoints(str(trained)) == prefix_of(trained, 5)
    all_agree(trained, 5, [2, 5])


@pytest.mark.parametrize("content", [b"", b"\xff", b'model_checkpoint_path: "model.ckpt-99"\n'])
def test_a_state_file_that_names_nothing(trained, content):
    (trained / "checkpoint").write_bytes(content)
    assert mend_checkpoints(str(trained)) == prefix_of(trained, 10)
    all_agree(trained, 10, [2, 5, 10])


def test_nothing_whole_is_said_and_nothing_trained_is_none(tmp_path):
    assert mend_checkpoints(str(tmp_path)) is None and latest_checkpoint(str(tmp_path)) is None
    write(tmp_path, 3)
    name(tmp_path, 3)
    change(prefix_of(tmp_path, 3) + DATA, -1)
    message = "no checkpoint in .* is whole .*cut off.*: remove .*checkpoint to start again"
    for look in (mend_checkpoints, latest_checkpoint):
        with pytest.raises(UserError, match=message):
            look(str(tmp_path))


def test_a_folder_that_was_moved(trained, tmp_path_factory):
    place = tmp_path_factory.mktemp("moved") / "out"
    name(trained, 2, 5, 10)
    state = (trained / "checkpoint").read_text().replace('"model', '"{}/model'.format(trained))
    (trained / "checkpoint").write_text(state)
    shutil.move(str(trained), str(place))
    assert mend_checkpoints(str(place)) == prefix_of(place, 10)
    all_agree(place, 10, [2, 5, 10])


STATE = 'model_checkpoint_path: "{0}-10"\nall_model_checkpoint_paths: "{0}-10"\n'


@pytest.mark.parametrize(
    "content",
    [
        STATE.format(r"D:\\models\\zh\\model.ckpt").encode("utf-8"),
        STATE.format(r"D:\models\zh\model.ckpt").replace("\n", "\r\n").encode("utf-8"),
        STATE.format(r"\\\\server\\zh\\model.ckpt").encode("utf-16"),
        STATE.format("model.ckpt").encode("utf-8-sig"),
    ],
)
def test_a_state_file_written_or_edited_on_windows(trained, content, caplog):
    (trained / "checkpoint").write_bytes(content)
    assert latest_checkpoint(str(trained)) == prefix_of(trained, 10)
    assert mend_checkpoints(str(trained)) == prefix_of(trained, 10)
    assert not caplog.messages
    all_agree(trained, 10, [2, 5, 10])  # TensorFlow, too, finds it now


@pytest.mark.parametrize("name", ["out[v1]", "[albert] tiny", "a?b*", "c\\d"])
def test_a_folder_whose_name_looks_like_a_pattern(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    for step in (2, 5):
        write(folder, step)
    paths = [prefix_of(folder, step) for step in (2, 5)]
    tf.train.update_checkpoint_state(str(folder), paths[-1], all_model_checkpoint_paths=paths)
    assert mend_checkpoints(str(folder)) == latest_checkpoint(str(folder)) == prefix_of(folder, 5)
    assert saved_checkpoints(str(folder)) == paths
    if "[" in name:  # a link leads TensorFlow to the names alone
        assert (folder / "checkpoint").read_text().startswith('model_checkpoint_path: "model.ckpt-5"\n')


def test_old_checkpoints_are_removed_in_the_own_folder_only(tmp_path):
    """To TensorFlow, out*/model.ckpt-2.* stands for the files of out1, too."""
    for name in ("out*", "out1"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, 2)
    with tf.Graph().as_default(), tf.Session() as session:
        session.run(tf.get_variable("w", initializer=1.0).initializer)
        saver = tf.train.Saver(max_to_keep=1, save_relative_paths=True)
        for step in (2, 5):
            saver.save(session, os.path.join(literal_path(str(tmp_path / "out*")), "model.ckpt"), step)
    assert saved_checkpoints(str(tmp_path / "out*")) == [prefix_of(tmp_path / "out*", 5)]
    assert flaw(prefix_of(tmp_path / "out1", 2)) is None


def test_what_dead_saves_left_is_removed(trained):
    kept = sorted(os.listdir(str(trained)))
    kept += ["events.out.tfevents.1.host", "model.ckpt-10.meta", "other.tmp", "vocab.txt"]
    for path in kept:
        (trained / path).touch()
    for path in (
        "model.ckpt-12_temp_0f3a/part-00000-of-00001.data-00000-of-00001.tempstate123",
        "model.ckpt-12_temp/part-00000-of-00001.index",
        "model.ckpt-12.data-00000-of-00001",
        "model.ckpt-12.index.tempstate99",
        "model.ckpt-12.meta.tmp0123456789abcdef0123456789abcdef",
        "checkpoint.tmp0123456789abcdef0123456789abcdef",
        "graph.pbtxt.tmp0123456789abcdef0123456789abcdef",
        "run_config.json.unfinished-77",
    ):
        (trained / path).parent.mkdir(exist_ok=True)
        (trained / path).touch()
    mend_checkpoints(str(trained))
    assert sorted(os.listdir(str(trained))) == sorted(kept)
