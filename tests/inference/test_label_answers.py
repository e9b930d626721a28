"""Answers of a classifier with several labels a row, and of one that reads long texts in windows."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints.description import read_description, write_description
from albert.checkpoints.model import open_checkpoint
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import find_model
from albert.inference.predictor import open_predictor
from albert.text.long_texts import HEAD_TAIL, WINDOWS_MAX, WINDOWS_MEAN, sequences_of
from albert.text.sequences import pad_batch, text_ids
from tests.support import exports
from tokenization import FullTokenizer

ROWS = [("我喜欢", "你喜欢吗"), ("明天下雨吗" * 7, None), ("北京", "上海好不好" * 8)]
THRESHOLDS = (0.4, 0.5, 0.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exports.write_classifier(tmp_path_factory.mktemp("model"))


def described(folder, **changes):
    write_description(folder, read_description(folder)._replace(thresholds=None, long_text=None)._replace(**changes))
    return folder


def logits_of(folder, way):
    """Logits of the sequences of each row, from a plain graph of one label a row."""
    model = open_checkpoint(described(folder))
    tokenizer = FullTokenizer(model.vocab_file, do_lower_case=False)
    with InferenceGraph(head_recipe(model, "classifier")) as graph:
        return [
            np.concatenate(
                [
                    np.log(graph.answer(pad_batch([sequence], tokenizer.pad_id))["probabilities"])
                    for sequence in sequences_of(
                        tokenizer, text_ids(tokenizer, a), None if b is None else text_ids(tokenizer, b), 12, way
                    )
                ]
            )
            for a, b in ROWS
        ]


@pytest.mark.parametrize("way", [HEAD_TAIL, WINDOWS_MEAN, WINDOWS_MAX])
def test_long_texts_are_answered_by_all_that_is_read_of_them(folder, way):
    logits = logits_of(folder, way)
    assert [len(row) > 1 for row in logits] == [False, way != HEAD_TAIL, way != HEAD_TAIL]
    merged = np.stack([row.max(axis=0) if way == WINDOWS_MAX else row.mean(axis=0) for row in logits])
    expected = np.exp(merged) / np.exp(merged).sum(axis=1, keepdims=True)
    with open_predictor(described(folder, long_text=way)) as model:
        np.testing.assert_allclose(model.predict(ROWS), expected, rtol=2e-4)


def test_several_labels_are_all_over_their_thresholds_perhaps_none(folder):
    with open_predictor(described(folder, thresholds=THRESHOLDS)) as model:
        found = model.classify(ROWS)
    odds = np.log(found.probabilities) - np.log(1 - found.probabilities)
    differences = np.concatenate([row[:1] - row[:1, :1] for row in logits_of(folder, "cut")])
    np.testing.assert_allclose(odds - odds[:, :1], differences, atol=2e-3)  # the same logits, without a softmax
    for labels, row in zip(found.labels, found.probabilities):
        assert labels == tuple(name for name, p, t in zip(exports.LABELS, row, THRESHOLDS) if p >= t)
    with open_predictor(described(folder, thresholds=(1.0,) * 3)) as model:
        assert model.classify(ROWS[:1]).labels == [()]


def test_similarity_refuses_labels_that_do_not_exclude_each_other(folder):
    files = find_model(described(folder, thresholds=THRESHOLDS))
    with pytest.raises(UserError, match="cannot score pairs: it gives a row any number of labels"):
        files.similar_id()
