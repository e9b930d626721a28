"""Functions of the published modeling.py: what they return for the arguments that programs give them."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import modeling
from albert.checkpoints.values import write_values


def run(build, *arrays):
    """The value of what a function builds from constants."""
    with tf.Graph().as_default(), tf.Session() as session:
        built = build(*map(tf.constant, arrays))
        session.run(tf.global_variables_initializer())
        return session.run(built)


def test_activations_are_found_by_name():
    assert modeling.get_activation("gelu") is modeling.get_activation("GELU") is modeling.gelu
    assert modeling.get_activation("linear") is modeling.get_activation("") is modeling.get_activation(None) is None
    assert modeling.get_activation(tf.tanh) is tf.tanh
    with pytest.raises(ValueError, match="there is no activation swish: name gelu, relu, tanh, linear"):
        modeling.get_activation("swish")


def test_gelu_is_the_tanh_form():
    x = np.linspace(-3, 3, 13).astype(np.float32)
    expected = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(run(modeling.gelu, x), expected, atol=1e-6)


def test_dropout_drops_a_share_and_scales_the_rest():
    ones = np.ones([100, 100], np.float32)
    values = run(lambda x: modeling.dropout(x, 0.25), ones)
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.75)}
    assert 0.2 < (values == 0).mean() < 0.3
    for rate in (None, 0.0):
        assert (run(lambda x, rate=rate: modeling.dropout(x, rate), ones) == 1).all()


def test_layer_norm_normalises_rows_and_has_variables_of_its_own_each_time():
    x = np.random.RandomState(1).randn(4, 7).astype(np.float32)

    def build(tensor):
        values = [modeling.layer_norm(tensor), modeling.layer_norm_and_dropout(tensor, 0.0)]
        modeling.layer_norm(tensor, "own")
        return values, tf.constant(sorted(variable.op.name for variable in tf.trainable_variables()))

    values, names = run(build, x)
    expected = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
    for value in values:
        np.testing.assert_allclose(value, expected, atol=1e-5)
    scopes = ("LayerNorm", "LayerNorm_1", "own")
    assert [name.decode() for name in names] == [scope + end for scope in scopes for end in ("/beta", "/gamma")]


def test_initial_weights_are_truncated():
    values = run(lambda: tf.get_variable("w", [1000], initializer=modeling.create_initializer(0.5)))
    assert 0.3 < values.std() < 0.5 and abs(values).max() <= 1.0


@pytest.mark.parametrize("use_one_hot", [False, True])
def test_words_are_looked_up_in_a_new_table(use_one_hot):
    ids = np.array([[1, 0, 3], [2, 2, 1]], np.int32)
    values, table = run(
        lambda x: modeling.embedding_lookup(x, 4, embedding_size=5, use_one_hot_embeddings=use_one_hot), ids
    )
    assert table.shape == (4, 5)
    np.testing.assert_allclose(values, table[ids], rtol=1e-6)


def test_every_position_looks_at_the_tokens_of_the_mask():
    mask = np.array([[1, 1, 0], [1, 0, 0]], np.int32)
    values = run(modeling.create_attention_mask_from_input_mask, np.zeros([2, 4], np.int32), mask)
    assert values.dtype == np.float32 and values.shape == (2, 4, 3)
    assert (values == mask[:, None]).all()


def test_shapes_are_numbers_where_they_are_static():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        batch, width = modeling.get_shape_list(x, expected_rank=[2, 3])
        assert width == 3 and batch.shape.ndims == 0
        with pytest.raises(ValueError, match=r"x:0 has shape .*, expected rank 3 or 4"):
            modeling.get_shape_list(x, expected_rank=[3, 4])
        with pytest.raises(ValueError, match=r"ids has shape .*, expected rank 1"):
            modeling.assert_rank(x, 1, name="ids")


def test_a_matrix_gets_its_shape_back():
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    matrix = run(modeling.reshape_to_matrix, x)
    np.testing.assert_array_equal(matrix, x.reshape(6, 4))
    back = run(lambda rows: modeling.reshape_from_matrix(rows, [2, 3, 99]), matrix)
    np.testing.assert_array_equal(back, x)
    with pytest.raises(ValueError, match="expected rank 2 or more"):
        run(modeling.reshape_to_matrix, x[0, 0])


def test_variables_that_a_checkpoint_holds_are_found_and_started_from_it(tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    write_values({"a/kernel": np.full([2], 7, np.float32), "c": np.zeros([1], np.float32)}, prefix)
    with tf.Graph().as_default(), tf.Session() as session:
        for name in ("a/kernel", "b"):
            tf.get_variable(name, [2], use_resource=False)
        found, initialized = modeling.get_assignment_map_from_checkpoint(tf.trainable_variables(), prefix)
        assert dict(found) == {"a/kernel": "a/kernel"}
        assert initialized == {"a/kernel": 1, "a/kernel:0": 1}
        tf.train.init_from_checkpoint(prefix, found)
        session.run(tf.global_variables_initializer())
        assert (session.run(tf.trainable_variables()[0]) == 7).all()


def test_groups_are_left_to_the_warm_start():
    with pytest.raises(ValueError, match=r"num_of_group=2: warm_start_variables\(…, from_group_0=True\) does it"):
        modeling.get_assignment_map_from_checkpoint([], "unused", num_of_group=2)


CONFIG = {
    "vocab_size": 19,
    "hidden_size": 8,
    "embedding_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 7,
    "initializer_range": 0.5,
    "type_vocab_size": 3,
}
IDS = np.array([[1, 2, 3, 4, 5], [6, 7, 8, 0, 0]], np.int32)


@pytest.mark.parametrize("ln_type", ["postln", "preln"])
def test_functions_build_what_the_model_builds(ln_type):
    config = modeling.BertConfig(ln_type=ln_type, **CONFIG)
    segments = np.array([[0, 0, 1, 1, 1], [0, 2, 2, 0, 0]], np.int32)
    transformer = modeling.transformer_model if ln_type == "postln" else modeling.prelln_transformer_model
    with tf.Graph().as_default(), tf.Session() as session:
        ids, mask = tf.constant(IDS), tf.constant(np.sign(IDS))
        model = modeling.BertModel(config, False, ids, mask, tf.constant(segments), scope="bert")
        num_variables = len(tf.trainable_variables())
        with tf.variable_scope("bert", reuse=True):
            with tf.variable_scope("embeddings"):
                words, table, projection = modeling.embedding_lookup_factorized(ids, 19, 8, 4)
                x = modeling.embedding_postprocessor(
                    words, True, tf.constant(segments), 3, max_position_embeddings=7, dropout_prob=0.0
                )
            with tf.variable_scope("encoder"):
                layers = transformer(
                    x, modeling.create_attention_mask_from_input_mask(ids, mask), 8, 2, 2, 12, "gelu", 0.0, 0.0,
                    do_return_all_layers=True,
                )  # fmt: skip
        assert len(tf.trainable_variables()) == num_variables
        session.run(tf.global_variables_initializer())
        expected = session.run([model.get_embedding_output(), *model.get_all_encoder_layers()])
        for value, other in zip(session.run([x, *layers]), expected):
            np.testing.assert_allclose(value, other, atol=1e-5)
        assert (table.shape, projection.shape) == ((19, 4), (4, 8))


def test_what_functions_cannot_build_is_named():
    x = tf.zeros([2, 5, 8])
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match=r"use_token_type=True needs token_type_ids"):
            modeling.embedding_postprocessor(x, use_token_type=True)
        with pytest.raises(ValueError, match="sequence length 5 is over the model's 4 positions"):
            modeling.embedding_postprocessor(x, max_position_embeddings=4)
        with pytest.raises(ValueError, match="input_tensor is 8 wide, hidden_size is 768"):
            modeling.transformer_model(x)
        with pytest.raises(ValueError, match="there is no activation .*: name gelu, relu"):
            modeling.transformer_model(x, hidden_size=8, num_attention_heads=2, intermediate_act_fn=tf.sin)
        with pytest.raises(ValueError, match="a matrix needs batch_size"):
            modeling.attention_layer(tf.zeros([10, 8]), tf.zeros([10, 8]))


def test_attention_looks_where_the_mask_lets_it():
    random = np.random.RandomState(3)
    x, y = random.randn(2, 3, 6).astype(np.float32), random.randn(2, 4, 5).astype(np.float32)
    mask = np.array([[[1, 1, 0, 0]] * 3, [[0, 1, 1, 1]] * 3], np.int32)

    def build(from_tensor, to_tensor, mask):
        options = {"num_attention_heads": 2, "size_per_head": 3, "value_act": "relu", "initializer_range": 0.5}
        with tf.variable_scope("attention", reuse=tf.AUTO_REUSE):
            rows = modeling.attention_layer(from_tensor, to_tensor, mask, do_return_2d_tensor=True, **options)
            matrices = [modeling.reshape_to_matrix(tensor) for tensor in (from_tensor, to_tensor)]
            again = modeling.attention_layer(
                *matrices, mask, batch_size=2, from_seq_length=3, to_seq_length=4, **options
            )
        names = [variable.op.name for variable in tf.trainable_variables()]
        return rows, again, dict(zip(names, tf.trainable_variables()))

    rows, again, weights = run(build, x, y, mask)
    assert set(weights) == {"attention/%s/%s" % (n, w) for n in ("query", "key", "value") for w in ("kernel", "bias")}
    q, k, v = (a @ weights["attention/%s/kernel" % n] for a, n in ((x, "query"), (y, "key"), (y, "value")))
    q, k, v = (np.transpose(a.reshape(2, -1, 2, 3), [0, 2, 1, 3]) for a in (q, k, np.maximum(v, 0)))
    scores = np.exp(q @ np.transpose(k, [0, 1, 3, 2]) / np.sqrt(3)) * mask[:, None]
    expected = np.transpose(scores / scores.sum(-1, keepdims=True) @ v, [0, 2, 1, 3]).reshape(6, 6)
    np.testing.assert_allclose(rows, expected, atol=1e-5)
    np.testing.assert_allclose(again, expected.reshape(2, 3, 6), atol=1e-5)


def test_dropout_of_attention_acts_in_a_program_of_ones_own():
    config = modeling.BertConfig(**CONFIG, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.5)
    for is_training in (True, False):
        with tf.Graph().as_default(), tf.Session() as session:
            output = modeling.BertModel(config, is_training, tf.constant(IDS)).get_sequence_output()
            session.run(tf.global_variables_initializer())
            first, second = (session.run(output) for _ in range(2))
        assert np.array_equal(first, second) != is_training
