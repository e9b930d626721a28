"""The exports of make_exports.py, opened by what users open them with. Run by scripts/test_readers.sh.

Needs requirements/readers.txt and none of the project: EXPORTS names the folder.
"""

import os
import pathlib

import numpy as np
import pytest

FOLDER = pathlib.Path(os.environ["EXPORTS"])
NAMES = ("google_g1", "google_g2", "zh_postln", "zh_preln")
TAG_LABELS = ("O", "B-人", "I-人", "B-地", "I-地")
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


def litert_answers(folder, inputs):
    """The outputs by name of a TFLite model, for one row of ids after another."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(FOLDER / folder / "model.tflite"))
    interpreter.allocate_tensors()
    for row in range(len(inputs["input_ids"])):
        for tensor in interpreter.get_input_details():
            interpreter.set_tensor(tensor["index"], inputs[tensor["name"].split(":")[0]][row : row + 1])
        interpreter.invoke()
        outputs = interpreter.get_output_details()
        yield {tensor["name"].split(":")[0]: interpreter.get_tensor(tensor["index"]) for tensor in outputs}


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


def at_tokens(head, answers):
    """Answers where there is a token: the tags of each, or the scores of each as first and as last."""
    mask = load(head + "_inputs")["input_mask"] > 0
    return answers[mask] if head == "tags" else np.moveaxis(answers, 2, 1)[mask]


def check_token_head(head, answers, rms=None):
    """Compares probabilities of tags, and scores of spans, with those of TensorFlow.

    Numbers may differ by 1e-5, or the root of their mean square difference be a share of their spread.
    """
    ((_, expected),) = load(head + "_answers").items()
    answers, expected = at_tokens(head, answers), at_tokens(head, expected)
    if rms is None:
        np.testing.assert_allclose(answers, expected, atol=1e-5)
    else:
        assert answers.shape == expected.shape
        assert np.sqrt(np.square(answers - expected).mean()) < rms * expected.std()


def test_transformers_tags_tokens_as_the_fine_tuned_model():
    import torch
    import transformers

    model, loading = from_pretrained(transformers.AutoModelForTokenClassification, "tags_pytorch")
    assert type(model).__name__ == "AlbertForTokenClassification" and not loading["unexpected_keys"]
    assert model.config.id2label == dict(enumerate(TAG_LABELS)) and model.config.label2id["I-地"] == 4
    with torch.no_grad():
        check_token_head("tags", torch.softmax(model(**as_torch("tags")).logits, -1).numpy())


def test_the_pipeline_of_transformers_tags_a_text_as_the_fine_tuned_model():
    import transformers

    folder, text = str(FOLDER / "tags_pytorch"), "我在北京吃苹果"
    expected = np.load(str(FOLDER / "tags_of_text.npy"))
    tagged = transformers.pipeline("token-classification", model=folder)(text, ignore_labels=[])
    assert [found["entity"] for found in tagged] == [TAG_LABELS[tag] for tag in expected.argmax(axis=1)]
    np.testing.assert_allclose([found["score"] for found in tagged], expected.max(axis=1), atol=1e-5)
    entities = transformers.pipeline("token-classification", model=folder, aggregation_strategy="simple")(text)
    assert {found["entity_group"] for found in entities} <= {"人", "地"}


def test_transformers_scores_spans_as_the_fine_tuned_model():
    import torch
    import transformers

    model, loading = from_pretrained(transformers.AutoModelForQuestionAnswering, "spans_pytorch")
    assert type(model).__name__ == "AlbertForQuestionAnswering" and not loading["unexpected_keys"]
    with torch.no_grad():
        output = model(**as_torch("spans"))
    check_token_head("spans", np.stack([output.start_logits.numpy(), output.end_logits.numpy()], axis=1))


@pytest.mark.parametrize("head", ["tags", "spans"])
def test_onnxruntime_runs_heads_of_tokens(head):
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(FOLDER / (head + "_onnx") / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    assert session.get_outputs()[0].shape[:2] == ["batch", "length" if head == "tags" else 2]
    check_token_head(head, session.run(None, load(head + "_inputs"))[0])


@pytest.mark.parametrize("head", ["tags", "spans"])
@pytest.mark.parametrize("kind, rms", [("tflite", None), ("int8", 0.05)])
def test_ai_edge_litert_runs_heads_of_tokens(head, kind, rms):
    rows = litert_answers("{}_{}".format(head, kind), load(head + "_inputs"))
    check_token_head(head, np.concatenate([next(iter(row.values())) for row in rows]), rms)


@pytest.mark.parametrize("head", ["tags", "spans"])
def test_the_tensorflow_of_the_day_opens_heads_of_tokens(head):
    import tensorflow as tf

    signature = tf.saved_model.load(str(FOLDER / (head + "_savedmodel") / "1")).signatures["serving_default"]
    (answers,) = signature(**{key: tf.constant(value) for key, value in load(head + "_inputs").items()}).values()
    check_token_head(head, answers.numpy())


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

    expected, inputs = np.load(str(FOLDER / (name + "_vectors_of_ids.npy"))), load(name + "_inputs")
    session = onnxruntime.InferenceSession(
        str(FOLDER / (name + "_vectors_onnx") / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_allclose(session.run(["sentence_vector"], inputs)[0], expected, atol=1e-5)
    for row, found in enumerate(litert_answers(name + "_vectors_tflite", inputs)):
        np.testing.assert_allclose(found["sentence_vector"][0], expected[row], atol=1e-5)


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
    rows = list(litert_answers(name + "_" + kind, load(name + "_inputs")))
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
