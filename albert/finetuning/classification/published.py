"""Published names of run_classifier.py, for programs that import them: examples, processors, features, model_fn.

A thin layer over the modules of this package. The commands do not use it: they read tasks as declarations
(docs/en/moving_over.md, "A task of one's own").
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import tensorflow.compat.v1 as tf

from albert.checkpoints.families import GOOGLE, ZH, Family, build_encoder
from albert.files.features import Feature
from albert.files.reading import text_lines
from albert.files.record_encoding import encode_rows
from albert.files.tfrecords import write_records
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.model import heads
from albert.model.config import ModelConfig
from albert.model.types import Tensor
from albert.tasks.registry import get_task
from albert.tasks.splits import read_split
from albert.text.sequences import encode_pair, lengths_that_fit
from albert.training.step import Features, TrainingSetup, evaluation_spec, training_spec, warm_start
from modeling_google import AlbertConfig
from optimization import OptimizerSettings
from tokenization import FullTokenizer, convert_to_unicode

_SHUFFLE_BUFFER = 1 << 16  # examples; larger files are shuffled within windows of this size


class InputExample:
    """Example of a task: one text, or a pair."""

    def __init__(self, guid: Any, text_a: str, text_b: Optional[str] = None, label: Optional[str] = None) -> None:
        """Creates the example; `guid` names it, `label` is None where it is not known."""
        self.guid = guid
        self.text_a = text_a
        self.text_b = text_b
        self.label = label


class PaddingInputExample:
    """Example that only fills the last batch of a TPU."""


class InputFeatures:
    """Features of an example: ids, mask and segments, each as long as the longest sequence, and the label's id."""

    def __init__(
        self,
        input_ids: List[int],
        input_mask: List[int],
        segment_ids: List[int],
        label_id: int,
        is_real_example: bool = True,
    ) -> None:
        """Creates the features."""
        self.input_ids = input_ids
        self.input_mask = input_mask
        self.segment_ids = segment_ids
        self.label_id = label_id
        self.is_real_example = is_real_example


AnyExample = Union[InputExample, PaddingInputExample]


class DataProcessor:
    """Reader of a task's files; a program's own task is a subclass with the four methods."""

    def get_train_examples(self, data_dir: str) -> List[InputExample]:
        """Reads the examples of training."""
        raise NotImplementedError()

    def get_dev_examples(self, data_dir: str) -> List[InputExample]:
        """Reads the examples of evaluation."""
        raise NotImplementedError()

    def get_test_examples(self, data_dir: str) -> List[InputExample]:
        """Reads the examples of prediction."""
        raise NotImplementedError()

    def get_labels(self) -> List[str]:
        """Lists the labels; the place of a label is its id."""
        raise NotImplementedError()

    @classmethod
    def _read_tsv(cls, input_file: str, quotechar: Optional[str] = None) -> List[List[str]]:
        """Reads the lines of a file whose columns are separated by tabs, its header included."""
        if quotechar:
            raise ValueError("quotechar={!r}: quotes are ordinary characters in a tab-separated file".format(quotechar))
        return [line.split("\t") for _, line in text_lines(input_file)]


class TaskProcessor(DataProcessor):
    """Processor of a declared task, by its --task_name: `TaskProcessor("lcqmc_pair")`."""

    task_name = ""

    def __init__(self, task_name: Optional[str] = None) -> None:
        """Finds the task (raises `UserError` where there is none of the name)."""
        self._task = get_task(task_name or self.task_name)
        if self._task.num_choices:
            raise ValueError("a row of {} has choices: train it with run_classifier.py".format(self._task.name))

    def get_train_examples(self, data_dir: str) -> List[InputExample]:
        """See `DataProcessor`."""
        return self._examples(data_dir, "train")

    def get_dev_examples(self, data_dir: str) -> List[InputExample]:
        """See `DataProcessor`."""
        return self._examples(data_dir, "dev")

    def get_test_examples(self, data_dir: str) -> List[InputExample]:
        """See `DataProcessor`."""
        return self._examples(data_dir, "test")

    def get_labels(self) -> List[str]:
        """See `DataProcessor`."""
        return list(self._task.labels)

    def _examples(self, data_dir: str, split: str) -> List[InputExample]:
        rows = read_split(self._task, data_dir, split)
        return [InputExample("{}-{}".format(split, row.row_id), row.text_a, row.text_b, row.label) for row in rows]


class XnliProcessor(TaskProcessor):
    """XNLI."""

    task_name = "xnli"


class LCQMCPairClassificationProcessor(TaskProcessor):
    """LCQMC."""

    task_name = "lcqmc_pair"


class SentencePairClassificationProcessor(TaskProcessor):
    """Pairs of one's own: label, first and second text, separated by tabs."""

    task_name = "sentence_pair"


