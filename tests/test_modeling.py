"""Both families against the published implementations' outputs and gradients (2e-5), in any shape."""

import dataclasses

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.model import layers
from modeling import BertConfig, BertModel
from tests.support import model_fixtures
from tests.support.marks import slow

NAMES = ["google_g1", slow("google_g2"), "zh_postln", slow("zh_preln")]  # all of model_fixtures
TOLERANCE = 2e-5


def assert_close(actual, expected, what):
    assert np.shape(actual) == np.shape(expected), what
    assert np.max(np.abs(actual - expected)) < TOLERANCE, what


@pytest.mark.parametrize("dynamic_shape", [True, slow(False)])
@pytest.mark.parametrize("name", ["google_g1", "google_g2", "zh_postln", "zh_preln"])
def test_outputs_equal_the_published_implementation(name, dynamic_shape):
    arrays = model_fixtures.load(name)
    with tf.Graph().as_default(), tf.Session() as session:
        graph = model_fixtures.build(name, arrays, dynamic_shape)
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        model = graph.model
        tensors = {
            "embedding_output": model.get_embedding_output(),
            "all_layers": tf.stack(model.get_all_encoder_layers()),
            "sequence_output": model.get_sequence_output(),
            "pooled_output": model.get_pooled_output(),
            "masked_lm_loss": graph.masked_lm.loss,
            "masked_lm_example_loss": graph.masked_lm.example_loss,
            "masked_lm_log_probs": tf.nn.log_softmax(graph.masked_lm.logits),
            "sop_loss": graph.sentence_order.loss,
            "sop_example_loss": graph.sentence_order.example_loss,
            "sop_log_probs": tf.nn.log_softmax(graph.sentence_order.logits),
            "total_loss": graph.total_loss,
        }
        outputs = session.run(tensors, graph.feed)
        table = session.run(model.get_embedding_table())
    expected = model_fixtures.variables_of(arrays, "out/")
    assert set(outputs) == set(expected)
    for key, value in outputs.items():
        assert_close(value, expected[key], key)
    assert_close(table, arrays["var/bert/embeddings/word_embeddings"], "embedding table")


@pytest.mark.parametrize("name", NAMES)
def test_the_mean_output_is_that_of_the_tokens_alone(name):
    arrays = model_fixtures.load(name)
    mask = arrays["in/input_mask"]
    assert 0 < mask.sum() < mask.size  # the fixtures hold padding
    with tf.Graph().as_default(), tf.Session() as session:
        graph = model_fixtures.build(name, arrays)
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        means = session.run(graph.model.get_mean_output(), graph.feed)
    rows = zip(arrays["out/sequence_output"], mask)
    assert_close(means, np.stack([row[kept == 1].mean(axis=0) for row, kept in rows]), "mean output")


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_the_published_implementation(name):
    arrays = model_fixtures.load(name)
    with tf.Graph().as_default(), tf.Session() as session:
        graph = model_fixtures.build(name, arrays)
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        variables = tf.trainable_variables()
        gradients = [tf.convert_to_tensor(g) for g in tf.gradients(graph.total_loss, variables)]
        values = session.run(gradients, graph.feed)
    expected = model_fixtures.variables_of(arrays, "grad/")
    assert {v.op.name for v in variables} == set(expected)
    for variable, value in zip(variables, values):
        assert_close(value, expected[variable.op.name], variable.op.name)


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name):
    """Seven tokens alone and the same seven padded to eleven give the same outputs."""
    arrays = model_fixtures.load(name)
    config = model_fixtures.config_of(name, arrays)
    ids = np.arange(1, 14 * 7 + 1).reshape(14, 7)[:13] % config.vocab_size
    mask = np.ones_like(ids)
    pad = ((0, 0), (0, 4))
    with tf.Graph().as_default(), tf.Session() as session:
        feeds = [tf.placeholder(tf.int32, [None, None]) for _ in range(2)]
        model = model_fixtures.FAMILY_OF[name].model_class(config, False, feeds[0], feeds[1], scope="bert")
        session.run(tf.global_variables_initializer())
        outputs = [model.get_sequence_output(), model.get_pooled_output()]
        short = session.run(outputs, dict(zip(feeds, (ids, mask))))
        long = session.run(outputs, dict(zip(feeds, (np.pad(ids, pad, "constant"), np.pad(mask, pad, "constant")))))
    assert short[0].shape == (13, 7, config.hidden_size)
    assert_close(long[0][:, :7], short[0], "sequence_output")
    assert_close(long[1], short[1], "pooled_output")


