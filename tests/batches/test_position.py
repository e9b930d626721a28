"""Position in the data: a run continues with the next batch, or in a new order if the data changed."""

import pytest

from albert.batches.position import DATA_POSITION_FILE, DataPosition, file_marks, find_position

READ = {"--input_file": [["a.tfrecord", 100]], "--train_batch_size": 4, "--seed": 1}


@pytest.fixture
def position(tmp_path):
    """A function from a step and what changed to the position."""

    def find(step, **changes):
        return find_position(str(tmp_path), step, dict(READ, **{"--" + name: value for name, value in changes.items()}))

    return find


def test_the_same_data_go_on(position, caplog):
    assert position(0) == DataPosition(0, 0)
    assert position(7) == position(7) == DataPosition(7, 0)
    assert not caplog.messages


def test_changed_data_start_over_and_continue_from_there(position, caplog):
    position(0)
    start = position(10, train_batch_size=8, seed=2)
    assert start.start_step == 0 and start.seed_offset != 0
    assert caplog.messages == [
        "--seed and --train_batch_size changed since step 10: the data start over, in a new order."
    ]
    assert position(13, train_batch_size=8, seed=2) == DataPosition(3, start.seed_offset)
    assert len(caplog.messages) == 1
    assert position(20).seed_offset not in (0, start.seed_offset)  # neither of the orders seen before


def test_an_earlier_checkpoint_goes_on_in_the_order_it_was_in(position, caplog):
    position(0)
    position(10, train_batch_size=8)
    assert position(6) == DataPosition(6, 0)
    assert len(caplog.messages) == 1
    assert position(10, train_batch_size=8).start_step == 0


def test_without_a_checkpoint_everything_starts_over(position, caplog):
    position(0)
    assert position(0, seed=9) == DataPosition(0, 0)
    assert position(4, seed=9) == DataPosition(4, 0)
    assert not caplog.messages


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"format_version": 0, "orders": []}', b"\xff{"])
def test_a_position_that_cannot_be_read(tmp_path, position, caplog, content):
    if content is not None:
        (tmp_path / DATA_POSITION_FILE).write_bytes(content)
    assert position(5).start_step == 0
    assert "data_position.json does not say which data were read up to step 5" in caplog.messages[0]
    assert position(6).start_step == 1
    assert len(caplog.messages) == 1


def test_another_process_of_the_run_changes_nothing(tmp_path):
    assert find_position(str(tmp_path), 3, READ, is_chief=False) == DataPosition(0, 0)
    assert not list(tmp_path.iterdir())


def test_files_are_known_by_name_and_size(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    assert file_marks([str(tmp_path / "a")]) == [["a", 3]]
