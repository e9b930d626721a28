"""Model of a checkpoint: family, config, heads, vocabulary and labels, from its path alone.

The config is the file beside the checkpoint, else the published config whose shapes it has (docs/en/models.md,
"Configurations").
"""

from __future__ import annotations

import dataclasses
import glob
import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.base.paths import CONFIGS
from albert.checkpoints.description import DESCRIPTION_FILE, ModelFolder, best_folder, read_description
from albert.checkpoints.families import FAMILIES, Family
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.parts import encoder_lack, fine_tuned_words, has_pooler, lack_of, usable_heads
from albert.checkpoints.tokenizer_file import read_do_lower_case
from albert.checkpoints.values import read_contents, step_of
from albert.checkpoints.variables import (
    ENCODER_PREFIX,
    Shapes,
    count_parameters,
    describe_weights,
    family_of,
    has_head,
    normalises_pooled_output,
    num_labels_of,
    num_tags_of,
    sizes_of,
    unlike_albert,
    vector_size_of,
)
from albert.files import json_reading
from albert.model.config import ModelConfig
from albert.model.outputs import FINE_TUNED_HEADS, HEADS
from albert.model.pooling import MEAN, POOLINGS
from tokenization import load_vocab, takes_vocabulary

_log = logging.getLogger(__name__)

_SHIPPED_TOKENS = 21128  # of albert_config/vocab.txt
_SIZES_OF_ANY_MODEL = ("vocab_size", "max_position_embeddings", "type_vocab_size")  # may differ from the published

_LIBRARY_CONFIG = "config.json"  # as the library transformers names it
_CONFIG_MARKS = ("hidden_size", "num_hidden_layers")  # keys that only the config of a model has

# Sources of a config.
NAMED, FOUND, INFERRED = "named", "file", "inferred"


class CheckpointModel(NamedTuple):
    """Model of a checkpoint.

    Attributes:
      family: the model's family.
      config: the model's configuration, of the family's class.
      config_source: "named" (by the caller), "file" (found beside the checkpoint) or "inferred" (from the shapes).
      config_file: the path of the config; None where it was inferred.
      prefix: of the checkpoint.
      shapes: names and shapes of the weights; no slots, no step.
      heads: names of the heads that can answer (`outputs.HEADS`, `parts.lack_of`), from the plainest on.
      num_labels: the number of labels of a classifier, or of tags of a tagger; None without either.
      slots: names of the optimizer's slots, such as adam_m; empty if there are none.
      step: the global step at which it was written; 0 if it holds none.
      vocab_file, spm_model_file: the vocabulary or sentencepiece model found beside the checkpoint, if any.
      description: the description of a fine-tuned model (labels, task, …) in its folder, if any.
      do_lower_case: whether its text is lower-cased; None where nothing beside the checkpoint says it.
    """

    family: Family
    config: ModelConfig
    config_source: str
    config_file: Optional[str]
    prefix: str
    shapes: Shapes
    heads: Tuple[str, ...]
    num_labels: Optional[int]
    slots: Tuple[str, ...]
    step: int
    vocab_file: Optional[str]
    spm_model_file: Optional[str]
    description: Optional[ModelFolder]
    do_lower_case: Optional[bool]

    @property
    def head(self) -> str:
        """The name of the head that it was trained with last; "encoder" if it has none."""
        described = self.description.head if self.description else None
        return described if described in self.heads else self.heads[-1]

    @property
    def has_pooler(self) -> bool:
        """Whether it holds a pooler; what is trained for masked LM alone may lack it."""
        return has_pooler(self.shapes)

    def lack_of(self, head: str) -> Optional[str]:
        """Says why it cannot answer with a head, in words that follow "has"; None where it can."""
        return lack_of(self.shapes, head, self.use_pooled_output)

    @property
    def has_slots(self) -> bool:
        """Whether it holds the optimizer's slots, so that training can continue where it ended."""
        return bool(self.slots)

    @property
    def num_parameters(self) -> int:
        """The number of parameters of encoder and heads."""
        return count_parameters(self.shapes)

    @property
    def num_encoder_parameters(self) -> int:
        """The number of parameters of the encoder with its pooler."""
        return count_parameters(self.shapes, ENCODER_PREFIX)

    @property
    def use_pooled_output(self) -> bool:
        """Whether a fine-tuned head takes the pooler's output, or the mean of the tokens."""
        return self.description.use_pooled_output if self.description else True

    @property
    def vector_size(self) -> Optional[int]:
        """The numbers of a sentence vector; None without the head that makes them."""
        return vector_size_of(self.shapes)

    @property
    def pooling(self) -> str:
        """How the sentence-vector head pools tokens; the mean where no description says it."""
        return (self.description.pooling if self.description else None) or MEAN

    @property
    def labels(self) -> Optional[Tuple[str, ...]]:
        """The labels of a classifier, or the tags of a tagger, by id; None if no description names them."""
        return self.description.labels if self.description and self.num_labels else None


