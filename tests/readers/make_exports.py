"""Makes the exports that the other readers open: python -m tests.readers.make_exports FOLDER.

Beside each export stand its inputs and what the published implementation, or TensorFlow, answers to them.
"""

import json
import os
import pathlib
import sys

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np

from albert.base.paths import STARTER_MODEL
from albert.checkpoints.model import open_checkpoint
from albert.export.parity import probe_inputs
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import find_model
from tests.support import exports, model_fixtures, tiny_model

TEXTS = [("我喜欢吃", "你吃香蕉吗"), ("好", "不好，ABC！明天 2026 下雨"), ("北京", "上海")]
VECTOR_TEXTS = ["一丁七万", "万七", "丈三上下不与", "一" * 40]
STARTER_PAIRS = [
    ("明天北京会下雨吗", "北京明天有雨吗"),
    ("怎么换手机号码", "手机号码多少钱"),
    ("Café 2026年", "😂 股市大跌！"),
]
TAGGED_TEXT = "我在北京吃苹果"
# Weights large enough for the converters to turn them into 8 bits.
TOKEN_SIZES = {"hidden_size": 64, "embedding_size": 48, "intermediate_size": 128, "max_position_embeddings": 40}
TOKEN_VOCABULARY = len(tiny_model.VOCABULARY)
VECTOR_POOLINGS = {"zh_postln": "mean", "google_g1": "cls", "google_g2": "max"}


def write_fixture(folder, name):
    """All formats of one fixture with both pre-training heads, and the vectors of its encoder."""
    (folder / "source" / name).mkdir(parents=True)
    source = exports.write_fixture(folder / "source" / name, name)
    np.savez(str(folder / (name + "_inputs.npz")), **exports.inputs_of(name))
    with InferenceGraph(head_recipe(open_checkpoint(source), "pretraining")) as graph:
        np.savez(str(folder / (name + "_answers.npz")), **graph.answer(exports.inputs_of(name)))
    arrays = model_fixtures.load(name)
    vectors = {key: arrays["out/" + key + "_output"] for key in ("sequence", "pooled")}
    np.savez(str(folder / (name + "_vectors.npz")), **vectors)
    formats = ["savedmodel", "tflite", "onnx"] + ([] if name == "zh_preln" else ["pytorch"])
    for kind in formats:
        flags = {"max_seq_length": 24} if kind == "tflite" else {}
        exports.run(checkpoint=source, format=kind, output_dir=folder / (name + "_" + kind), **flags)
    exports.run(
        checkpoint=source, format="tflite", tflite_type="int8", max_seq_length=24, output_dir=folder / (name + "_int8")
    )


def write_classifier(folder):
    """A fine-tuned model for transformers and for a phone, and what it answers to texts here."""
    from albert.inference.predictor import Predictor

    source = exports.write_classifier(folder / "source" / "classifier", max_position_embeddings=40)
    exports.run(checkpoint=source, format="pytorch", output_dir=folder / "classifier_pytorch")
    exports.run(checkpoint=source, format="tflite", output_dir=folder / "classifier_tflite", max_seq_length=12)
    np.save(str(folder / "classifier_answers.npy"), Predictor(find_model(source)).predict(TEXTS))


def write_vectors(folder):
    """Models of sentence vectors for sentence-transformers, onnxruntime and a phone, and their vectors here."""
    from albert.inference.vector_model import open_vectors

    for name, pooling in VECTOR_POOLINGS.items():
        source = exports.write_vectors(folder / "source" / (name + "_vectors"), name, pooling)
        with open_vectors(source) as model:
            np.save(str(folder / (name + "_vectors.npy")), model.embed(VECTOR_TEXTS))
        np.save(str(folder / (name + "_vectors_of_ids.npy")), exports.vectors_of(name, pooling))
        for kind, flags in (("pytorch", {}), ("onnx", {}), ("tflite", {"max_seq_length": 24})):
            out = folder / "{}_vectors_{}".format(name, kind)
            exports.run(checkpoint=source, format=kind, output_dir=out, **flags)


def write_token_heads(folder):
    """A tagger and a reader for transformers, onnxruntime and a phone, and what they answer to ids here."""
    for head, write in (("tags", exports.write_tagger), ("spans", exports.write_reader)):
        source = write(folder / "source" / head, **TOKEN_SIZES)
        inputs = probe_inputs(TOKEN_VOCABULARY, 24)
        np.savez(str(folder / (head + "_inputs.npz")), **inputs)
        with InferenceGraph(head_recipe(open_checkpoint(source), head)) as graph:
            np.savez(str(folder / (head + "_answers.npz")), **graph.answer(inputs))
        for kind, flags in (
            ("pytorch", {}),
            ("onnx", {}),
            ("savedmodel", {}),
            ("tflite", {"max_seq_length": 24}),
            ("int8", {"format": "tflite", "tflite_type": "int8", "max_seq_length": 24}),
        ):
            out = folder / "{}_{}".format(head, kind)
            exports.run(**dict({"checkpoint": source, "format": kind, "output_dir": out}, **flags))


def write_tags_of_text(folder):
    """Probabilities [tokens, tags] of a text, for the pipeline of transformers."""
    files = find_model(str(folder / "source" / "tags" / "best"))
    tokenizer = files.tokenizer()
    ids = tokenizer.convert_tokens_to_ids(["[CLS]", *tokenizer.tokenize(TAGGED_TEXT), "[SEP]"])
    inputs = {name: np.full([1, len(ids)], int(name == "input_mask"), np.int32) for name in exports.INPUT_NAMES}
    with InferenceGraph(head_recipe(open_checkpoint(files.checkpoint), "tags")) as graph:
        answers = graph.answer(dict(inputs, input_ids=np.array([ids], np.int32)))
    np.save(str(folder / "tags_of_text.npy"), answers["probabilities"][0, 1:-1])


def write_starter(folder):
    """The shipped model in 8 bits for a browser, and the cosines of some pairs here."""
    from albert.inference.vector_model import open_vectors

    out = folder / "starter_onnx_int8"
    exports.run(checkpoint=STARTER_MODEL, format="onnx", onnx_type="int8", output_dir=out)
    with open_vectors(str(out)) as model:
        first, second = (np.asarray(model.embed(list(texts))) for texts in zip(*STARTER_PAIRS))
    np.save(str(folder / "starter_cosines.npy"), np.sum(first * second, axis=1))
    (folder / "starter_pairs.json").write_text(json.dumps(STARTER_PAIRS), "utf-8")


def main():
    folder = pathlib.Path(os.path.abspath(sys.argv[1]))
    for name in sorted(model_fixtures.FAMILY_OF):
        write_fixture(folder, name)
    write_classifier(folder)
    write_vectors(folder)
    write_token_heads(folder)
    write_tags_of_text(folder)
    write_starter(folder)


if __name__ == "__main__":
    main()
