"""Engines without a model that answer for each token by its id, and models behind them."""

import os

import numpy as np

from albert.inference import fine_tuned_model
from albert.inference.engines import OpenedEngine
from albert.inference.model_files import ModelFiles

CHARACTERS = "我你在北京上海大学谁写书"
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(CHARACTERS) + ["hello", "20", "##08"]
TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
_TAG_OF = {"北": 1, "京": 2, "上": 1, "海": 2, "我": 3}  # of a character, by its place in TAGS
SURE = 0.6  # the probability of a token's tag


class TokenEngine:
    """Base: any length of rows, answers that pad to the batch; counts its rows."""

    seq_length = None
    width = None
    concurrency = 1
    gains_from_batches = True

    def __init__(self):
        self.rows = 0
        self.longest = 0

    def answer(self, inputs):
        self.rows += len(inputs["input_ids"])
        self.longest = max(self.longest, inputs["input_ids"].shape[1])
        return self.scores(inputs["input_ids"])

    def close(self):
        pass


class TagEngine(TokenEngine):
    """北京 and 上海 are places, 我 is a person."""

    def scores(self, ids):
        tags = np.zeros(len(TOKENS), int)
        for char, tag in _TAG_OF.items():
            tags[TOKENS.index(char)] = tag
        others = (1.0 - SURE) / (len(TAGS) - 1)
        return np.where(np.arange(len(TAGS)) == tags[ids][..., None], SURE, others).astype(np.float32)


class SpanEngine(TokenEngine):
    """Every answer begins at 北, best at its first place, and ends at 学."""

    def scores(self, ids):
        starts, ends = ids == TOKENS.index("北"), ids == TOKENS.index("学")
        return np.stack([starts, ends], axis=1).astype(np.float32) * 5.0


def open_with(engine, kind, folder, monkeypatch, max_seq_length=16, **values):
    """A Tagger or Reader behind an engine."""
    path = os.path.join(str(folder), "vocab.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(TOKENS))
    monkeypatch.setattr(
        fine_tuned_model, "open_engine", lambda files, *_: OpenedEngine(engine, "none", files.max_seq_length)
    )
    return kind(ModelFiles("weights", path, TAGS, max_seq_length=max_seq_length, **values))