def open_checkpoint(path: str, config_file: Optional[str] = None, config_flag: Optional[str] = None) -> CheckpointModel:
    """Opens a checkpoint as a model; reads no values.

    Args:
      path: a prefix, one of the checkpoint's files, or a folder: published, of a run or of a model. Of a fine-tuning
        run its best model is opened.
      config_file: the configuration file; None looks for it.
      config_flag: the flag for it, for messages; by default that of the family.

    Raises:
      UserError: there is no checkpoint, it is incomplete or no ALBERT, its config contradicts it, or there is no config
        beside it and its size is not a published one.
    """
    prefix = find_weights(path)
    folder = os.path.dirname(prefix) or os.curdir
    contents = read_contents(prefix)
    check_encoder(prefix, contents.shapes)
    family = FAMILIES[family_of(contents.shapes) or ""]
    description = _description(folder, prefix, contents.shapes)
    source, found_file, config = _find_config(family, contents.shapes, prefix, description, config_file, config_flag)
    vocab_file, spm_model_file = _find_vocabulary(folder, description, config.vocab_size)
    return CheckpointModel(
        family=family,
        config=config,
        config_source=source,
        config_file=found_file,
        prefix=prefix,
        shapes=contents.shapes,
        heads=usable_heads(contents.shapes, description.use_pooled_output if description else True),
        num_labels=num_labels_of(contents.shapes) or num_tags_of(contents.shapes),
        slots=contents.slots,
        step=step_of(prefix),
        vocab_file=vocab_file,
        spm_model_file=spm_model_file,
        description=description,
        do_lower_case=description.do_lower_case if description else read_do_lower_case(folder),
    )


def vocabulary_words(model_files: Sequence[Optional[str]], vocab_size: int) -> str:
    """Returns the flag for the vocabulary in a proposed command, with a blank before it.

    Args:
      model_files: vocabularies that stand beside the model; the flag is not needed where there is one.
      vocab_size: of the model: the shipped vocabulary is not proposed to a model of another one.
    """
    if any(model_files):
        return ""
    return " --vocab_file=" + ("albert_config/vocab.txt" if takes_vocabulary(vocab_size, _SHIPPED_TOKENS) else "…")


def check_encoder(prefix: str, shapes: Shapes) -> None:
    """Checks that weights are an ALBERT whose encoder is whole but for the pooler.

    Raises:
      UserError: they are not; the sentence says what they are, or what is missing.
    """
    unlike = unlike_albert(shapes)
    if unlike:
        raise UserError("the checkpoint {} is {}".format(prefix, unlike))
    lack = encoder_lack(shapes)
    if lack:
        raise UserError("the checkpoint {} {}".format(prefix, lack))


def find_weights(path: str) -> str:
    """Finds the prefix of a path's checkpoint: of a fine-tuning run its best model, else as `files.find_checkpoint`."""
    best = best_folder(path)
    return find_checkpoint(best if read_description(best) else path)


def _description(folder: str, prefix: str, shapes: Shapes) -> Optional[ModelFolder]:
    description = read_description(folder)
    if description and description.pooling not in (None, *POOLINGS):
        raise UserError(
            "{} has the pooling {}: it must be one of {}".format(
                os.path.join(folder, DESCRIPTION_FILE), description.pooling, ", ".join(POOLINGS)
            )
        )
    if description:
        _check_description(description, prefix, os.path.join(folder, DESCRIPTION_FILE), shapes)
    return description


def _check_description(description: ModelFolder, prefix: str, path: str, shapes: Shapes) -> None:
    """Raises `UserError` where weights have another head than their description, or another number of labels."""
    held = [head for head in FINE_TUNED_HEADS if has_head(HEADS[head], shapes)]
    if description.head and held and description.head not in held:
        raise UserError(
            "the checkpoint {} has a head for {}, {} describes one for {}".format(
                prefix, fine_tuned_words(held[0]), path, fine_tuned_words(description.head)
            )
        )
    num_labels = num_labels_of(shapes) or num_tags_of(shapes)
    if num_labels and num_labels != len(description.labels):
        raise UserError(
            "the head of the checkpoint {} has {} labels, {} names {}".format(
                prefix, num_labels, path, len(description.labels)
            )
        )


def _find_config(
    family: Family,
    shapes: Shapes,
    prefix: str,
    description: Optional[ModelFolder],
    config_file: Optional[str],
    config_flag: Optional[str],
) -> Tuple[str, Optional[str], ModelConfig]:
    """Finds the config: its source, its path and itself."""
    if config_file:
        return NAMED, config_file, read_fitting_config(family, shapes, prefix, config_file)
    folder = os.path.dirname(prefix) or os.curdir
    if description:
        path = os.path.join(folder, description.config_file)
        return FOUND, path, read_fitting_config(family, shapes, prefix, path)
    found = _config_beside(family, shapes, prefix, folder, config_flag or family.config_flag)
    if found:
        return (FOUND,) + found
    config = _known_config(family, shapes)
    if config is None:
        raise UserError(
            "the checkpoint {} is {}: weights of that size do not tell how many layers and heads there are, name the "
            "config with --{}".format(prefix, describe_weights(shapes), config_flag or family.config_flag)
        )
    return INFERRED, None, config


