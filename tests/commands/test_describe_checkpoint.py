"""`python describe_checkpoint.py PATH`: one screen on what loads, one sentence on what does not."""

import os
import subprocess
import sys

import numpy as np
import pytest

import describe_checkpoint
from albert.base.flags import run_command
from albert.base.paths import ROOT
from tests.support import exports, model_fixtures, published_checkpoints


def run(*arguments):
    words = [str(argument) for argument in arguments]
    run_command(describe_checkpoint.__doc__, describe_checkpoint.declare_flags(), describe_checkpoint.main, words)


def described(capsys, *arguments):
    """What the command writes on the screen."""
    run(*arguments)
    return capsys.readouterr().out


def refused(capsys, *arguments):
    """The sentence with which the command ends."""
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 1
    output = capsys.readouterr()
    assert output.out == "" and len(output.err.splitlines()) == 1
    return output.err


@pytest.fixture
def folder(tmp_path):
    """A fixture as a published folder."""

    def make(name):
        published_checkpoints.save(tmp_path / "albert_model.ckpt", published_checkpoints.published_values(name))
        (tmp_path / "albert_config_x.json").write_text(str(model_fixtures.load(name)["config"]))
        return tmp_path

    return make


@pytest.mark.parametrize("labels, is_known", [(("duplicate", "not_duplicate"), True), (("甲", "乙"), False)])
def test_pairs_are_scored_where_the_similar_label_is_known(tmp_path, capsys, labels, is_known):
    text = described(capsys, exports.write_classifier(tmp_path / "m", labels=labels))
    assert ("python similarity.py --model_dir=" in text) == is_known


def test_sentence_vectors_are_described_and_asked_for_cosines(tmp_path, capsys):
    folder = exports.write_vectors(tmp_path / "m", "zh_postln", "max")
    text = described(capsys, folder)
    row = "sentence vectors of 7 numbers: the largest values of the last layer over all tokens, a linear map of 48 to 7"
    assert "  head        {} numbers, divided by its length\n".format(row) in text
    assert "serves as   encoder, masked_lm, pretraining, sentence_vector" in text
    assert "\n  python similarity.py --model_dir={}\n".format(folder) in text
    assert "\n  python embeddings.py --checkpoint={} --input_file=".format(folder) in text


@pytest.mark.parametrize("name", sorted(model_fixtures.FAMILY_OF))
def test_a_screen_says_what_it_is_and_what_to_do(folder, capsys, name):
    family = model_fixtures.FAMILY_OF[name]
    weights = model_fixtures.variables_of(model_fixtures.load(name))
    place = folder(name)
    text = described(capsys, place)
    assert len(text.splitlines()) < 24
    rows = dict(line.strip().split(None, 1) for line in text.splitlines()[1:10] if not line.startswith("  serves"))
    assert rows["family"] == "{} (--{})".format(family.name, family.config_flag)
    assert rows["parameters"].startswith("{:,} (encoder ".format(sum(value.size for value in weights.values())))
    assert rows["head"] == "pre-training: masked LM and sentence order"
    assert rows["slots"].startswith("Adam, Adam_1, LAMB/adam_m and 5 more") and rows["step"] == "17"
    assert rows["config"] == "albert_config_x.json, found beside it"
    assert "serves as   encoder, masked_lm, pretraining" in text
    assert ("preln" in rows["size"]) == name.endswith("preln") and ("2 groups" in rows["size"]) == name.endswith("g2")
    for runner in (family.pretraining_runner, family.classification_runner):
        assert "  python {} --init_checkpoint={} ".format(runner, place) in text
        assert os.path.exists(os.path.join(ROOT, runner))


def test_a_missing_pooler_and_text_that_keeps_its_case_are_said(folder, capsys):
    place = folder("zh_postln")
    values = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    values = {name: value for name, value in values.items() if not name.startswith("bert/pooler/")}
    published_checkpoints.save(place / "albert_model.ckpt", values)
    (place / "vocab.txt").write_text("\n".join("t{}".format(number) for number in range(211)))
    (place / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    text = described(capsys, place)
    assert "masked LM; no pooler, a classifier begins with a new one" in text
    assert "serves as   encoder, masked_lm\n" in text and "vocab.txt, text keeps its case" in text


def test_a_vocabulary_of_another_model_is_not_proposed(folder, capsys):
    assert " --vocab_file=… --task_name" in described(capsys, folder("zh_postln"))


def test_a_config_that_was_named_stands_in_the_commands(folder, capsys):
    place = folder("google_g1")
    config = str(place / "elsewhere")
    os.rename(str(place / "albert_config_x.json"), config)
    assert "name the config with --config_file" in refused(capsys, place)
    assert "--albert_config_file={} ".format(config) in described(capsys, place, "--config_file=" + config)


def test_a_bert_and_a_foreign_checkpoint_are_called_what_they_are(tmp_path, capsys):
    weights = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    bert = {
        name.replace("layer_shared", "layer_{}".format(layer)): value
        for name, value in weights.items()
        for layer in range(2)
    }
    prefix = published_checkpoints.save(tmp_path / "unshared.ckpt", bert)
    sentence = refused(capsys, prefix)
    assert "is zh with hidden_size 48, its 2 layers with weights of their own, where an ALBERT shares them" in sentence
    bert = {name: value for name, value in bert.items() if "word_embeddings_2" not in name}
    prefix = published_checkpoints.save(tmp_path / "bert.ckpt", bert)
    sentence = refused(capsys, prefix)
    assert "is BERT with hidden_size 48, its 2 layers with weights of their own" in sentence
    prefix = published_checkpoints.save(tmp_path / "other.ckpt", {"dense/kernel": np.zeros([2, 3], np.float32)})
    assert "is not an ALBERT of either family: its variables are dense/kernel" in refused(capsys, prefix)


@pytest.mark.slow
def test_the_command_itself(folder, tmp_path):
    command = [sys.executable, "describe_checkpoint.py", str(folder("zh_postln"))]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert process.returncode == 0 and process.stdout.startswith(str(tmp_path / "albert_model.ckpt") + "\n")
    process = subprocess.run(command[:2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert process.returncode == 2
    assert process.stderr == (
        "error: PATH is missing: a folder, a checkpoint's prefix or one of its files (--help lists all flags)\n"
    )
