"""Engine "tensorflow": a frozen graph in a session.

An engine answers `answer(inputs)` for int32 inputs [B, S] by name with one array, [B, …], whose values at padding mean
nothing. It has a `seq_length`, the only length that it takes or None for any; it may be asked from several threads at
once, and `concurrency` says from how many that is faster than from one; `gains_from_batches` says whether many rows at
once take less than one by one; `width` is the length of an answer's last axis, None where it is not known; `close`
frees it.
"""

from __future__ import annotations

import os
from typing import Optional, Sequence

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.model import CheckpointModel
from albert.inference.graph import frozen_graph, head_recipe
from albert.inference.graph_files import first_line, read_graph, read_savedmodel
from albert.inference.model_files import FROZEN_FILE, VERSION_FOLDER
from albert.model.outputs import CLASSIFIER, HEADS, INPUT_NAMES, Arrays

PROBABILITIES = HEADS[CLASSIFIER].outputs[0]


class TensorFlowEngine:
    """Runs a GraphDef without variables."""

    concurrency = 1  # a single answer has all cores already
    gains_from_batches = True

    def __init__(
        self,
        graph_def: tf.GraphDef,
        output: str = PROBABILITIES,
        *,
        inputs: Sequence[str] = INPUT_NAMES,
        gpu_memory_fraction: float = 1.0,
    ) -> None:
        """Loads the graph.

        Args:
          graph_def: nodes named as the inputs and the output are in it.
          output: name of the node that answers.
          inputs: names of the placeholders.
          gpu_memory_fraction: the share of a GPU's memory that may be used.
        """
        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(graph_def, name="")
        gpu_options = tf.GPUOptions(per_process_gpu_memory_fraction=gpu_memory_fraction)
        self._session = tf.Session(graph=graph, config=tf.ConfigProto(gpu_options=gpu_options))
        self._inputs = tuple(inputs)
        # Prepared once: a plain run looks its names up and its feeds over at every call.
        self._call = self._session.make_callable(output + ":0", [name + ":0" for name in inputs])
        self.seq_length: Optional[int] = graph.get_tensor_by_name(inputs[0] + ":0").shape.as_list()[1]
        self.width: Optional[int] = graph.get_tensor_by_name(output + ":0").shape.as_list()[-1]

    def answer(self, inputs: Arrays) -> np.ndarray:
        """Returns the answers; see the module."""
        return self._call(*(inputs[name] for name in self._inputs))

    def close(self) -> None:
        """Frees the session."""
        self._session.close()


def checkpoint_engine(
    model: CheckpointModel,
    head: str,
    num_labels: Optional[int],
    *,
    graph_file: Optional[str],
    gpu_memory_fraction: float,
) -> TensorFlowEngine:
    """Opens the engine for a head of a checkpoint.

    Args:
      model: the checkpoint.
      head: one of `outputs.HEADS`.
      num_labels: labels that a classifier must have; None for another head.
      graph_file: see `graph.frozen_graph`.
      gpu_memory_fraction: see `TensorFlowEngine`.

    Raises:
      UserError: the checkpoint has no such head, or cannot be read.
    """
    lack = model.lack_of(head)
    if head == CLASSIFIER and (lack or model.num_labels != num_labels):
        raise UserError(
            "the checkpoint {} cannot answer: it has {}; fine-tune it with {} first".format(
                model.prefix,
                lack or "a head of {} labels, not {}".format(model.num_labels, num_labels),
                model.family.classification_runner,
            )
        )
    if lack:
        raise UserError("the checkpoint {} cannot answer: it has {}".format(model.prefix, lack))
    graph_def = frozen_graph(head_recipe(model, head), graph_file)
    return TensorFlowEngine(graph_def, HEADS[head].outputs[0], gpu_memory_fraction=gpu_memory_fraction)


def export_engine(
    folder: str, export_format: str, head: str = CLASSIFIER, *, gpu_memory_fraction: float
) -> TensorFlowEngine:
    """Opens the engine for a folder that export_model.py made as a SavedModel or as a frozen graph.

    Raises:
      UserError: it cannot be read.
    """
    output = HEADS[head].outputs[0]
    if export_format == "frozen":
        path = os.path.join(folder, FROZEN_FILE)
        graph_def = read_graph(path)
    else:
        path = os.path.join(folder, VERSION_FOLDER)
        graph_def = read_savedmodel(path, output)
    try:
        return TensorFlowEngine(graph_def, output, gpu_memory_fraction=gpu_memory_fraction)
    except (ValueError, TypeError, KeyError, tf.errors.OpError) as error:
        raise UserError("the graph {} cannot be used: {}".format(path, first_line(error))) from error
