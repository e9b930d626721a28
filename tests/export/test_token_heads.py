"""Exports of the tagging and the reading head: every format, transformers and back, what is refused and said."""

import json
import logging
import os

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import read_weights
from albert.export import transformers_folder
from albert.export.heads import left_out
from albert.export.numpy_albert import NumpyAlbert
from albert.export.parity import compare_outputs
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import find_model
from albert.inference.reader import open_reader
from albert.inference.tagger import open_tagger
from tests.support import exports, published_checkpoints, tiny_model
from tests.support.marks import slow

INPUTS = {
    "input_ids": np.array([[2, 6, 7, 3, 8, 9, 3], [2, 9, 3, 0, 0, 0, 0]], np.int32),
    "input_mask": np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0]], np.int32),
    "segment_ids": np.array([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0]], np.int32),
}
WRITERS = {"tags": exports.write_tagger, "spans": exports.write_reader}
OUTPUTS = {"tags": "probabilities", "spans": "span_logits"}
SHAPES = {"tags": (2, 7, 5), "spans": (2, 2, 7)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A model folder of each head."""
    place = tmp_path_factory.mktemp("models")
    return {head: write(place / head) for head, write in WRITERS.items()}


def read_json(*parts):
    with open(os.path.join(*map(str, parts)), encoding="utf-8") as file:
        return json.load(file)


def answers_of(checkpoint, head):
    with InferenceGraph(head_recipe(open_checkpoint(str(checkpoint)), head)) as graph:
        return graph.answer(INPUTS)[OUTPUTS[head]]


@pytest.mark.parametrize("head", ["tags", "spans"])
@pytest.mark.parametrize("kind", ["frozen", slow("savedmodel"), slow("tflite"), slow("onnx")])
def test_every_format_holds_the_head_that_was_trained(folders, tmp_path, caplog, head, kind):
    if kind == "onnx":
        pytest.importorskip("tf2onnx")
    caplog.set_level(logging.INFO)
    exports.run(checkpoint=os.path.dirname(folders[head]), format=kind, output_dir=tmp_path / "out", max_seq_length=7)
    description = read_json(tmp_path, "out", "export.json")
    assert description["head"] == head and description["outputs"] == [OUTPUTS[head]]
    assert "The export answers with the head {}.".format(head) in caplog.text
    assert description["parity"]["share"] < 1e-4 and description["parity"]["agreeing"] > 20
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| head | {} |".format(head) in card
    if kind != "onnx":
        assert "\npython predict.py --model=FOLDER\n" in card


def test_an_export_holds_the_tags_and_how_a_reader_reads(folders, tmp_path):
    for head in ("tags", "spans"):
        exports.run(checkpoint=folders[head], format="frozen", output_dir=tmp_path / head)
    files = {head: find_model(str(tmp_path / head)) for head in ("tags", "spans")}
    assert {head: found.head for head, found in files.items()} == {"tags": "tags", "spans": "spans"}
    assert files["tags"].labels == exports.TAG_LABELS and files["spans"].labels == ()
    assert {name: getattr(files["spans"], name) for name in exports.READING} == exports.READING


def test_a_reader_of_shorter_rows_has_windows_that_overlap_and_one_of_the_same_rows_those_of_training(
    folders, tmp_path
):
    reading = {}
    for length in (0, 9, 12):
        exports.run(
            checkpoint=folders["spans"], format="frozen", output_dir=tmp_path / str(length), max_seq_length=length
        )
        files = find_model(str(tmp_path / str(length)))
        reading[length] = (files.doc_stride, files.max_query_length)
    trained = (exports.READING["doc_stride"], exports.READING["max_query_length"])
    assert reading == {0: trained, 12: trained, 9: (1, 4)}  # 9 - 4 - 3: room for two tokens of the context


TEXTS = ["我喜欢吃苹果", "明天北京下雨吗我不喜欢上海的香蕉你在吃", "好"]
QUESTIONS = [("明天下雨吗", "你是好的"), ("你在上海", "我喜欢吃苹果明天北京下雨吗我不喜欢上海的香蕉"), ("", "好的")]


@pytest.mark.parametrize("kind", ["frozen", slow("savedmodel"), slow("tflite")])
def test_entities_and_answers_from_an_export_are_those_from_the_checkpoint(folders, tmp_path, kind):
    if kind == "tflite":
        pytest.importorskip("ai_edge_litert")
    found = {}
    for head, folder in folders.items():
        exports.run(checkpoint=folder, format=kind, output_dir=tmp_path / head, max_seq_length=12)
    for place, tags, spans in (
        ("here", folders["tags"], folders["spans"]),
        ("there", tmp_path / "tags", tmp_path / "spans"),
    ):
        with open_tagger(str(tags)) as tagger, open_reader(str(spans)) as reader:
            found[place] = tagger.tag(TEXTS) + reader.answer(QUESTIONS, n_best=3)
    assert [len(entities) for entities in found["here"][:3]] != [0, 0, 0]
    for here, there in zip(found["here"], found["there"]):
        assert [row._replace(score=0) for row in here] == [row._replace(score=0) for row in there]
        np.testing.assert_allclose([row.score for row in here], [row.score for row in there], atol=1e-5)


@pytest.mark.parametrize("head", ["tags", "spans"])
def test_a_folder_for_transformers_answers_as_its_source_and_comes_back(folders, tmp_path, head):
    exports.run(checkpoint=folders[head], format="pytorch", output_dir=tmp_path / "there")
    folder = transformers_folder.read(str(tmp_path / "there"))
    expected = answers_of(folders[head], head)
    assert folder.head == head and expected.shape == SHAPES[head]
    assert not [name for name in folder.values if "pooler" in name]  # the library's classes for tokens have none
    answers = NumpyAlbert(folder.config, folder.values).answer(INPUTS, head)[OUTPUTS[head]]
    np.testing.assert_allclose(answers, expected, atol=1e-6)
    exports.run(checkpoint=tmp_path / "there", format="tensorflow", output_dir=tmp_path / "back")
    back = open_checkpoint(str(tmp_path / "back"))
    assert back.head == head and back.description.task == "some_task"
    assert back.description.labels == open_checkpoint(folders[head]).description.labels
    np.testing.assert_allclose(answers_of(tmp_path / "back", head), expected, atol=1e-6)
    if head == "spans":
        assert {name: getattr(back.description, name) for name in exports.READING} == exports.READING


def test_the_config_for_transformers_names_the_class_and_the_tags(folders, tmp_path):
    for head, architecture in (("tags", "AlbertForTokenClassification"), ("spans", "AlbertForQuestionAnswering")):
        exports.run(checkpoint=folders[head], format="pytorch", output_dir=tmp_path / head)
        config = read_json(tmp_path, head, "config.json")
        assert config["architectures"] == [architecture] and "problem_type" not in config
    assert "id2label" not in config and config["task_specific_params"]["question-answering"]["max_answer_len"] == 3
    config = read_json(tmp_path, "tags", "config.json")
    assert list(config["id2label"].values()) == list(exports.TAG_LABELS) and config["label2id"]["I-地"] == 4


@pytest.mark.parametrize("head", ["tags", "spans"])
def test_a_checkpoint_without_the_head_says_which_it_has(folders, tmp_path, head):
    other = "spans" if head == "tags" else "tags"
    with pytest.raises(UserError, match="has no head that .*: it can be exported with --head=encoder, " + other):
        exports.run(checkpoint=folders[other], format="frozen", output_dir=tmp_path / "out", head=head)
    assert os.listdir(str(tmp_path)) == []


def changed_weights(folder, target, change):
    """A copy of a model folder's checkpoint and config, with other weights and without its description."""
    values = read_weights(open_checkpoint(folder).prefix)
    change(values)
    target.mkdir()
    tiny_model.write_config(target)
    published_checkpoints.save(target / "model.ckpt-9", values)
    return str(target)


@pytest.mark.parametrize("head, scope", [("tags", "cls/tagging/"), ("spans", "cls/squad/")])
def test_half_a_head_is_no_encoder(folders, tmp_path, head, scope):
    folder = changed_weights(folders[head], tmp_path / "half", lambda values: values.pop(scope + "output_bias"))
    message = "only a part of its {0} head: {1}output_bias is missing: it can be exported with --head=encoder"
    with pytest.raises(UserError, match=message.format(head, scope)):
        exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "out")
    exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "out", head="encoder")


