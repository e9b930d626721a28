"""Warm start: weights by name, and a refusal that names both sides."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints import warm_start
from tests.support import model_fixtures
from tests.support.marks import slow
from tests.support.published_checkpoints import save

NAMES = ["google_g1", slow("google_g2"), "zh_postln", slow("zh_preln")]  # all of model_fixtures


@pytest.mark.parametrize("name", NAMES)
def test_warm_start_gives_every_weight(prefixes, name):
    expected = model_fixtures.variables_of(model_fixtures.load(name))
    with tf.Graph().as_default(), tf.Session() as session:
        model_fixtures.build_encoder(name)
        tf.get_variable("output_weights", [2, 48], initializer=tf.ones_initializer())
        plan = warm_start.warm_start_variables(prefixes[name])
        session.run(tf.global_variables_initializer())
        values = session.run({v.op.name: v for v in tf.trainable_variables()})
    assert set(plan.missing) == {"output_weights"}
    assert set(plan.matched) == {n for n in expected if n.startswith("bert/")}
    assert set(plan.left_over) == {n for n in expected if n.startswith("cls/")}
    assert np.all(values.pop("output_weights") == 1.0)
    for variable, value in values.items():
        np.testing.assert_array_equal(value, expected[variable])


def test_report_says_what_matched_is_missing_and_left_over(prefixes):
    with tf.Graph().as_default():
        model_fixtures.build_encoder("zh_postln")
        tf.get_variable("output_weights", [2, 48])
        text = warm_start.report(warm_start.warm_start_variables(prefixes["zh_postln"]), "x.ckpt")
    assert "matched: 24 variables" in text
    assert "missing, so newly initialised: output_weights" in text
    assert "and 4 more" in text.splitlines()[-1]


@pytest.mark.parametrize(
    "name,changes,message",
    [
        ("zh_postln", {"hidden_size": 96}, "is zh with hidden_size 48, the config asks for zh with hidden_size 96: "),
        ("zh_postln", {"vocab_size": 300}, "vocab_size 211, not 300"),
        ("zh_postln", {"intermediate_size": 95}, "intermediate_size 96, not 95"),
        ("google_g1", {"max_position_embeddings": 39}, "max_position_embeddings 40, not 39"),
        ("google_g1", {"num_hidden_groups": 2}, "num_hidden_groups 1, not 2"),
    ],
)
def test_other_sizes_are_refused_naming_both_sides(prefixes, name, changes, message):
    with tf.Graph().as_default():
        model_fixtures.build_encoder(name, **changes)
        with pytest.raises(UserError, match=message) as error:
            warm_start.warm_start_variables(prefixes[name])
    assert "is {0}, the config asks for {0}".format(name.split("_")[0] + " with hidden_size 48") not in str(error.value)


@pytest.mark.parametrize("name,other", [("zh_postln", "google_g1"), ("google_g1", "zh_preln")])
def test_the_other_family_is_refused(prefixes, name, other):
    with tf.Graph().as_default():
        model_fixtures.build_encoder(name)
        with pytest.raises(UserError, match="the families differ") as error:
            warm_start.warm_start_variables(prefixes[other])
    assert "is {} with".format(other.split("_")[0]) in str(error.value)
    assert "asks for {} with".format(name.split("_")[0]) in str(error.value)


def test_a_checkpoint_of_bert_is_refused(prefixes, tmp_path):
    values = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    bert = {n.replace("layer_shared", "layer_0"): v for n, v in values.items() if "word_embeddings_2" not in n}
    prefix = save(tmp_path / "bert.ckpt", bert)
    with tf.Graph().as_default():
        model_fixtures.build_encoder("zh_postln")
        with pytest.raises(UserError, match="is BERT with hidden_size 48, the config asks for zh"):
            warm_start.warm_start_variables(prefix)


def test_a_checkpoint_without_an_encoder_is_refused(tmp_path):
    prefix = save(tmp_path / "other.ckpt", {"dense/kernel": np.zeros([2, 3], np.float32)})
    with tf.Graph().as_default():
        model_fixtures.build_encoder("zh_postln")
        with pytest.raises(UserError, match="holds no encoder"):
            warm_start.warm_start_variables(prefix)
