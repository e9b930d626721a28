"""Checkpoints, opened by the Keras libraries for them (Python 3.7). Run by scripts/test_readers.sh."""

import numpy as np
import pytest

from albert.checkpoints.model import open_checkpoint
from albert.inference.graph import InferenceGraph, head_recipe
from tests.support import exports

LENGTH = 24


@pytest.fixture
def inputs():
    """Ids without padding, which these libraries read off the ids or not at all."""
    ids = np.random.RandomState(5).randint(1, 211, [3, LENGTH]).astype(np.int32)
    return {
        "input_ids": ids,
        "input_mask": np.ones_like(ids),
        "segment_ids": np.tile((np.arange(LENGTH) > 10).astype(np.int32), [3, 1]),
    }


def answer(folder, head, inputs):
    with InferenceGraph(head_recipe(open_checkpoint(folder), head)) as graph:
        return graph.answer(inputs)


def test_bert4keras_reads_the_google_family(tmp_path, inputs):
    folder = exports.write_fixture(tmp_path, "google_g1")
    expected = answer(folder, "masked_lm", inputs)["probabilities"]
    from bert4keras.backend import set_gelu

    set_gelu("tanh")
    from bert4keras.models import build_transformer_model

    model = build_transformer_model(
        folder + "/albert_config_x.json", folder + "/albert_model.ckpt", model="albert", with_mlm=True
    )
    answers = model.predict([inputs["input_ids"], inputs["segment_ids"]])
    np.testing.assert_allclose(np.log(answers), np.log(expected), atol=1e-5)


def test_bert4keras_reads_a_model_that_came_from_transformers(tmp_path, inputs):
    """A zh model through the folder for transformers and back is a google model, which bert4keras can read."""
    (tmp_path / "zh").mkdir()
    folder = exports.write_fixture(tmp_path / "zh", "zh_postln")
    expected = answer(folder, "masked_lm", inputs)["probabilities"]
    exports.run(checkpoint=folder, format="pytorch", output_dir=tmp_path / "pytorch")
    exports.run(checkpoint=tmp_path / "pytorch", format="tensorflow", output_dir=tmp_path / "google")
    from bert4keras.backend import set_gelu

    set_gelu("tanh")
    from bert4keras.models import build_transformer_model

    prefix = str(tmp_path / "google" / "albert_model.ckpt")
    model = build_transformer_model(
        str(tmp_path / "google" / "albert_config.json"), prefix, model="albert", with_mlm=True
    )
    answers = model.predict([inputs["input_ids"], inputs["segment_ids"]])
    np.testing.assert_allclose(np.log(answers), np.log(expected), atol=1e-5)


def test_bert_for_tf2_reads_the_zh_family(tmp_path, inputs):
    folder = exports.write_fixture(tmp_path, "zh_postln")
    expected = answer(folder, "encoder", inputs)["sequence_output"]
    (tmp_path / "albert_config_x.json").rename(tmp_path / "bert_config.json")
    import bert
    from tensorflow import keras

    params = bert.params_from_pretrained_ckpt(folder)
    params.project_embeddings_with_bias = False
    params.project_position_embeddings = False
    params.shared_layer = True
    layer = bert.BertModelLayer.from_params(params, name="bert")
    ids, segments = (keras.layers.Input((LENGTH,), dtype="int32") for _ in range(2))
    model = keras.Model([ids, segments], layer([ids, segments]))
    assert not bert.load_albert_weights(layer, folder + "/albert_model.ckpt")  # what did not fit
    answers = model.predict([inputs["input_ids"], inputs["segment_ids"]])
    np.testing.assert_allclose(answers, expected, atol=1e-5)
