"""Averages the weights of the last checkpoints of a run into a folder that is a model."""

from __future__ import annotations

import os
from typing import Dict, List, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.base.paths import shell_word
from albert.checkpoints.description import ModelFolder
from albert.checkpoints.folder import write_weights_folder
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.training_folder import saved_checkpoints
from albert.checkpoints.values import read_weights, step_of, write_values
from albert.checkpoints.variables import listed
from albert.model.outputs import SPANS, TAGS
from albert.tasks.registry import READER, RUNNER_OF, TAGGER

_DEFAULT_OUTPUT = "average"  # in the run's folder
_STEP = "global_step"


def average(run_dir: str, last: int, output: Optional[str] = None) -> str:
    """Writes the mean of the last checkpoints of a run and returns the folder.

    Args:
      run_dir: the output folder of a run.
      last: the number of checkpoints. Those of step 0 are untrained and do not count.
      output: the new folder; by default RUN_DIR/average, in which an earlier average is replaced.

    Raises:
      UserError: there are fewer checkpoints, they hold different variables, or the folder holds something else.
    """
    prefixes = trained_checkpoints(run_dir)
    if len(prefixes) < last:
        raise UserError(
            "{} holds {} trained checkpoints, --last={} asks for more: give a smaller number, or train with a greater "
            "--keep_checkpoint_max or smaller --save_checkpoints_steps".format(run_dir, len(prefixes), last)
        )
    if output and os.path.exists(output) and (not os.path.isdir(output) or os.listdir(output)):
        raise UserError("--output={} is there already: name another folder or remove it".format(output))
    chosen = prefixes[-last:]
    values = mean_weights(chosen)
    values[_STEP] = np.array(step_of(chosen[-1]), np.int64)
    return write_weights_folder(
        output or os.path.join(run_dir, _DEFAULT_OUTPUT),
        like=chosen[-1],
        write_weights=lambda target: write_values(values, target),
    )


def trained_checkpoints(run_dir: str) -> List[str]:
    """Lists the prefixes of a run's checkpoints in the order of their steps, without those of step 0."""
    if not os.path.isdir(run_dir):
        raise UserError("there is no folder {}".format(run_dir))
    steps = {prefix: step_of(prefix) for prefix in saved_checkpoints(run_dir)}
    return sorted((prefix for prefix in steps if steps[prefix] > 0), key=steps.__getitem__)


def mean_weights(prefixes: Sequence[str]) -> Dict[str, np.ndarray]:
    """Computes the mean of the weights of checkpoints by variable name, in float64; without slots and step.

    Raises:
      UserError: a checkpoint holds other variables, or of other shapes, than the first.
    """
    sums: Dict[str, np.ndarray] = {}
    dtypes: Dict[str, np.dtype] = {}
    for prefix in prefixes:
        weights = read_weights(prefix)
        if not sums:
            dtypes = {name: value.dtype for name, value in weights.items()}
            sums = {name: np.zeros(value.shape, np.float64) for name, value in weights.items()}
        _check_same(sums, weights, prefixes[0], prefix)
        for name, value in weights.items():
            sums[name] += value
    return {name: (sums[name] / len(prefixes)).astype(dtypes[name]) for name in sums}


def _check_same(first: Dict[str, np.ndarray], other: Dict[str, np.ndarray], first_prefix: str, prefix: str) -> None:
    shapes = [{name: value.shape for name, value in values.items()} for values in (first, other)]
    differing = sorted(name for name in set(first) | set(other) if shapes[0].get(name) != shapes[1].get(name))
    if differing:
        raise UserError(
            "{} and {} hold different variables ({}): they are no checkpoints of one training".format(
                first_prefix, prefix, listed(tuple(differing))
            )
        )


def next_command(folder: str) -> str:
    """Returns the line with the command that evaluates an average, on the task of the run if it has one."""
    model = open_checkpoint(folder)
    phase = "--do_eval=True" if model.description else "--do_train=True --do_eval=True"
    runner = {TAGS: TAGGER, SPANS: READER}.get(model.head or "", model.family.classification_runner)
    return "Next: python {} --init_checkpoint={} {} {} --output_dir=…".format(
        runner, shell_word(folder), _task_words(model.description), phase
    )


def _task_words(description: Optional[ModelFolder]) -> str:
    """The flags that name the task; one that is not declared here is described in a file."""
    if description is None:
        return "--task_name=… --data_dir=…"
    if description.task not in RUNNER_OF:
        return "--task_file=…"
    return "--task_name={} --data_dir=…".format(description.task)
