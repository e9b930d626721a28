"""Names that programs import from the published modules, and calls as those programs make them."""

import importlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from modeling import BertConfig, BertModel
from modeling_google import AlbertConfig, AlbertModel
from optimization import create_optimizer

NAMES = {
    "modeling": "BertConfig BertModel assert_rank create_attention_mask_from_input_mask create_initializer dropout "
    "embedding_lookup gelu get_activation get_assignment_map_from_checkpoint get_shape_list layer_norm "
    "layer_norm_and_dropout reshape_from_matrix reshape_to_matrix attention_layer embedding_lookup_factorized "
    "embedding_postprocessor prelln_transformer_model transformer_model",
    "modeling_google": "AlbertConfig AlbertModel assert_rank attention_layer create_attention_mask_from_input_mask "
    "create_initializer dropout embedding_lookup embedding_postprocessor gelu get_activation "
    "get_assignment_map_from_checkpoint get_shape_list layer_norm layer_norm_and_dropout reshape_from_matrix "
    "reshape_to_matrix",
    "tokenization": "BasicTokenizer FullTokenizer WordpieceTokenizer convert_by_vocab convert_ids_to_tokens "
    "convert_to_unicode convert_tokens_to_ids load_vocab printable_text whitespace_tokenize",
    "run_classifier": "DataProcessor InputExample InputFeatures convert_single_example create_model model_fn_builder",
    "run_classifier_sp_google": "DataProcessor InputExample convert_single_example create_model model_fn_builder",
    "optimization": "AdamWeightDecayOptimizer create_optimizer",
    "lamb_optimizer": "LAMBOptimizer",
    "similarity": "BertSim",
    "args": "batch_size ckpt_name config_name data_dir file_path gpu_memory_fraction layer_indexes learning_rate "
    "max_seq_len model_dir num_train_epochs output_dir vocab_file",
}
METHODS = {
    "modeling.BertConfig": "from_dict from_json_file to_dict to_json_string",
    "modeling_google.AlbertConfig": "from_dict from_json_file to_dict to_json_string",
    "similarity.BertSim": "predict_sentences start_model",
    "tokenization.FullTokenizer": "from_scratch convert_ids_to_tokens convert_tokens_to_ids tokenize",
}
SIZES = {"vocab_size": 19, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12}


@pytest.mark.parametrize("module,name", [(module, name) for module in NAMES for name in NAMES[module].split()])
def test_a_name_is_imported_from_its_module(module, name):
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize("owner", METHODS)
def test_a_class_has_its_methods(owner):
    module, name = owner.split(".")
    methods = METHODS[owner].split()
    assert [method for method in methods if hasattr(getattr(importlib.import_module(module), name), method)] == methods


def shapes_of(model):
    shapes = {
        name: getattr(model, "get_" + name)().shape.as_list()
        for name in ("pooled_output", "sequence_output", "word_embedding_output", "embedding_output", "embedding_table")
    }
    return dict(shapes, layers=[layer.shape.as_list() for layer in model.get_all_encoder_layers()])


def build(model_class, config):
    ids = tf.constant(np.arange(6).reshape(2, 3), tf.int32)
    return model_class(
        config=config,
        is_training=True,
        input_ids=ids,
        input_mask=tf.ones_like(ids),
        token_type_ids=tf.zeros_like(ids),
        use_one_hot_embeddings=False,
    )


def test_the_zh_model_is_built_and_asked_as_published():
    with tf.Graph().as_default():
        model = build(BertModel, BertConfig(**SIZES, embedding_size=4))
        assert shapes_of(model) == {
            "pooled_output": [2, 8],
            "sequence_output": [2, 3, 8],
            "word_embedding_output": [2, 3, 8],
            "embedding_output": [2, 3, 8],
            "embedding_table": [19, 4],
            "layers": [[2, 3, 8]] * 2,
        }
        assert model.get_embedding_table_2().shape.as_list() == [4, 8]


def test_the_google_model_is_built_and_asked_as_published():
    with tf.Graph().as_default():
        model = build(AlbertModel, AlbertConfig(**SIZES, embedding_size=4))
        assert shapes_of(model) == {
            "pooled_output": [2, 8],
            "sequence_output": [2, 3, 8],
            "word_embedding_output": [2, 3, 4],
            "embedding_output": [2, 3, 4],
            "embedding_table": [19, 4],
            "layers": [[2, 3, 8]] * 2,
        }


@pytest.mark.parametrize(
    "arguments",
    [{}, {"optimizer": "adamw", "poly_power": 2.0, "start_warmup_step": 0, "colocate_gradients_with_ops": True}],
)
def test_create_optimizer_makes_the_step_of_a_loss(arguments):
    with tf.Graph().as_default(), tf.Session() as session:
        weight = tf.get_variable("weight", initializer=[3.0, -1.0])
        train_op = create_optimizer(tf.reduce_sum(tf.square(weight)), 0.1, 100, 0, False, **arguments)
        session.run(tf.global_variables_initializer())
        losses = []
        for _ in range(5):
            losses.append(float(np.square(session.run(weight)).sum()))
            session.run(train_op)
        assert losses == sorted(losses, reverse=True) and losses[-1] < 0.9 * losses[0]
        assert session.run(tf.train.get_global_step()) == 5


def test_on_a_tpu_the_gradients_of_its_shards_are_averaged(monkeypatch):
    monkeypatch.setattr(tf.tpu, "cross_replica_sum", lambda x: 8 * x)  # of eight equal shards
    with tf.Graph().as_default(), tf.Session() as session:
        moved = []
        for name, use_tpu in (("one", False), ("many", True)):
            with tf.variable_scope(name):
                weight = tf.get_variable("weight", initializer=[0.3, -0.1])
            loss = 1e-6 * tf.reduce_sum(tf.square(weight))  # so small that the step depends on the gradient's size
            train_op = create_optimizer(loss, 0.1, 100, 0, use_tpu, optimizer="adamw")
            session.run(tf.global_variables_initializer())
            session.run(train_op)
            moved.append(session.run(weight))
        np.testing.assert_allclose(moved[0], moved[1], rtol=1e-6)
