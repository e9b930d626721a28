"""Inference graphs: built from a checkpoint, restored, frozen, and kept in a file for the next start.

Engines, sentence vectors, fill-mask and every export of TensorFlow start from here. Dimension letters stand in
`layers`.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import tensorflow.compat.v1 as tf

from albert.checkpoints.families import build_encoder
from albert.checkpoints.model import CheckpointModel
from albert.checkpoints.parts import outputs_of
from albert.checkpoints.values import restore_variables
from albert.files.literal_paths import literal_path
from albert.inference.graph_files import kept_graph
from albert.model import heads, layers
from albert.model.encoder import TransformerModel
from albert.model.outputs import CLASSIFIER, ENCODER, INPUT_NAMES, PRETRAINING, SENTENCE_VECTOR, SPANS, TAGS, Arrays
from albert.model.pooling import CLS
from albert.model.types import Tensor

Tensors = Dict[str, Tensor]  # inputs or outputs of a graph by name

# A model and its int32 inputs -> its outputs, each a node of its own name.
Build = Callable[[CheckpointModel, Tensors], Tensors]


class Recipe(NamedTuple):
    """Source of an inference graph.

    Attributes:
      model: the checkpoint.
      build: makes the outputs.
      settings: what `build` was made with, fit for JSON; tells its graphs apart.
      inputs: names of the placeholders, all int32 of rank 2.
      batch_size, seq_length: the fixed shape [B, S] of the inputs; None for any.
    """

    model: CheckpointModel
    build: Build
    settings: Dict[str, Any]
    inputs: Sequence[str] = INPUT_NAMES
    batch_size: Optional[int] = None
    seq_length: Optional[int] = None


def head_recipe(
    model: CheckpointModel, head: str, *, batch_size: Optional[int] = None, seq_length: Optional[int] = None
) -> Recipe:
    """Returns the recipe whose outputs are those of a head (`outputs.HEADS`), which the checkpoint holds."""
    settings = {"head": head, "use_pooled_output": model.use_pooled_output, "pooling": model.pooling}
    if _has_independent_labels(head, model):
        settings["labels"] = "independent"
    return Recipe(model, partial(_build_head, head), settings, batch_size=batch_size, seq_length=seq_length)


class InferenceGraph:
    """Graph with restored weights in a session of its own.

    Attributes:
      inputs, outputs: tensors by name.
      session: holds the weights.
    """

    def __init__(self, recipe: Recipe) -> None:
        """Builds the graph and restores the weights.

        Raises:
          UserError: the checkpoint cannot be read.
        """
        graph, shape = tf.Graph(), [recipe.batch_size, recipe.seq_length]
        with graph.as_default():
            self.inputs: Tensors = {name: tf.placeholder(tf.int32, shape, name) for name in recipe.inputs}
            self.outputs = recipe.build(recipe.model, self.inputs)
            self.session = tf.Session(graph=graph)
            restore_variables(self.session, recipe.model.prefix)

    def answer(self, inputs: Arrays) -> Arrays:
        """Computes the outputs for int arrays [B, S] by input name."""
        return self.session.run(self.outputs, {tensor: inputs[name] for name, tensor in self.inputs.items()})

    def frozen(self) -> tf.GraphDef:
        """Returns a GraphDef in which the weights are constants."""
        graph_def = self.session.graph.as_graph_def()
        return tf.graph_util.convert_variables_to_constants(self.session, graph_def, list(self.outputs))

    def save(self, path: str) -> None:
        """Writes a SavedModel with the signature serving_default."""
        with self.session.graph.as_default():
            tf.saved_model.simple_save(self.session, literal_path(path), inputs=self.inputs, outputs=self.outputs)

    def __enter__(self) -> InferenceGraph:
        return self

    def __exit__(self, *error: Any) -> None:
        self.session.close()


def encoder_of(model: CheckpointModel, inputs: Tensors, kept_positions: Optional[Tensor] = None) -> TransformerModel:
    """Builds the encoder of a checkpoint for answers, with a pooler where the checkpoint has one.

    Args:
      model: the checkpoint.
      inputs: by `INPUT_NAMES`.
      kept_positions: see `TransformerModel`.
    """
    return build_encoder(
        model.family,
        model.config,
        inputs,
        is_training=False,
        kept_positions=kept_positions,
        has_pooler=model.has_pooler,
    )


def nothing_but_first_tokens(inputs: Tensors) -> Tensor:
    """Returns the `kept_positions` of an encoder of which only the first token's output is used: int32 [B, 0]."""
    return tf.zeros_like(inputs["input_ids"][:, :0])


