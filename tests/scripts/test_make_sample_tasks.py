"""The shipped samples of all tasks: what the generator writes, and what the readers read of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from albert.base.paths import ROOT
from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.registry import RUNNER_OF
from albert.tasks.splits import read_splits

SHIPPED = os.path.join(ROOT, "data", "sample_tasks")
MOST_BYTES = 300 * 1000  # of all samples, those of make_sample_token_tasks.py among them


def contents_of(folder):
    found = {}
    for place, _, names in os.walk(str(folder)):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, str(folder))] = file.read()
    return found


def test_the_generator_still_writes_what_ships(tmp_path):
    script = os.path.join(ROOT, "scripts", "make_sample_tasks.py")
    subprocess.check_output([sys.executable, script, "--output_dir={}".format(tmp_path)])
    shipped = contents_of(SHIPPED)
    made = contents_of(tmp_path)
    folders = {path.split(os.sep)[0] for path in made}
    assert made == {path: content for path, content in shipped.items() if path.split(os.sep)[0] in folders}
    assert sum(map(len, shipped.values())) < MOST_BYTES


def test_every_task_has_a_sample():
    assert set(RUNNER_OF) - set(os.listdir(SHIPPED)) == {"lcqmc_pair"}  # whose files are those of lcqmc


@pytest.mark.parametrize("name", sorted(CLASSIFICATION_TASKS))
def test_a_sample_can_be_read_and_learnt(name):
    task = CLASSIFICATION_TASKS[name]
    rows = read_splits(task, os.path.join(SHIPPED, "lcqmc" if name == "lcqmc_pair" else name), ("train", "dev", "test"))
    trained = {row.label for row in rows["train"]}
    assert {row.label for row in rows["dev"]} <= trained <= set(task.labels)
    assert len(trained) >= 2 and len(rows["test"]) == 12
    assert len({row.text_a for row in rows["dev"]}) > 1


def test_what_readers_stumble_over_is_in_the_samples():
    contents = contents_of(SHIPPED)
    assert "\u2028".encode() in contents[os.path.join("iflytek", "train.json")]
    assert b'"label": "-"' in contents[os.path.join("ocnli", "dev.json")]
    assert b"\nen\t" in contents[os.path.join("xnli", "xnli.dev.tsv")]
    assert b"contradictory" in contents[os.path.join("xnli", "multinli", "multinli.train.zh.tsv")]
