"""The shipped sentence pairs: what the generator promises, and that it still writes them."""

from __future__ import annotations

import importlib
import os
import random
import subprocess
import sys
from types import ModuleType
from typing import Dict, List, Set, Tuple

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


def test_another_seed_gives_other_pairs(tmp_path) -> None:
    folders = [str(tmp_path / seed) for seed in ("6", "7")]
    for folder in folders:
        flags = ["--output_dir", folder, "--num_pairs", "200", "--seed", os.path.basename(folder)]
        assert load("make_sample_pairs").main(flags) == 0
        assert sum(len(read_lines(folder, split)) for split in SPLITS) == 200
    assert read_bytes(folders[0], "train") != read_bytes(folders[1], "train")


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


@pytest.mark.parametrize("split", SPLITS)
def test_neither_length_nor_overlap_reveals_the_label(pairs: Dict[str, List[Line]], split: str) -> None:
    overlap = load("sample_pair_candidates").overlap
    for figure in (lambda a, b: len(a + b) / 20, overlap):
        found = {label: [figure(a, b) for a, b, label_ in pairs[split] if label_ == label] for label in "01"}
        means = [sum(values) / len(values) for values in found.values()]
        assert abs(means[0] - means[1]) < 0.03


def test_no_character_reveals_the_label(pairs: Dict[str, List[Line]]) -> None:
    shares: Dict[str, List[int]] = {}
    for first, second, label in pairs["train"]:
        for character in set(first + second):
            shares.setdefault(character, []).append(int(label))
    often = {character: labels for character, labels in shares.items() if len(labels) >= 100}
    assert len(often) > 200
    for character, labels in often.items():
        assert 0.35 < sum(labels) / len(labels) < 0.65, character


def test_there_are_many_intents_and_no_template_twice() -> None:
    _, families = load("sample_pair_templates").read_templates()
    intents = [intent for family in families for intent in family.intents]
    assert len(intents) >= 150
    assert min(map(len, intents)) >= 4
    templates = [template for intent in intents for template in intent]
    assert len(set(templates)) == len(templates)


def test_values_of_a_list_have_different_names() -> None:
    lists, _ = load("sample_pair_templates").read_templates()
    for values in lists.values():
        names = [name for value in values for name in value.names]
        assert len(values) >= 8 and len(set(names)) == len(names)


@pytest.mark.parametrize(
    "line, words",
    [("从{城1}来", "line 3"), ("- 去{城1}", "line 3"), ("[b] backwards\n- {城1}到{城2}", "backwards")],
)
def test_a_wrong_line_of_the_templates_is_named(tmp_path, line: str, words: str) -> None:
    templates = load("sample_pair_templates")
    path = tmp_path / "intents.txt"
    path.write_text("[a] swap\n- {城1}到{城2}\n" + line + "\n", encoding="utf-8")
    with pytest.raises(templates.TemplateError, match=words):
        templates.read_templates(str(path))


def test_templates_that_give_no_pairs_are_refused() -> None:
    script = load("make_sample_pairs")
    with pytest.raises(script.NotEnoughPairsError, match="--num_pairs"):
        script.choose([], 2, random.Random(1))


def drawn(kinds: Tuple[str, ...], intents: Tuple[Tuple[str, ...], ...]) -> Dict[str, Set[Tuple[str, str]]]:
    """Pairs of a family of two slots, by kind."""
    templates, candidates = load("sample_pair_templates"), load("sample_pair_candidates")
    family = templates.Family("f", kinds, ("x1", "x2"), intents)
    values = {"x": [templates.Value((name,)) for name in "AB"]}
    found: Dict[str, Set[Tuple[str, str]]] = {}
    for pair in candidates.Drawer(family, "dev", False, values, "1").candidates(200):
        found.setdefault(pair.kind, set()).add(pair.texts)
    return found


def test_exchanged_roles_mean_something_else() -> None:
    found = drawn(("swap",), (("{x1}打{x2}", "{x2}被{x1}打"),))
    assert found["same"] == {("A打B", "B被A打"), ("B被A打", "A打B"), ("B打A", "A被B打"), ("A被B打", "B打A")}
    assert ("A打B", "B打A") in found["other_role"] and ("A打B", "A被B打") in found["other_role"]
    assert not found["same"] & found["other_role"]


def test_exchanged_partners_mean_the_same() -> None:
    found = drawn(("symmetric", "opposite"), (("{x1}和{x2}结婚",), ("{x1}和{x2}离婚",)))
    assert ("A和B结婚", "B和A结婚") in found["same"]
    assert ("A和B结婚", "A和B离婚") in found["other_role"]
    assert not found["same"] & found["other_role"]


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


def test_summary_is_one_line(made: str, tmp_path, capsys: pytest.CaptureFixture) -> None:
    assert load("make_sample_pairs").main(["--output_dir", str(tmp_path), "--num_pairs", "20"]) == 0
    written = capsys.readouterr()
    assert written.err == ""
    assert written.out == "wrote train 16, dev 2, test 2 pairs to {}\n".format(tmp_path)
