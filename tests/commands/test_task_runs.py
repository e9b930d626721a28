"""Fine-tuning runs of every kind of task, each a few steps of a tiny model."""

import hashlib
import json
import os

import numpy as np
import pytest

import run_classifier
from albert.base.errors import UserError
from albert.inference import predictor
from albert.monitor.figures import read_records
from albert.tasks.metrics import macro_f1
from tests.support import tiny_model
from tests.support.marks import slow
from tests.support.tiny_runs import classify

CHARACTERS = sorted(set(tiny_model.CHARACTERS))


@pytest.fixture
def folder(tmp_path):
    """A model's config and vocabulary."""
    tiny_model.write_vocab(tmp_path)
    tiny_model.write_config(tmp_path, num_hidden_layers=1)
    (tmp_path / "data").mkdir()
    return tmp_path


def write_splits(folder, row_of, labels, counts=(9, 6, 5), label_key="label"):
    """Files of JSON lines: `row_of` makes the texts of a row; the test split has ids that are no row numbers."""
    random = np.random.RandomState(2)
    for split, count in zip(("train", "dev", "test"), counts):
        with open(str(folder / "data" / (split + ".json")), "w", encoding="utf-8") as file:
            for number in range(count):
                values = row_of(random)
                values.update({"id": 90 - number} if split == "test" else {label_key: labels[number % len(labels)]})
                file.write(json.dumps(values, ensure_ascii=False) + "\n")


def text(random):
    return "".join(random.choice(CHARACTERS, random.randint(2, 7)))


def run(folder, **changes):
    values = {"vocab_file": folder / "vocab.txt", "bert_config_file": folder / "tiny.json"}
    return classify(folder, run_classifier, **dict(values, **changes))


def read_lines(*parts):
    with open(os.path.join(*map(str, parts)), encoding="utf-8") as file:
        return file.read().splitlines()


def probabilities_in(out):
    return np.array([[float(cell) for cell in line.split("\t")] for line in read_lines(out, "test_results.tsv")])


def submission_in(out, task):
    return [json.loads(line) for line in read_lines(out, task + "_predict.json")]


def wsc_row(random):
    words = text(random)
    target = {"span1_text": words[0], "span1_index": 0, "span2_text": words[1], "span2_index": 1}
    return {"text": words, "target": target}


KINDS = {
    "ocnli": (
        lambda random: {"sentence1": text(random), "sentence2": text(random)},
        ["neutral", "-", "contradiction", "entailment"],
    ),
    "tnews": (lambda random: {"sentence": text(random)}, ["100", "116", "104"]),
    "wsc": (wsc_row, ["true", "false"]),
}


@pytest.mark.parametrize("task", ["ocnli", slow("tnews"), slow("wsc")])
def test_a_task_is_trained_evaluated_and_submitted(folder, task, caplog):
    caplog.set_level("INFO")
    write_splits(folder, *KINDS[task])
    out = run(folder, task_name=task)
    assert "(the commonest label: " in caplog.text and "Next: python " in caplog.text
    assert "similarity.py" not in caplog.text  # which is for pairs that are alike or not
    answers = submission_in(out, task)
    description = predictor.find_model(out)
    labels = [description.labels[index] for index in probabilities_in(out).argmax(axis=1)]
    assert [answer["id"] for answer in answers] == [90, 89, 88, 87, 86]
    assert [answer["label"] for answer in answers] == labels
    assert ("label_desc" in answers[0]) == (task == "tnews")
    assert not os.path.exists(os.path.join(out, "test_results.json"))  # the test split has no labels
    report = read_lines(out, "reports", "dev-model.ckpt-1.tsv")
    rows = {line.split("\t")[0]: int(line.split("\t")[1]) for line in report[5 : 5 + len(description.labels)]}
    assert sum(rows.values()) == (4 if task == "ocnli" else 6)  # two of OCNLI's dev rows are left out


def copa_row(random):
    return {"premise": text(random), "choice0": text(random), "choice1": text(random), "question": "cause"}


