"""Graph files of others: only what an export consists of is given to TensorFlow."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2

from albert.base.errors import UserError
from albert.checkpoints.model import open_checkpoint
from albert.export.parity import probe_inputs
from albert.inference import graph_files
from albert.inference.engine_tensorflow import PROBABILITIES, TensorFlowEngine, export_engine
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.graph_files import check_graph, kept_graph, read_graph, read_savedmodel
from tests.support import exports


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A classifier as a SavedModel and as a frozen graph, inputs, and what it answers."""
    folder = tmp_path_factory.mktemp("saved")
    model = open_checkpoint(exports.write_classifier(folder / "model"))
    inputs = probe_inputs(model.config.vocab_size, 7)
    with InferenceGraph(head_recipe(model, "classifier")) as graph:
        graph.save(str(folder / "1"))
        (folder / "frozen_graph.pb").write_bytes(graph.frozen().SerializeToString())
        return folder, inputs, graph.answer(inputs)[PROBABILITIES]


def planted(graph_def, op, place="graph"):
    """Adds an operation to a graph, or to a function in its library."""
    if place == "graph":
        graph_def.node.add(name="planted", op=op)
    else:
        graph_def.library.function.add().node_def.add(name="planted", op=op)
    return graph_def


def frozen(saved):
    return tf.GraphDef.FromString((saved[0] / "frozen_graph.pb").read_bytes())


@pytest.mark.parametrize("place", ["graph", "library"])
@pytest.mark.parametrize(
    "op",
    [
        "WriteFile",
        "ReadFile",
        "SaveV2",
        "RestoreV2",
        "PyFunc",
        "Print",
        "_Send",
        "PartitionedCall",
        "While",
        "NoSuchOp",
    ],
)
def test_operations_that_no_export_has_are_named_and_never_given_to_tensorflow(saved, tmp_path, monkeypatch, op, place):
    path = tmp_path / "frozen_graph.pb"
    path.write_bytes(planted(frozen(saved), op, place).SerializeToString())
    monkeypatch.setattr(tf, "import_graph_def", lambda *_, **__: pytest.fail("the graph was given to TensorFlow"))
    with pytest.raises(UserError, match=r"frozen_graph.pb holds the operation {} \(planted\), which no".format(op)):
        export_engine(str(tmp_path), "frozen", gpu_memory_fraction=1.0)


def test_a_constant_that_fills_the_memory_is_refused(saved):
    graph_def = frozen(saved)
    tensor = next(node for node in graph_def.node if node.op == "Const").attr["value"].tensor
    for sizes in ([10**12], [10**6, 10**6], [-(10**12)]):
        del tensor.tensor_shape.dim[:]
        for size in sizes:
            tensor.tensor_shape.dim.add(size=size)
        with pytest.raises(UserError, match="holds the constant .* of more than 2,147,483,647 bytes"):
            check_graph(graph_def, "x.pb")


def test_a_frozen_graph_is_read(saved):
    folder, inputs, expected = saved
    engine = TensorFlowEngine(read_graph(str(folder / "frozen_graph.pb")))
    np.testing.assert_allclose(engine.answer(inputs), expected, atol=1e-6)
    assert engine.width == len(exports.LABELS)


def test_a_savedmodel_is_read(saved):
    folder, inputs, expected = saved
    engine = TensorFlowEngine(read_savedmodel(str(folder / "1"), PROBABILITIES))
    np.testing.assert_allclose(engine.answer(inputs), expected, atol=1e-6)


def changed_savedmodel(saved, tmp_path, change):
    """A copy of the SavedModel whose saved_model.pb was changed; its folder."""
    content = saved_model_pb2.SavedModel.FromString((saved[0] / "1" / "saved_model.pb").read_bytes())
    change(content.meta_graphs[0])
    (tmp_path / "1").mkdir()
    os.symlink(str(saved[0] / "1" / "variables"), str(tmp_path / "1" / "variables"))
    (tmp_path / "1" / "saved_model.pb").write_bytes(content.SerializeToString())
    return str(tmp_path / "1")


def write_file_before_the_answer(meta, path):
    """Makes the answer wait for an operation that writes a file."""
    nodes = meta.graph_def.node
    for name, value in (("name_of_file", path), ("content", "evil")):
        node = nodes.add(name=name, op="Const")
        node.attr["dtype"].type = tf.string.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    nodes.add(name="planted", op="WriteFile", input=["name_of_file", "content"])
    next(node for node in nodes if node.name == PROBABILITIES).input.append("^planted")


def test_a_savedmodel_whose_answer_writes_a_file_is_refused(saved, tmp_path):
    evil = tmp_path / "evil"
    folder = changed_savedmodel(saved, tmp_path, lambda meta: write_file_before_the_answer(meta, str(evil)))
    with pytest.raises(UserError, match=r"saved_model.pb holds the operation WriteFile \(planted\)"):
        read_savedmodel(folder, PROBABILITIES)
    assert not evil.exists()


