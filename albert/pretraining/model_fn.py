"""The pre-training model_fn: an encoder of either family under the masked-LM and sentence-order heads."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.checkpoints.families import Family, build_encoder
from albert.model import heads
from albert.model.config import ModelConfig
from albert.model.encoder import TransformerModel
from albert.model.spread import spread_sums
from albert.model.types import Tensor
from albert.pretraining.initial_weights import Initializers, starting_from
from albert.training.step import Features, Objective, Scalars, TrainingSetup, evaluation_spec, training_spec


class _Outputs(NamedTuple):
    model: TransformerModel
    masked_lm: heads.MaskedLmOutput
    sentence_order: heads.ClassifierOutput


def build_pretraining_model_fn(
    family: Family, config: ModelConfig, setup: TrainingSetup, initializers: Optional[Initializers] = None
) -> Callable[..., Any]:
    """Builds a model_fn for TPUEstimator over the records of `features.pretraining_features`.

    Args:
      family: of the model.
      config: its configuration.
      setup: see `TrainingSetup`.
      initializers: of the variables that start otherwise than published, see `initial_weights`.
    """

    def model_fn(features: Features, labels: Any, mode: str, params: Dict[str, Any]) -> Any:
        del labels, params  # the records hold everything
        if mode == tf.estimator.ModeKeys.TRAIN:
            with starting_from(initializers or {}):
                return training_spec(pretraining_objective(family, config, setup.use_tpu), features, setup)
        _, masked_lm, sentence_order = _build(
            family, config, features, is_training=False, use_one_hot_embeddings=setup.use_tpu
        )
        return evaluation_spec(
            masked_lm.loss + sentence_order.loss,
            setup,
            metric_fn,
            [
                masked_lm.example_loss,
                _predicted(masked_lm.logits),
                masked_lm.labels,
                masked_lm.weights,
                sentence_order.example_loss,
                _predicted(sentence_order.logits),
                _order_labels(features),
            ],
        )

    return model_fn


def pretraining_objective(family: Family, config: ModelConfig, use_one_hot_embeddings: bool = False) -> Objective:
    """Masked-LM loss over all predictions of a batch, and sentence-order loss over all its pairs."""

    def terms(features: Features, totals: Scalars) -> Tuple[Tensor, Scalars]:
        outputs = _build(family, config, features, is_training=True, use_one_hot_embeddings=use_one_hot_embeddings)
        watched = _watched(outputs, _order_labels(features), totals)
        tokens = tf.reduce_sum(tf.cast(features["input_mask"], tf.float32))
        return watched["masked_lm_loss"] + watched["sentence_order_loss"], dict(
            watched, tokens=tokens, **spread_sums(outputs.model)
        )

    return Objective(_totals, terms)


def _build(
    family: Family, config: ModelConfig, features: Features, *, is_training: bool, use_one_hot_embeddings: bool
) -> _Outputs:
    positions = features["masked_lm_positions"]
    model = build_encoder(
        family,
        config,
        features,
        is_training,
        use_one_hot_embeddings=use_one_hot_embeddings,
        kept_positions=positions,
    )
    masked_lm = heads.masked_lm(model, positions, features["masked_lm_ids"], features["masked_lm_weights"])
    return _Outputs(model, masked_lm, heads.sentence_order(model, _order_labels(features)))


def _order_labels(features: Features) -> Tensor:
    return tf.reshape(features["next_sentence_labels"], [-1])


def _has_order(order_labels: Tensor) -> Tensor:
    return tf.cast(order_labels >= 0, tf.float32)


def _predicted(logits: Tensor) -> Tensor:
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def _totals(features: Features) -> Scalars:
    return {
        "predictions": tf.reduce_sum(features["masked_lm_weights"]),
        "pairs": tf.reduce_sum(_has_order(_order_labels(features))),
    }


def _watched(outputs: _Outputs, order_labels: Tensor, totals: Scalars) -> Scalars:
    """The losses and accuracies of some examples, as their share in those of the whole batch."""
    _, masked_lm, sentence_order = outputs
    has_order = _has_order(order_labels)
    predictions = totals["predictions"] + heads.WEIGHT_EPSILON
    pairs = tf.maximum(totals["pairs"], 1.0)
    return {
        "masked_lm_loss": tf.reduce_sum(masked_lm.weights * masked_lm.example_loss) / predictions,
        "masked_lm_accuracy": _hits(masked_lm.logits, masked_lm.labels, masked_lm.weights) / predictions,
        "sentence_order_loss": tf.reduce_sum(sentence_order.example_loss) / pairs,
        "sentence_order_accuracy": _hits(sentence_order.logits, order_labels, has_order) / pairs,
    }


def _hits(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    return tf.reduce_sum(tf.cast(tf.equal(_predicted(logits), labels), tf.float32) * weights)


def metric_fn(
    masked_lm_example_loss: Tensor,
    masked_lm_predicted: Tensor,
    masked_lm_labels: Tensor,
    masked_lm_weights: Tensor,
    sentence_order_example_loss: Tensor,
    sentence_order_predicted: Tensor,
    sentence_order_labels: Tensor,
) -> Dict[str, Tuple[Tensor, Tensor]]:
    """Losses and accuracies over all batches, each prediction and each pair counted once."""
    order_weights = _has_order(sentence_order_labels)
    return {
        "masked_lm_loss": tf.metrics.mean(masked_lm_example_loss, masked_lm_weights),
        "masked_lm_accuracy": tf.metrics.accuracy(masked_lm_labels, masked_lm_predicted, masked_lm_weights),
        "sentence_order_loss": tf.metrics.mean(sentence_order_example_loss, order_weights),
        "sentence_order_accuracy": tf.metrics.accuracy(sentence_order_labels, sentence_order_predicted, order_weights),
    }
