"""The fine-tuning model_fn: an encoder of either family under a softmax over a task's labels."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

import tensorflow.compat.v1 as tf

import heads
from estimator_specs import TrainingSetup, evaluation_spec, training_spec, warm_start
from families import Family


def build_model_fn(
    family: Family, config: Any, num_labels: int, setup: TrainingSetup, use_pooled_output: bool = True
) -> Callable[..., Any]:
    """A model_fn for TPUEstimator over the records of `features.CLASSIFICATION_FEATURES`."""

    def model_fn(features: Dict[str, Any], labels: Any, mode: str, params: Dict[str, Any]) -> Any:
        del labels, params  # the records hold everything
        is_training = mode == tf.estimator.ModeKeys.TRAIN
        model = family.model_class(
            config=config,
            is_training=is_training,
            input_ids=features["input_ids"],
            input_mask=features["input_mask"],
            token_type_ids=features["segment_ids"],
            use_one_hot_embeddings=setup.use_tpu,
            scope="bert",
        )
        label_ids = tf.reshape(features["label_ids"], [-1])
        row_index = tf.reshape(features["row_index"], [-1])
        output = heads.classifier(model, num_labels, is_training, label_ids, use_pooled_output)
        predicted = tf.argmax(output.logits, axis=-1, output_type=tf.int32)
        if is_training:
            accuracy = tf.reduce_mean(tf.cast(tf.equal(predicted, label_ids), tf.float32))
            return training_spec(output.loss, setup, {"accuracy": accuracy})
        if mode == tf.estimator.ModeKeys.EVAL:
            tensors = [output.example_loss, predicted, label_ids, row_index]
            return evaluation_spec(output.loss, setup, metric_fn, tensors)
        return tf.estimator.tpu.TPUEstimatorSpec(
            mode=mode,
            predictions={"probabilities": tf.nn.softmax(output.logits), "row_index": row_index},
            scaffold_fn=warm_start(setup),
        )

    return model_fn


def metric_fn(example_loss: Any, predicted: Any, label_ids: Any, row_index: Any) -> Dict[str, Tuple[Any, Any]]:
    """Accuracy and mean loss; rows that only fill a TPU's last batch (row_index -1) weigh nothing."""
    weights = tf.cast(row_index >= 0, tf.float32)
    return {
        "eval_accuracy": tf.metrics.accuracy(label_ids, predicted, weights),
        "eval_loss": tf.metrics.mean(example_loss, weights),
    }
