"""Dynamic masking in the input pipeline: chunks are ordered and masked again each time they are read.

The masks are drawn by the functions that make static records, called from tf.data for many records at once. So both
kinds have the same statistics. The generator is seeded by the run's seed and the number of the group of records, which
keeps counting through all epochs.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.batches.order import Tensor
from albert.files.features import CHUNK_FEATURES, pretraining_features
from albert.files.json_reading import Description
from albert.files.record_encoding import Ragged
from albert.files.record_sets import read_sidecar, sidecar_parts, sidecar_path
from albert.pretraining_data.chunks import chunks_of_columns
from albert.pretraining_data.examples import example_columns, make_examples
from albert.pretraining_data.masking import MaskingSettings
from albert.pretraining_data.vocabulary import PretrainingVocabulary, vocabulary_from_json

# Records that one call masks. With fewer records, the cost of the call itself shows.
_RECORDS_AT_ONCE = 2048

_MASKING_TYPES: Dict[str, Any] = {  # of the settings in a sidecar
    "masked_lm_prob": (int, float),
    "ngram": int,
    "favor_shorter_ngram": bool,
    "mask_draw": str,
}
_MOST_TOKENS = 1 << 24  # of a vocabulary


class DynamicMasking(NamedTuple):
    """Settings of dynamic masking: how chunks are masked when they are read.

    Attributes:
      max_seq_length: tokens of a row (S).
      masking: how much is masked, and how.
      vocabulary: the vocabulary of the tokenizer that made the records.
    """

    max_seq_length: int
    masking: MaskingSettings
    vocabulary: PretrainingVocabulary


def is_dynamic(sidecar: Optional[Mapping[str, Any]]) -> bool:
    """Tells whether a sidecar describes records that are masked when they are read."""
    return bool((sidecar or {}).get("settings", {}).get("dynamic_masking"))


def of_files(paths: Sequence[str], max_seq_length: int, max_predictions_per_seq: int) -> Optional[DynamicMasking]:
    """Reads from the sidecars how the records of these files are to be masked; None if they are masked already.

    Raises:
      UserError: the files are of both kinds, or were made with different vocabularies or masking settings.
    """
    chosen: Dict[str, Any] = {}
    for path in {sidecar_path(path): path for path in paths}.values():  # all shards of a set share one description
        sidecar = read_sidecar(path)
        described = _masking_of(path, sidecar) if sidecar and is_dynamic(sidecar) else None
        chosen.setdefault("path", path)
        if chosen.setdefault("masking", described) != described:
            raise UserError(
                "{} and {} need different masking: give records of one kind, made with the same settings".format(
                    chosen["path"], path
                )
            )
    if chosen["masking"] is None:
        return None
    settings = dict(chosen["masking"]["settings"], max_predictions_per_seq=max_predictions_per_seq)
    try:
        vocabulary = vocabulary_from_json(chosen["masking"]["vocabulary"])
    except (KeyError, TypeError, ValueError) as error:
        message = "{} is not a sidecar of dynamic records: its masking_vocabulary is none ({!r})"
        raise UserError(message.format(sidecar_path(chosen["path"]), error)) from error
    return DynamicMasking(max_seq_length, MaskingSettings(**settings), vocabulary)


def _masking_of(path: str, sidecar: Dict[str, Any]) -> Dict[str, Any]:
    """The masking that a sidecar describes, without the number of predictions, which each run chooses itself."""
    parts = sidecar_parts(path, sidecar)
    try:
        described = parts.section("settings")
        settings = {name: _checked(name, described) for name in _MASKING_TYPES}
        vocabulary = parts.section("masking_vocabulary")
        vocabulary.count("vocab_size", most=_MOST_TOKENS)
    except UserError as error:
        raise UserError("{} is not a sidecar of dynamic records: {}".format(sidecar_path(path), error)) from error
    return {"settings": settings, "vocabulary": vocabulary.values}


def _checked(name: str, described: Description) -> Any:
    value = described.value(name)
    if isinstance(value, bool) and _MASKING_TYPES[name] is not bool or not isinstance(value, _MASKING_TYPES[name]):
        raise UserError("{} is of another type: {!r}".format(name, value))
    return value


def missing_sidecar(path: str) -> UserError:
    """Error for chunk records that have no sidecar."""
    return UserError(
        "the records of {} are masked when they are read: this needs the file {} beside them".format(
            path, sidecar_path(path)
        )
    )


def masked_batches(
    records_from: Callable[[int], tf.data.Dataset],
    batch_size: int,
    dynamic: DynamicMasking,
    *,
    seed: int,
    is_training: bool,
    start_step: int = 0,
) -> tf.data.Dataset:
    """Batches of masked examples.

    Args:
      records_from: gives serialized `features.CHUNK_FEATURES` from the numbered record on; endless if `is_training`.
      batch_size: examples per batch; the last batch of an evaluation may be smaller.
      dynamic: how examples are masked.
      seed: seed of the orders and the masks.
      is_training: whether to give full batches only.
      start_step: number of batches that came before.
    """
    batches_at_once = max(1, _RECORDS_AT_ONCE // batch_size) if is_training else 1
    group_size = batches_at_once * batch_size
    first_group, passed = divmod(start_step, batches_at_once)
    groups = records_from(first_group * group_size).batch(group_size, drop_remainder=is_training)
    mask = _masker(dynamic, seed, batches_at_once)
    numbered = tf.data.Dataset.zip((tf.data.experimental.Counter(first_group), groups))
    return numbered.map(mask, num_parallel_calls=2).flat_map(tf.data.Dataset.from_tensor_slices).skip(passed)


def _masker(dynamic: DynamicMasking, seed: int, num_batches: int) -> Callable[[Tensor, Tensor], Dict[str, Tensor]]:
    """Function from the number of a group and its serialized records to batches, [num_batches, B, length] each."""
    declared = pretraining_features(dynamic.max_seq_length, dynamic.masking.max_predictions_per_seq)
    dtypes = [tf.float32 if feature.dtype == "float32" else tf.int32 for feature in declared]
    spec = {feature.name: tf.io.VarLenFeature(tf.int64) for feature in CHUNK_FEATURES}

    def examples_of(number: np.int64, num_records: np.int32, *parsed: np.ndarray) -> List[np.ndarray]:
        rng = np.random.RandomState([seed & 0xFFFFFFFF, int(number) & 0xFFFFFFFF, int(number) >> 32])
        columns = _columns(int(num_records), parsed)
        examples = make_examples(chunks_of_columns(columns), rng=rng, **dynamic._asdict())
        values = example_columns(examples)
        return [values[feature.name] for feature in declared]

    def mask(number: Tensor, serialized: Tensor) -> Dict[str, Tensor]:
        parsed = tf.io.parse_example(serialized, spec)
        values_and_rows: List[Tensor] = []
        for name in spec:  # a loop: TensorFlow 1.15 cannot convert a comprehension with two
            values_and_rows += [parsed[name].values, parsed[name].indices[:, 0]]
        values = tf.numpy_function(examples_of, [number, tf.size(serialized), *values_and_rows], dtypes)
        return {
            feature.name: tf.reshape(value, [num_batches, -1, feature.length])
            for feature, value in zip(declared, values)
        }

    return mask


def _columns(num_records: int, parsed: Sequence[np.ndarray]) -> Dict[str, Ragged]:
    """Ragged columns from what TensorFlow parsed: for each feature its values, then the record of each value."""
    columns = {}
    for feature, values, rows in zip(CHUNK_FEATURES, parsed[::2], parsed[1::2]):
        columns[feature.name] = Ragged(values.astype(np.int32), np.bincount(rows, minlength=num_records))
    return columns
