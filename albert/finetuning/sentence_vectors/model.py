"""Vector model: an encoder of either family under the sentence-vector head, and what its training minimises."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import tensorflow.compat.v1 as tf

from albert.checkpoints.families import Family, build_encoder
from albert.finetuning.interleaved import separate
from albert.finetuning.model_fn import flat
from albert.finetuning.sentence_vectors import losses
from albert.inference.graph import nothing_but_first_tokens
from albert.model import heads, layers
from albert.model.config import ModelConfig
from albert.model.encoder import TransformerModel
from albert.model.pooling import CLS
from albert.model.spread import spread_sums
from albert.model.types import Tensor
from albert.training.step import Features, Objective, Scalars

TEACHER_VECTORS = "teacher_vectors"
_TEXTS_OF_A_PAIR = 2


class VectorModel(NamedTuple):
    """Model of sentence vectors.

    Attributes:
      family: of the encoder.
      config: its configuration.
      size: numbers of a vector.
      pooling: see `pooling.pool`.
      use_one_hot_embeddings: look words up by a product with one-hot rows (TPU).
    """

    family: Family
    config: ModelConfig
    size: int
    pooling: str
    use_one_hot_embeddings: bool = False

    def build(self, features: Features, is_training: bool) -> Tuple[TransformerModel, Tensor]:
        """Builds the encoder and the vectors [B, D] of a batch of sequences."""
        encoder = build_encoder(
            self.family,
            self.config,
            features,
            is_training,
            use_one_hot_embeddings=self.use_one_hot_embeddings,
            kept_positions=nothing_but_first_tokens(features) if self.pooling == CLS else None,
        )
        return encoder, heads.sentence_vector(encoder, self.size, self.pooling)

    def similarities(self, features: Features) -> Tensor:
        """Builds the cosines [B] of the two sentences of each interleaved pair; without dropout."""
        _, vectors = self.build(separate(features, _TEXTS_OF_A_PAIR), is_training=False)
        return tf.reduce_sum(tf.multiply(*_both(vectors)), axis=-1)


def _both(rows: Tensor) -> Tuple[Tensor, Tensor]:
    """[B*2, ...] of pairs -> the first ones and the second ones, [B, ...] each."""
    return rows[0::2], rows[1::2]


class DistillationLoss(NamedTuple):
    """Loss of a distillation: the weighted sum of 1 - cosine to the teacher and of the difference in structure.

    Attributes:
      cosine_weight: of the mean of 1 - cosine.
      structure_weight: of the mean squared difference of the similarities of all pairs of sentences in a group.
      group_size: sentences that are compared with one another.
    """

    cosine_weight: float
    structure_weight: float
    group_size: int


def distillation_objective(model: VectorModel, loss: DistillationLoss) -> Objective:
    """Objective of a distillation: vectors that are a teacher's, one by one and in their similarities."""

    def terms(features: Features, totals: Scalars) -> Tuple[Tensor, Scalars]:
        encoder, vectors = model.build(features, is_training=True)
        targets = tf.math.l2_normalize(features[TEACHER_VECTORS], axis=-1)
        cosine = tf.reduce_sum(vectors * targets) / totals["rows"]
        structure = losses.structure_difference(vectors, targets, loss.group_size) / (totals["rows"] * loss.group_size)
        # What each row adds to 1 - cosine: the shares of slices and replicas add up to that of the batch.
        distance = tf.cast(layers.shape_list(vectors)[0], tf.float32) / totals["rows"] - cosine
        return loss.cosine_weight * distance + loss.structure_weight * structure, {
            "cosine": cosine,
            "structure": structure,
            "tokens": _tokens(features),
            **spread_sums(encoder),
        }

    return Objective(_rows, terms)


class PairLoss(NamedTuple):
    """Loss of pairs: the weighted sum of CoSENT's ranking loss and of the cross-entropy with in-batch negatives.

    Attributes:
      ranking_weight, negatives_weight: of both parts; 0 leaves one out.
      positive_score: pairs from it on are positive ones, which have negatives.
      group_size: pairs that are compared with one another.
    """

    ranking_weight: float
    negatives_weight: float
    positive_score: float
    group_size: int


def pair_objective(model: VectorModel, loss: PairLoss) -> Objective:
    """Objective of pairs: their similarities in the order of their scores."""

    def totals(features: Features) -> Scalars:
        rows = _rows(features)["rows"]
        return {"groups": rows / loss.group_size, "positives": tf.reduce_sum(_is_positive(features, loss))}

    def terms(features: Features, totals: Scalars) -> Tuple[Tensor, Scalars]:
        sequences = separate(features, _TEXTS_OF_A_PAIR)
        encoder, vectors = model.build(sequences, is_training=True)
        first, second = _both(vectors)
        similarities = tf.reduce_sum(first * second, axis=-1)
        ranking = losses.cosent(similarities, flat(features["score"]), loss.group_size) / totals["groups"]
        negatives = losses.in_batch_negatives(
            first, second, _is_positive(features, loss), _both(sequences["input_ids"])[1], loss.group_size
        ) / tf.maximum(totals["positives"], 1.0)
        return loss.ranking_weight * ranking + loss.negatives_weight * negatives, {
            "ranking": ranking,
            "negatives": negatives,
            "tokens": _tokens(sequences),
            **spread_sums(encoder),
        }

    return Objective(totals, terms)


def _is_positive(features: Features, loss: PairLoss) -> Tensor:
    return tf.cast(flat(features["score"]) >= loss.positive_score, tf.float32)


def _rows(features: Features) -> Scalars:
    return {"rows": tf.cast(layers.shape_list(features["input_ids"])[0], tf.float32)}


def _tokens(features: Features) -> Tensor:
    return tf.reduce_sum(tf.cast(features["input_mask"], tf.float32))
