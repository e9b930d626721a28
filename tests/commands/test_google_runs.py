"""The google family's runners end to end."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import run_classifier_sp_google
import run_pretraining_google
from albert.base.errors import UserError
from albert.checkpoints import families
from albert.checkpoints.model import open_checkpoint
from albert.inference import predictor
from tests.support import tiny_model
from tests.support.marks import slow
from tests.support.tiny_runs import classify, pretrain, publish, values_of, write_inputs
from tests.test_tokenization import train_sentencepiece
from tokenization import FullTokenizer


@pytest.fixture
def folder(tmp_path):
    """What the runs need."""
    return write_inputs(tmp_path)


@pytest.mark.slow
def test_two_groups_train_evaluate_and_resume_at_the_learning_rate_that_the_flags_say(folder):
    out = pretrain(
        folder, albert_config_file=folder / "g2.json", optimizer="adamw", do_eval=True, num_train_steps=4,
        learning_rate=0.1, poly_power=2.0, start_warmup_step=1, num_warmup_steps=2,
    )  # fmt: skip
    model = open_checkpoint(out)
    assert model.config.num_hidden_groups == 2 and model.head == "pretraining"
    assert model.slots == ("adam_m", "adam_v") and model.step == 4
    with open(os.path.join(out, "eval_results.json")) as file:
        assert json.load(file)["global_step"] == 4
    with open(os.path.join(out, "metrics.jsonl")) as file:
        rates = [record["learning_rate"] for record in map(json.loads, file) if record["kind"] == "train"]
    # docs/en/optimizers.md, "Schedule": steps 0 (before the warm-up begins), 1 and 2 (warming), 3: 0.1 · (1 - 3/4)².
    assert rates == pytest.approx([0.0, 0.0, 0.05, 0.1 / 16])
    pretrain(folder, num_train_steps=5)  # config and weights: the output folder's
    assert open_checkpoint(out).step == 5


def test_every_group_starts_from_group_0(folder):
    place = publish(folder, families.GOOGLE)
    out = pretrain(
        folder, init_checkpoint=place, albert_config_file=folder / "g2.json", init_from_group0=True, learning_rate=0
    )
    theirs, ours = values_of(place), values_of(out)
    groups = [name for name in ours if "/group_" in name]
    assert len(groups) == 2 * len([name for name in theirs if "/group_" in name]) == 32
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name.replace("/group_1/", "/group_0/")])
    with pytest.raises(UserError, match="num_hidden_groups 1, not 2"):
        pretrain(folder, init_checkpoint=place, albert_config_file=folder / "g2.json", output_dir=folder / "x")
    pretrain(folder, init_checkpoint=place, albert_config_file=folder / "g2.json", init_from_group0=True,
             num_train_steps=2)  # fmt: skip
    assert open_checkpoint(out).step == 2


# docs/en/commands.md, "Published flags and defaults".
DEFAULTS = {
    run_pretraining_google: """optimizer=lamb poly_power=1.0 start_warmup_step=0 init_from_group0=False
        max_seq_length=512 max_predictions_per_seq=20 train_batch_size=4096 eval_batch_size=64 learning_rate=0.00176
        num_train_steps=125000 num_warmup_steps=3125 save_checkpoints_steps=5000 do_train=True do_eval=False
        iterations_per_loop=1000 max_eval_steps=100 use_tpu=False num_tpu_cores=8 export_dir=None
        masked_lm_budget=0""",
    run_classifier_sp_google: """do_lower_case=True max_seq_length=512 do_train=False do_eval=False do_predict=False
        train_batch_size=32 eval_batch_size=8 predict_batch_size=8 learning_rate=5e-05 num_train_epochs=3.0
        warmup_proportion=0.1 save_checkpoints_steps=1000 iterations_per_loop=1000 use_pooled_output=True
        vocab_file=None spm_model_file=None""",
}


@pytest.mark.parametrize("runner", sorted(DEFAULTS, key=str), ids=lambda runner: runner.__name__)
def test_the_published_defaults(runner):
    expected = dict(word.split("=") for word in DEFAULTS[runner].split())
    flags = runner.declare_flags()
    flags.parse([])
    assert {name: str(getattr(flags, name)) for name in expected} == expected


def test_a_budget_of_masks_names_what_replaces_it():
    flags = run_pretraining_google.declare_flags()
    flags.parse(["--masked_lm_budget=20"])
    with pytest.raises(UserError, match="--masked_lm_budget=20 asks for masks .* --dynamic_masking=True` have them"):
        run_pretraining_google.main(flags)


def answers(out, pairs):
    return predictor.Predictor(predictor.find_model(out)).predict(pairs)


@pytest.mark.slow
def test_the_mean_of_the_tokens_is_kept_and_answers_the_same_alone_and_padded(folder):
    out = classify(
        folder, albert_config_file=folder / "g2.json", vocab_file=folder / "vocab.txt", use_pooled_output=False,
        do_eval=False,
    )  # fmt: skip
    assert not open_checkpoint(out).use_pooled_output
    with open(str(folder / "data" / "test.txt"), encoding="utf-8") as file:
        pairs = [tuple(line.split("\t")[:2]) for line in file]
    with open(os.path.join(out, "test_results.tsv")) as file:
        written = [[float(cell) for cell in line.split("\t")] for line in file]
    np.testing.assert_allclose(answers(out, pairs), written, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([answers(out, [pair]) for pair in pairs]), written, atol=1e-6)
    path = os.path.join(out, "task.json")
    with open(path) as file:
        description = json.load(file)
    with open(path, "w") as file:
        json.dump(dict(description, use_pooled_output=True), file)
    assert np.abs(answers(out, pairs) - written).max() > 1e-4
    with open(path, "w") as file:
        json.dump(description, file)
    with pytest.raises(UserError, match="were trained with --use_pooled_output=False: give another --output_dir"):
        classify(folder, use_pooled_output=True)


def test_a_sentencepiece_model_makes_the_tokens(folder):
    spm = folder / "zh.model"
    train_sentencepiece(spm, ["[CLS]", "[SEP]", "[MASK]"])
    size = len(FullTokenizer(None, True, str(spm)).vocab)
    config = tiny_model.write_config(folder, vocab_size=size)
    out = classify(folder, albert_config_file=config, spm_model_file=spm, do_eval=False, do_predict=False)
    model = open_checkpoint(out)
    assert model.spm_model_file == os.path.join(out, "zh.model") and model.vocab_file is None
    assert answers(out, [("今天天气很好", "我们写程序")]).shape == (1, 2)
    with pytest.raises(UserError, match="vocab.txt has {} tokens".format(len(tiny_model.VOCABULARY))):
        classify(folder, albert_config_file=config, vocab_file=folder / "vocab.txt", output_dir=folder / "x")


def test_an_export_folder_that_holds_something_is_refused_before_training(folder):
    (folder / "exported").mkdir()
    (folder / "exported" / "precious").write_text("x")
    with pytest.raises(UserError, match="--export_dir=.*exported is not empty"):
        pretrain(folder, albert_config_file=folder / "g1.json", export_dir=folder / "exported")
    assert not os.path.exists(str(folder / "pretrained"))


def test_the_export_folder_holds_a_model_that_answers(folder):
    pretrain(folder, albert_config_file=folder / "g1.json", export_dir=folder / "exported")
    path = os.path.dirname(next((folder / "exported").glob("**/saved_model.pb")))
    with tf.Graph().as_default(), tf.Session() as session:
        meta_graph = tf.saved_model.loader.load(session, ["serve"], str(path))
        assert "serving_default" in meta_graph.signature_def


@pytest.mark.parametrize("script", ["run_pretraining_google.py", slow("run_classifier_sp_google.py")])
def test_a_command_line_ends_with_one_sentence(script, tmp_path):
    command = [sys.executable, script, "--albert_config=x", "--output_dir={}".format(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    output, errors = process.communicate()
    assert process.returncode == 2 and output == ""
    assert len(errors.splitlines()) == 1
    assert errors.startswith("error: unknown flag --albert_config: the nearest known one is --albert_config_file (")
