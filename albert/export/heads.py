"""Head of an export: the one that was named, else the one that the checkpoint was trained for; never another."""

from __future__ import annotations

import logging
from typing import List, Optional

from albert.base.errors import UserError
from albert.checkpoints.model import CheckpointModel
from albert.checkpoints.variables import ENCODER_PREFIX, has_head, listed
from albert.model.outputs import HEADS

_PRELN_CLASSIFIER = "loss/"  # the norm of a classifier on a preln encoder

_log = logging.getLogger(__name__)


def choose_head(model: CheckpointModel, named: Optional[str] = None) -> str:
    """Chooses the head of an export, and logs it with what the export leaves out.

    Args:
      model: the checkpoint.
      named: one of `outputs.HEADS`; None for the head that the checkpoint was trained for last.

    Raises:
      UserError: the checkpoint lacks the head, or holds only a part of it.
    """
    for head in [named] if named else _trained_heads(model):
        lack = model.lack_of(head)
        if lack:
            raise UserError(
                "the checkpoint {} has {}: it can be exported with --head={}".format(
                    model.prefix, lack, ", ".join(model.heads)
                )
            )
    head = named or model.head
    _log.info("The export answers with the head %s.", head)
    others = left_out(model, head)
    if others:
        _log.info("The export leaves out what the checkpoint holds besides: %s.", "; ".join(others))
    return head


def _trained_heads(model: CheckpointModel) -> List[str]:
    """Lists the heads of which the checkpoint holds weights, and the one that its description names."""
    held = [name for name, head in HEADS.items() if has_head(head, model.shapes)]
    described = model.description.head if model.description else None
    return held + [described] if described else held


def left_out(model: CheckpointModel, head: str) -> List[str]:
    """Lists what a checkpoint holds beside the encoder and a head: other heads, and weights of no known head."""
    kept = set(HEADS[head].weight_prefixes)
    others = [other.name for other in HEADS.values() if not kept.issuperset(other.weight_prefixes)]
    known = [prefix for other in HEADS.values() for prefix in other.weight_prefixes]
    prefixes = (ENCODER_PREFIX, _PRELN_CLASSIFIER, *known)
    unknown = tuple(sorted(name for name in model.shapes if not name.startswith(prefixes)))
    names = [name for name in others if has_head(HEADS[name], model.shapes)]
    return names + (["weights of no head that is known here, {}".format(listed(unknown))] if unknown else [])
