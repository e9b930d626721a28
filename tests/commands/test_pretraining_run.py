"""run_pretraining end to end on a tiny model: training, evaluation, resuming, and what is refused."""

import hashlib
import json
import os

import pytest
import tensorflow.compat.v1 as tf

import run_pretraining
from albert.base.errors import UserError
from albert.base.flags import UsageError
from albert.checkpoints.values import step_of
from albert.files.complete import write_json
from albert.files.record_sets import sidecar_path
from albert.files.tfrecords import write_records
from tests.support import tiny_model


@pytest.fixture
def folder(tmp_path):
    """Records, held-out records and a config."""
    tiny_model.write_pretraining_records(tmp_path / "train-0.tfrecord", 12, seed=1)
    tiny_model.write_pretraining_records(tmp_path / "train-1.tfrecord", 9, seed=2)
    tiny_model.write_pretraining_records(tmp_path / "heldout.tfrecord", 7, seed=3)
    tiny_model.write_config(tmp_path, num_hidden_layers=1)
    return tmp_path


def run(folder, **changes):
    """Runs the command in this process."""
    values = {
        "input_file": folder / "train-*.tfrecord",
        "eval_input_file": folder / "heldout.tfrecord",
        "output_dir": folder / "out",
        "bert_config_file": folder / "tiny.json",
        "max_seq_length": tiny_model.SEQ_LENGTH,
        "max_predictions_per_seq": tiny_model.PREDICTIONS,
        "do_train": True,
        "do_eval": True,
        "train_batch_size": 4,
        "eval_batch_size": 3,
        "num_train_steps": 4,
        "num_warmup_steps": 1,
        "learning_rate": 0.01,
        "save_checkpoints_steps": 2,
        "log_every_steps": 1,
    }
    values.update(changes)
    flags = run_pretraining.declare_flags()
    flags.parse(["--{}={}".format(name, value) for name, value in values.items() if value is not None])
    run_pretraining.main(flags)
    return str(values["output_dir"])


def read_results(out):
    with open(os.path.join(out, "eval_results.json")) as file:
        return json.load(file)


def test_train_evaluate_and_resume(folder, caplog):
    out = run(folder, num_train_steps=2)
    assert step_of(tf.train.latest_checkpoint(out)) == 2
    names = set(tf.train.load_checkpoint(tf.train.latest_checkpoint(out)).get_variable_to_shape_map())
    assert "bert/embeddings/word_embeddings_2/adam_m" in names
    caplog.set_level("INFO")
    run(folder, num_train_steps=5)
    assert "Going on from" in caplog.text
    results = read_results(out)
    assert results["global_step"] == 5
    assert set(results) == {
        "global_step", "loss", "masked_lm_accuracy", "masked_lm_loss", "sentence_order_accuracy", "sentence_order_loss"
    }  # fmt: skip
    with open(os.path.join(out, "metrics.jsonl")) as file:
        records = [json.loads(line) for line in file]
    assert [r["step"] for r in records if r["kind"] == "train"] == [1, 2, 3, 4, 5]
    assert [r["step"] for r in records if r["kind"] == "eval"] == [2, 4, 5]  # each checkpoint once
    assert [r["step"] for r in records] == [1, 2, 2, 3, 4, 4, 5, 5]
    assert records[-1]["loss"] == results["loss"]
    with open(os.path.join(out, "run_config.json")) as file:
        saved = json.load(file)
    assert saved["flags"]["num_train_steps"] == 5 and saved["environment"]["tensorflow"] == tf.__version__
    assert os.path.exists(os.path.join(out, "tiny.json"))
    best = str(next((folder / "out" / "best").glob("*.meta")))
    for path in (tf.train.latest_checkpoint(out) + ".meta", best):
        with tf.Graph().as_default() as graph:  # what the published freeze_graph command reads
            tf.train.import_meta_graph(path, clear_devices=True)
            assert graph.get_operation_by_name("cls/predictions/truediv")
            assert graph.get_operation_by_name("masked_lm_positions").type == "Placeholder"


def test_init_checkpoint_gives_weights_only(folder, caplog):
    first = run(folder, num_train_steps=2, do_eval=False)
    caplog.set_level("INFO")
    second = run(folder, num_train_steps=1, output_dir=folder / "second", init_checkpoint=first, learning_rate=0.0)
    assert "missing, so newly initialised: none" in caplog.text
    readers = [tf.train.load_checkpoint(tf.train.latest_checkpoint(out)) for out in (first, second)]
    name = "bert/embeddings/word_embeddings"
    assert (readers[0].get_tensor(name) == readers[1].get_tensor(name)).all()
    assert (readers[0].get_tensor(name + "/adam_v") != readers[1].get_tensor(name + "/adam_v")).any()
    assert step_of(tf.train.latest_checkpoint(second)) == 1


def test_evaluation_without_training_measures_the_starting_weights(folder):
    out = run(folder, do_train=False)
    assert read_results(out)["global_step"] == 0
    assert read_results(out)["masked_lm_accuracy"] < 0.5


def test_a_share_of_the_records_is_held_out(folder, caplog):
    caplog.set_level("INFO")
    run(folder, eval_input_file=None, eval_share=0.25, num_train_steps=1)
    assert "every 4th record, kept from training" in caplog.text


