"""Search indexes in the twinkling of an eye: an embedder of letters, and vectors in clusters."""

from __future__ import annotations

import zlib

import numpy as np

from albert.base.errors import UserError
from albert.search import build
from albert.search.build import Request, build_index
from albert.search.description import IndexModel

MODEL = IndexModel(
    "the model",
    {"path": "/models/m", "do_lower_case": True, "config_file": None, "vocab_file": None, "spm_model_file": None},
    "a mark",
)
needs_usearch = "needs requirements/search.txt"


class LetterEmbedder:
    """Gives each text the sum of its letters' random vectors: texts that share letters are near each other."""

    width = 6

    def __init__(self, faulty=()):
        self.faulty = dict(faulty)  # text -> a value of its vector
        self.calls = []

    def embed(self, texts, place="row {}".format):
        self.calls.append(list(texts))
        return np.array([self._vector(text) for text in texts], np.float32).reshape(-1, self.width)

    def _vector(self, text):
        if text in self.faulty:
            return np.full([self.width], self.faulty[text])
        seeds = [zlib.crc32(letter.encode("utf-8")) for letter in text]
        return np.sum([np.random.RandomState(seed).randn(self.width) for seed in seeds], axis=0)

    def close(self):
        pass


class ReadableEmbedder(LetterEmbedder):
    """Refuses the replacement character, as a model does."""

    def embed(self, texts, place="row {}".format):
        for number, text in enumerate(texts, start=1):
            if "\ufffd" in text:
                raise UserError("{} holds nothing".format(place(number)))
        return super().embed(texts, place)


class LengthPredictor:
    """Says of a pair the share of the second text's length."""

    def predict(self, pairs):
        shares = [len(second) / (len(first) + len(second)) for first, second in pairs]
        return np.array([[1 - share, share] for share in shares], np.float32).reshape(-1, 2)


def clustered(num_vectors, width, seed=0, num_clusters=20):
    """Vectors of length 1 around a few centres, float32."""
    random = np.random.RandomState(seed)
    centres = np.random.RandomState(99).randn(num_clusters, width)
    vectors = centres[random.randint(num_clusters, size=num_vectors)] + 0.7 * random.randn(num_vectors, width)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def write_index(folder, lines, embedder=None, graph_from=build.GRAPH_FROM):
    """Writes lines.txt and an index of it into a folder; returns the path of the index."""
    (folder / "lines.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    index = str(folder / "index")
    build_index(Request(str(folder / "lines.txt"), None, index, graph_from), embedder or LetterEmbedder(), MODEL)
    return index


def weights_of(folder):
    """The values of the checkpoint in a folder, by name."""
    import tensorflow.compat.v1 as tf

    from albert.checkpoints.files import find_checkpoint

    reader = tf.train.load_checkpoint(find_checkpoint(str(folder)))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
