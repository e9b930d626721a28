"""Makes the exports that the other readers open: python -m tests.readers.make_exports FOLDER.

Beside each export stand its inputs and what the published implementation, or TensorFlow, answers to them.
"""

import os
import pathlib
import sys

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np

from albert.checkpoints.model import open_checkpoint
from albert.inference.graph import InferenceGraph, head_recipe
from tests.support import (
    exports,
    model_fixtures,
)

TEXTS = [("我喜欢吃", "你吃香蕉吗"), ("好", "不好，ABC！明天 2026 下雨"), ("北京", "上海")]
VECTOR_TEXTS = ["一丁七万", "万七", "丈三上下不与", "一" * 40]
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
    from albert.inference.model_files import find_model
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


def main():
    folder = pathlib.Path(os.path.abspath(sys.argv[1]))
    for name in sorted(model_fixtures.FAMILY_OF):
        write_fixture(folder, name)
    write_classifier(folder)
    write_vectors(folder)


if __name__ == "__main__":
    main()
