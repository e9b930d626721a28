"""Values of a checkpoint's variables: reading, checking, restoring and writing."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from typing import Any, Dict, NamedTuple, Tuple

import numpy as np

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.files import check_data_file, check_index_file
from albert.checkpoints.parts import is_frozen
from albert.checkpoints.variables import ENCODER_PREFIX, Shapes, listed, num_values, slot_of
from albert.files.literal_paths import literal_path

_STEP = "global_step"
_OTHER_FLOATS = (tf.float16, tf.bfloat16, tf.float64)  # of weights; all become float32 where they are used


class Contents(NamedTuple):
    """Contents of a checkpoint."""

    shapes: Shapes  # of the weights
    slots: Tuple[str, ...]  # names of the optimizer's slots, such as adam_m
    cast: Tuple[str, ...] = ()  # names of the weights that are not float32, as in half precision
    has_encoder_slots: bool = False  # whether the optimizer's slots are there for the encoder, too


def variable_shapes(prefix: str) -> Shapes:
    """Reads names and shapes of the weights of a checkpoint, without optimizer slots and step.

    Raises:
      UserError: the checkpoint cannot be read, or one of its files is missing or cut off.
    """
    return read_contents(prefix).shapes


def read_contents(prefix: str) -> Contents:
    """Reads the contents of a checkpoint from its index.

    Raises:
      UserError: the checkpoint cannot be read, one of its files is missing or cut off, or a weight of the encoder is no
        floating-point number.
    """
    reader = _open(prefix)
    shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    sized = [name for name in shapes if types[name] != tf.string]
    check_data_file(prefix, sum(num_values(shapes[name]) * types[name].size for name in sized))
    slots = {name: slot_of(name, shapes) for name in shapes}
    weights = {name: shape for name, shape in shapes.items() if shape and slots[name] is None}
    _check_types(prefix, {name: types[name] for name in weights if name.startswith(ENCODER_PREFIX)})
    cast = tuple(sorted(name for name in weights if types[name] in _OTHER_FLOATS))
    moved = [name for name in slots if slots[name]]
    has_encoder_slots = any(map(is_frozen, moved))
    return Contents(weights, tuple(sorted({slots[name] or "" for name in moved})), cast, has_encoder_slots)


def _check_types(prefix: str, types: Dict[str, Any]) -> None:
    wrong = sorted(name for name, kind in types.items() if kind not in _OTHER_FLOATS + (tf.float32,))
    if wrong:
        raise UserError(
            "the checkpoint {} keeps {} as {}: only floating-point weights can be used".format(
                prefix, wrong[0], types[wrong[0]].name
            )
        )


def _open(prefix: str) -> Any:
    check_index_file(prefix)
    check_data_file(prefix, 0)
    try:
        return tf.train.load_checkpoint(literal_path(prefix))
    except Exception as error:  # TF 1.15 raises a bare exception here where 2.15 raises an OpError
        raise UserError("cannot read the checkpoint {}: {}".format(prefix, str(error).splitlines()[0])) from error


def read_weights(prefix: str) -> Dict[str, np.ndarray]:
    """Reads the values of the weights of a checkpoint; floating-point numbers of any precision as float32.

    Raises:
      UserError: it cannot be read or is damaged.
    """
    contents = read_contents(prefix)
    reader = _open(prefix)
    values = {name: _read(reader, name, prefix) for name in sorted(contents.shapes)}
    return dict(values, **{name: values[name].astype(np.float32) for name in contents.cast})


def float32_prefix(prefix: str) -> str:
    """Returns the prefix of a checkpoint whose weights are float32, which is what graphs are made of, for TensorFlow.

    It is the checkpoint itself (`literal_path`) or, where that is in half precision, a copy in a temporary folder that
    is removed when the process ends. The copy holds weights and step, no slots.

    Raises:
      UserError: it cannot be read or is damaged.
    """
    if not read_contents(prefix).cast:
        return literal_path(prefix)
    state = os.stat(prefix + ".index")
    return literal_path(_float32_copy(os.path.abspath(prefix), state.st_mtime_ns, state.st_size))


@functools.lru_cache(maxsize=None)  # one copy for each checkpoint
def _float32_copy(prefix: str, mtime_ns: int, size: int) -> str:
    del mtime_ns, size  # they distinguish versions of the files
    folder = tempfile.mkdtemp(prefix="albert-float32-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = os.path.join(folder, os.path.basename(prefix))
    write_weights(prefix, target)
    return target


def check_values(prefix: str) -> None:
    """Reads every variable of a checkpoint, slots included, against its checksum; keeps none.

    Raises:
      UserError: it cannot be read or is damaged.
    """
    reader = _open(prefix)
    values = (_read(reader, name, prefix) for name in sorted(reader.get_variable_to_shape_map()))
    num_bytes = sum(np.asarray(value).nbytes for value in values)
    if num_bytes == 0:  # TensorFlow reads a damaged index as far as it can
        raise UserError("the checkpoint {} is damaged: its index names no variable".format(prefix))


def _read(reader: Any, name: str, prefix: str) -> np.ndarray:
    try:
        return reader.get_tensor(name)
    except Exception as error:  # as in `_open`
        raise UserError("the checkpoint {} is damaged: {}".format(prefix, str(error).splitlines()[0])) from error


def restore_variables(session: Any, prefix: str) -> None:
    """Restores all variables of the session's graph from a checkpoint that holds them.

    Raises:
      UserError: it does not hold one of them, or its data cannot be read.
    """
    with session.graph.as_default():
        variables = {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}
        saver = tf.train.Saver(tf.global_variables())
    shapes = variable_shapes(prefix)
    missing = tuple(sorted(name for name in variables if name not in shapes))
    if missing:
        raise UserError("the checkpoint {} lacks weights that this needs: {}".format(prefix, listed(missing)))
    for name, shape in variables.items():
        if shape != shapes[name]:
            raise UserError("the checkpoint {} has {} {}, not {}".format(prefix, name, shapes[name], shape))
    try:
        saver.restore(session, float32_prefix(prefix))
    except (tf.errors.OpError, ValueError) as error:
        raise UserError("the checkpoint {} is damaged: {}".format(prefix, str(error).splitlines()[0])) from error


def step_of(prefix: str) -> int:
    """Reads the global step at which a checkpoint was written; 0 if it holds none."""
    reader = _open(prefix)
    return int(_read(reader, _STEP, prefix)) if reader.has_tensor(_STEP) else 0


def write_weights(prefix: str, target_prefix: str) -> None:
    """Copies the weights and the step of a checkpoint, without slots, to a new checkpoint."""
    # An Estimator does not predict from a checkpoint without a step.
    write_values(dict(read_weights(prefix), **{_STEP: np.int64(step_of(prefix))}), target_prefix)


def write_values(values: Dict[str, np.ndarray], target_prefix: str) -> None:
    """Writes arrays by variable name as a checkpoint."""
    folder, name = os.path.split(target_prefix)
    target = os.path.join(literal_path(folder), name)
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {
            name: tf.get_variable(name, shape=value.shape, dtype=value.dtype, use_resource=False)
            for name, value in values.items()
        }
        feed = {variables[name].initializer.inputs[1]: value for name, value in values.items()}
        session.run(tf.global_variables_initializer(), feed)
        tf.train.Saver(variables).save(session, target, write_meta_graph=False, write_state=False)
