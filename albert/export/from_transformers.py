"""Import from the library `transformers`: its ALBERT becomes a checkpoint of the google family."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Optional, Tuple

from albert.checkpoints.description import ModelFolder
from albert.checkpoints.families import GOOGLE
from albert.checkpoints.folder import CONFIG_NAME, Companions, write_companions
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import write_values
from albert.export import transformers_folder
from albert.export.format import FLOAT32_TOLERANCE, Written
from albert.export.transformers_folder import ACTIVATION_NAMES, VOCAB_FILE, TransformersFolder
from albert.export.transformers_names import from_transformers
from albert.inference.graph import InferenceGraph, head_recipe
from albert.model.config import ModelConfig
from albert.model.outputs import CLASSIFIER, Arrays

CHECKPOINT_NAME = "albert_model.ckpt"


def google_config(source: TransformersFolder) -> Any:
    """Turns the folder's configuration into one of the google family (raises `UserError` for unknown values)."""
    theirs = source.config
    ours = {field.name: theirs[field.name] for field in dataclasses.fields(GOOGLE.config_class) if field.name in theirs}
    activations = {name: activation for activation, name in ACTIVATION_NAMES.items()}
    return GOOGLE.config_class.from_dict(dict(ours, hidden_act=activations[theirs["hidden_act"]]))


def write_tensorflow(
    source: TransformersFolder, folder: str, vocab_file: Optional[str], do_lower_case: bool
) -> Written:
    """Writes albert_model.ckpt, albert_config.json, vocab.txt and, for a classifier, the description of a model folder.

    Args:
      source: what is turned into a checkpoint.
      folder: where it goes.
      vocab_file: its vocabulary, where there is one.
      do_lower_case: whether its text is lower-cased, where the tokenizer's file does not say so.

    Raises:
      UserError: the model differs from the google family.
    """
    config = google_config(source)
    write_values(from_transformers(source.values, config), os.path.join(folder, CHECKPOINT_NAME))
    is_described = vocab_file and source.head == CLASSIFIER
    description = _description(source, config, do_lower_case) if is_described else None
    write_companions(folder, Companions(config, CONFIG_NAME, vocab_file, VOCAB_FILE, description))
    return Written(
        answer=lambda inputs: _answer(folder, source.head, inputs),
        tolerance=FLOAT32_TOLERANCE,
        opened_by="--init_checkpoint={} of every command here",
    )


def _description(source: TransformersFolder, config: ModelConfig, do_lower_case: bool) -> ModelFolder:
    tokenizer = transformers_folder.read_tokenizer_config(source.path)
    longest = config.max_position_embeddings
    return ModelFolder(
        task=source.config.get("finetuning_task") or "unknown",
        labels=_labels(source),
        family=GOOGLE.name,
        config_file=CONFIG_NAME,
        vocab_file=VOCAB_FILE,
        do_lower_case=tokenizer.get("do_lower_case", do_lower_case),
        # Without a limit of its own, a tokenizer has a number that is larger than any sequence.
        max_seq_length=min(tokenizer.get("model_max_length", longest), longest),
    )


def _labels(source: TransformersFolder) -> Tuple[str, ...]:
    names = source.config.get("id2label") or {}
    count = len(source.values["classifier.bias"])
    return tuple(str(names.get(str(index), index)) for index in range(count))


def _answer(folder: str, head: str, inputs: Arrays) -> Arrays:
    with InferenceGraph(head_recipe(open_checkpoint(folder), head)) as graph:
        return graph.answer(inputs)
