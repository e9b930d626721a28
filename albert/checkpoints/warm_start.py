"""Warm start of a model from a checkpoint: weights that match, are missing or are left over."""

from __future__ import annotations

import collections
import logging
from typing import Dict, NamedTuple, Tuple

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.parts import POOLER, encoder_lack
from albert.checkpoints.values import float32_prefix, variable_shapes
from albert.checkpoints.variables import (
    ENCODER_PREFIX,
    NUM_GROUPS,
    Shapes,
    describe_weights,
    family_of,
    in_group_0,
    listed,
    sizes_of,
)

_log = logging.getLogger(__name__)


class WarmStart(NamedTuple):
    """Plan of a warm start."""

    matched: Tuple[str, ...]
    missing: Tuple[str, ...]  # variables of the model that keep their initial values
    left_over: Tuple[str, ...]  # weights of the checkpoint that the model does not use
    sources: Dict[str, str]  # matched variable -> its weight in the checkpoint


def plan_warm_start(model_shapes: Shapes, prefix: str, from_group_0: bool = False) -> WarmStart:
    """Compares a model's variables with a checkpoint's.

    Args:
      model_shapes: names and shapes of the model's variables.
      prefix: of the checkpoint.
      from_group_0: whether every group of layers starts from the checkpoint's group 0 (google family).

    Raises:
      UserError: the checkpoint holds no encoder, or one of another family or of other sizes; names both sides.
    """
    shapes = variable_shapes(prefix)
    _check_likeness(model_shapes, shapes, prefix, any_groups=from_group_0)
    sources = {name: in_group_0(name) if from_group_0 else name for name in model_shapes}
    sources = {name: source for name, source in sources.items() if shapes.get(source) == model_shapes[name]}
    missing = sorted(set(model_shapes) - set(sources))
    incomplete = [name for name in missing if name.startswith(ENCODER_PREFIX) and name not in _startable(shapes)]
    if incomplete:
        raise _misfit(prefix, shapes, model_shapes, _reason(incomplete[0], shapes, model_shapes))
    left_over = sorted(set(shapes) - set(sources.values()))
    return WarmStart(tuple(sorted(sources)), tuple(missing), tuple(left_over), sources)


def _startable(shapes: Shapes) -> Tuple[str, ...]:
    """The weights of an encoder that may begin anew: those of the pooler, where the checkpoint has none at all."""
    names = tuple(POOLER + "dense/" + name for name in ("kernel", "bias"))
    return () if any(name in shapes for name in names) else names


def _reason(name: str, shapes: Shapes, model_shapes: Shapes) -> str:
    if name not in shapes:
        return "it has no {}".format(name)
    return "{} {}, not {}".format(name, shapes[name], model_shapes[name])


def _check_likeness(model_shapes: Shapes, shapes: Shapes, prefix: str, any_groups: bool) -> None:
    """Raises `UserError` unless both are of one family and of the same sizes."""
    if not any(name.startswith(ENCODER_PREFIX) for name in shapes):
        raise UserError(
            "the checkpoint {} holds no encoder: none of its variables begins with {}".format(prefix, ENCODER_PREFIX)
        )
    if family_of(shapes) != family_of(model_shapes):
        raise _misfit(prefix, shapes, model_shapes, "the families differ")
    lack = encoder_lack(shapes)
    if lack:
        raise UserError("the checkpoint {} {}".format(prefix, lack))
    theirs, ours = sizes_of(shapes), sizes_of(model_shapes)
    if any_groups:
        theirs.pop(NUM_GROUPS, None)
    differing = ["{} {}, not {}".format(key, theirs[key], ours[key]) for key in theirs if theirs[key] != ours.get(key)]
    if differing:
        raise _misfit(prefix, shapes, model_shapes, ", ".join(differing))


def _misfit(prefix: str, shapes: Shapes, model_shapes: Shapes, reason: str) -> UserError:
    theirs, ours = describe_weights(shapes), describe_weights(model_shapes)
    if theirs == ours:
        return UserError("the checkpoint {} is {}, but does not fit the config: {}".format(prefix, theirs, reason))
    return UserError("the checkpoint {} is {}, the config asks for {}: {}".format(prefix, theirs, ours, reason))


def warm_start_variables(prefix: str, from_group_0: bool = False) -> WarmStart:
    """Starts the trainable variables of the default graph from a checkpoint and logs a report.

    Raises:
      UserError: as `plan_warm_start`, which has the same arguments.
    """
    # Not op.name: in the graph of a second device it ends in replica_1.
    variables = {variable.name.split(":")[0]: variable for variable in tf.trainable_variables()}
    shapes = {name: variable.shape.as_list() for name, variable in variables.items()}
    plan = plan_warm_start(shapes, prefix, from_group_0)
    takers = collections.defaultdict(list)
    for name, source in plan.sources.items():
        takers[source].append(variables[name])
    readable = float32_prefix(prefix)
    # One call gives a weight to one variable only: it takes a call for each further variable of a weight.
    for turn in range(max(map(len, takers.values()), default=0)):
        assignment = {source: takers[source][turn] for source in takers if turn < len(takers[source])}
        tf.train.init_from_checkpoint(readable, assignment)
    _log.info("%s", report(plan, prefix))
    return plan


def report(plan: WarmStart, prefix: str) -> str:
    """Reports a plan in a few lines: matched, missing, left over."""
    lines = [
        "Starting from {}".format(prefix),
        "  matched: {} variables".format(len(plan.matched)),
        "  missing, so newly initialised: {}".format(listed(plan.missing)),
        "  left over, so unused: {}".format(listed(plan.left_over)),
    ]
    if any(name.startswith(POOLER) for name in plan.missing):
        lines.append("  the checkpoint has no pooler: it begins at random, and its learning takes more steps")
    return "\n".join(lines)
