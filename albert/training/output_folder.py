"""Output folder of a training: refused, before anything is written, where it belongs to something else."""

from __future__ import annotations

import os
from typing import Optional

from albert.base.errors import UserError
from albert.checkpoints.training_folder import last_checkpoint
from albert.checkpoints.values import variable_shapes
from albert.checkpoints.variables import Shapes, num_labels_of, token_head_of, vector_size_of
from albert.inference.model_files import EXPORT_DESCRIPTION_FILE
from albert.model.outputs import CLASSIFIER, PRETRAINING, SENTENCE_VECTOR, SPANS, TAGS

_PHASES = {
    PRETRAINING: "pre-training",
    CLASSIFIER: "the fine-tuning of a classifier",
    SENTENCE_VECTOR: "the training of sentence vectors",
    SPANS: "the fine-tuning of a reader",
    TAGS: "the fine-tuning of a tagger",
}
_MASKED_LM_WEIGHTS = "cls/predictions/"


def check_output_dir(output_dir: str, head: str) -> None:
    """Checks that a folder may take the checkpoints of a training.

    Args:
      output_dir: the folder; it need not exist.
      head: what is trained: "pretraining", "classifier", "sentence_vector", "spans" or "tags".

    Raises:
      UserError: it holds an export, checkpoints of another head, or none that is whole.
    """
    if not os.path.isdir(output_dir):
        return
    if os.path.exists(os.path.join(output_dir, EXPORT_DESCRIPTION_FILE)):
        raise UserError(
            "--output_dir={} holds an export: give {} a folder of its own".format(output_dir, _PHASES[head])
        )
    prefix = last_checkpoint(output_dir)
    theirs = _trained_head(variable_shapes(prefix)) if prefix else head
    if prefix and theirs != head:
        raise UserError(
            "--output_dir={} holds {}, a checkpoint of {}: give {} a folder of its own{}".format(
                output_dir,
                os.path.basename(prefix),
                _PHASES[theirs] if theirs else "a model without a head",
                _PHASES[head],
                "" if head == PRETRAINING else "; --init_checkpoint={} starts from it".format(output_dir),
            )
        )


def _trained_head(shapes: Shapes) -> Optional[str]:
    """The head that weights were trained with last; None if they have none."""
    if num_labels_of(shapes):
        return CLASSIFIER
    if vector_size_of(shapes):
        return SENTENCE_VECTOR
    has_masked_lm = any(name.startswith(_MASKED_LM_WEIGHTS) for name in shapes)
    return token_head_of(shapes) or (PRETRAINING if has_masked_lm else None)


def check_export_dir(export_dir: Optional[str], output_dir: str) -> None:
    """Checks before a training that its export will have a folder.

    Raises:
      UserError: --export_dir holds something already, is a file, or is or holds the folder of the checkpoints.
    """
    if not export_dir:
        return
    if os.path.exists(export_dir) and not os.path.isdir(export_dir):
        raise UserError("--export_dir={} is a file: name a folder".format(export_dir))
    if os.path.isdir(export_dir) and os.listdir(export_dir):
        raise UserError("--export_dir={} is not empty: name another folder or remove it".format(export_dir))
    place, checkpoints = os.path.realpath(export_dir), os.path.realpath(output_dir)
    if os.path.commonprefix([place + os.sep, checkpoints + os.sep]) == place + os.sep:
        raise UserError(
            "--export_dir={} is or holds --output_dir, the folder of the checkpoints: name another folder".format(
                export_dir
            )
        )
