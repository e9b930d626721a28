"""Checkpoints: finding one, reading its family and sizes off its variables, and starting a model from it.

The only module that knows variable names as text (spec: models).
"""

from __future__ import annotations

import glob
import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

from errors import UserError

_log = logging.getLogger(__name__)

ENCODER_PREFIX = "bert/"
_SLOT_SUFFIXES = ("/lamb_m", "/lamb_v", "/adam_m", "/adam_v")
_WORD_EMBEDDINGS = "bert/embeddings/word_embeddings"
# The first name that a checkpoint holds tells its family; the order matters, since zh models have no mapping.
_FAMILY_MARKS = (
    ("bert/embeddings/word_embeddings_2", "zh"),
    ("bert/encoder/embedding_hidden_mapping_in/kernel", "google"),
    ("bert/encoder/layer_0/attention/self/query/kernel", "BERT"),
)
_QUERY_KERNEL_SUFFIX = "/self/query/kernel"
_INTERMEDIATE_KERNEL_SUFFIX = "/intermediate/dense/kernel"
_SIZE_NAMES = {312: "tiny", 384: "small", 768: "base", 1024: "large", 2048: "xlarge", 4096: "xxlarge"}
_NAMES_SHOWN = 3

Shapes = Dict[str, List[int]]


class WarmStart(NamedTuple):
    """What a checkpoint gives to a model."""

    matched: Tuple[str, ...]
    missing: Tuple[str, ...]  # variables of the model that keep their initial values
    left_over: Tuple[str, ...]  # weights of the checkpoint that the model has no use for


def find_checkpoint(path: str) -> str:
    """The checkpoint prefix that a prefix, an `.index` file or a folder stands for.

    Raises:
      UserError: there is none.
    """
    if os.path.isdir(path):
        return _checkpoint_in_folder(path)
    prefix = path[: -len(".index")] if path.endswith(".index") else path
    _check_index(prefix)
    return prefix


def _check_index(prefix: str) -> None:
    if not os.path.exists(prefix + ".index"):
        raise UserError("there is no checkpoint {0}: the file {0}.index does not exist".format(prefix))


def _checkpoint_in_folder(folder: str) -> str:
    latest = _named_by_state_file(folder)
    if latest:
        return latest
    prefixes = [os.path.join(folder, name[: -len(".index")]) for name in os.listdir(folder) if name.endswith(".index")]
    if len(prefixes) != 1:
        raise UserError(
            "the folder {} holds {} checkpoints and no `checkpoint` file: name one by its prefix".format(
                folder, len(prefixes) or "no"
            )
        )
    return prefixes[0]


def _named_by_state_file(folder: str) -> Optional[str]:
    """The checkpoint that the file `checkpoint` names, looked for here: the folder may have been moved or unpacked."""
    state = tf.train.get_checkpoint_state(folder)
    if state is None:
        return None
    prefix = os.path.join(folder, os.path.basename(state.model_checkpoint_path))
    return prefix if os.path.exists(prefix + ".index") else None


def variable_shapes(prefix: str) -> Shapes:
    """Names and shapes of the weights of a checkpoint; optimizer slots and the step are none.

    Raises:
      UserError: the checkpoint cannot be read.
    """
    _check_index(prefix)
    if not glob.glob(glob.escape(prefix) + ".data-*"):
        raise UserError("the checkpoint {0} is incomplete: its weights, {0}.data-…, are missing".format(prefix))
    try:
        shapes = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    except Exception as error:  # TF 1.15 raises a bare exception here where 2.15 raises an OpError
        raise UserError("cannot read the checkpoint {}: {}".format(prefix, str(error).splitlines()[0])) from error
    return {name: shape for name, shape in shapes.items() if not _is_training_state(name)}


def _is_training_state(name: str) -> bool:
    return name.endswith(_SLOT_SUFFIXES) or name == "global_step" or name.endswith("_power")


def family_of(shapes: Shapes) -> Optional[str]:
    """ "zh", "google" or "BERT"; None where the weights are of something else."""
    return next((family for mark, family in _FAMILY_MARKS if mark in shapes), None)


def sizes_of(shapes: Shapes) -> Dict[str, int]:
    """The sizes of the model that can be read off its weights, named as the config's keys."""
    sizes = {}
    if _WORD_EMBEDDINGS in shapes:
        sizes["vocab_size"], sizes["embedding_size"] = shapes[_WORD_EMBEDDINGS]
    if "bert/embeddings/position_embeddings" in shapes:
        sizes["max_position_embeddings"] = shapes["bert/embeddings/position_embeddings"][0]
    for name, shape in shapes.items():
        if name.endswith(_QUERY_KERNEL_SUFFIX):
            sizes["hidden_size"] = shape[0]
        elif name.endswith(_INTERMEDIATE_KERNEL_SUFFIX):
            sizes["intermediate_size"] = shape[1]
    return sizes


