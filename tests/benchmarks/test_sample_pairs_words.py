"""Benchmark of the pairs without word order: a phrase that reveals labels is found, none is in the shipped pairs."""

from __future__ import annotations

import os
from typing import Dict

import pytest

from albert.base.paths import ROOT
from benchmarks import sample_pairs_words

TRICK = "，算了不用回答"


def accuracies(folder: str) -> Dict[str, float]:
    return dict(sample_pairs_words.measure(folder))


@pytest.fixture(scope="module")
def tricked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Pairs whose label is that of a phrase; the dev pairs are about other things."""
    folder = tmp_path_factory.mktemp("pairs")
    for split, things in (("train", "猫狗鱼鸟马羊"), ("dev", "蜗牛鹰鼠")):
        lines = ["{0}吃什么\t{0}爱吃什么\t1\n{0}吃什么\t{0}爱吃什么{1}\t0\n".format(one, TRICK) for one in things]
        (folder / (split + ".txt")).write_text("".join(lines), encoding="utf-8")
    return str(folder)


def test_a_phrase_that_reveals_the_label_is_found(tricked):
    found = accuracies(tricked)
    assert found["commoner label"] == 0.5
    assert {value for what, value in found.items() if "words" in what} == {1.0}


def test_the_table_names_each_kind_of_model(tricked, capsys):
    flags = sample_pairs_words.declare_flags()
    flags.parse(["--data_dir=" + tricked])
    sample_pairs_words.main(flags)
    printed = capsys.readouterr().out
    assert all(what in printed for what in accuracies(tricked)) and "100.0 %" in printed


@pytest.mark.slow
def test_words_do_not_solve_the_shipped_pairs():
    found = accuracies(os.path.join(ROOT, "data", "sample_pairs"))
    assert found["words of both sentences together"] <= 0.60
    assert found["words in both, words in only one"] <= 0.70
    assert found["share of common words"] <= 0.70
