"""The pre-training model_fn: an encoder of either family under the masked-LM and sentence-order heads."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

import tensorflow.compat.v1 as tf

import heads
from estimator_specs import TrainingSetup, evaluation_spec, training_spec
from families import Family


def build_model_fn(family: Family, config: Any, setup: TrainingSetup) -> Callable[..., Any]:
    """A model_fn for TPUEstimator over the records of `features.pretraining_features`."""

    def model_fn(features: Dict[str, Any], labels: Any, mode: str, params: Dict[str, Any]) -> Any:
        del labels, params  # the records hold everything
        model = family.model_class(
            config=config,
            is_training=mode == tf.estimator.ModeKeys.TRAIN,
            input_ids=features["input_ids"],
            input_mask=features["input_mask"],
            token_type_ids=features["segment_ids"],
            use_one_hot_embeddings=setup.use_tpu,
            scope="bert",
        )
        masked_lm = heads.masked_lm(
            model, features["masked_lm_positions"], features["masked_lm_ids"], features["masked_lm_weights"]
        )
        order_labels = tf.reshape(features["next_sentence_labels"], [-1])
        sentence_order = heads.sentence_order(model, order_labels)
        loss = masked_lm.loss + sentence_order.loss
        if mode == tf.estimator.ModeKeys.TRAIN:
            return training_spec(loss, setup, _watched(masked_lm, sentence_order, order_labels))
        return evaluation_spec(
            loss,
            setup,
            metric_fn,
            [
                masked_lm.example_loss,
                _predicted(masked_lm.logits),
                masked_lm.labels,
                masked_lm.weights,
                sentence_order.example_loss,
                _predicted(sentence_order.logits),
                order_labels,
            ],
        )

    return model_fn


def _predicted(logits: Any) -> Any:
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def _watched(masked_lm: Any, sentence_order: Any, order_labels: Any) -> Dict[str, Any]:
    return {
        "masked_lm_loss": masked_lm.loss,
        "masked_lm_accuracy": _weighted_share(_predicted(masked_lm.logits), masked_lm.labels, masked_lm.weights),
        "sentence_order_loss": sentence_order.loss,
        "sentence_order_accuracy": _weighted_share(
            _predicted(sentence_order.logits), order_labels, _has_order(order_labels)
        ),
    }


def _has_order(order_labels: Any) -> Any:
    return tf.cast(order_labels >= 0, tf.float32)


def _weighted_share(predicted: Any, labels: Any, weights: Any) -> Any:
    hits = tf.cast(tf.equal(predicted, labels), tf.float32) * weights
    return tf.reduce_sum(hits) / tf.maximum(tf.reduce_sum(weights), 1.0)


def metric_fn(
    masked_lm_example_loss: Any,
    masked_lm_predicted: Any,
    masked_lm_labels: Any,
    masked_lm_weights: Any,
    sentence_order_example_loss: Any,
    sentence_order_predicted: Any,
    sentence_order_labels: Any,
) -> Dict[str, Tuple[Any, Any]]:
    """Losses and accuracies over all batches, each prediction and each pair counted once."""
    order_weights = _has_order(sentence_order_labels)
    return {
        "masked_lm_loss": tf.metrics.mean(masked_lm_example_loss, masked_lm_weights),
        "masked_lm_accuracy": tf.metrics.accuracy(masked_lm_labels, masked_lm_predicted, masked_lm_weights),
        "sentence_order_loss": tf.metrics.mean(sentence_order_example_loss, order_weights),
        "sentence_order_accuracy": tf.metrics.accuracy(sentence_order_labels, sentence_order_predicted, order_weights),
    }
