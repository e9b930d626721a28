"""run_classifier and similarity end to end on a tiny model."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import run_classifier
import similarity
from albert.base.errors import UserError
from albert.base.flags import UsageError
from albert.batches import length_buckets
from albert.checkpoints.description import read_description
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.values import step_of
from albert.monitor.figures import read_records
from modeling import BertConfig
from tests.support import tiny_model
from tests.support.events import scalars_in
from tests.support.marks import slow

PAIRS = [("我喜欢吃苹果", "你喜欢吃香蕉吗"), ("明天下雨", "明天北京下雨吗"), ("好", "不好")]


def arguments(folder, **changes):
    values = {
        "task_name": "lcqmc_pair",
        "data_dir": folder / "data",
        "vocab_file": folder / "vocab.txt",
        "bert_config_file": folder / "tiny.json",
        "output_dir": folder / "out",
        "do_train": True,
        "do_eval": True,
        "do_predict": True,
        "max_seq_length": 16,
        "train_batch_size": 4,
        "eval_batch_size": 3,
        "predict_batch_size": 2,
        "num_train_epochs": 2,
        "learning_rate": 0.01,
        "save_checkpoints_steps": 3,
    }
    values.update(changes)
    return ["--{}={}".format(name, value) for name, value in values.items() if value is not None]


def run(folder, **changes):
    flags = run_classifier.declare_flags()
    flags.parse(arguments(folder, **changes))
    run_classifier.main(flags)


@pytest.fixture
def folder(tmp_path):
    """Data, vocabulary and config."""
    tiny_model.write_pairs(tmp_path / "data")
    tiny_model.write_vocab(tmp_path)
    tiny_model.write_config(tmp_path, num_hidden_layers=1)
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("trained")
    tiny_model.write_pairs(folder / "data")
    tiny_model.write_vocab(folder)
    tiny_model.write_config(folder)
    run(folder)
    return folder


def read_json(*parts):
    with open(os.path.join(*map(str, parts))) as file:
        return json.load(file)


def test_every_checkpoint_is_evaluated_and_the_best_kept(trained):
    out = trained / "out"
    evaluations = read_json(out, "dev_evaluations.json")
    assert sorted(evaluations) == ["model.ckpt-0", "model.ckpt-3", "model.ckpt-6"]
    trained_ones = [results for results in evaluations.values() if results["global_step"]]
    best = max(trained_ones, key=lambda results: (results["eval_accuracy"], results["global_step"]))
    assert read_json(out, "eval_results.json") == best
    prefix = find_checkpoint(str(out / "best"))
    assert os.path.basename(prefix) == "model.ckpt-{}".format(best["global_step"])
    kept, source = (tf.train.load_checkpoint(p) for p in (prefix, str(out / os.path.basename(prefix))))
    for name in kept.get_variable_to_shape_map():
        assert (kept.get_tensor(name) == source.get_tensor(name)).all()
    assert not any("adam" in name for name in kept.get_variable_to_shape_map())


def test_tensorboard_has_every_report_and_every_evaluation_and_nothing_else(trained):
    records = read_records(str(trained / "out" / "metrics.jsonl"))
    for kind, folder in (("train", trained / "out"), ("eval", trained / "out" / "eval")):
        expected = [numbers_of(record) for record in records if record["kind"] == kind]
        found = sorted(scalars_in(folder), key=lambda event: event[0])
        assert [step for step, _ in found] == [step for step, _ in expected]
        for (_, scalars), (_, numbers) in zip(found, expected):
            assert scalars == pytest.approx(numbers)


def numbers_of(record):
    """The step and the figures of a record, by their names in training."""
    marks = ("kind", "step", "time", "data", "weights", "goal", "global_step")
    names = [name for name in record if name not in marks]
    return record["step"], {name.replace("eval_", ""): record[name] for name in names}


def test_the_best_has_a_card(trained):
    card = (trained / "out" / "best" / "MODEL_CARD.md").read_text(encoding="utf-8")
    best = read_json(trained, "out", "eval_results.json")
    assert "| dev accuracy | {:.1f} % (the commonest label: 57.1 %) |".format(100 * best["eval_accuracy"]) in card
    for split in ("train", "dev"):
        digest = hashlib.sha256((trained / "data" / (split + ".txt")).read_bytes()).hexdigest()
        assert "| file | {}.txt, ".format(split) in card and digest in card
    assert "| learning_rate | 0.01 |" in card and "python similarity.py --model_dir=FOLDER" in card


def test_a_report_tells_the_labels_apart(trained):
    best = read_json(trained, "out", "eval_results.json")
    with open(str(trained / "out" / "reports" / "dev-model.ckpt-{}.tsv".format(best["global_step"]))) as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    assert lines[0] == ["accuracy", "{:.4f}".format(best["eval_accuracy"])]
    assert [line[0] for line in lines[1:3]] == ["macro_f1", "mcc"]
    matrix = np.array([line[1:] for line in lines[-2:]], int)
    assert [line[:3] for line in lines[5:7]] == [
        [label, str(matrix[int(label)].sum()), str(matrix[:, int(label)].sum())] for label in ("0", "1")
    ]
    assert matrix.sum(axis=1).tolist() == [4, 3] and matrix.trace() == round(7 * best["eval_accuracy"])


def test_predictions_stand_in_file_order(trained):
    with open(str(trained / "out" / "test_results.tsv")) as file:
        probabilities = np.array([[float(cell) for cell in line.split("\t")] for line in file])
    with open(str(trained / "data" / "test.txt"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    assert probabilities.shape == (len(rows), 2)
    scorer = similarity.BertSim(model_dir=str(trained / "out"))
    np.testing.assert_allclose(probabilities, scorer.predict_sentences([row[:2] for row in rows]), atol=1e-6)
    gold = [int(row[2]) for row in rows]
    assert read_json(trained, "out", "test_results.json") == {
        "accuracy": pytest.approx(np.mean(probabilities.argmax(axis=1) == gold)),
        "loss": pytest.approx(-np.log(probabilities[range(len(gold)), gold]).mean(), abs=1e-6),
    }


def test_the_model_folder_describes_itself(trained):
    description = read_description(str(trained / "out" / "best"))
    assert description.labels == ("0", "1") and description.family == "zh" and description.max_seq_length == 16
    kept = trained / "out" / "best"
    assert (kept / description.vocab_file).read_bytes() == (trained / description.vocab_file).read_bytes()
    configs = [BertConfig.from_json_file(str(folder / description.config_file)) for folder in (kept, trained)]
    assert configs[0] == configs[1]
    # The resolved configuration: every field is named, also where the user's file left it to its default.
    assert json.loads((kept / description.config_file).read_text(encoding="utf-8")) == configs[0].to_dict()


def test_similarity_answers_many_pairs_in_order(trained):
    scorer = similarity.BertSim(batch_size=2, model_dir=str(trained / "out"))
    scorer.start_model()
    together = scorer.predict_sentences(PAIRS)
    assert together.shape == (3, 2)
    np.testing.assert_allclose(together.sum(axis=1), 1.0, atol=1e-6)
    alone = np.concatenate([scorer.predict_sentences([pair]) for pair in PAIRS])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    assert scorer.predict_sentences([]).shape == (0, 2)


def test_similarity_answers_from_several_threads(trained):
    scorer = similarity.BertSim(model_dir=str(trained / "out"))
    scorer.start_model()
    expected = scorer.predict_sentences(PAIRS)
    answers = [None] * 6

    def ask(number):
        answers[number] = scorer.predict_sentences(PAIRS)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(answers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        np.testing.assert_allclose(answer, expected, atol=1e-6)


@pytest.mark.parametrize(
    "pairs,message",
    [
        ([("好", "")], "the second text of row 1 is empty"),
        ([PAIRS[0], (" ", "好")], "the first text of row 2 is empty"),
        ([("", "")], "the first text of row 1 is empty"),
        (["好"], "row 1 is '好': give pairs"),
        ([("好", 3)], "the second text of row 1 must be a text, not 3"),
    ],
)
def test_similarity_refuses_what_is_no_pair(trained, pairs, message):
    scorer = similarity.BertSim(model_dir=str(trained / "out"))
    with pytest.raises(UserError, match=message):
        scorer.predict_sentences(pairs)


def test_a_checkpoint_of_other_implementations_needs_only_args(trained, tmp_path, monkeypatch):
    prefix = find_checkpoint(str(trained / "out" / "best"))
    for suffix in (".index", ".data-00000-of-00001"):
        shutil.copy(prefix + suffix, str(tmp_path / ("model.ckpt" + suffix)))
    monkeypatch.setattr(similarity.args, "model_dir", str(tmp_path))
    monkeypatch.setattr(similarity.args, "ckpt_name", str(tmp_path / "model.ckpt"))
    monkeypatch.setattr(similarity.args, "config_name", str(trained / "tiny.json"))
    monkeypatch.setattr(similarity.args, "vocab_file", str(trained / "vocab.txt"))
    monkeypatch.setattr(similarity.args, "graph_file", str(tmp_path / "graph.pb"))
    expected = similarity.BertSim(model_dir=str(trained / "out"), max_seq_len=16).predict_sentences(PAIRS)
    np.testing.assert_allclose(similarity.BertSim(max_seq_len=16).predict_sentences(PAIRS), expected, atol=1e-6)


def test_a_model_without_a_head_is_said_to_have_none(trained, tmp_path):
    source = tf.train.load_checkpoint(find_checkpoint(str(trained / "out" / "best")))
    shutil.copytree(str(trained / "out" / "best"), str(tmp_path / "headless"))
    names = [name for name in source.get_variable_to_shape_map() if name.startswith("bert/")]
    for old in (tmp_path / "headless").glob("model.ckpt*"):
        old.unlink()
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {n: tf.get_variable(n, initializer=source.get_tensor(n), use_resource=False) for n in names}
        session.run(tf.global_variables_initializer())
        tf.train.Saver(variables).save(session, str(tmp_path / "headless" / "model.ckpt"), write_meta_graph=False)
    with pytest.raises(UserError, match="has no fine-tuned head; fine-tune it with run_classifier.py first"):
        similarity.BertSim(model_dir=str(tmp_path / "headless")).start_model()


def test_a_missing_model_is_one_sentence_that_says_how_to_get_one(tmp_path):
    with pytest.raises(UserError, match="there is no model in .*none: fine-tune one, or give --model_dir=starter$"):
        similarity.BertSim(model_dir=str(tmp_path / "none")).start_model()


def test_importing_similarity_loads_no_tensorflow_and_defines_no_flags():
    code = "import sys, similarity; assert 'tensorflow' not in sys.modules"
    assert subprocess.call([sys.executable, "-c", code]) == 0


def test_a_rerun_goes_on_and_reuses_the_features(folder, caplog):
    run(folder, num_train_epochs=1, do_predict=False)
    before = sorted((folder / "out" / "features").glob("*.tfrecord"))
    caplog.set_level("INFO")
    run(folder, num_train_epochs=2, do_predict=False)
    assert "Going on from" in caplog.text and "reused" in caplog.text
    assert "Next: python similarity.py --model_dir=" in caplog.text
    assert sorted((folder / "out" / "features").glob("*.tfrecord")) == before
    assert read_json(folder, "out", "eval_results.json")["global_step"] in (0, 3, 6)
    assert step_of(tf.train.latest_checkpoint(str(folder / "out"))) == 6


def test_a_run_whose_buckets_were_others_begins_its_data_anew(folder, caplog):
    run(folder, do_eval=False, do_predict=False, num_train_epochs=1)
    position = folder / "out" / "data_position.json"
    read = json.loads(position.read_text())["orders"][0]["read"]
    assert read["the order of buckets"] == length_buckets.ORDER_VERSION
    position.write_text(position.read_text().replace('"the order of buckets"', '"an order of old"'))
    run(folder, do_eval=False, do_predict=False, num_train_epochs=2)
    assert "the order of buckets changed since step" in caplog.text
    assert len(json.loads(position.read_text())["orders"]) == 2


@pytest.mark.parametrize(
    "bucket_by_length,second,is_said", [(True, 1, True), slow(True, 0, False), slow(False, 1, False)]
)
def test_labels_that_length_tells_are_named(folder, caplog, bucket_by_length, second, is_said):
    rows = ["好\t不好\t0", "明天北京下雨吗\t明天北京下雨\t{}".format(second)] * 4 + ["好\t不好\t1"]
    (folder / "data" / "train.txt").write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    run(folder, do_eval=False, do_predict=False, train_batch_size=1, bucket_by_length=bucket_by_length)
    assert ("texts of like length have like labels (length explains 64 %" in caplog.text) == is_said


def test_bucketing_changes_no_evaluation(trained, tmp_path):
    results = []
    for bucket in (True, False):
        out = tmp_path / str(bucket)
        run(
            trained, output_dir=out, do_train=False, do_predict=False, bucket_by_length=bucket,
            init_checkpoint=trained / "out",
        )  # fmt: skip
        results.append(read_json(out, "eval_results.json"))
    assert results[0]["eval_accuracy"] == results[1]["eval_accuracy"]
    assert results[0]["eval_loss"] == pytest.approx(results[1]["eval_loss"], abs=1e-6)


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"task_name": "lcqmc_pairs"}, "unknown task 'lcqmc_pairs': the nearest known one is lcqmc_pair"),
        ({"data_dir": "none"}, "there is no folder none"),
        ({"vocab_file": "none.txt"}, "none.txt"),
        ({"max_seq_length": 21}, "--max_seq_length=21 is over the model's 20 positions"),
        ({"init_checkpoint": "none"}, "there is no checkpoint none"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_no_checkpoint(folder, changes, message):
    with pytest.raises(UserError, match=message) as error:
        run(folder, **changes)
    assert "\n" not in str(error.value)
    assert not os.path.exists(str(folder / "out" / "checkpoint"))


def test_a_vocabulary_of_another_size_is_refused(folder):
    tiny_model.write_config(folder, vocab_size=99)
    with pytest.raises(UserError, match="vocab.txt.*99"):
        run(folder)


def test_a_bad_row_is_named_before_anything_is_trained(folder):
    with open(str(folder / "data" / "dev.txt"), "a", encoding="utf-8") as file:
        file.write("只有一列\n")
    with pytest.raises(UserError, match="dev.txt line 8 has 1 column"):
        run(folder)
    assert not os.path.exists(str(folder / "out"))


def test_nothing_to_do_is_said(folder):
    with pytest.raises(UsageError, match="one of --do_train=True, --do_eval=True or --do_predict=True must be given"):
        run(folder, do_train=False, do_eval=False, do_predict=False)


def test_predicting_without_a_model_is_said(folder):
    with pytest.raises(UserError, match="holds no checkpoint to predict with: train first"):
        run(folder, do_train=False, do_eval=False)


def test_the_command_ends_with_one_sentence_and_status_1(folder):
    command = [sys.executable, "run_classifier.py"] + arguments(folder, data_dir="none")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    output, errors = process.communicate()
    assert process.returncode == 1 and output == ""
    assert len(errors.strip().splitlines()) == 1 and errors.startswith("error: there is no folder none")


def test_the_best_of_several_learning_rates_goes_on(folder, caplog):
    caplog.set_level("INFO")
    run(folder, do_predict=False, try_learning_rates="1e-6,0.01")
    chosen = read_json(folder, "out", "run_config.json")["flags"]["learning_rate"]
    assert "Learning rates after" in caplog.text and "* --learning_rate={:g}: ".format(chosen) in caplog.text
    assert chosen in (1e-6, 0.01) and not (folder / "out" / "learning_rate_trials").exists()
