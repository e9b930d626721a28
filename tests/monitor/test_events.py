"""Events of TensorBoard: what stands in the files, and a folder that cannot be written."""

import pytest
import tensorflow.compat.v1 as tf

from albert.monitor.events import EventLog
from tests.support.events import events_in, paths_in, scalars_in


def test_numbers_are_on_the_disk_at_once(tmp_path):
    log = EventLog(str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    log.add(3, {"loss": 0.5, "global": 7, "not a number": float("nan"), "missing": None, "name": "x", "flag": True})
    log.add(6, {"loss": 0.25})
    assert scalars_in(tmp_path / "run") == [(3, {"loss": 0.5, "global": 7.0}), (6, {"loss": 0.25})]
    first = events_in(tmp_path / "run")[0]
    assert first.file_version == "brain.Event:2" and first.wall_time > 1e9
    assert len(paths_in(tmp_path / "run")) == 1


def test_two_writers_of_one_second_have_files_of_their_own(tmp_path):
    for value in (1.0, 2.0):
        EventLog(str(tmp_path)).add(1, {"loss": value})
    assert [scalars["loss"] for _, scalars in scalars_in(tmp_path)] == [1.0, 2.0]


@pytest.mark.parametrize("step, starts", [(0, []), (4, [5])])
def test_a_resumed_run_says_which_points_are_void(tmp_path, step, starts):
    log = EventLog(str(tmp_path))
    log.begin_after(step)
    log.add(step + 1, {"loss": 1.0})
    is_start = [e for e in events_in(tmp_path) if e.session_log.status == tf.SessionLog.START]
    assert [event.step for event in is_start] == starts


def test_a_folder_that_cannot_be_made_is_one_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    log = EventLog(str(tmp_path / "file" / "eval"))
    for step in (1, 2):
        log.add(step, {"loss": 1.0})
    assert caplog.text.count("No more events for TensorBoard in {}".format(tmp_path / "file" / "eval")) == 1
