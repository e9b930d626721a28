"""metrics.jsonl: order, what a resumed run drops, what a killed one leaves."""

import json
import os

import pytest

from albert.base.errors import UserError
from albert.monitor.figures import append_record, drop_after, insert_record, read_records


def write(path, *steps, kind="train"):
    for step in steps:
        append_record(str(path), kind, step, 100.5, {"loss": float(step)})


def steps_in(path):
    with open(str(path)) as file:
        return [json.loads(line)["step"] for line in file]


def test_records_come_back_with_kind_step_and_time(tmp_path):
    path = tmp_path / "m"
    write(path, 1, 2)
    write(path, 2, kind="eval")
    assert read_records(str(path))[0] == {"kind": "train", "step": 1, "time": 100.5, "loss": 1.0}
    assert [r["step"] for r in read_records(str(path), "eval")] == [2]
    assert read_records(str(tmp_path / "none")) == []


def test_what_is_no_number_is_null_so_that_every_reader_takes_the_file(tmp_path):
    append_record(str(tmp_path / "m"), "train", 1, 0.0, {"loss": float("nan"), "norm": float("inf")})
    assert read_records(str(tmp_path / "m"))[0]["loss"] is None
    assert "NaN" not in (tmp_path / "m").read_text() and "Infinity" not in (tmp_path / "m").read_text()


def test_steps_after_the_checkpoint_are_dropped_and_the_others_kept_as_they_were(tmp_path):
    path = tmp_path / "m"
    write(path, 1, 2, 3)
    first_lines = path.read_text().splitlines()[:2]
    drop_after(str(path), 2)
    assert path.read_text().splitlines() == first_lines
    before = os.stat(str(path)).st_ino
    drop_after(str(path), 2)
    assert os.stat(str(path)).st_ino == before  # nothing to drop, nothing written
    drop_after(str(tmp_path / "none"), 0)
    assert sorted(os.listdir(str(tmp_path))) == ["m"]


@pytest.mark.parametrize("rest", ['{"step": 3, "lo', '{"step": 3, "loss": 1.0}'])
def test_half_a_line_of_a_killed_run_joins_no_later_record(tmp_path, rest):
    path = tmp_path / "m"
    write(path, 1, 2)
    with open(str(path), "a") as file:
        file.write(rest)
    assert [r["step"] for r in read_records(str(path))][:2] == [1, 2]
    drop_after(str(path), 3)
    write(path, 4)
    assert [step for step in steps_in(path) if step != 3] == [1, 2, 4]


def test_a_late_evaluation_goes_behind_the_training_record_of_its_step(tmp_path):
    path = tmp_path / "m"
    write(path, 1, 2, 3)
    insert_record(str(path), "eval", 2, 0.0, {"loss": 0.5})
    assert [(r["step"], r["kind"]) for r in read_records(str(path))] == [
        (1, "train"), (2, "train"), (2, "eval"), (3, "train")
    ]  # fmt: skip


def test_files_without_kinds_are_of_training(tmp_path):
    (tmp_path / "m").write_text('{"step": 1, "loss": 2.0}\n[1]\n{"loss": 1.0}\n')
    assert read_records(str(tmp_path / "m"), "train") == [{"kind": "train", "step": 1, "loss": 2.0}]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot write .*none"):
        write(tmp_path / "none" / "m", 1)