def convert_single_example(
    ex_index: int,
    example: AnyExample,
    label_list: Sequence[str],
    max_seq_length: int,
    tokenizer: FullTokenizer,
    task_name: Optional[str] = None,
) -> InputFeatures:
    """Encodes an example as features of `max_seq_length`; without a label, the label's id is 0.

    Args:
      ex_index, task_name: accepted; they change nothing.
      example: the example.
      label_list: the labels in the order of their ids.
      max_seq_length: tokens of the sequence.
      tokenizer: makes the ids.

    Raises:
      ValueError: the label is none of the list.
    """
    del ex_index, task_name
    if isinstance(example, PaddingInputExample):
        zeros = [0] * max_seq_length
        return InputFeatures(zeros, list(zeros), list(zeros), 0, is_real_example=False)
    text_a = convert_to_unicode(example.text_a)
    text_b = None if example.text_b is None else convert_to_unicode(example.text_b)
    encoded = encode_pair(tokenizer, text_a, text_b, max_seq_length)
    padding = [0] * (max_seq_length - len(encoded.input_ids))
    return InputFeatures(
        encoded.input_ids + [tokenizer.pad_id] * len(padding),
        [1] * len(encoded.input_ids) + padding,
        encoded.segment_ids + padding,
        _label_id(example, label_list),
    )


def _label_id(example: InputExample, label_list: Sequence[str]) -> int:
    if example.label is None:
        return 0
    if example.label not in label_list:
        raise ValueError(
            "{} has the label {!r}, the labels are {}".format(example.guid, example.label, ", ".join(label_list))
        )
    return list(label_list).index(example.label)


def convert_examples_to_features(
    examples: Sequence[AnyExample], label_list: Sequence[str], max_seq_length: int, tokenizer: FullTokenizer
) -> List[InputFeatures]:
    """Encodes examples in their order (raises as `convert_single_example`)."""
    return [
        convert_single_example(index, example, label_list, max_seq_length, tokenizer)
        for index, example in enumerate(examples)
    ]


def _record_features(seq_length: int) -> Tuple[Feature, ...]:
    return (
        Feature("input_ids", "int64", seq_length),
        Feature("input_mask", "int64", seq_length),
        Feature("segment_ids", "int64", seq_length),
        Feature("label_ids", "int64", 1),
        Feature("is_real_example", "int64", 1),
    )


def _values_of(features: InputFeatures) -> Dict[str, List[int]]:
    return {
        "input_ids": features.input_ids,
        "input_mask": features.input_mask,
        "segment_ids": features.segment_ids,
        "label_ids": [features.label_id],
        "is_real_example": [int(features.is_real_example)],
    }


def file_based_convert_examples_to_features(
    examples: Sequence[AnyExample],
    label_list: Sequence[str],
    max_seq_length: int,
    tokenizer: FullTokenizer,
    output_file: str,
) -> None:
    """Writes the features of examples to a TFRecord file."""
    rows = [_values_of(row) for row in convert_examples_to_features(examples, label_list, max_seq_length, tokenizer)]
    write_records(output_file, encode_rows(_record_features(max_seq_length), rows))


InputFn = Callable[[Dict[str, Any]], tf.data.Dataset]


def file_based_input_fn_builder(
    input_file: str, seq_length: int, is_training: bool, drop_remainder: bool, seed: Optional[int] = None
) -> InputFn:
    """Builds the input function over a file of `file_based_convert_examples_to_features`; training is endless."""
    declared = {
        feature.name: tf.io.FixedLenFeature([] if feature.length == 1 else [seq_length], tf.int64)
        for feature in _record_features(seq_length)
    }

    def parse(record: Tensor) -> Dict[str, Tensor]:
        example = tf.io.parse_single_example(record, declared)
        return {name: tf.cast(value, tf.int32) for name, value in example.items()}

    return _input_fn(lambda: tf.data.TFRecordDataset(input_file).map(parse), is_training, drop_remainder, seed)


def input_fn_builder(
    features: Sequence[InputFeatures],
    seq_length: int,
    is_training: bool,
    drop_remainder: bool,
    seed: Optional[int] = None,
) -> InputFn:
    """Builds the input function over features in memory; training is endless."""
    del seq_length  # the features have it
    values = [_values_of(row) for row in features]
    columns: Dict[str, List[Any]] = {name: [row[name] for row in values] for name in values[0]}
    for name in ("label_ids", "is_real_example"):
        columns[name] = [value for (value,) in columns[name]]

    def rows() -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices({name: tf.constant(columns[name], tf.int32) for name in columns})

    return _input_fn(rows, is_training, drop_remainder, seed)


def _input_fn(
    rows: Callable[[], tf.data.Dataset], is_training: bool, drop_remainder: bool, seed: Optional[int]
) -> InputFn:
    def input_fn(params: Dict[str, Any]) -> tf.data.Dataset:
        data = rows()
        if is_training:
            data = data.shuffle(_SHUFFLE_BUFFER, seed=seed).repeat()
        return data.batch(params["batch_size"], drop_remainder=drop_remainder)

    return input_fn