def read_fitting_config(family: Family, shapes: Shapes, prefix: str, path: str) -> ModelConfig:
    """Reads the config in a file, which must fit the weights.

    Raises:
      UserError: it cannot be read, or contradicts the weights; both sides are named.
    """
    try:
        config = family.config_class.from_json_file(path)
    except UserError:
        other = next((name for name in FAMILIES if _parsed(FAMILIES[name], path) is not None), None)
        if other is None:
            raise
        raise UserError(
            "the checkpoint {} is {}, the config {} is of the {} family".format(
                prefix, describe_weights(shapes), path, other
            )
        ) from None
    differing = contradictions(config, shapes)
    if differing:
        raise UserError(
            "the checkpoint {} is {}, the config {} says otherwise: {}".format(
                prefix, describe_weights(shapes), path, ", ".join(differing)
            )
        )
    return config


def _parsed(family: Family, path: str) -> Optional[ModelConfig]:
    """Reads the config in a file; None if it is no config of the family."""
    try:
        return family.config_class.from_json_file(path)
    except UserError:
        return None


def contradictions(config: ModelConfig, shapes: Shapes) -> List[str]:
    """Lists where a config differs from the weights, as "hidden_size 312, not 768" (the weights' value first)."""
    differing = [
        "{} {}, not {}".format(key, value, getattr(config, key))
        for key, value in sizes_of(shapes).items()
        if getattr(config, key) != value
    ]
    is_preln = getattr(config, "ln_type", "postln") == "preln"
    if num_labels_of(shapes) and is_preln != normalises_pooled_output(shapes):
        differing.append("ln_type {}, not {}".format(*(("postln", "preln") if is_preln else ("preln", "postln"))))
    return differing


def _config_beside(
    family: Family, shapes: Shapes, prefix: str, folder: str, config_flag: str
) -> Optional[Tuple[str, ModelConfig]]:
    """Finds the config in a folder that fits the weights: its path and itself; None if the folder holds no config."""
    parsed = {path: _parsed(family, path) for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.json")))}
    # The folder may hold other JSON files too.
    paths = [path for path in parsed if parsed[path] is not None or _looks_like_config(path)]
    configs = {path: config for path, config in parsed.items() if config is not None}
    fitting = {path: config for path, config in configs.items() if not contradictions(config, shapes)}
    if not fitting:
        return (paths[0], read_fitting_config(family, shapes, prefix, paths[0])) if paths else None
    first = next(iter(fitting))
    other = next((path for path in fitting if fitting[path] != fitting[first]), None)
    if other:
        raise UserError(
            "{} and {} both fit the checkpoint {} but differ: name one with --{}".format(
                first, other, prefix, config_flag
            )
        )
    _name_unused(family, [path for path in paths if parsed[path] is None], first)
    return first, fitting[first]


def _looks_like_config(path: str) -> bool:
    """Whether a JSON file is meant as the config of a model, whether or not it can be used."""
    name = os.path.basename(path)
    if "bert_config" in name:
        return True
    try:
        values = json_reading.parse_description(json_reading.read_text(path))
    except (OSError, UserError):
        return name == _LIBRARY_CONFIG
    return any(key in values for key in _CONFIG_MARKS)


def _name_unused(family: Family, paths: List[str], used: str) -> None:
    """Says which configs were passed over, and why."""
    for path in paths:
        try:
            family.config_class.from_json_file(path)
        except UserError as error:
            _log.info("%s is used; passed over: %s", used, error)


def _known_config(family: Family, shapes: Shapes) -> Optional[ModelConfig]:
    """Finds the published config of the weights' size, with their own vocabulary and positions; None without one."""
    sizes = sizes_of(shapes)
    own: Dict[str, Any] = {key: sizes[key] for key in _SIZES_OF_ANY_MODEL if key in sizes}
    for path in sorted(glob.glob(os.path.join(glob.escape(CONFIGS), "albert_config_*.json"))):
        config = _parsed(family, path)
        if config is not None:
            config = dataclasses.replace(config, **own)
            if not contradictions(config, shapes):
                return config
    return None


def _find_vocabulary(
    folder: str, description: Optional[ModelFolder], vocab_size: int
) -> Tuple[Optional[str], Optional[str]]:
    """Finds the vocabulary or the sentencepiece model of a folder: two paths, at least one of them None."""
    if description:
        path = os.path.join(folder, description.vocab_file)
        return (None, path) if description.is_sentencepiece else (path, None)
    vocabularies = sorted(glob.glob(os.path.join(glob.escape(folder), "*vocab*.txt")))
    if vocabularies:
        sizes = {path: _size_of(path) for path in vocabularies}
        # The fullest that fits: a table of embeddings may have rows to spare.
        fitting = [path for path in vocabularies if takes_vocabulary(vocab_size, sizes[path])]
        return max(fitting, key=sizes.__getitem__, default=vocabularies[0]), None
    models = sorted(glob.glob(os.path.join(glob.escape(folder), "*.model")))
    return None, models[0] if len(models) == 1 else None


def _size_of(vocab_file: str) -> int:
    try:
        return len(load_vocab(vocab_file))
    except UserError:
        return 0
