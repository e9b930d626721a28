"""The fine-tuning model_fn: an encoder of either family under a softmax over a task's labels."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Tuple

import tensorflow.compat.v1 as tf

import heads
import layers
from estimator_specs import TrainingSetup, evaluation_spec, training_spec, warm_start
from families import Family
from training_step import Features, Objective, Scalars


class Classifier(NamedTuple):
    """What a fine-tuned model is made of.

    Attributes:
      family: of the encoder.
      config: its configuration.
      num_labels: the task's classes.
      use_pooled_output: whether the classes are told by the pooler's first token, or by the mean of the tokens.
      use_one_hot_embeddings: look words up by a product with one-hot rows (TPU).
    """

    family: Family
    config: Any
    num_labels: int
    use_pooled_output: bool = True
    use_one_hot_embeddings: bool = False

    def build(self, features: Features, is_training: bool) -> heads.ClassifierOutput:
        """Builds the graph over a batch of `features.CLASSIFICATION_FEATURES`."""
        # Of the last layer only the first token is asked for.
        batch = layers.shape_list(features["input_ids"])[0]
        kept_positions = tf.zeros([batch, 0], tf.int32) if self.use_pooled_output else None
        model = self.family.model_class(
            config=self.config,
            is_training=is_training,
            input_ids=features["input_ids"],
            input_mask=features["input_mask"],
            token_type_ids=features["segment_ids"],
            use_one_hot_embeddings=self.use_one_hot_embeddings,
            scope="bert",
            kept_positions=kept_positions,
        )
        labels = _flat(features["label_ids"])
        return heads.classifier(model, self.num_labels, is_training, labels, self.use_pooled_output)


def build_model_fn(classifier: Classifier, setup: TrainingSetup) -> Callable[..., Any]:
    """A model_fn for TPUEstimator over the records of `features.CLASSIFICATION_FEATURES`."""

    def model_fn(features: Features, labels: Any, mode: str, params: Dict[str, Any]) -> Any:
        del labels, params  # the records hold everything
        if mode == tf.estimator.ModeKeys.TRAIN:
            return training_spec(objective(classifier), features, setup)
        output = classifier.build(features, is_training=False)
        row_index = _flat(features["row_index"])
        if mode == tf.estimator.ModeKeys.EVAL:
            tensors = [output.example_loss, _predicted(output.logits), _flat(features["label_ids"]), row_index]
            return evaluation_spec(output.loss, setup, metric_fn, tensors)
        return tf.estimator.tpu.TPUEstimatorSpec(
            mode=mode,
            predictions={"probabilities": tf.nn.softmax(output.logits), "row_index": row_index},
            scaffold_fn=warm_start(setup),
        )

    return model_fn


def objective(classifier: Classifier) -> Objective:
    """The mean cross-entropy of a batch's rows."""

    def terms(features: Features, totals: Scalars) -> Tuple[Any, Scalars]:
        output = classifier.build(features, is_training=True)
        hits = tf.equal(_predicted(output.logits), _flat(features["label_ids"]))
        return (
            tf.reduce_sum(output.example_loss) / totals["rows"],
            {
                "accuracy": tf.reduce_sum(tf.cast(hits, tf.float32)) / totals["rows"],
                "tokens": tf.reduce_sum(tf.cast(features["input_mask"], tf.float32)),
            },
        )

    return Objective(_totals, terms)


def _flat(column: Any) -> Any:
    return tf.reshape(column, [-1])


def _predicted(logits: Any) -> Any:
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def _totals(features: Features) -> Scalars:
    return {"rows": tf.cast(tf.size(features["label_ids"]), tf.float32)}


def metric_fn(example_loss: Any, predicted: Any, label_ids: Any, row_index: Any) -> Dict[str, Tuple[Any, Any]]:
    """Accuracy and mean loss; rows that only fill a TPU's last batch (row_index -1) weigh nothing."""
    weights = tf.cast(row_index >= 0, tf.float32)
    return {
        "eval_accuracy": tf.metrics.accuracy(label_ids, predicted, weights),
        "eval_loss": tf.metrics.mean(example_loss, weights),
    }
