"""The training runs of make_training_runs.py, repeated in torch. Run by scripts/test_readers.sh.

    python -m tests.readers.make_training_runs FOLDER        in an environment with the project's TensorFlow
    RUNS=FOLDER python -m pytest --confcutdir=tests/readers tests/readers/read_training_runs.py
    RUNS=FOLDER python -m tests.readers.read_training_runs   prints all errors, beside those of torch in float32

Needs requirements/readers.txt and none of the project: RUNS names the folder.

torch computes in float64 and TensorFlow in float32, whose rounding (6e-8) grows through 200 updates, each of which
divides by √v and so counts small gradients in full. AdamW has a systematic part too: 0.999 in float32 is 1.3e-8 too
large, so 1 - β2 is 1.3e-5 too small and every update 6e-6 off. (With these constants torch is ten times nearer: 8e-7
instead of 9e-6 of pretraining_zh_adamw's loss.) LAMB's ratio takes that part out, and what is left is what torch in
float32 has too. At twice these learning rates some runs are chaotic: torch in float32 and in float64 then differ by a
tenth of the loss themselves, and nothing can be compared.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import sys
import time

import numpy as np
import pytest
import torch

from tests.readers import torch_albert
from tests.readers.torch_albert import Encoder, clip, learning_rate, optimizer_of

FOLDER = pathlib.Path(os.environ["RUNS"])
OPTIMIZERS = ("adamw", "adamw_corrected", "lamb", "lamb_corrected_all")
SMALL = [
    "_".join((phase, family, optimizer))
    for phase in ("pretraining", "fine_tuning")
    for family in ("zh", "google")
    for optimizer in OPTIMIZERS
]
TINY = ["tiny_zh", "tiny_zh_corrected", "tiny_google"]
MOST_LOSS_ERROR = 1e-4  # absolute; losses are 1 to 8
MOST_NORM_ERROR = 1e-3  # relative
MOST_WEIGHT_ERROR = 5e-4  # as a share of the way that a variable went
MOST_NOISE = 2e-3  # how far rounding alone may take a weight, as a share of the way that full steps would take it
MOST_SPREAD_ERROR = 1e-2  # relative
LAST_SPECIAL = 2  # the id of [SEP]: tokens up to here are no words

torch.set_num_threads(1)


@functools.lru_cache(maxsize=None)
def load(name):
    """The settings and arrays of a run."""
    with np.load(str(FOLDER / (name + ".npz"))) as archive:
        arrays = dict(archive)
    return json.loads(str(arrays.pop("settings"))), arrays


def tensors_of(arrays, prefix, dtype):
    """The arrays whose name begins with the prefix, without it; whole numbers become int64."""
    return {
        name[len(prefix) :]: torch.tensor(array, dtype=torch.int64 if array.dtype.kind == "i" else dtype)
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def repeat(name, dtype=torch.float64, **changes):
    """Trains in torch as the run was trained, but for changed settings of its optimizer."""
    settings, arrays = load(name)
    optimizer_settings = dict(settings["optimizer"], **changes)
    weights = {key: weight.requires_grad_() for key, weight in tensors_of(arrays, "start/", dtype).items()}
    encoder = Encoder(settings["family"], settings["config"], weights)
    optimizer = optimizer_of(weights, optimizer_settings)
    batches = list(rows_of(tensors_of(arrays, "batch/", dtype)))
    every = len(batches) // (len(arrays["vectors"]) - 1)
    records, vectors = [], []
    for step, batch in enumerate(batches):
        if step % every == 0:
            vectors.append(vectors_of(encoder, batches[0]))
        loss = getattr(encoder, settings["phase"] + "_loss")(batch)
        set_gradients(weights, loss)
        rate = learning_rate(step, optimizer_settings)
        records.append((loss.item(), clip(weights, optimizer_settings["clip_norm"]), rate))
        optimizer.update(rate)
    vectors.append(vectors_of(encoder, batches[0]))
    result = dict(zip(("loss", "gradient_norm", "learning_rate"), np.array(records).T), vectors=np.stack(vectors))
    return dict(result, **{"end/" + key: weight.detach().numpy() for key, weight in weights.items()})


def rows_of(batches):
    """Separates stacked batches into the batch of each step."""
    for step in range(len(batches["input_ids"])):
        yield {key: value[step] for key, value in batches.items()}


def set_gradients(weights, loss):
    for weight in weights.values():
        weight.grad = None
    loss.backward()


@torch.no_grad()
def vectors_of(encoder, batch):
    return encoder.vectors(batch).numpy()


@functools.lru_cache(maxsize=None)
def repeated(name):
    return repeat(name)


def loss_errors(name, result):
    return np.abs(result["loss"] - repeated(name)["loss"])


def norm_errors(name, result):
    return np.abs(result["gradient_norm"] / repeated(name)["gradient_norm"] - 1)


def weight_errors(name, result):
    """By variable, how far it ended from where torch says, as a share of the way from its start.

    Not of the keys' biases: they add the same number to all scores of a query, which the softmax takes out. Their
    gradient is 0 but for rounding, and so is their way.
    """
    return {
        key: np.linalg.norm(result["end/" + key] - end) / np.linalg.norm(end - start)
        for key, start, end in ways(name)
        if not key.endswith("/key/bias")
    }


def ways(name):
    """The name, start and end in torch of every variable."""
    arrays = load(name)[1]
    for key, start in arrays.items():
        if key.startswith("start/"):
            key = key[len("start/") :]
            yield key, start, repeated(name)["end/" + key]


def spreads(name, result):
    """The standard deviation of the first batch's words, mean over the dimensions, each time it was looked at."""
    is_word = load(name)[1]["batch/input_ids"][0] > LAST_SPECIAL
    return np.array([vectors[is_word].std(axis=0).mean() for vectors in result["vectors"]])