def test_what_a_savedmodel_wants_run_when_it_is_loaded_is_not_run(saved, tmp_path):
    """The operation that restores, and the one for the start, may be any of the graph's."""
    evil = tmp_path / "evil"

    def change(meta):
        write_file_before_the_answer(meta, str(evil))
        del next(node for node in meta.graph_def.node if node.name == PROBABILITIES).input[-1]
        meta.saver_def.restore_op_name = "planted"
        meta.collection_def["saved_model_main_op"].node_list.value.append("planted")
        meta.collection_def["legacy_init_op"].node_list.value.append("planted")

    engine = TensorFlowEngine(read_savedmodel(changed_savedmodel(saved, tmp_path, change), PROBABILITIES))
    np.testing.assert_allclose(engine.answer(saved[1]), saved[2], atol=1e-6)
    assert not evil.exists()


def rename_variables(meta):
    for node in meta.graph_def.node:
        if node.op in ("VariableV2", "VarHandleOp"):
            node.attr["shared_name"].s = b"missing"


def enlarge_variables(meta):
    for node in meta.graph_def.node:
        if node.op in ("VariableV2", "VarHandleOp") and node.attr["shape"].shape.dim:
            node.attr["shape"].shape.dim[0].size = 10**12


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda meta: meta.meta_info_def.tags.append("gpu"), "has no graph for serving"),
        (lambda meta: meta.graph_def.Clear(), "has no output probabilities"),
        (rename_variables, "cannot read the SavedModel"),
        (enlarge_variables, "cannot read the SavedModel"),
        (lambda meta: planted(meta.graph_def, "WriteFile", "library"), "holds the operation WriteFile"),
    ],
)
def test_savedmodels_that_are_not_whole(saved, tmp_path, change, message):
    with pytest.raises(UserError, match=message) as caught:
        read_savedmodel(changed_savedmodel(saved, tmp_path, change), PROBABILITIES)
    assert "\n" not in str(caught.value)


def test_files_that_hold_no_graph(tmp_path):
    (tmp_path / "1").mkdir()
    for content in (b"\xff\xfeno graph", b"\n\x7f"):
        (tmp_path / "frozen_graph.pb").write_bytes(content)
        (tmp_path / "1" / "saved_model.pb").write_bytes(content)
        with pytest.raises(UserError, match="frozen_graph.pb holds no graph"):
            read_graph(str(tmp_path / "frozen_graph.pb"))
        with pytest.raises(UserError, match="saved_model.pb holds no SavedModel"):
            read_savedmodel(str(tmp_path / "1"), PROBABILITIES)
    with pytest.raises(UserError, match="cannot read .*missing"):
        read_graph(str(tmp_path / "missing"))


def drop(name):
    def change(graph_def):
        nodes = [node for node in graph_def.node if node.name != name]
        del graph_def.node[:]
        graph_def.node.extend(nodes)

    return change


@pytest.mark.parametrize("change", [drop("input_mask"), drop(PROBABILITIES), lambda graph_def: graph_def.Clear()])
def test_frozen_graphs_without_inputs_or_outputs(saved, tmp_path, change):
    graph_def = frozen(saved)
    change(graph_def)
    (tmp_path / "frozen_graph.pb").write_bytes(graph_def.SerializeToString())
    with pytest.raises(UserError, match="the graph .*frozen_graph.pb cannot be used: ") as caught:
        export_engine(str(tmp_path), "frozen", gpu_memory_fraction=1.0)
    assert "\n" not in str(caught.value)


class Maker:
    """Makes the frozen graph, and counts how often."""

    def __init__(self, saved):
        self.graph_def, self.count = frozen(saved), 0

    def __call__(self):
        self.count += 1
        return self.graph_def


def test_a_kept_graph_is_read_until_its_key_changes(saved, tmp_path):
    make, path = Maker(saved), str(tmp_path / "graph.pb")
    for key, count in (("a1", 1), ("a1", 1), ("b2", 2), ("b2", 2)):
        assert kept_graph(path, key, make) == make.graph_def
        assert make.count == count


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[:10],
        lambda content: content[:60],
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content + b"\0",
        lambda content: flipped(content, len(content) // 2),
        lambda content: flipped(content, len(content) - 1),
        lambda content: flipped(content, len(graph_files._KEPT_MARK) + 5),
    ],
)
def test_a_kept_graph_that_is_not_whole_is_made_again(saved, tmp_path, spoil):
    make, path = Maker(saved), tmp_path / "graph.pb"
    kept_graph(str(path), "a1", make)
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    assert kept_graph(str(path), "a1", make) == make.graph_def
    assert make.count == 2 and path.read_bytes() == whole


def test_a_planted_graph_is_not_run(saved, tmp_path):
    make, path = Maker(saved), str(tmp_path / "graph.pb")
    planted(make.graph_def, "WriteFile")
    kept_graph(path, "a1", make)
    with pytest.raises(UserError, match=r"graph.pb holds the operation WriteFile \(planted\), which no export has"):
        kept_graph(path, "a1", make)


def test_files_of_others_are_not_overwritten(saved, tmp_path):
    path = tmp_path / "graph.pb"
    for content in (b"mine", frozen(saved).SerializeToString()):
        path.write_bytes(content)
        with pytest.raises(UserError, match="is not a graph that similarity.py kept: name another graph_file"):
            kept_graph(str(path), "a1", Maker(saved))
        assert path.read_bytes() == content


def test_a_graph_that_an_earlier_version_kept_is_made_again(saved, tmp_path):
    make, path = Maker(saved), tmp_path / "graph.pb"
    old = frozen(saved)
    old.node.add(name="made_from", op="Const")
    path.write_bytes(old.SerializeToString())
    assert kept_graph(str(path), "a1", make) == make.graph_def and make.count == 1
