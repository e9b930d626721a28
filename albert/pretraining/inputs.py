"""Record files of a pre-training run: which ones, and whether they fit the run."""

from __future__ import annotations

import os
from typing import Any, Dict, List, NamedTuple, Optional

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.paths import CONFIGS
from albert.batches import dynamic_masking
from albert.batches.pipeline import HeldOut
from albert.files.features import CHUNK_FEATURES, HELD_OUT, pretraining_features
from albert.files.reading import describe_files
from albert.files.record_sets import described_shard, expand_globs, journal_path, read_sidecar, sidecar_parts
from albert.files.tfrecords import count_records, first_record
from albert.pretraining.settings import PretrainingSettings
from albert.training.run_model import RunModel
from tokenization import takes_vocabulary

_VOCABULARY = "vocab.txt"


class Inputs(NamedTuple):
    """Record files of both phases."""

    train_files: List[str]
    eval_files: List[str]
    held_out: Optional[HeldOut]  # set where both read the same files


def find_inputs(settings: PretrainingSettings) -> Inputs:
    """Finds the record files of both phases; evaluation sees no training record unless the user insists."""
    train_files = expand_globs(settings.input_file)
    held_out = next((path for path in train_files if (read_sidecar(path) or {}).get("content") == HELD_OUT), None)
    if held_out and settings.do_train:
        raise UserError("{} holds held-out documents: leave it out of --input_file".format(held_out))
    if settings.eval_input_file:
        eval_files = expand_globs(settings.eval_input_file)
        both = sorted(set(train_files) & set(eval_files))
        if both and settings.do_train and not settings.eval_on_training_data:
            raise UserError(
                "{} is in --input_file and in --eval_input_file: evaluation belongs on other documents".format(both[0])
            )
        return Inputs(train_files, eval_files, None)
    if settings.eval_on_training_data or settings.eval_share == 0.0:
        return Inputs(train_files, train_files, None)
    return Inputs(train_files, train_files, HeldOut(period=int(round(1.0 / settings.eval_share))))


def check_masking(settings: PretrainingSettings, inputs: Inputs) -> None:
    """Raises `UserError` where records are to be masked in different ways, or where that cannot be done."""
    for paths in (inputs.train_files, inputs.eval_files):
        dynamic = dynamic_masking.of_files(paths, settings.max_seq_length, settings.max_predictions_per_seq)
        if dynamic and settings.use_tpu:
            raise UserError(
                "{} is to be masked when it is read, which runs on this machine and not on a TPU's: make records "
                "without --dynamic_masking".format(paths[0])
            )


def check_records(path: str, max_seq_length: int, max_predictions_per_seq: int, vocab_size: int) -> None:
    """Raises `UserError` where a file is cut off or its records were made for something else."""
    asked = {"max_seq_length": max_seq_length, "max_predictions_per_seq": max_predictions_per_seq}
    sidecar = read_sidecar(path)
    if sidecar is None and os.path.exists(journal_path(path)):
        raise UserError("{} belongs to a data set that is not complete: run its command again".format(path))
    made = _described(path, sidecar) if sidecar else _measured(path)
    if dynamic_masking.is_dynamic(sidecar):
        del asked["max_predictions_per_seq"]  # the records hold no predictions yet
    for name, value in asked.items():
        if made[name] != value:
            raise UserError("{} was made for {} {}, asked for {}".format(path, name, made[name], value))
    if "vocab_size" in made and not takes_vocabulary(vocab_size, made["vocab_size"]):
        raise UserError("{} was made for vocab_size {}, asked for {}".format(path, made["vocab_size"], vocab_size))
    shard = described_shard(path, sidecar)
    if shard is None:
        count_records(path)  # walks the whole file and raises where it is cut off
    elif shard["bytes"] != os.path.getsize(path):
        raise UserError(
            "{} has {} bytes, {} were written: it is cut off or was changed, make it again".format(
                path, os.path.getsize(path), shard["bytes"]
            )
        )


def _described(path: str, sidecar: Dict[str, Any]) -> Dict[str, int]:
    parts = sidecar_parts(path, sidecar)
    return dict(parts.section("settings").values, vocab_size=parts.section("vocabulary").count("size"))


def _measured(path: str) -> Dict[str, int]:
    """The lengths of a file without a sidecar, off its first record."""
    record = first_record(path)
    if record is None:
        raise UserError("{} holds no records".format(path))
    try:
        fields = tf.train.Example.FromString(record).features.feature
    except Exception as error:  # protobuf's own DecodeError differs between its versions
        raise UserError("the records of {} are no tf.train.Example".format(path)) from error
    if all(feature.name in fields for feature in CHUNK_FEATURES):
        raise dynamic_masking.missing_sidecar(path)
    for feature in pretraining_features(0, 0):
        if feature.name not in fields:
            raise UserError("the records of {} are not for pre-training: they lack {}".format(path, feature.name))
    return {
        "max_seq_length": len(fields["input_ids"].int64_list.value),
        "max_predictions_per_seq": len(fields["masked_lm_ids"].int64_list.value),
    }


def with_vocabulary(model: RunModel, inputs: Inputs) -> RunModel:
    """Adds the vocabulary and the case with which the records were made to a model that comes without them.

    The vocabulary is searched beside the config and where setup.sh puts it, and identified by the hash in the records'
    sidecar.
    """
    sidecar = read_sidecar(inputs.train_files[0])
    if sidecar is None:
        return model
    parts = sidecar_parts(inputs.train_files[0], sidecar)
    settings = parts.section("settings")
    model = model._replace(
        do_lower_case=settings.flag("do_lower_case") if "do_lower_case" in settings else model.do_lower_case
    )
    if model.vocab_file or model.spm_model_file:
        return model
    for folder in (os.path.dirname(model.config_file or ""), CONFIGS):
        path = os.path.join(folder, _VOCABULARY)
        if os.path.exists(path) and describe_files([path])[0]["sha256"] == parts.section("vocabulary").values.get(
            "sha256"
        ):
            return model._replace(vocab_file=path)
    return model


def evaluated_on(inputs: Inputs) -> str:
    """Words for what an evaluation is measured on."""
    if inputs.held_out:
        return "every {}th record, kept from training (their documents may occur in training under other masks)".format(
            inputs.held_out.period
        )
    return "the training records" if inputs.eval_files == inputs.train_files else "held-out records"