def spread_errors(name, result):
    return np.abs(spreads(name, result) / spreads(name, repeated(name)) - 1)


@pytest.mark.parametrize("name", SMALL + TINY)
def test_every_update_says_what_torch_says(name):
    arrays = load(name)[1]
    np.testing.assert_allclose(arrays["learning_rate"], repeated(name)["learning_rate"], rtol=1e-5)
    assert loss_errors(name, arrays).max() < MOST_LOSS_ERROR
    assert norm_errors(name, arrays).max() < MOST_NORM_ERROR


@pytest.mark.parametrize("name", SMALL + TINY)
def test_weights_end_where_torch_ends(name):
    arrays = load(name)[1]
    assert max(weight_errors(name, arrays).values()) < MOST_WEIGHT_ERROR
    biases = [arrays["end/" + key] for key, _, _ in ways(name) if key.endswith("/key/bias")]
    assert biases and max(np.abs(bias).max() for bias in biases) < MOST_NOISE * arrays["learning_rate"].sum()


@pytest.mark.parametrize("name", SMALL + TINY)
def test_token_vectors_are_as_far_from_each_other_as_in_torch(name):
    assert spread_errors(name, load(name)[1]).max() < MOST_SPREAD_ERROR


@pytest.mark.parametrize("name", SMALL)
def test_the_runs_learn_and_are_clipped(name):
    """A run that stood still would agree with anything."""
    loss, norm = (load(name)[1][key] for key in ("loss", "gradient_norm"))
    assert loss[-20:].mean() < 0.95 * loss[:20].mean()
    assert (norm > load(name)[0]["optimizer"]["clip_norm"]).mean() > 0.25


@pytest.mark.parametrize(
    "changes",
    [
        {"bias_correction": True},
        {"clip_norm": 2.0},
        {"weight_decay_rate": 0.0},
        {"num_warmup_steps": 41},
        {"exclude_from_layer_adaptation": ()},
    ],
    ids=str,
)
def test_another_setting_is_noticed(changes):
    assert_noticed("pretraining_zh_lamb", repeat("pretraining_zh_lamb", **changes))


def test_decay_of_norms_and_biases_is_noticed(monkeypatch):
    monkeypatch.setattr(torch_albert, "NOT_DECAYED", "(?!)")
    assert_noticed("pretraining_zh_lamb", repeat("pretraining_zh_lamb"))


def assert_noticed(name, other):
    assert loss_errors(name, other).max() > 2 * MOST_LOSS_ERROR
    assert max(weight_errors(name, other).values()) > 2 * MOST_WEIGHT_ERROR


def report(name):
    """A line on a run: the largest errors of TensorFlow and of torch in float32, spreads, seconds of torch."""
    start = time.process_time()
    reference = repeated(name)
    seconds = time.process_time() - start
    words = ["{:34}".format(name)]
    for who, result in (("tensorflow", load(name)[1]), ("torch float32", repeat(name, torch.float32))):
        errors = [loss_errors(name, result).max(), norm_errors(name, result).max()]
        errors += [max(weight_errors(name, result).values()), spread_errors(name, result).max()]
        words.append("{} loss {:.1e} norm {:.1e} weights {:.1e} spread {:.1e};".format(who, *errors))
    words.append("loss {:.3f} -> {:.3f};".format(reference["loss"][0], reference["loss"][-1]))
    for who, result in (("tensorflow", load(name)[1]), ("torch", reference)):
        values = spreads(name, result)
        words.append("spread in {} {}".format(who, " ".join("{:.4f}".format(value) for value in values)))
    return " ".join([*words, "; {:.1f} s\n".format(seconds)])


def main():
    for name in SMALL + TINY:
        sys.stdout.write(report(name))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
