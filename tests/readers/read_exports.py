"""The exports of make_exports.py, opened by what users open them with. Run by scripts/test_readers.sh.

Needs requirements/readers.txt and none of the project: EXPORTS names the folder.
"""

import os
import pathlib

import numpy as np
import pytest

FOLDER = pathlib.Path(os.environ["EXPORTS"])
NAMES = ("google_g1", "google_g2", "zh_postln", "zh_preln")
TEXTS = [("我喜欢吃", "你吃香蕉吗"), ("好", "不好，ABC！明天 2026 下雨"), ("北京", "上海")]


def load(name):
    with np.load(str(FOLDER / (name + ".npz"))) as archive:
        return dict(archive)


def check(name, answers, atol=2e-5):
    """Compares probabilities by their logarithms."""
    for key, expected in load(name + "_answers").items():
        np.testing.assert_allclose(np.log(answers[key]), np.log(expected), atol=atol)


def as_torch(name):
    import torch

    names = {"input_ids": "input_ids", "attention_mask": "input_mask", "token_type_ids": "segment_ids"}
    inputs = load(name + "_inputs")
    return {theirs: torch.tensor(inputs[ours].astype(np.int64)) for theirs, ours in names.items()}


def from_pretrained(auto_class, folder):
    model, loading = auto_class.from_pretrained(str(FOLDER / folder), output_loading_info=True)
    assert not loading["missing_keys"] and not loading["mismatched_keys"]
    return model.eval(), loading


@pytest.mark.parametrize("name", NAMES[:3])
def test_transformers_opens_the_pretraining_model(name):
    import torch
    import transformers

    model, loading = from_pretrained(transformers.AutoModelForPreTraining, name + "_pytorch")
    assert type(model).__name__ == "AlbertForPreTraining" and not loading["unexpected_keys"]
    with torch.no_grad():
        output = model(**as_torch(name))
    check(
        name,
        {
            "probabilities": torch.softmax(output.prediction_logits, -1).numpy(),
            "sentence_order_probabilities": torch.softmax(output.sop_logits, -1).numpy(),
        },
    )


@pytest.mark.parametrize("name", NAMES[:3])
def test_transformers_opens_the_encoder(name):
    import torch
    import transformers

    model, _ = from_pretrained(transformers.AutoModel, name + "_pytorch")
    with torch.no_grad():
        output = model(**as_torch(name))
    published = load(name + "_vectors")
    np.testing.assert_allclose(output.last_hidden_state.numpy(), published["sequence"], atol=1e-5)
    np.testing.assert_allclose(output.pooler_output.numpy(), published["pooled"], atol=1e-5)


def test_transformers_answers_to_texts_as_the_fine_tuned_model():
    import torch
    import transformers

    model, loading = from_pretrained(transformers.AutoModelForSequenceClassification, "classifier_pytorch")
    assert not loading["unexpected_keys"] and model.config.id2label == {0: "否", 1: "是", 2: "不知道"}
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(FOLDER / "classifier_pytorch"))
    assert "BertTokenizer" in type(tokenizer).__name__
    firsts, seconds = zip(*TEXTS)
    inputs = tokenizer(list(firsts), list(seconds), padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        answers = torch.softmax(model(**inputs).logits, -1).numpy()
    np.testing.assert_allclose(answers, np.load(str(FOLDER / "classifier_answers.npy")), atol=1e-5)


@pytest.mark.parametrize("name", NAMES[:3])
def test_sentence_transformers_gives_the_vectors_of_tensorflow(name):
    import sentence_transformers
    import transformers

    folder = str(FOLDER / (name + "_vectors_pytorch"))
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    assert (model.max_seq_length, model.similarity_fn_name) == (24, "cosine")
    vectors = model.encode(["一丁七万", "万七", "丈三上下不与", "一" * 40])
    np.testing.assert_allclose(vectors, np.load(str(FOLDER / (name + "_vectors.npy"))), atol=1e-5)
    _, loading = from_pretrained(transformers.AutoModel, folder)
    assert not loading["unexpected_keys"]


@pytest.mark.parametrize("name", NAMES[:3])
def test_sentence_vectors_of_other_formats_are_those_of_the_published_layers(name):
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    expected, inputs = np.load(str(FOLDER / (name + "_vectors_of_ids.npy"))), load(name + "_inputs")
    session = onnxruntime.InferenceSession(
        str(FOLDER / (name + "_vectors_onnx") / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_allclose(session.run(["sentence_vector"], inputs)[0], expected, atol=1e-5)
    interpreter = Interpreter(model_path=str(FOLDER / (name + "_vectors_tflite") / "model.tflite"))
    interpreter.allocate_tensors()
    for row in range(3):
        for tensor in interpreter.get_input_details():
            interpreter.set_tensor(tensor["index"], inputs[tensor["name"].split(":")[0]][row : row + 1])
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        np.testing.assert_allclose(found[0], expected[row], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_onnxruntime_runs_the_model(name):
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(FOLDER / (name + "_onnx") / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    outputs = [output.name for output in session.get_outputs()]
    check(name, dict(zip(outputs, session.run(outputs, load(name + "_inputs")))))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind, atol", [("tflite", 2e-5), ("int8", 0.1)])
def test_ai_edge_litert_runs_the_model(name, kind, atol):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(FOLDER / (name + "_" + kind) / "model.tflite"))
    interpreter.allocate_tensors()
    inputs, rows = load(name + "_inputs"), []
    for row in range(3):
        for tensor in interpreter.get_input_details():
            interpreter.set_tensor(tensor["index"], inputs[tensor["name"].split(":")[0]][row : row + 1])
        interpreter.invoke()
        outputs = interpreter.get_output_details()
        rows.append({tensor["name"].split(":")[0]: interpreter.get_tensor(tensor["index"]) for tensor in outputs})
    check(name, {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}, atol)


def test_the_example_classifies_texts_by_ai_edge_litert():
    from examples import tflite_classify

    assert tflite_classify.Interpreter.__module__.startswith("ai_edge_litert")
    classifier = tflite_classify.Classifier(FOLDER / "classifier_tflite")
    answers = [list(classifier.classify(*pair).values()) for pair in TEXTS]
    np.testing.assert_allclose(answers, np.load(str(FOLDER / "classifier_answers.npy")), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_tensorflow_of_the_day_opens_the_savedmodel(name):
    import tensorflow as tf

    signature = tf.saved_model.load(str(FOLDER / (name + "_savedmodel") / "1")).signatures["serving_default"]
    answers = signature(**{key: tf.constant(value) for key, value in load(name + "_inputs").items()})
    check(name, {key: value.numpy() for key, value in answers.items()})
