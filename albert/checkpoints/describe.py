"""Description of a checkpoint on one screen, with commands that use it."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterable, List, Tuple

from albert.base.errors import UserError
from albert.base.paths import shell_word
from albert.checkpoints.model import FOUND, INFERRED, NAMED, CheckpointModel, vocabulary_words
from albert.checkpoints.sentence_vectors import describe_vectors
from albert.checkpoints.variables import listed, size_name, token_head_of
from albert.model.outputs import CLASSIFIER, ENCODER, MASKED_LM, PRETRAINING, SENTENCE_VECTOR, SPANS, TAGS
from albert.tasks.similar_label import find_similar_label

_WIDTH = 12  # of the left column
_HEADS = {
    ENCODER: "none: an encoder alone",
    MASKED_LM: "masked LM",
    PRETRAINING: "pre-training: masked LM and sentence order",
}
_TOKEN_HEADS = {
    SPANS: "spans that answer questions, for run_mrc.py",
    TAGS: "tags of tokens, for run_ner.py",
}
_CONFIG_SOURCES = {
    NAMED: "{}, as named",
    FOUND: "{}, found beside it",
    INFERRED: "inferred: the shapes are those of a published size",
}
_NO_VOCABULARY = "none beside it: name it with --vocab_file"


def describe_model(model: CheckpointModel, path: str) -> str:
    """Describes a checkpoint, and ends with commands to copy that name it as `path`."""
    rows = [
        ("family", "{} (--{})".format(model.family.name, model.family.config_flag)),
        ("size", _size(model)),
        ("parameters", "{:,} (encoder {:,})".format(model.num_parameters, model.num_encoder_parameters)),
        ("head", _head(model)),
        ("serves as", ", ".join(model.heads)),
        ("slots", listed(model.slots) if model.has_slots else "none: weights only"),
        ("step", "{:,}".format(model.step)),
        ("config", _CONFIG_SOURCES[model.config_source].format(os.path.basename(model.config_file or ""))),
        ("vocabulary", _vocabulary(model)),
    ]
    lines = [model.prefix] + ["  {:{}}{}".format(name, _WIDTH, value) for name, value in rows]
    for purpose, command in _uses(model, path):
        lines += ["", purpose + ":", "  " + command]
    return "\n".join(lines)


def _size(model: CheckpointModel) -> str:
    config: Any = model.config  # of either family
    name = size_name(config.hidden_size)
    words = ["{}: hidden_size {}".format(name, config.hidden_size) if name else "hidden_size %d" % config.hidden_size]
    words += ["{} layers".format(config.num_hidden_layers), "{} heads".format(config.num_attention_heads)]
    words += ["{} wide embeddings of {:,} tokens".format(config.embedding_size, config.vocab_size)]
    words += ["{} positions".format(config.max_position_embeddings), config.hidden_act]
    return ", ".join(words + _variant(config))


def _variant(config: Any) -> List[str]:
    """Rare properties: another place of the norms, several groups."""
    if getattr(config, "ln_type", "postln") != "postln":
        return [config.ln_type]
    groups = getattr(config, "num_hidden_groups", 1)
    return ["{} groups".format(groups)] if groups > 1 else []


def _vocabulary(model: CheckpointModel) -> str:
    name = os.path.basename(model.vocab_file or model.spm_model_file or "")
    return name + (", text keeps its case" if model.do_lower_case is False else "") if name else _NO_VOCABULARY


def _head(model: CheckpointModel) -> str:
    token_head = token_head_of(model.shapes)
    if token_head:
        task = " (task {})".format(model.description.task) if model.description else ""
        return _TOKEN_HEADS[token_head] + task
    lack = model.lack_of(CLASSIFIER)
    if model.num_labels and lack:
        return "classifier of {} labels, which cannot answer: there is {}".format(model.num_labels, lack)
    if model.head == SENTENCE_VECTOR:
        return "sentence vectors of {} numbers: {}".format(model.vector_size, describe_vectors(model))
    if model.head != CLASSIFIER:
        return _HEADS[model.head] + ("" if model.has_pooler else "; no pooler, a classifier begins with a new one")
    if not model.labels:
        return "classifier of {} labels, which nothing beside it names".format(model.num_labels)
    task = model.description.task if model.description else "unknown"
    return "classifier of {} labels: {} (task {})".format(model.num_labels, listed(model.labels), task)


def _uses(model: CheckpointModel, path: str) -> Iterable[Tuple[str, str]]:
    """Lists purposes and commands, the likeliest first."""
    named, path = _config_words(model), shell_word(path)
    if model.head == CLASSIFIER and model.labels and _scores_pairs(model):
        yield "Score pairs of sentences", "python similarity.py --model_dir={}".format(path)
    elif model.description and model.head in (CLASSIFIER, TAGS, SPANS):
        yield "Ask it", "python predict.py --model={}".format(path)
    if model.head == SENTENCE_VECTOR:
        yield from _vector_uses(model, path)
    yield (
        "Fine-tune it",
        "python {} --init_checkpoint={}{}{} --task_name=lcqmc_pair --data_dir=lcqmc --do_train=True --do_eval=True "
        "--output_dir=finetuned".format(model.family.classification_runner, path, named, _vocabulary_words(model)),
    )
    yield (
        "Pre-train it further",
        "python {} --init_checkpoint={}{} --input_file='data/tf*.tfrecord' --do_train=True "
        "--output_dir=pretrained".format(model.family.pretraining_runner, path, named),
    )
    yield (
        "Take it elsewhere",
        "python export_model.py --checkpoint={} --format=savedmodel --output_dir=exported".format(path),
    )


def _vector_uses(model: CheckpointModel, path: str) -> Iterable[Tuple[str, str]]:
    if model.description:
        yield "Score pairs of sentences by the cosine of their vectors", "python similarity.py --model_dir=" + path
    yield (
        "Turn lines into vectors",
        "python embeddings.py --checkpoint={}{} --input_file=lines.txt --output_file=vectors.npy".format(
            path, _vocabulary_words(model)
        ),
    )


def _scores_pairs(model: CheckpointModel) -> bool:
    """Whether it is known which of the model's labels means "similar"."""
    with contextlib.suppress(UserError):
        return bool(find_similar_label(model.labels or (), model.description and model.description.similar_label))
    return False


def _config_words(model: CheckpointModel) -> str:
    is_named = model.config_source == NAMED
    return " --{}={}".format(model.family.config_flag, shell_word(model.config_file or "")) if is_named else ""


def _vocabulary_words(model: CheckpointModel) -> str:
    return vocabulary_words([model.vocab_file, model.spm_model_file], model.config.vocab_size)