def test_a_question_is_one_decision(folder):
    write_splits(folder, copa_row, [0, 1])
    out = run(folder, task_name="copa", max_seq_length=20)
    probabilities = probabilities_in(out)
    assert probabilities.shape == (5, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    answers = submission_in(out, "copa")
    assert [(answer["id"], answer["label"]) for answer in answers] == [
        (90 - index, str(label)) for index, label in enumerate(probabilities.argmax(axis=1))
    ]
    # The same model asked of each candidate alone: its odds of being right, among those of the two.
    questions = [json.loads(line) for line in read_lines(folder, "data", "test.json")]
    model = predictor.Predictor(predictor.find_model(out))
    right = model.predict(
        [(row["premise"] + "原因是什么？", row["choice{}".format(c)]) for row in questions for c in (0, 1)]
    )
    odds = (right[:, 1] / right[:, 0]).reshape(-1, 2)
    np.testing.assert_allclose(probabilities, odds / odds.sum(axis=1, keepdims=True), atol=1e-5)
    evaluation = json.loads("".join(read_lines(out, "eval_results.json")))
    assert evaluation["eval_accuracy"] in [hits / 6 for hits in range(7)]  # of six questions


def write_own_task(folder, **changes):
    random = np.random.RandomState(1)
    for split, count in (("train", 12), ("dev", 9)):
        with open(str(folder / "data" / (split + ".csv")), "w", encoding="utf-8") as file:
            file.write("stars,review\n")
            for number in range(count):
                file.write("{},{}\n".format("好坏中"[min(number % 6, 2)], text(random)))
    with open(str(folder / "data" / "test.csv"), "w", encoding="utf-8") as file:
        file.write("review\n" + "".join("{}\n".format(text(random)) for _ in range(4)))
    values = {
        "name": "stars",
        "files": {split: split + ".csv" for split in ("train", "dev", "test")},
        "text_a": "review",
        "label": "stars",
        "metric": "macro_f1",
    }
    path = folder / "data" / "stars.json"
    path.write_text(json.dumps(dict(values, **changes)), encoding="utf-8")
    return path


def test_a_task_of_ones_own_needs_no_python(folder):
    path = write_own_task(folder)
    out = run(folder, task_name=None, data_dir=None, task_file=path, num_train_epochs=2)
    evaluations = json.loads("".join(read_lines(out, "dev_evaluations.json")))
    trained = [results for results in evaluations.values() if results["global_step"]]
    best = max(trained, key=lambda results: (results["eval_macro_f1"], results["global_step"]))
    assert len(evaluations) == 2 and json.loads("".join(read_lines(out, "eval_results.json"))) == best
    model = predictor.find_model(out)
    assert model.labels == ("中", "坏", "好")
    assert {answer["label"] for answer in submission_in(out, "stars")} <= set(model.labels)
    # The metric is that of the best model's answers.
    rows = [line.split(",") for line in read_lines(folder, "data", "dev.csv")[1:]]
    predicted = predictor.Predictor(model).predict([(row[1], None) for row in rows]).argmax(axis=1)
    gold = [model.labels.index(row[0]) for row in rows]
    assert best["eval_macro_f1"] == pytest.approx(macro_f1(predicted.tolist(), gold))
    # Without the train file, the trained model says which labels there are.
    (folder / "data" / "train.csv").unlink()
    before = submission_in(out, "stars")
    run(folder, task_name=None, data_dir=None, task_file=path, do_train=False, do_eval=False)
    assert submission_in(out, "stars") == before


def test_checkpoints_of_other_labels_are_refused(folder):
    path = write_own_task(folder)
    run(folder, task_name=None, data_dir=None, task_file=path, do_eval=False, do_predict=False)
    path = write_own_task(folder, labels=["好", "坏", "中"])
    with pytest.raises(UserError, match=r"tell 中, 坏, 好 apart \(task stars\), the task stars has 好, 坏, 中: "):
        run(folder, task_name=None, data_dir=None, task_file=path)


def test_a_task_must_be_named_once(folder):
    with pytest.raises(UserError, match="give --task_name or --task_file, not both"):
        run(folder, task_file=folder / "x.json")
    with pytest.raises(UserError, match="--task_name and --data_dir must be given"):
        run(folder, task_name=None, data_dir=None)


@pytest.mark.slow
def test_epochs_can_be_evaluated_and_a_seed_gives_the_same_numbers(folder):
    write_splits(folder, *KINDS["tnews"], counts=(20, 6, 5))
    values = {"task_name": "tnews", "eval_each_epoch": True, "num_train_epochs": 1.6, "log_every_steps": 1}
    runs = [run(folder, output_dir=folder / name, seed=1, **values) for name in "ab"]
    runs.append(run(folder, output_dir=folder / "c", seed=2, do_eval=False, do_predict=False, **values))
    evaluations = [json.loads("".join(read_lines(out, "dev_evaluations.json"))) for out in runs[:2]]
    assert sorted(evaluations[0]) == ["model.ckpt-{}".format(step) for step in (0, 3, 4)]  # 20 rows, 8 a step
    assert evaluations[0] == evaluations[1]
    assert read_lines(runs[0], "test_results.tsv") == read_lines(runs[1], "test_results.tsv")
    losses = [[record["loss"] for record in read_records(os.path.join(out, "metrics.jsonl"), "train")] for out in runs]
    assert len(losses[0]) == 4 and losses[0] == losses[1] != losses[2]
    config = json.loads("".join(read_lines(runs[0], "run_config.json")))
    assert config["flags"]["save_checkpoints_steps"] == 3
    with open(str(folder / "data" / "dev.json"), "rb") as file:
        assert config["data"][1]["sha256"] == hashlib.sha256(file.read()).hexdigest()
