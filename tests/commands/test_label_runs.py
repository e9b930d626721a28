"""Runs with several labels a row, texts in windows, and folds, end to end on a tiny model."""

import json

import numpy as np
import pytest

import run_classifier
from albert.checkpoints.description import read_description
from albert.finetuning import run
from albert.inference.predictor import open_predictor
from tests.support import tiny_model, tiny_runs

TEXTS = ["我喜欢吃苹果" * 4, "北京", "明天下雨吗", "上海好不好" * 5, "你他"]


@pytest.fixture
def folder(tmp_path):
    tiny_model.write_config(tmp_path)
    tiny_model.write_vocab(tmp_path)
    return tmp_path


def classify(folder, **changes):
    files = {"vocab_file": folder / "vocab.txt", "bert_config_file": folder / "tiny.json"}
    return tiny_runs.classify(folder, run_classifier, **{**files, "save_checkpoints_steps": 2, **changes})


def write_topics(folder):
    """A task whose labels are the characters of a text that are in "我北雨"."""
    for split, count in (("train", 12), ("dev", 8), ("test", 5)):
        with open(str(folder / (split + ".jsonl")), "w", encoding="utf-8") as file:
            for number in range(count):
                text = TEXTS[number % len(TEXTS)] + "好" * (number // len(TEXTS))
                row = {"text": text, "label": [char for char in "我北雨" if char in text]}
                file.write(json.dumps(row) + "\n")
    files = {split: split + ".jsonl" for split in ("train", "dev", "test")}
    task = {"name": "topics", "kind": "multilabel", "files": files, "text_a": "text"}
    (folder / "topics.json").write_text(json.dumps(task))
    return folder / "topics.json"


@pytest.mark.slow
def test_several_labels_and_windows_are_trained_and_answered_alike(folder, caplog):
    caplog.set_level("INFO")
    task = write_topics(folder)
    output_dir = classify(
        folder,
        task_name=None,
        data_dir=None,
        task_file=task,
        max_seq_length=12,
        long_text="windows_max",
        class_weights="balanced",
        label_smoothing=0.1,
    )
    description = read_description(output_dir + "/best")
    assert description == read_description(output_dir) and description.long_text == "windows_max"
    assert len(description.thresholds) == 3 and set(description.thresholds) != {0.5}
    assert "micro F1" in caplog.text and "every label for every row" in caplog.text
    assert "the worst first: {}/reports/dev-mistakes.tsv".format(output_dir) in caplog.text
    with open_predictor(output_dir) as model:
        found = model.classify([(text, None) for text in TEXTS])
    np.testing.assert_allclose(found.probabilities, np.loadtxt(output_dir + "/test_results.tsv"), atol=1e-5)
    with open(output_dir + "/topics_predict.json", encoding="utf-8") as file:
        assert [tuple(json.loads(line)["labels"]) for line in file] == found.labels


@pytest.mark.slow
def test_a_run_that_is_killed_after_an_evaluation_leaves_the_thresholds_of_the_best(folder, monkeypatch):
    task = write_topics(folder)

    def kill(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_conclude", kill)
    with pytest.raises(KeyboardInterrupt):
        classify(folder, task_name=None, data_dir=None, task_file=task, do_predict=False)
    output_dir = str(folder / "finetuned")
    left = read_description(output_dir + "/best").thresholds
    assert len(left) == 3 and set(left) != {0.5}
    monkeypatch.undo()
    classify(folder, task_name=None, data_dir=None, task_file=task, do_predict=False)
    assert read_description(output_dir + "/best").thresholds == left


@pytest.mark.slow
def test_folds_are_trained_kept_and_averaged(folder, caplog):
    caplog.set_level("INFO")
    tiny_model.write_pairs(folder / "data", train=13)
    (folder / "data" / "dev.txt").unlink()  # the folds need none
    output_dir = classify(folder, num_folds=2)
    assert "mean ± spread" in caplog.text and "test, mean of 2 models: accuracy" in caplog.text
    means = np.mean([np.load("{}/fold-{}/test_probabilities.npy".format(output_dir, n)) for n in (1, 2)], axis=0)
    np.testing.assert_allclose(np.loadtxt(output_dir + "/test_results.tsv"), means, atol=1e-6)
    assert np.loadtxt(output_dir + "/train_out_of_fold.tsv").shape == (13, 2)
    caplog.clear()
    classify(folder, num_folds=2)
    assert "fold 1 is finished: kept." in caplog.text and "Trained to step" not in caplog.text
