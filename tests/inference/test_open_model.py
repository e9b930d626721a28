"""What each kind of model can do, and what a model says that cannot."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference import open_model as module
from albert.inference.engines import EngineOptions
from albert.inference.model_files import ModelFiles
from albert.inference.open_model import ABILITIES, open_model
from albert.inference.predictor import open_predictor
from tests.support import exports


def files_of(head, labels=("0", "1"), export_format=None):
    return ModelFiles("weights", "vocab.txt", labels, head=head, export_format=export_format)


@pytest.mark.parametrize(
    "files, abilities",
    [
        (files_of("classifier"), ("classify", "similarity", "embed")),
        (files_of("classifier", ("好", "坏")), ("classify", "embed")),
        (files_of("classifier", ("a", "b", "c"), "tflite"), ("classify",)),
        (files_of("sentence_vector"), ("similarity", "embed")),
        (files_of("sentence_vector", (), "frozen"), ("similarity", "embed")),
        (files_of("tags", ("O", "B-PER", "I-PER")), ("tag", "embed")),
        (files_of("tags", ("O", "B-PER", "I-PER"), "savedmodel"), ("tag",)),
        (files_of("spans", ()), ("answer", "embed")),
    ],
)
def test_abilities_are_those_of_the_head_and_of_the_encoder(monkeypatch, files, abilities):
    monkeypatch.setattr(module, "find_model", lambda path: files)
    model = open_model("M")
    assert model.abilities == abilities
    for ability in sorted(set(ABILITIES) - set(abilities)):
        with pytest.raises(UserError, match="the model M does not .*; it can "):
            getattr(model, ability)(["我"])


def test_a_classifier_answers_as_its_predictor(tmp_path):
    folder = exports.write_classifier(tmp_path)
    rows = ["我喜欢吃苹果", ("明天下雨吗", "北京")]
    with open_model(folder, "tensorflow") as model, open_predictor(folder, "tensorflow") as predictor:
        expected = predictor.classify([("我喜欢吃苹果", None), ("明天下雨吗", "北京")])
        found = model.classify(rows)
        assert found.labels == expected.labels
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        assert model.embed(["我"]).shape[0] == 1
        with pytest.raises(UserError, match="does not tag texts: run_ner.py trains models that do; it can classify"):
            model.tag(["我"])


def test_a_pre_trained_checkpoint_fills_masks_and_embeds(tmp_path):
    folder = exports.write_fixture(tmp_path, "zh_postln")
    with open_model(folder) as model:
        assert model.abilities == ("fill_mask", "embed")
        assert len(model.fill_mask(["一[MASK]"], top_k=2)[0][0]) == 2
        assert model.embed(["一"]).shape[0] == 1
    with pytest.raises(UserError, match="the engine tflite opens no pre-trained checkpoint"):
        open_model(folder, "tflite")


def test_options_reach_the_model(monkeypatch):
    monkeypatch.setattr(module, "find_model", lambda path: files_of("sentence_vector", ()))
    given = {}
    monkeypatch.setattr(module, "load_vectors", lambda files, options, **sizes: given.update(sizes, options=options))
    open_model("M", "onnx", batch_size=3, gpu_memory_fraction=0.5)._model("embed")
    assert given["options"] == EngineOptions("onnx", None, 0.5) and given["batch_size"] == 3
