"""The shipped questions and tagged sentences: the generator still writes them, and every reader reads them."""

import os
import subprocess
import sys

import pytest

from albert.base.paths import ROOT
from albert.tasks import mrc_rows, ner_rows
from albert.tasks.mrc import MRC_TASKS
from albert.tasks.ner import NER_TASKS

SHIPPED = os.path.join(ROOT, "data", "sample_tasks")
SPLITS = ["train", "dev", "test"]


def test_the_generator_writes_what_is_shipped(tmp_path):
    script = os.path.join(ROOT, "scripts", "make_sample_token_tasks.py")
    subprocess.check_call([sys.executable, script, "--output_dir", str(tmp_path)], stdout=subprocess.DEVNULL)
    count = 0
    for folder, _, names in os.walk(str(tmp_path)):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as made, open(
                os.path.join(SHIPPED, os.path.relpath(path, str(tmp_path))), "rb"
            ) as kept:
                assert made.read() == kept.read(), path
            count += 1
    assert count == 18


@pytest.mark.parametrize("task", sorted(NER_TASKS))
def test_sentences_of_every_type(task):
    declared = NER_TASKS[task]
    splits = ner_rows.read_sentence_splits(declared, os.path.join(SHIPPED, task), SPLITS)
    assert [len(splits[split]) for split in SPLITS] == [48, 16, 12]
    for split in ("train", "dev"):
        types = {entity.type for sentence in splits[split] for entity in sentence.entities}
        assert types == {label[2:] for label in declared.labels[1:]}
    assert all((sentence.entities is None) == (task == "cluener") for sentence in splits["test"])


@pytest.mark.parametrize("task,num_questions", [("cmrc2018", 5), ("drcd", 4)])
def test_questions_with_answers_in_their_places(task, num_questions, caplog):
    caplog.set_level("INFO")
    splits = mrc_rows.read_question_splits(MRC_TASKS[task], os.path.join(SHIPPED, task), SPLITS)
    assert [len(splits[split]) for split in SPLITS] == [12 * num_questions, 5 * num_questions, 4 * num_questions]
    # A line for each split alone: no answer had to be looked for.
    assert [record.getMessage().split(" ")[0] for record in caplog.records] == list(SPLITS)
    assert all(bool(q.answers) == (task == "drcd") for q in splits["test"])
