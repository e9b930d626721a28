"""The shipped model: whole, small, the default where none is named, and right on pairs that nobody would dispute."""

import hashlib
import os

import numpy as np
import pytest

import args
import embeddings
import similarity
from albert.base.flags import Flags
from albert.base.paths import STARTER, STARTER_MODEL, model_path
from albert.checkpoints.model import open_checkpoint
from albert.model.outputs import SENTENCE_VECTOR

MOST_BYTES = 9 << 20
PAIRS = (  # alike, then on the same topic and not alike, then of other topics
    (
        ("我喜欢妈妈做的汤", "妈妈做的汤我很喜欢喝"),
        ("我喜欢妈妈做的汤", "妈妈不在家"),
        ("我喜欢妈妈做的汤", "股票大跌"),
    ),
    (
        ("明天北京会下雨吗", "北京明天有雨吗"),
        ("明天北京会下雨吗", "北京有什么好玩的"),
        ("明天北京会下雨吗", "怎么学英语"),
    ),
    (
        ("怎么办理信用卡", "信用卡如何申请办理"),
        ("怎么办理信用卡", "信用卡还款日是哪天"),
        ("怎么办理信用卡", "猫不吃东西"),
    ),
    (
        ("手机屏幕碎了怎么办", "手机屏摔坏了怎么处理"),
        ("手机屏幕碎了怎么办", "手机多少钱一部"),
        ("手机屏幕碎了怎么办", "红烧肉的做法"),
    ),
)


def test_every_file_is_as_its_checksum_says():
    with open(os.path.join(STARTER_MODEL, "SHA256SUMS"), encoding="utf-8") as file:
        sums = dict(reversed(line.split()) for line in file)
    assert "MODEL_CARD.md" in sums and sum(name.startswith("model.ckpt") for name in sums) >= 2
    for name, digest in sums.items():
        with open(os.path.join(STARTER_MODEL, name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest, name
    assert sum(os.path.getsize(os.path.join(STARTER_MODEL, name)) for name in sums) <= MOST_BYTES


def test_it_is_tiny_with_sentence_vectors():
    model = open_checkpoint(STARTER_MODEL)
    assert (model.family.name, model.config.hidden_size, model.head) == ("zh", 312, SENTENCE_VECTOR)
    assert (model.vector_size, model.pooling) == (384, "mean")


def test_its_name_is_a_model_unless_something_is_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_path(STARTER) == STARTER_MODEL
    assert model_path("other") == "other"
    flags = Flags()
    flags.model_location("checkpoint", None, "a model")
    flags.parse(["--checkpoint=starter"])
    assert flags.checkpoint == STARTER_MODEL
    (tmp_path / STARTER).mkdir()
    assert model_path(STARTER) == STARTER


@pytest.fixture(scope="module")
def scorer(tmp_path_factory):
    """The scorer that similarity.py makes where no model was trained."""
    patch = pytest.MonkeyPatch()
    nowhere = str(tmp_path_factory.mktemp("none") / "missing")
    patch.setattr(args, "model_dir", nowhere)
    patch.setattr(args, "graph_file", None)
    model = similarity.BertSim()
    patch.undo()
    assert model.model_dir == STARTER_MODEL
    model.start_model()
    return model


@pytest.mark.parametrize("pairs", PAIRS)
def test_alike_before_the_same_topic_before_another(scorer, pairs):
    alike, topic, other = scorer.predict_sentences(list(pairs))[:, 1]
    assert alike > topic > other


def test_embeddings_come_from_it_where_no_model_is_named(tmp_path):
    lines, vectors = tmp_path / "lines.txt", tmp_path / "vectors.npy"
    lines.write_text("明天北京会下雨吗\n北京明天有雨吗\n猫不吃东西\n", encoding="utf-8")
    flags = embeddings.declare_flags()
    flags.parse(["--input_file={}".format(lines), "--output_file={}".format(vectors)])
    embeddings.main(flags)
    found = np.load(str(vectors))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.ones(3), rtol=1e-5)
    assert found[0].dot(found[1]) > found[0].dot(found[2])
