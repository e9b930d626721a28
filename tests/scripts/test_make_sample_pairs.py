"""The shipped sentence pairs: what the generator promises, and that it still writes them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from types import ModuleType
from typing import Dict, List, Tuple

import pytest

from albert.base.paths import ROOT

SCRIPTS = os.path.join(ROOT, "scripts")
SHIPPED = os.path.join(ROOT, "data", "sample_pairs")
SPLITS = ("train", "dev", "test")

Line = Tuple[str, str, str]


def load(name: str) -> ModuleType:
    """Import a module of scripts/."""
    if SCRIPTS not in sys.path:
        sys.path.insert(0, SCRIPTS)
    return importlib.import_module(name)


def read_bytes(folder: str, split: str) -> bytes:
    with open(os.path.join(folder, f"{split}.txt"), "rb") as handle:
        return handle.read()


def read_lines(folder: str, split: str) -> List[Line]:
    text = read_bytes(folder, split).decode("utf-8")
    assert text.endswith("\n") and "\r" not in text
    lines = []
    for line in text[:-1].split("\n"):
        first, second, label = line.split("\t")
        lines.append((first, second, label))
    return lines


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder freshly written with the default flags."""
    folder = str(tmp_path_factory.mktemp("pairs"))
    assert load("make_sample_pairs").main(["--output_dir", folder]) == 0
    return folder


@pytest.fixture(scope="module")
def pairs(made: str) -> Dict[str, List[Line]]:
    return {split: read_lines(made, split) for split in SPLITS}


@pytest.mark.parametrize("split", SPLITS)
def test_equals_the_shipped_file(made: str, split: str) -> None:
    assert read_bytes(made, split) == read_bytes(SHIPPED, split)


def test_another_seed_gives_other_pairs(made: str, tmp_path) -> None:
    assert load("make_sample_pairs").main(["--output_dir", str(tmp_path), "--seed", "7"]) == 0
    assert read_bytes(str(tmp_path), "train") != read_bytes(made, "train")


def test_sizes(pairs: Dict[str, List[Line]]) -> None:
    assert len(pairs["train"]) >= 6000
    assert len(pairs["dev"]) >= 800
    assert len(pairs["test"]) >= 800


@pytest.mark.parametrize("split", SPLITS)
def test_labels_are_balanced(pairs: Dict[str, List[Line]], split: str) -> None:
    labels = [label for _, _, label in pairs[split]]
    assert set(labels) == {"0", "1"}
    assert 0.45 <= labels.count("1") / len(labels) <= 0.55


def test_no_sentence_in_two_splits(pairs: Dict[str, List[Line]]) -> None:
    sentences = {name: {s for line in pairs[name] for s in line[:2]} for name in SPLITS}
    assert not sentences["train"] & sentences["dev"]
    assert not sentences["train"] & sentences["test"]
    assert not sentences["dev"] & sentences["test"]


def test_no_pair_twice(pairs: Dict[str, List[Line]]) -> None:
    keys = [frozenset(line[:2]) for lines in pairs.values() for line in lines]
    assert len(keys) == len(set(keys))
    assert all(len(key) == 2 for key in keys)


def test_sentences_are_short_chinese(pairs: Dict[str, List[Line]]) -> None:
    for lines in pairs.values():
        for first, second, _ in lines:
            for sentence in (first, second):
                assert 5 <= len(sentence) <= 36
                assert not set(sentence) & set("{}?, ")


def test_every_template_names_both_slots() -> None:
    domains = load("sample_pair_intents").DOMAINS
    assert sum(len(domain.intents) for domain in domains) >= 25
    for domain in domains:
        for intent, templates in domain.intents.items():
            assert len(set(templates)) >= 6, intent
            for template in templates:
                assert all("{%s}" % name in template for name, _ in domain.slots), template


def test_one_sentence_belongs_to_one_question() -> None:
    splits = load("make_sample_pairs").split_questions("12345")
    sentences = [s for questions in splits.values() for one in questions for s in one.sentences]
    assert len(sentences) == len(set(sentences))


def run_script(*flags: str) -> subprocess.CompletedProcess:
    script = os.path.join(SCRIPTS, "make_sample_pairs.py")
    return subprocess.run(
        [sys.executable, script, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )


def test_too_many_pairs_are_refused(tmp_path) -> None:
    folder = str(tmp_path / "out")
    done = run_script("--output_dir", folder, "--num_pairs", "10000000")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "--num_pairs" in done.stderr
    assert not os.path.exists(folder)


@pytest.mark.parametrize("value", ["0", "-5", "many"])
def test_senseless_numbers_are_refused(tmp_path, value: str) -> None:
    done = run_script("--output_dir", str(tmp_path / "out"), "--num_pairs", value)
    assert done.returncode == 2
    assert "--num_pairs" in done.stderr


def test_summary_is_one_line(tmp_path) -> None:
    done = run_script("--output_dir", str(tmp_path), "--num_pairs", "200")
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert sum(len(read_lines(str(tmp_path), split)) for split in SPLITS) == 200