def describe(shapes: Shapes) -> str:
    """A few words on a set of weights, such as "zh tiny"."""
    family = family_of(shapes)
    if family is None:
        return "not an ALBERT of either family"
    size = sizes_of(shapes).get("hidden_size")
    return "{} {}".format(family, _SIZE_NAMES.get(size, "with hidden_size {}".format(size)))


def plan_warm_start(model_shapes: Shapes, prefix: str) -> WarmStart:
    """Compares a model's variables with a checkpoint's.

    Raises:
      UserError: the checkpoint holds no encoder, or one of another family or other sizes; both sides are named.
    """
    shapes = variable_shapes(prefix)
    if not any(name.startswith(ENCODER_PREFIX) for name in shapes):
        raise UserError(
            "the checkpoint {} holds no encoder: none of its variables begins with {}".format(prefix, ENCODER_PREFIX)
        )
    if family_of(shapes) != family_of(model_shapes):
        raise _misfit(prefix, shapes, model_shapes, "the families differ")
    theirs, ours = sizes_of(shapes), sizes_of(model_shapes)
    differing = ["{} {}, not {}".format(key, theirs[key], ours[key]) for key in theirs if theirs[key] != ours.get(key)]
    if differing:
        raise _misfit(prefix, shapes, model_shapes, ", ".join(differing))
    matched = [name for name in model_shapes if shapes.get(name) == model_shapes[name]]
    missing = [name for name in model_shapes if name not in matched]
    incomplete = [name for name in missing if name.startswith(ENCODER_PREFIX)]
    if incomplete:
        raise _misfit(prefix, shapes, model_shapes, "{} does not fit".format(incomplete[0]))
    left_over = [name for name in shapes if name not in matched]
    return WarmStart(tuple(sorted(matched)), tuple(sorted(missing)), tuple(sorted(left_over)))


def _misfit(prefix: str, shapes: Shapes, model_shapes: Shapes, reason: str) -> UserError:
    return UserError(
        "the checkpoint {} is {}, the config asks for {}: {}".format(
            prefix, describe(shapes), describe(model_shapes), reason
        )
    )


def warm_start_variables(prefix: str) -> WarmStart:
    """Makes the trainable variables of the default graph start from a checkpoint's values, and reports it.

    Raises:
      UserError: as `plan_warm_start`.
    """
    variables = {variable.op.name: variable for variable in tf.trainable_variables()}
    shapes = {name: variable.shape.as_list() for name, variable in variables.items()}
    plan = plan_warm_start(shapes, prefix)
    tf.train.init_from_checkpoint(prefix, {name: variables[name] for name in plan.matched})
    _log.info("%s", report(plan, prefix))
    return plan


def report(plan: WarmStart, prefix: str) -> str:
    """A few lines on what a checkpoint gave: matched, missing, left over."""
    return "\n".join(
        [
            "Starting from {}".format(prefix),
            "  matched: {} variables".format(len(plan.matched)),
            "  missing, so newly initialised: {}".format(_listed(plan.missing)),
            "  left over, so unused: {}".format(_listed(plan.left_over)),
        ]
    )


def _listed(names: Tuple[str, ...]) -> str:
    if not names:
        return "none"
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (" and {} more".format(more) if more > 0 else "")


def restore_variables(session: Any, prefix: str) -> None:
    """Gives all variables of the session's graph their values from a checkpoint that holds them.

    Raises:
      UserError: its data cannot be read.
    """
    with session.graph.as_default():
        saver = tf.train.Saver(tf.global_variables())
    try:
        saver.restore(session, prefix)
    except (tf.errors.OpError, ValueError) as error:
        raise UserError("the checkpoint {} is damaged: {}".format(prefix, str(error).splitlines()[0])) from error


def step_of(prefix: str) -> int:
    """The global step at which a checkpoint was written; 0 where it holds none."""
    reader: Any = tf.train.load_checkpoint(prefix)
    return int(reader.get_tensor("global_step")) if reader.has_tensor("global_step") else 0


def write_weights(prefix: str, target_prefix: str) -> None:
    """Copies the weights of a checkpoint, without slots and step, to a new checkpoint."""
    reader: Any = tf.train.load_checkpoint(prefix)
    with tf.Graph().as_default(), tf.Session() as session:
        values = {name: reader.get_tensor(name) for name in variable_shapes(prefix)}
        variables = {
            name: tf.get_variable(name, shape=value.shape, dtype=value.dtype, use_resource=False)
            for name, value in values.items()
        }
        feed = {variables[name].initializer.inputs[1]: value for name, value in values.items()}
        session.run(tf.global_variables_initializer(), feed)
        tf.train.Saver(variables).save(session, target_prefix, write_meta_graph=False, write_state=False)