def test_one_seed_gives_one_run(folder):
    losses = []
    for name in ("a", "b"):
        out = run(folder, output_dir=folder / name, do_eval=False, num_train_steps=3)
        with open(os.path.join(out, "metrics.jsonl")) as file:
            losses.append([json.loads(line)["loss"] for line in file])
    assert losses[0] == losses[1] and len(losses[0]) == 3


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"max_seq_length": 12}, r"heldout.tfrecord was made for max_seq_length 11, asked for 12"),
        ({"max_predictions_per_seq": 4}, r"was made for max_predictions_per_seq 3, asked for 4"),
        ({"max_seq_length": 21}, r"--max_seq_length=21 is over the model's 20 positions"),
        ({"input_file": "none*.tfrecord"}, r"no file matches none\*.tfrecord"),
        ({"bert_config_file": "none.json"}, r"cannot read the model config none.json"),
        ({"init_checkpoint": "none.ckpt"}, r"there is no checkpoint none.ckpt"),
        ({"eval_input_file": None, "eval_share": 0.02}, r"no record is left to evaluate on \(21 in the input\)"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_no_checkpoint(folder, changes, message):
    with pytest.raises(UserError, match=message) as error:
        run(folder, **changes)
    assert "\n" not in str(error.value)
    assert not os.path.exists(str(folder / "out" / "checkpoint"))


def test_training_records_are_not_evaluated_on_by_accident(folder):
    with pytest.raises(UserError, match="evaluation belongs on other documents"):
        run(folder, eval_input_file=folder / "train-1.tfrecord")


def test_held_out_records_are_not_trained_on_by_accident(folder):
    write_json(sidecar_path(str(folder / "train-1.tfrecord")), {"content": "held-out"})
    with pytest.raises(UserError, match="train-1.tfrecord holds held-out documents: leave it out of --input_file"):
        run(folder)


def test_nothing_to_do_is_said(folder):
    with pytest.raises(UsageError, match="--do_train=True or --do_eval=True must be given"):
        run(folder, do_train=False, do_eval=False)


def test_an_output_dir_that_cannot_be_written_is_named(folder):
    (folder / "file").write_text("x")
    with pytest.raises(UserError, match="cannot write into --output_dir=.*Not a directory"):
        run(folder, output_dir=folder / "file" / "out")


def test_a_cut_record_file_is_named(folder):
    path = folder / "train-1.tfrecord"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match="train-1.tfrecord is cut off or no TFRecord file"):
        run(folder)


def test_a_file_shorter_than_its_sidecar_says_is_named(folder):
    path = folder / "heldout.tfrecord"
    settings = {"max_seq_length": tiny_model.SEQ_LENGTH, "max_predictions_per_seq": tiny_model.PREDICTIONS}
    sidecar = {
        "settings": settings,
        "vocabulary": {"size": len(tiny_model.VOCABULARY)},
        "shards": [{"file": "heldout.tfrecord", "bytes": path.stat().st_size + 1, "records": 3}],
    }
    write_json(sidecar_path(str(path)), sidecar)
    with pytest.raises(UserError, match="bytes, .* were written"):
        run(folder)
    sidecar["vocabulary"]["size"] = 999
    write_json(sidecar_path(str(path)), sidecar)
    with pytest.raises(UserError, match="heldout.tfrecord was made for vocab_size 999, asked for"):
        run(folder)


def test_the_vocabulary_of_the_records_goes_along_where_it_is_at_hand(folder, caplog):
    settings = {"max_seq_length": tiny_model.SEQ_LENGTH, "max_predictions_per_seq": tiny_model.PREDICTIONS}
    with open(tiny_model.write_vocab(folder), "rb") as file:
        content = file.read()
    vocabulary = {"size": len(tiny_model.VOCABULARY), "sha256": hashlib.sha256(content).hexdigest()}
    size = (folder / "train-0.tfrecord").stat().st_size
    shards = [{"file": "train-0.tfrecord", "bytes": size, "records": 12}]
    sidecar = {"settings": settings, "vocabulary": vocabulary, "shards": shards}
    write_json(sidecar_path(str(folder / "train-0.tfrecord")), sidecar)
    changes = {"input_file": folder / "train-0.tfrecord", "do_eval": False, "num_train_steps": 1}
    caplog.set_level("INFO")
    out = run(folder, **changes)
    with open(os.path.join(out, "vocab.txt"), "rb") as file:
        assert file.read() == content
    assert "--init_checkpoint={} --task_name".format(out) in caplog.text
    with open(str(folder / "vocab.txt"), "a", encoding="utf-8") as file:
        file.write("another\n")
    other = run(folder, output_dir=folder / "other", **changes)
    assert "vocab.txt" not in os.listdir(other)
    assert "--init_checkpoint={} --vocab_file=".format(other) in caplog.text


def test_records_of_an_unfinished_data_set_are_refused(folder):
    (folder / "heldout.tfrecord.partial.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="heldout.tfrecord belongs to a data set that is not complete"):
        run(folder)


def test_records_of_another_kind_are_named(folder):
    write_records(str(folder / "train-1.tfrecord"), [tf.train.Example().SerializeToString()])
    write_records(str(folder / "heldout.tfrecord"), [b"\xff\xff"])
    with pytest.raises(UserError, match="heldout.tfrecord are no tf.train.Example"):
        run(folder)
    tiny_model.write_pretraining_records(folder / "heldout.tfrecord", 7)
    write_records(str(folder / "train-1.tfrecord"), [example_without_masks()])
    with pytest.raises(UserError, match="train-1.tfrecord are not for pre-training: they lack input_mask"):
        run(folder)


def example_without_masks():
    example = tf.train.Example()
    example.features.feature["input_ids"].int64_list.value.extend([1, 2, 3])
    return example.SerializeToString()


def test_a_loss_that_is_no_number_stops_with_advice(folder):
    with pytest.raises(UserError, match="the loss is nan at step 2, and that step was not saved: a smaller"):
        run(folder, learning_rate=1e38, num_warmup_steps=0, do_eval=False, optimizer="adamw")
