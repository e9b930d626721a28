"""Import from the library `transformers`: its ALBERT becomes a checkpoint of the google family."""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import Any, Tuple

from albert.base.errors import UserError
from albert.checkpoints.description import ModelFolder
from albert.checkpoints.families import GOOGLE
from albert.checkpoints.folder import CONFIG_NAME, Companions, write_companions
from albert.checkpoints.model import check_encoder, open_checkpoint
from albert.checkpoints.values import write_values
from albert.checkpoints.variables import listed
from albert.export.format import FLOAT32_TOLERANCE, Written
from albert.export.transformers_folder import ACTIVATION_NAMES, CONFIG_FILE, TransformersFolder
from albert.export.transformers_names import from_transformers
from albert.export.transformers_tokenizer import SourceTokenizer
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.tag_reading import other_labels
from albert.model.config import ModelConfig
from albert.model.outputs import FINE_TUNED_HEADS, TAGS, Arrays
from albert.model.pooling import MEAN
from tokenization import FullTokenizer, check_vocab_size

CHECKPOINT_NAME = "albert_model.ckpt"

_log = logging.getLogger(__name__)


def google_config(source: TransformersFolder) -> Any:
    """Turns the folder's configuration into one of the google family (raises `UserError` for unknown values)."""
    theirs = source.config
    ours = {field.name: theirs[field.name] for field in dataclasses.fields(GOOGLE.config_class) if field.name in theirs}
    activations = {name: activation for activation, name in ACTIVATION_NAMES.items()}
    return GOOGLE.config_class.from_dict(dict(ours, hidden_act=activations[theirs["hidden_act"]]))


def write_tensorflow(source: TransformersFolder, folder: str, tokenizer: SourceTokenizer) -> Written:
    """Writes albert_model.ckpt, albert_config.json, the vocabulary and, for a trained head, the description.

    Without a description tokenizer_config.json keeps the case of the text.

    Args:
      source: what is turned into a checkpoint.
      folder: where it goes.
      tokenizer: of the source.

    Raises:
      UserError: the model differs from the google family, or its vocabulary does not fit.
    """
    config = google_config(source)
    values = from_transformers(source.values, config, source.head)
    check_encoder(source.path, {name: list(value.shape) for name, value in values.items()})
    vocab_file = tokenizer.write(folder)
    if vocab_file:
        check_vocabulary(vocab_file, tokenizer.is_sentencepiece, config, os.path.join(source.path, CONFIG_FILE))
    labels = source.labels()
    if source.head == TAGS:
        _say_other_tags(labels)
    is_described = vocab_file and source.head in FINE_TUNED_HEADS
    needed = "pooling" if source.pooling not in (None, MEAN) else "thresholds" if source.is_multilabel else None
    if needed and not is_described:
        raise UserError(
            "{} has no vocabulary, without which no description keeps its {}: name it with --vocab_file".format(
                source.path, needed
            )
        )
    description = _description(source, config, tokenizer, labels) if is_described else None
    write_values(values, os.path.join(folder, CHECKPOINT_NAME))
    write_companions(
        folder, Companions(config, CONFIG_NAME, description=description, do_lower_case=tokenizer.do_lower_case)
    )
    return Written(
        answer=lambda inputs: _answer(folder, source.head, inputs),
        tolerance=FLOAT32_TOLERANCE,
        opened_by="--init_checkpoint={} of every command here",
    )


def check_vocabulary(path: str, is_sentencepiece: bool, config: ModelConfig, config_file: str) -> None:
    """Checks that a vocabulary can be used, and fits a model; before anything uses it.

    Raises:
      UserError: it cannot be read, repeats a token, lacks a special one, or is of another size.
    """
    tokenizer = FullTokenizer(None if is_sentencepiece else path, True, path if is_sentencepiece else None)
    check_vocab_size(tokenizer, config.vocab_size, config_file)


def _say_other_tags(labels: Tuple[str, ...]) -> None:
    """Logs which labels of tokens are no tags of entities: they are kept, but no entity can be read from them."""
    others = tuple(other_labels(labels))
    if others:
        _log.info(
            "The labels are kept, but these are no tags of entities such as B-PER, I-PER and O: %s. No entity can be "
            "read from them.",
            listed(others),
        )


def _description(
    source: TransformersFolder, config: ModelConfig, tokenizer: SourceTokenizer, labels: Tuple[str, ...]
) -> ModelFolder:
    longest = config.max_position_embeddings
    return ModelFolder(
        task=str(source.config.get("finetuning_task") or "unknown"),
        labels=labels,
        family=GOOGLE.name,
        config_file=CONFIG_NAME,
        vocab_file=tokenizer.name,
        do_lower_case=tokenizer.do_lower_case,
        # Without a limit of its own, a tokenizer has a number that is larger than any sequence.
        max_seq_length=min(tokenizer.model_max_length or longest, longest),
        is_sentencepiece=tokenizer.is_sentencepiece,
        pooling=source.pooling,
        head=source.head,
        **source.answering(len(labels)),
    )


def _answer(folder: str, head: str, inputs: Arrays) -> Arrays:
    with InferenceGraph(head_recipe(open_checkpoint(folder), head)) as graph:
        return graph.answer(inputs)
