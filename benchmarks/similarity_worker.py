"""Worker of benchmarks.similarity_speed: answers pairs with one reader, in turns.

Only the readers "predictor" and "estimator" need the project's environment.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile

import numpy as np

from benchmarks.batch_files import read_batches
from benchmarks.turns import seconds_of, serve

INPUTS = ("input_ids", "input_mask", "segment_ids")
_PADDED_LENGTH = 128  # of the published similarity.py


def open_predictor(path):
    """This library: its description, a function that answers a batch, and one that answers texts."""
    from albert.inference import predictor

    model = predictor.open_predictor(path)
    return "ours, " + type(model._engine).__name__, model._engine.answer, model.predict


def open_onnx(path):
    """ONNX export in onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(os.path.join(path, "model.onnx"), providers=["CPUExecutionProvider"])
    return "onnxruntime " + onnxruntime.__version__, lambda batch: session.run(None, batch)[0], None


def open_openvino(path):
    """ONNX export in OpenVINO, set to answer one question after the other."""
    import openvino

    model = openvino.Core().compile_model(os.path.join(path, "model.onnx"), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    version = openvino.__version__.split("-")[0]
    return "OpenVINO " + version, lambda batch: model(batch)[0], None


def open_torch(path):
    """PyTorch export in transformers."""
    import torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(path).eval()
    names = dict(zip(INPUTS, ("input_ids", "attention_mask", "token_type_ids")))

    def answer(batch):
        with torch.inference_mode():
            tensors = {names[name]: torch.from_numpy(values).long() for name, values in batch.items()}
            return model(**tensors).logits.softmax(-1).numpy()

    version = torch.__version__.split("+")[0]
    return "transformers {} on torch {}".format(transformers.__version__, version), answer, None


def open_estimator(path):
    """The way of the published similarity.py: a new Estimator.predict at every call, padded to 128 tokens."""
    from albert.base import quiet_tensorflow  # noqa: F401

    # isort: split
    import tensorflow.compat.v1 as tf

    from albert.checkpoints.families import build_encoder
    from albert.checkpoints.model import open_checkpoint
    from albert.checkpoints.values import write_weights
    from albert.model import heads

    model = open_checkpoint(path)
    folder = tempfile.TemporaryDirectory()  # noqa: SIM115 (removed with the process)
    prefix = os.path.join(folder.name, "model.ckpt")
    write_weights(model.prefix, prefix)  # with a global step, which an Estimator needs

    def model_fn(features, mode):
        encoder = build_encoder(model.family, model.config, features, is_training=False)
        logits = heads.classifier(encoder, model.num_labels, False, None, model.use_pooled_output).logits
        return tf.estimator.EstimatorSpec(mode, predictions={"probabilities": tf.nn.softmax(logits)})

    def answer(batch):
        width = _PADDED_LENGTH - batch["input_ids"].shape[1]
        padded = {name: np.pad(values, ((0, 0), (0, width)), "constant") for name, values in batch.items()}
        estimator = tf.estimator.Estimator(model_fn, model_dir=folder.name)
        answers = estimator.predict(
            lambda: tf.data.Dataset.from_tensors(padded), checkpoint_path=prefix, yield_single_examples=False
        )
        return next(answers)["probabilities"]

    return "fresh Estimator.predict, TensorFlow " + tf.__version__, answer, None


READERS = {
    "predictor": open_predictor,
    "onnx": open_onnx,
    "openvino": open_openvino,
    "torch": open_torch,
    "estimator": open_estimator,
}


def measure(answer, predict, batches, singles, pairs, count):
    """Makes one turn: seconds of single pairs, of all batches and of all texts; labels and probabilities."""
    if predict and pairs:
        alone = [seconds_of(lambda pair=pair: predict([pair])) for pair in pairs["singles"][:count]]
    else:
        alone = [seconds_of(lambda batch=batch: answer(batch)) for batch in singles[:count]]
    answers = []
    together = seconds_of(lambda: answers.extend(answer(batch) for batch in batches))
    texts = seconds_of(lambda: predict(pairs["all"])) if predict else None
    labels = [int(label) for values in answers for label in values.argmax(axis=-1)]
    largest = [float(row) for values in answers for row in values[:, -1]]
    return {"alone": alone, "together": together, "texts": texts, "labels": labels, "probabilities": largest}


def main():
    """Prepares the reader and serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", required=True, choices=sorted(READERS))
    parser.add_argument("--model", required=True, help="a fine-tuned folder, or an export of it")
    parser.add_argument("--folder", required=True, help="batches.npz, singles.npz and pairs.json")
    parser.add_argument("--count", type=int, required=True, help="single pairs per turn")
    options = parser.parse_args()
    batches, singles = (read_batches(os.path.join(options.folder, name)) for name in ("batches.npz", "singles.npz"))
    batches, singles = ([{name: batch[name] for name in INPUTS} for batch in part] for part in (batches, singles))
    with open(os.path.join(options.folder, "pairs.json"), encoding="utf-8") as file:
        pairs = json.load(file)
    description, answer, predict = READERS[options.reader](options.model)
    if options.reader == "estimator":  # a call takes almost a second; all batches would take minutes
        batches = batches[:1]
    measure(answer, predict, batches, singles, pairs, min(options.count, 20))
    serve(description, lambda: measure(answer, predict, batches, singles, pairs, options.count))


if __name__ == "__main__":
    main()