@pytest.mark.parametrize("name", NAMES)
def test_one_hot_lookup_equals_gather(name):
    arrays = model_fixtures.load(name)
    config = model_fixtures.config_of(name, arrays)
    ids = tf.constant([[3, 1, 4], [1, 5, 9]])
    outputs = []
    with tf.Graph().as_default(), tf.Session() as session:
        ids = tf.constant([[3, 1, 4], [1, 5, 9]])
        for one_hot in (False, True):
            with tf.variable_scope("", reuse=tf.AUTO_REUSE):
                model = model_fixtures.FAMILY_OF[name].model_class(
                    config, False, ids, use_one_hot_embeddings=one_hot, scope="bert"
                )
            outputs.append(model.get_pooled_output())
        session.run(tf.global_variables_initializer())
        gathered, multiplied = session.run(outputs)
    assert_close(multiplied, gathered, "pooled_output")


@pytest.mark.parametrize("name", ["zh_postln", slow("google_g2")])
def test_dropout_acts_in_training_only(name):
    arrays = model_fixtures.load(name)
    config = dataclasses.replace(
        model_fixtures.config_of(name, arrays), hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.3
    )
    for is_training in (True, False):
        with tf.Graph().as_default(), tf.Session() as session:
            ids = tf.constant([[3, 1, 4], [1, 5, 9]])
            model = model_fixtures.FAMILY_OF[name].model_class(config, is_training, ids, scope="bert")
            session.run(tf.global_variables_initializer())
            first, second = (session.run(model.get_sequence_output()) for _ in range(2))
        assert np.array_equal(first, second) != is_training


def test_unshared_layers_have_variables_of_their_own():
    config = BertConfig(
        vocab_size=11, embedding_size=4, hidden_size=8, num_hidden_layers=3, num_attention_heads=2, intermediate_size=6
    )
    counts = {}
    for shared in (True, False):
        with tf.Graph().as_default():
            BertModel(config, False, tf.constant([[1, 2]]), scope="bert", share_parameter_across_layers=shared)
            names = [v.op.name for v in tf.trainable_variables() if v.op.name.startswith("bert/encoder")]
        counts[shared] = len(names)
        scopes = {name.split("/")[2] for name in names}
        assert scopes == ({"layer_shared"} if shared else {"layer_0", "layer_1", "layer_2"})
    assert counts[False] == 3 * counts[True]


def test_bert_has_one_wide_embedding_table():
    config = BertConfig.from_json_file("albert_config/bert_config.json")
    config = dataclasses.replace(config, num_hidden_layers=1)
    with tf.Graph().as_default():
        BertModel(config, False, tf.constant([[1, 2]]), scope="bert", share_parameter_across_layers=False)
        shapes = {v.op.name: v.shape.as_list() for v in tf.trainable_variables()}
    assert shapes["bert/embeddings/word_embeddings"] == [21128, 768]
    assert "bert/embeddings/word_embeddings_2" not in shapes


@pytest.mark.parametrize("family", [families.ZH, families.GOOGLE])
def test_sequence_over_the_positions_is_refused(family):
    config = family.config_class(
        vocab_size=11,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=6,
        max_position_embeddings=5,
    )
    with tf.Graph().as_default(), pytest.raises(ValueError, match="sequence length 6 is over the model's 5 positions"):
        family.model_class(config, False, tf.zeros([2, 6], tf.int32))


def test_wrong_rank_is_refused():
    with tf.Graph().as_default(), pytest.raises(ValueError, match="expected rank 2"):
        layers.assert_rank(tf.zeros([3]), 2)


PUBLISHED_SIZES = [  # docs/en/models.md, "Configurations": encoder parameters, and with both heads
    ("albert_config_tiny.json", families.ZH, 4175152, 4295186),
    ("albert_config_base.json", families.ZH, 10877440, 11492234),
    ("albert_config_large.json", families.ZH, 17009664, 18084490),
    ("albert_config_xlarge.json", families.ZH, 58577920, 62803594),
    ("albert_config_xxlarge.json", families.ZH, 223503360, 240322186),
    ("albert_config_tiny_google.json", families.GOOGLE, 4080520, 4142594),
    ("albert_config_small_google.json", families.GOOGLE, 4742272, 4813706),
]


@pytest.mark.parametrize("file,family,encoder,with_heads", PUBLISHED_SIZES)
def test_shipped_configs_have_the_published_sizes(file, family, encoder, with_heads):
    from albert.model import heads

    config = family.config_class.from_json_file("albert_config/" + file)
    config = dataclasses.replace(config, num_hidden_layers=2)  # which share their weights, as all do
    with tf.Graph().as_default():
        model = family.model_class(config, False, tf.zeros([1, 2], tf.int32), scope="bert")
        assert count_parameters() == encoder
        heads.masked_lm_logits(model, tf.zeros([1, 1], tf.int32))
        heads.sentence_order(model, tf.zeros([1, 1], tf.int32))
        assert count_parameters() == with_heads


def count_parameters():
    return sum(variable.shape.num_elements() for variable in tf.trainable_variables())