def test_a_head_that_only_the_description_names_is_missed(folders, tmp_path):
    def without_head(values):
        for name in ("output_weights", "output_bias"):
            del values["cls/tagging/" + name]

    folder = changed_weights(folders["tags"], tmp_path / "encoder", without_head)
    description = read_json(folders["tags"], "task.json")
    (tmp_path / "encoder" / "task.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(UserError, match="has no head that tags tokens"):
        exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "out")


def test_what_an_export_leaves_out_is_said(folders, published, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    exports.run(checkpoint=folders["tags"], format="frozen", output_dir=tmp_path / "out", head="encoder")
    assert "The export leaves out what the checkpoint holds besides: tags." in caplog.text
    model = open_checkpoint(published["google_g1"])
    assert left_out(model, "pretraining") == []
    strange = model._replace(shapes=dict(model.shapes, **{"cls/mine/kernel": [2, 3]}))
    assert left_out(strange, "encoder") == [
        "masked_lm", "pretraining", "weights of no head that is known here, cls/mine/kernel",
    ]  # fmt: skip


def test_parity_of_spans_does_not_count_padding():
    source = {"span_logits": np.array([[[3.0, 1.0, 2.0, -1e9], [0.0, 1.0, 2.0, -1e9]]])}
    export = {"span_logits": np.array([[[3.0, 1.0, 2.5, -1e8], [0.0, 2.5, 2.0, -1e8]]])}
    parity = compare_outputs(source, export, np.array([[1, 1, 1, 0]]))
    assert (parity.agreeing, parity.labels, parity.unit) == (1, 2, "logits")
    assert parity.share == pytest.approx(1.5 / source["span_logits"][:, :, :3].std())
    assert "largest difference 1.5e+00 of logits" in str(parity)
