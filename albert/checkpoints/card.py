"""Model card: what a model was trained on, how good it is and how to ask it, as MODEL_CARD.md in its folder.

It says what the run's folder knows; what is not known is left out.
"""

from __future__ import annotations

import datetime
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.base.paths import shell_word
from albert.checkpoints.description import ModelFolder
from albert.checkpoints.families import FAMILIES
from albert.checkpoints.model import CheckpointModel
from albert.checkpoints.sentence_vectors import vector_rows
from albert.files.complete import CompleteFile
from albert.files.json_reading import read_description
from albert.files.reading import describe_files
from albert.model.outputs import MASKED_LM, SENTENCE_VECTOR, SPANS, TAGS
from albert.tasks.registry import CLASSIFIER, READER, RUNNER_OF, TAGGER, TASKS_OF

CARD_FILE = "MODEL_CARD.md"
RUN_CONFIG_FILE = "run_config.json"  # of a run: its flags, environment and data

_ASK = "## How to ask it"
FOLDER = "FOLDER"
_MOST_LABELS = 50
_TRAINING_FLAGS = (
    "optimizer", "learning_rate", "bias_correction", "train_batch_size", "num_train_epochs", "num_train_steps",
    "warmup_proportion", "num_warmup_steps", "max_seq_length", "seed",
)  # fmt: skip
_SIZES = (
    "hidden_size", "embedding_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
    "vocab_size", "max_position_embeddings", "ln_type",
)  # fmt: skip

Rows = List[Tuple[str, str]]


def write_card(folder: str, text: str) -> None:
    """Writes a model card into a folder, complete or not at all."""
    with CompleteFile(os.path.join(folder, CARD_FILE)) as file:
        file.write(text.encode("utf-8", "replace"))


