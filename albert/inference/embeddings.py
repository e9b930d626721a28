"""Sentence vectors of a fine-tuned model or a pre-training checkpoint, by TensorFlow."""

from __future__ import annotations

from typing import List, Optional, Sequence

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.sentences import Sentence
from albert.checkpoints.model import CheckpointModel
from albert.checkpoints.sentence_vectors import describe_vectors
from albert.inference.encoder_model import EncoderModel
from albert.inference.engine_tensorflow import TensorFlowEngine
from albert.inference.graph import (
    Build,
    Recipe,
    Tensors,
    encoder_of,
    frozen_graph,
    head_recipe,
    nothing_but_first_tokens,
)
from albert.inference.vector_model import VectorModel
from albert.model.outputs import HEADS, SENTENCE_VECTOR
from albert.model.pooling import CLS, MEAN, pool

_BEFORE_LAST = -2  # the layer of models without a sentence-vector head

_LONGEST_ROW = 128
_VECTORS = "vectors"  # the output of the graph, float32 [B, width]


class Embedder(VectorModel):
    """Turns texts into vectors: a checkpoint's own sentence vectors, or those of chosen layers.

    Safe to call from several threads.

    Attributes:
      definition: what a vector is, in words.
    """

    def __init__(
        self,
        source: EncoderModel,
        *,
        layer_indexes: Optional[Sequence[int]] = None,
        pooling: Optional[str] = None,
        max_seq_length: Optional[int] = None,
        batch_size: int = 128,
        graph_file: Optional[str] = None,
    ) -> None:
        """Loads the model.

        Args:
          source: see `encoder_model.open_encoder`.
          layer_indexes: layer indexes; negative ones count from the end; the vectors of several layers are joined.
            Without them and `pooling`, vectors are those of the checkpoint's sentence-vector head, where it has one;
            else the last layer but one is taken, where there are two.
          pooling: "cls" (the first token), "mean" (the default) or "max" over all tokens of the row, [CLS] and [SEP]
            among them.
          max_seq_length: tokens of a row; longer rows are cut. By default as many as the sentence-vector head was
            trained with, else 128.
          batch_size: rows in one pass.
          graph_file: see `graph.frozen_graph`.

        Raises:
          UserError: the model has no such layer, or cannot be loaded.
        """
        model = source.model
        has_head = layer_indexes is None and pooling is None and model.lack_of(SENTENCE_VECTOR) is None
        if has_head:
            recipe, output = head_recipe(model, SENTENCE_VECTOR), HEADS[SENTENCE_VECTOR].outputs[0]
            self.definition = Sentence("the model's own sentence vectors: {}", describe_vectors(model))
        else:
            layers = _checked_layers(layer_indexes, model)
            pooling = pooling or MEAN
            recipe, output = Recipe(model, _build(layers, pooling), {"layers": layers, "pooling": pooling}), _VECTORS
            self.definition = Sentence(
                "{} over the tokens of layer {}", Sentence(pooling), " and ".join(map(str, layers))
            )
        trained = model.description.max_seq_length if has_head and model.description else _LONGEST_ROW
        super().__init__(
            TensorFlowEngine(frozen_graph(recipe, graph_file), output),
            source.tokenizer,
            min(max_seq_length or trained, model.config.max_position_embeddings),
            batch_size=batch_size,
        )


def _checked_layers(layer_indexes: Optional[Sequence[int]], model: CheckpointModel) -> List[int]:
    count = model.config.num_hidden_layers * getattr(model.config, "inner_group_num", 1)
    if layer_indexes is None:
        layer_indexes = [max(_BEFORE_LAST, -count)]
    wrong = [index for index in layer_indexes if not -count <= index < count]
    if wrong or not layer_indexes:
        raise UserError(
            "the model {} has {} layers: layer indexes are 0 to {} or -1 to -{}, not {}".format(
                model.prefix, count, count - 1, count, wrong[0] if wrong else "none"
            )
        )
    return [index % count for index in layer_indexes]


def _build(layers: Sequence[int], pooling: str) -> Build:
    def build(model: CheckpointModel, inputs: Tensors) -> Tensors:
        kept_positions = nothing_but_first_tokens(inputs) if pooling == CLS else None
        encoder = encoder_of(model, inputs, kept_positions)
        outputs = encoder.get_all_encoder_layers()
        vectors = tf.concat([pool(outputs[layer], inputs["input_mask"], pooling) for layer in layers], axis=-1)
        return {_VECTORS: tf.identity(vectors, _VECTORS)}

    return build