class ClassifierTensors(NamedTuple):
    """Graph of a classifier, in the published order."""

    loss: Tensor  # scalar
    per_example_loss: Tensor  # [B]
    logits: Tensor  # [B, labels]
    probabilities: Tensor  # [B, labels]


def create_model(
    bert_config: ModelConfig,
    is_training: bool,
    input_ids: Tensor,
    input_mask: Tensor,
    segment_ids: Tensor,
    labels: Tensor,
    num_labels: int,
    use_one_hot_embeddings: bool,
) -> ClassifierTensors:
    """Builds a classifier on the encoder of the family whose configuration is given.

    Args:
      bert_config: a `BertConfig` or an `AlbertConfig`.
      is_training: whether dropout acts.
      input_ids, input_mask, segment_ids: int [B, S].
      labels: int [B], the ids of the labels.
      num_labels: labels.
      use_one_hot_embeddings: look words up by a product with one-hot rows (TPU).
    """
    features = {"input_ids": input_ids, "input_mask": input_mask, "segment_ids": segment_ids}
    model = build_encoder(
        _family_of(bert_config), bert_config, features, is_training, use_one_hot_embeddings=use_one_hot_embeddings
    )
    output = heads.classifier(model, num_labels, is_training, labels)
    return ClassifierTensors(output.loss, output.example_loss, output.logits, tf.nn.softmax(output.logits))


def _family_of(config: ModelConfig) -> Family:
    return GOOGLE if isinstance(config, AlbertConfig) else ZH


def model_fn_builder(
    bert_config: ModelConfig,
    num_labels: int,
    init_checkpoint: Optional[str],
    learning_rate: float,
    num_train_steps: Optional[int],
    num_warmup_steps: Optional[int],
    use_tpu: bool,
    use_one_hot_embeddings: bool,
    optimizer: str = "adamw",
) -> Callable[..., Any]:
    """Builds a model_fn for TPUEstimator over the features of the two input functions above.

    Args:
      bert_config: a `BertConfig` or an `AlbertConfig`.
      num_labels: labels.
      init_checkpoint: weights to start from; None for random ones.
      learning_rate, num_train_steps, num_warmup_steps, optimizer: see `OptimizerSettings`.
      use_tpu, use_one_hot_embeddings: whether a TPU computes, and how it looks words up.
    """
    classifier = Classifier(
        _family_of(bert_config), bert_config, num_labels, use_one_hot_embeddings=use_one_hot_embeddings
    )
    schedule = OptimizerSettings(learning_rate, num_train_steps or 0, num_warmup_steps or 0, optimizer)
    setup = TrainingSetup(schedule, init_checkpoint, use_tpu=use_tpu)

    def model_fn(features: Features, labels: Any, mode: str, params: Dict[str, Any]) -> Any:
        del labels, params
        if mode == tf.estimator.ModeKeys.TRAIN:
            return training_spec(classification_objective(classifier), features, setup)
        _, output = classifier.build(features, is_training=False)
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.tpu.TPUEstimatorSpec(
                mode=mode,
                predictions={"probabilities": tf.nn.softmax(output.logits)},
                scaffold_fn=warm_start(setup),
            )
        columns = [features["label_ids"], features["is_real_example"]]
        return evaluation_spec(output.loss, setup, _metrics, [output.example_loss, output.logits, *columns])

    return model_fn


def _metrics(
    per_example_loss: Tensor, logits: Tensor, label_ids: Tensor, is_real_example: Tensor
) -> Dict[str, Tuple[Tensor, Tensor]]:
    weights = tf.cast(is_real_example, tf.float32)
    predicted = tf.argmax(logits, axis=-1, output_type=tf.int32)
    return {
        "eval_accuracy": tf.metrics.accuracy(label_ids, predicted, weights),
        "eval_loss": tf.metrics.mean(per_example_loss, weights),
    }


def truncate_seq_pair(tokens_a: List[Any], tokens_b: List[Any], max_length: int) -> None:
    """Shortens two lists in place until both together have at most `max_length` entries; the longer one loses first."""
    kept = lengths_that_fit(len(tokens_a), len(tokens_b), max_length)
    del tokens_a[kept.a :]
    del tokens_b[kept.b :]


_truncate_seq_pair = truncate_seq_pair  # the published spelling

PUBLISHED_NAMES = (
    "ClassifierTensors DataProcessor InputExample InputFeatures LCQMCPairClassificationProcessor PaddingInputExample "
    "SentencePairClassificationProcessor TaskProcessor XnliProcessor _truncate_seq_pair convert_examples_to_features "
    "convert_single_example create_model file_based_convert_examples_to_features file_based_input_fn_builder "
    "input_fn_builder model_fn_builder truncate_seq_pair"
).split()


def find(name: str, module: str) -> Any:
    """Returns what a published module, such as run_classifier, has under a name (raises `AttributeError`)."""
    if name not in PUBLISHED_NAMES:
        raise AttributeError("module {!r} has no attribute {!r}".format(module, name))
    return globals()[name]
