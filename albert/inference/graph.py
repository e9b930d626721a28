"""The graph that answers: token ids in, the named outputs of one head out. What every TensorFlow export starts from.

Dimension letters stand in `layers`.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.checkpoints.families import build_encoder
from albert.checkpoints.model import CheckpointModel
from albert.checkpoints.values import restore_variables
from albert.model import heads, layers
from albert.model.outputs import CLASSIFIER, ENCODER, HEADS, INPUT_NAMES, PRETRAINING, Arrays


class InferenceGraph:
    """One head of a checkpoint's model in a session of its own."""

    def __init__(
        self, model: CheckpointModel, head: str, *, batch_size: Optional[int] = None, seq_length: Optional[int] = None
    ) -> None:
        """Builds the graph and restores the weights.

        Args:
          model: what is exported.
          head: one of HEADS.
          batch_size, seq_length: the fixed shape of the inputs; None for any.

        Raises:
          UserError: the checkpoint cannot be read.
        """
        graph = tf.Graph()
        with graph.as_default():
            self.inputs = {name: tf.placeholder(tf.int32, [batch_size, seq_length], name) for name in INPUT_NAMES}
            self.outputs = _build_head(model, head, self.inputs)
            self.session = tf.Session(graph=graph)
            restore_variables(self.session, model.prefix)

    def answer(self, inputs: Arrays) -> Arrays:
        """The outputs for int arrays [B, S] by input name."""
        return self.session.run(self.outputs, {self.inputs[name]: inputs[name] for name in INPUT_NAMES})

    def frozen(self) -> Any:
        """A GraphDef in which the weights are constants."""
        graph_def = self.session.graph.as_graph_def()
        return tf.graph_util.convert_variables_to_constants(self.session, graph_def, list(self.outputs))

    def save(self, path: str) -> None:
        """Writes a SavedModel with the signature serving_default."""
        with self.session.graph.as_default():
            tf.saved_model.simple_save(self.session, path, inputs=self.inputs, outputs=self.outputs)

    def __enter__(self) -> "InferenceGraph":
        return self

    def __exit__(self, *error: Any) -> None:
        self.session.close()


def _build_head(model: CheckpointModel, head: str, inputs: Dict[str, Any]) -> Dict[str, Any]:
    encoder = build_encoder(model.family, model.config, inputs, is_training=False)
    if head == ENCODER:
        values: Tuple[Any, ...] = (encoder.get_sequence_output(), encoder.get_pooled_output())
        return {name: tf.identity(value, name) for name, value in zip(HEADS[head].outputs, values)}
    if head == CLASSIFIER:
        output = heads.classifier(encoder, model.num_labels, False, None, model.use_pooled_output)
        values = (output.logits,)
    else:
        values = (_logits_of_all_positions(encoder),)
    if head == PRETRAINING:
        values += (heads.sentence_order_logits(encoder),)
    return {name: tf.nn.softmax(value, name=name) for name, value in zip(HEADS[head].outputs, values)}


def _logits_of_all_positions(encoder: Any) -> Any:
    """[B, S, V]."""
    logits = heads.masked_lm_logits(encoder, None)
    batch, length, _ = layers.shape_list(encoder.get_sequence_output())
    return tf.reshape(logits, [batch, length, encoder.config.vocab_size])
