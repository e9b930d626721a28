"""Frozen graph: one file with the weights as constants, and the head's probabilities or vectors as outputs."""

from __future__ import annotations

import os
from typing import Sequence

import tensorflow.compat.v1 as tf

from albert.export.format import FLOAT32_TOLERANCE, Request, Written
from albert.inference.graph import freeze, head_recipe
from albert.inference.graph_files import read_graph
from albert.inference.model_files import FROZEN_FILE
from albert.model.outputs import INPUT_NAMES, Arrays


def write_frozen(request: Request, folder: str) -> Written:
    """Writes <folder>/frozen_graph.pb; inputs and outputs are nodes of their own names."""
    path = os.path.join(folder, FROZEN_FILE)
    graph_def = freeze(head_recipe(request.model, request.head, seq_length=request.seq_length))
    with open(path, "wb") as file:
        file.write(graph_def.SerializeToString())
    return Written(
        answer=lambda inputs: _answer(path, request.outputs, inputs),
        tolerance=FLOAT32_TOLERANCE,
        opened_by="tf.compat.v1.import_graph_def, with the nodes {} and {}".format(
            ", ".join(INPUT_NAMES), ", ".join(request.outputs)
        ),
    )


def _answer(path: str, outputs: Sequence[str], inputs: Arrays) -> Arrays:
    graph_def = read_graph(path)
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        fetches = {name: name + ":0" for name in outputs}
        return session.run(fetches, {name + ":0": inputs[name] for name in INPUT_NAMES})
