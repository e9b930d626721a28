"""The benchmark of similarity: what it asks, what its workers answer, and its table."""

import json

import numpy as np
import pytest

from albert.base.errors import UserError
from benchmarks import similarity_speed as benchmark
from benchmarks import similarity_worker
from benchmarks.batch_files import read_batches
from benchmarks.turns import Turns
from tests.support import exports


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A fine-tuned folder, and pairs as LCQMC has them."""
    folder = tmp_path_factory.mktemp("model")
    lines = ["我喜欢\t你不喜欢\t1", "好\t不\t0", "明天\t下雨吗\t1", "北京\t上海有雨\t0"]
    (folder / "dev.txt").write_text("\n".join(lines), encoding="utf-8")
    return exports.write_classifier(folder / "source"), str(folder)


def parsed(model, **values):
    flags = benchmark.declare_flags()
    values = dict({"checkpoint": model[0], "data_dir": model[1], "length": 9}, **values)
    flags.parse(["--{}={}".format(name, value) for name, value in values.items()])
    return flags


def test_all_get_the_same_questions(model, tmp_path):
    benchmark.write_questions(parsed(model, batch_size=2, count=3), str(tmp_path))
    batches, singles = (read_batches(str(tmp_path / name)) for name in ("batches.npz", "singles.npz"))
    assert [batch["input_ids"].shape for batch in batches] == [(2, 8), (2, 10)]
    assert [single["input_ids"].shape for single in singles] == [(1, 9)] * 3
    pairs = json.loads((tmp_path / "pairs.json").read_text())
    assert len(pairs["all"]) == 4 and pairs["singles"] == [["北京", "上海有雨"]] * 3


@pytest.mark.slow
def test_the_imitation_answers_as_ours(model, tmp_path):
    benchmark.write_questions(parsed(model, count=1), str(tmp_path))
    (batch,) = read_batches(str(tmp_path / "batches.npz"))
    _, ours, _ = similarity_worker.open_predictor(model[0])
    similarity_worker._PADDED_LENGTH, padded = 20, similarity_worker._PADDED_LENGTH
    _, theirs, _ = similarity_worker.open_estimator(model[0])
    np.testing.assert_allclose(theirs(batch), ours(batch), atol=1e-6)
    similarity_worker._PADDED_LENGTH = padded


def test_the_table():
    def result(alone, together, texts, labels, probabilities):
        names = ("alone", "together", "texts", "labels", "probabilities")
        return dict(zip(names, (alone, together, texts, labels, probabilities)))

    turns = {
        "tensorflow": Turns("a", [result([0.001, 0.003], 0.5, 1.0, [0, 1], [0.25, 0.75])] * 3),
        "onnx": Turns("b", [result([0.004], 0.25, None, [1, 1], [0.5, 0.75])]),
        "estimator": Turns("c", [result([1.0], 3.0, None, [0], [0.25])]),
    }
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in benchmark.report(turns, 100).splitlines()
    ]
    assert rows[2:] == [
        ["tensorflow (a)", "2.00", "3.00", "200", "100", "100.0%, 0e+00"],
        ["onnx (b)", "4.00", "4.00", "400", "", "50.0%, 2e-01"],
        ["estimator (c)", "1000.00", "1000.00", "", "", ""],
    ]


def test_what_cannot_be_measured_is_refused(model, tmp_path, published):
    with pytest.raises(UserError, match="no pair has 11 tokens: give another --length"):
        benchmark.write_questions(parsed(model, length=11), str(tmp_path))
    with pytest.raises(UserError, match="is no folder that run_classifier.py filled"):
        benchmark.write_questions(parsed((published["zh_postln"], "")), str(tmp_path))
    with pytest.raises(UserError, match="there is no reader x"):
        benchmark.command_of("x", parsed(model), str(tmp_path))