def _build_head(head: str, model: CheckpointModel, inputs: Tensors) -> Tensors:
    kept_positions = nothing_but_first_tokens(inputs) if _reads_first_token_alone(head, model) else None
    encoder = encoder_of(model, inputs, kept_positions)
    names = outputs_of(head, model.shapes)
    if head == ENCODER:
        values = [encoder.get_sequence_output()] + ([encoder.get_pooled_output()] if model.has_pooler else [])
        return {name: tf.identity(value, name) for name, value in zip(names, values)}
    if head == SENTENCE_VECTOR:
        vectors = heads.sentence_vector(encoder, model.vector_size or 0, model.pooling)
        return {names[0]: tf.identity(vectors, names[0])}
    if head == SPANS:
        return {names[0]: tf.identity(heads.span_logits(encoder, inputs["input_mask"]), names[0])}
    if head == TAGS:
        logits = heads.tag_logits(encoder, model.num_labels or 0, is_training=False)
        return {names[0]: tf.nn.softmax(logits, name=names[0])}
    if _has_independent_labels(head, model):
        logits = heads.classifier(encoder, model.num_labels or 0, False, None, model.use_pooled_output).logits
        return {names[0]: tf.sigmoid(logits, name=names[0])}
    if head == CLASSIFIER:
        values = [heads.classifier(encoder, model.num_labels or 0, False, None, model.use_pooled_output).logits]
    else:
        values = [_logits_of_all_positions(encoder)]
    if head == PRETRAINING:
        values.append(heads.sentence_order_logits(encoder))
    return {name: tf.nn.softmax(value, name=name) for name, value in zip(names, values)}


def _has_independent_labels(head: str, model: CheckpointModel) -> bool:
    """Whether a row has any number of labels, each with a probability of its own."""
    return head == CLASSIFIER and model.description is not None and model.description.is_multilabel


def _reads_first_token_alone(head: str, model: CheckpointModel) -> bool:
    """Whether the last layer need not be computed for any other token."""
    return (head == CLASSIFIER and model.use_pooled_output) or (head == SENTENCE_VECTOR and model.pooling == CLS)


def _logits_of_all_positions(encoder: TransformerModel) -> Tensor:
    """[B, S, V]."""
    logits = heads.masked_lm_logits(encoder, None)
    batch, length, _ = layers.shape_list(encoder.get_sequence_output())
    return tf.reshape(logits, [batch, length, encoder.config.vocab_size])


def freeze(recipe: Recipe) -> tf.GraphDef:
    """Makes the GraphDef of a recipe.

    Raises:
      UserError: the checkpoint cannot be read.
    """
    with InferenceGraph(recipe) as graph:
        return graph.frozen()


def frozen_graph(recipe: Recipe, graph_file: Optional[str] = None) -> tf.GraphDef:
    """Returns the GraphDef of a recipe: read from a file that holds it, else made and kept there.

    Args:
      recipe: see `Recipe`.
      graph_file: where the graph is kept for the next start; a graph of other weights or settings, or one that is not
        whole, is overwritten. None keeps it nowhere. A place that cannot be written costs time only.

    Raises:
      UserError: the checkpoint cannot be read, or the file holds something else.
    """
    if graph_file is None:
        return freeze(recipe)
    return kept_graph(graph_file, _key_of(recipe), lambda: freeze(recipe))


def _key_of(recipe: Recipe) -> str:
    """Changes with the weights, the settings or the TensorFlow that made the graph."""
    stamps = []
    for suffix in (".index", ".data-00000-of-00001"):
        path = recipe.model.prefix + suffix
        if os.path.exists(path):
            status = os.stat(path)
            stamps.append([os.path.abspath(path), status.st_size, status.st_mtime_ns])
    inputs = [list(recipe.inputs), recipe.batch_size, recipe.seq_length]
    made_from = [tf.__version__, stamps, recipe.model.config.to_dict(), inputs, recipe.settings]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode("utf-8")).hexdigest()