def read_card(folder: str) -> Optional[str]:
    """Reads the model card of a folder; None where there is none that can be read."""
    try:
        with open(os.path.join(folder, CARD_FILE), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def run_card(output_dir: str, model: CheckpointModel, figures: Sequence[Tuple[str, str]]) -> str:
    """Model card of a checkpoint of a run.

    Args:
      output_dir: of the run, with its run_config.json.
      model: the checkpoint.
      figures: names and values of its evaluation, the most important one first.
    """
    config = _run_config(output_dir)
    sections = [
        ("Evaluation", list(figures)),
        ("Data", _data_rows(config)),
        ("Training", _training_rows(config, model.step)),
    ]
    return model_card(model, sections)


def model_card(model: CheckpointModel, sections: Sequence[Tuple[str, Rows]] = ()) -> str:
    """Model card of a checkpoint, with more sections behind the description of its task."""
    return with_command(_body(model, sections), _command(model))


def export_card(model: CheckpointModel, rows: Sequence[Tuple[str, str]], command: Optional[str] = None) -> str:
    """Model card of an export: the source's card, where it has one, and what the export is.

    Args:
      model: the source.
      rows: names and values that describe the export.
      command: asks the export; None for the command that asks the source.
    """
    return extended_card(model, [("Export", rows)], command)


def extended_card(
    model: CheckpointModel, sections: Sequence[Tuple[str, Sequence[Tuple[str, str]]]], command: Optional[str] = None
) -> str:
    """Model card of a checkpoint's folder, where it has one, with more sections at its end; else a new one."""
    card = read_card(os.path.dirname(model.prefix) or os.curdir)
    body = card.split(_ASK)[0] if card else _body(model)
    lines = [line for title, rows in sections for line in section(title, rows)]
    return with_command(body + "\n".join([*lines, ""]), command or _command(model))


def with_command(body: str, command: str) -> str:
    """Adds to a model card how its model is asked."""
    lines = [_ASK, "", "FOLDER is the folder of this file:", "", "```", command, "```"]
    return body + "\n".join(lines) + "\n"


def _body(model: CheckpointModel, sections: Sequence[Tuple[str, Rows]] = ()) -> str:
    task = model.description.task if model.description else None
    lines = ["# {}: ALBERT ({}), step {:,}".format(task or "pre-trained model", model.family.name, model.step), ""]
    for title, rows in [("Task", _task_rows(model)), *sections, *_model_sections(model)]:
        lines += section(title, rows)
    return "\n".join(lines) + "\n"


def section(title: str, rows: Sequence[Tuple[str, str]]) -> List[str]:
    """Lines of a section with a table of names and values; none where there are no rows."""
    if not rows:
        return []
    cells = ["| {} | {} |".format(name, value.replace("|", "\\|")) for name, value in rows]
    return ["## " + title, "", "| | |", "|---|---|", *cells, ""]


def today() -> str:
    """The date in UTC, as 2026-01-31."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def _task_rows(model: CheckpointModel) -> Rows:
    description = model.description
    vectors = vector_rows(model) if model.head == SENTENCE_VECTOR else []
    if description is None:
        return vectors
    rows = [("task", description.task), *vectors]
    if description.labels and not vectors:
        shown = ", ".join(description.labels[:_MOST_LABELS])
        more = len(description.labels) - _MOST_LABELS
        rows.append(("labels", shown + (" and {} more (task.json)".format(more) if more > 0 else "")))
    return rows


def _model_sections(model: CheckpointModel) -> List[Tuple[str, Rows]]:
    config = model.config.to_dict()
    sizes = [(name, _text(config[name])) for name in _SIZES if config.get(name) is not None]
    architecture = [("family", model.family.name), ("parameters", "{:,}".format(model.num_parameters)), *sizes]
    return [("Model", architecture), ("Tokenizer", _tokenizer_rows(model))]


def _tokenizer_rows(model: CheckpointModel) -> Rows:
    path = model.vocab_file or model.spm_model_file
    if path is None:
        return []
    rows = [("file", _file_text(describe_files([path])[0]))]
    rows.append(("kind", "sentencepiece" if model.spm_model_file and not model.vocab_file else "WordPiece"))
    if model.description:
        rows.append(("text is lower-cased", "yes" if model.description.do_lower_case else "no"))
        rows.append(("tokens of a row, at most", str(model.description.max_seq_length)))
    return rows


def _run_config(output_dir: str) -> Dict[str, Any]:
    try:
        return dict(read_description(os.path.join(output_dir, RUN_CONFIG_FILE), "a description of a run").values)
    except UserError:
        return {}


def _data_rows(config: Mapping[str, Any]) -> Rows:
    return [("file", _file_text(description)) for description in config.get("data", [])]


def _file_text(description: Mapping[str, Any]) -> str:
    return "{file}, {bytes:,} bytes, SHA-256 {sha256}".format(**description)


def _training_rows(config: Mapping[str, Any], step: int) -> Rows:
    """What the training was; nothing where the last run in the folder did not train: its flags are others."""
    flags, environment = config.get("flags", {}), config.get("environment", {})
    if not flags.get("do_train"):
        return []
    rows = [("date", today()), ("step", "{:,}".format(step))]
    start = flags.get("init_checkpoint")
    if start:
        rows.append(("started from", os.path.basename(os.path.normpath(start))))
    rows += [(name, _text(flags[name])) for name in _TRAINING_FLAGS if flags.get(name) is not None]
    rows += [(name, str(environment[name])) for name in ("tensorflow", "code_sha256") if environment.get(name)]
    return rows


def _text(value: Any) -> str:
    return "{:g}".format(value) if isinstance(value, float) else str(value)


def _command(model: CheckpointModel) -> str:
    description = model.description
    if description is None:
        if MASKED_LM in model.heads:
            return "python fill_mask.py --checkpoint={} --text=今天[MASK]气很好".format(FOLDER)
        return "python embeddings.py --checkpoint={} --input_file=lines.txt --output_file=vectors.npy".format(FOLDER)
    return next_command(description, FOLDER)


def vector_command(folder: str) -> str:
    """Command that asks a model of sentence vectors, or an export of one, for the cosines of pairs."""
    return "python similarity.py --model_dir={}".format(shell_word(folder))


def next_command(description: ModelFolder, folder: str) -> str:
    """Command that asks a fine-tuned model.

    Args:
      description: of the model. A model of sentence vectors answers with the cosine of a pair.
      folder: where it is. A model of choices is asked by its run, whose folder `best` it is.
    """
    if description.pooling:
        return vector_command(folder)
    if description.head in (TAGS, SPANS) or RUNNER_OF.get(description.task) in (TAGGER, READER):
        return "python predict.py --model={}".format(shell_word(folder))
    task = TASKS_OF[CLASSIFIER].get(description.task)
    if task and task.num_choices and task.labels == description.labels:  # not one's own, of the same name
        run = os.path.join(folder, os.pardir) if folder == FOLDER else os.path.dirname(folder) or os.curdir
        line = "python {} --do_predict=True --task_name={} --data_dir=DATA --output_dir={}"
        return line.format(FAMILIES[description.family].classification_runner, description.task, shell_word(run))
    if description.similar_label:
        return "python similarity.py --model_dir={}".format(shell_word(folder))
    return "python serve.py --model={}".format(shell_word(folder))
