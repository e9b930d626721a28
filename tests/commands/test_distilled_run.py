"""A classifier that learns from another one: the teacher predicts its train split, the student reads that file."""

import json
import os

import numpy as np
import pytest

import run_classifier
import run_classifier_sp_google
from albert.base.errors import UserError
from albert.checkpoints.families import GOOGLE
from albert.inference.predictor import open_predictor
from albert.model import heads
from tests.support import tiny_model
from tests.support.tiny_runs import classify, publish, values_of

ROWS = 8
ONCE = {"do_eval": False, "do_predict": False, "train_batch_size": 4}


def run(folder, out, **changes):
    values = {"vocab_file": folder / "vocab.txt", "bert_config_file": folder / "tiny.json", "output_dir": folder / out}
    return classify(folder, run_classifier, **dict(values, **changes))


def rows_in(path):
    with open(str(path), encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def read_json(*parts):
    with open(os.path.join(*map(str, parts))) as file:
        return json.load(file)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data, vocabulary, config, and the folder `teacher`, which was trained and then predicted its train split."""
    folder = tmp_path_factory.mktemp("distilled")
    tiny_model.write_pairs(folder / "data", train=ROWS, dev=4, test=3)
    tiny_model.write_vocab(folder)
    tiny_model.write_config(folder, num_hidden_layers=1)
    run(folder, "teacher", do_eval=False, do_predict=False)
    predicting = {"do_train": False, "do_eval": False, "predict_split": "train"}
    classify(folder, run_classifier, output_dir=folder / "teacher", **predicting)
    return folder


@pytest.fixture
def predictions(folder):
    return folder / "teacher" / "train_results.tsv"


def test_a_trained_folder_predicts_its_train_split(folder, predictions):
    pairs = rows_in(folder / "data" / "train.txt")
    found = np.array(rows_in(predictions), float)
    with open_predictor(str(folder / "teacher")) as model:
        expected = model.classify([tuple(pair[:2]) for pair in pairs]).probabilities
    np.testing.assert_allclose(found, expected, atol=1e-6)
    figures = read_json(folder, "teacher", "train_results.json")
    assert figures["accuracy"] == np.mean(found.argmax(axis=1) == [int(pair[2]) for pair in pairs])
    assert (folder / "teacher" / "reports" / "train.tsv").exists()
    assert not list((folder / "teacher").glob("*_predict.json")), "only the test split is handed in"


def test_a_student_learns_from_the_file_and_notices_another(folder, predictions, caplog):
    caplog.set_level("INFO")
    run(folder, "student", **ONCE, num_train_epochs=1, teacher_predictions=predictions)
    assert "Teacher: probabilities of 8 rows in {}, accuracy ".format(predictions) in caplog.text
    features = sorted(path.name for path in (folder / "student" / "features").iterdir())
    assert features == sorted(p.name for p in (folder / "teacher" / "features").iterdir()), "nothing of it in records"
    data = read_json(folder, "student", "run_config.json")["data"]
    assert [entry["file"] for entry in data] == ["train.txt", "train_results.tsv"]
    logits = folder / "logits.npy"
    np.save(str(logits), np.log(np.array(rows_in(predictions), float)) + 7)
    run(folder, "student", **ONCE, num_train_epochs=2, teacher_predictions=logits)
    assert "Teacher: logits of 8 rows" in caplog.text
    assert "--teacher_predictions changed since step 2: the data start over" in caplog.text


@pytest.mark.slow
def test_a_divided_batch_teaches_the_same(folder, predictions, tmp_path, monkeypatch):
    monkeypatch.setattr(heads, "CLASSIFIER_DROPOUT", 0.0)  # parts draw it again
    common = dict(ONCE, num_train_epochs=1, teacher_predictions=predictions, teacher_weight=0.9)
    run(folder, tmp_path / "whole", **common)
    run(folder, tmp_path / "divided", **common, num_devices=2, gradient_accumulation_steps=2)
    whole, divided = (values_of(tmp_path / name) for name in ("whole", "divided"))
    for name, value in whole.items():
        if not name.endswith("key/bias"):  # softmax does not see it: rounding noise is what moves it
            np.testing.assert_allclose(divided[name], value, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_the_google_family_has_the_same_flags(folder, predictions, tmp_path):
    start = publish(tmp_path, GOOGLE)
    changes = dict(ONCE, init_checkpoint=start, output_dir=tmp_path / "out", num_train_epochs=0.5)
    classify(folder, run_classifier_sp_google, **changes, teacher_predictions=predictions)
    assert (tmp_path / "out" / "model.ckpt-1.index").exists()


def test_a_file_that_does_not_fit_is_said_before_anything_is_made(folder, tmp_path):
    (tmp_path / "teacher.tsv").write_text("0.5\t0.5\n")
    with pytest.raises(UserError, match="teacher.tsv has 1 rows, the train split has 8"):
        run(folder, tmp_path / "out", **ONCE, teacher_predictions=tmp_path / "teacher.tsv")
    assert not (tmp_path / "out").exists()
