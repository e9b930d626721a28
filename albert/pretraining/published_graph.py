"""Graph of a pre-training checkpoint with placeholders of the published names: what its .meta file holds.

The graph that trains reads records; this one takes them as inputs. So the published commands `freeze_graph` and
`tflite_convert` work on a checkpoint (docs/en/commands.md, "freeze_graph and tflite_convert").
"""

from __future__ import annotations

import glob
import os
from typing import Any, Dict

import tensorflow.compat.v1 as tf

from albert.checkpoints.description import best_folder
from albert.checkpoints.families import Family, build_encoder
from albert.files.complete import CompleteFile
from albert.files.features import pretraining_features
from albert.model import heads
from albert.model.config import ModelConfig
from albert.model.types import Tensor


def published_graph(family: Family, config: ModelConfig) -> bytes:
    """Serializes a MetaGraphDef: encoder and both heads over placeholders, and a saver of the weights.

    The placeholders are `features.pretraining_features` by name, of any batch, length and number of predictions;
    `cls/predictions/truediv` is the masked-LM loss.
    """
    # TensorFlow 1.15, which has freeze_graph, does not know the resource variables of 2.15.
    with tf.Graph().as_default(), tf.variable_scope(tf.get_variable_scope(), use_resource=False):
        inputs = {
            feature.name: tf.placeholder(
                tf.float32 if feature.dtype == "float32" else tf.int32, [None, None], feature.name
            )
            for feature in pretraining_features(0, 0)
        }
        model = build_encoder(family, config, inputs, is_training=False)
        _masked_lm_loss(model, inputs)
        heads.sentence_order(model, inputs["next_sentence_labels"])
        saver = tf.train.Saver(tf.trainable_variables())
        graph = tf.train.export_meta_graph(saver_def=saver.as_saver_def(), clear_devices=True, strip_default_attrs=True)
        return bytes(graph.SerializeToString())


def write_graph(prefix: str, graph: bytes) -> None:
    """Writes `published_graph` as the .meta file of a checkpoint."""
    with CompleteFile(prefix + ".meta") as file:
        file.write(graph)


def write_graph_of_best(output_dir: str, graph: bytes) -> None:
    """Writes it beside the best weights of a run, where there are any."""
    for path in glob.glob(os.path.join(glob.escape(best_folder(output_dir)), "*.index")):
        write_graph(path[: -len(".index")], graph)


class PublishedGraphListener(tf.train.CheckpointSaverListener):
    """Gives every checkpoint that training saves the graph that takes its inputs, in place of the one that trains."""

    def __init__(self, output_dir: str, graph: bytes) -> None:
        self._output_dir = output_dir
        self._graph = graph

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Writes the file."""
        del session
        write_graph(os.path.join(self._output_dir, "model.ckpt-{}".format(global_step_value)), self._graph)


def _masked_lm_loss(model: Any, inputs: Dict[str, Tensor]) -> Tensor:
    """Builds the loss of `heads.masked_lm` of operations that TFLite has."""
    logits = heads.masked_lm_logits(model, inputs["masked_lm_positions"])
    labels = tf.one_hot(tf.reshape(inputs["masked_lm_ids"], [-1]), model.config.vocab_size)
    weights = tf.reshape(inputs["masked_lm_weights"], [-1])
    with tf.name_scope("cls/predictions/"):
        example_loss = -tf.reduce_sum(tf.nn.log_softmax(logits) * labels, axis=-1)
        numerator = tf.reduce_sum(weights * example_loss)
        return tf.truediv(numerator, tf.reduce_sum(weights) + heads.WEIGHT_EPSILON, name="truediv")
