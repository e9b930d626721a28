"""Sentences of the service in Chinese: each has its translation, with the same values."""

import ast
import glob
import os
import string

import pytest

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

import albert
from albert.base.sentences import Sentence
from albert.checkpoints import parts, sentence_vectors
from albert.serving import guard, model, protocol, schemas, service
from albert.serving.chinese import CHINESE, in_language_of

ROOT = os.path.dirname(albert.__file__)


def templates_in(path):
    """The templates and plain sentences that a module raises."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        said = {"Sentence": 0, "HTTPException": 1, "_fail": 0}.get(name)
        for part in ast.walk(node.args[said]) if said is not None and said < len(node.args) else ():
            if isinstance(part, ast.Call):
                break
            text = getattr(part, "s", None)
            if isinstance(text, str) and " " in text.strip():
                yield text


def sources():
    serving = glob.glob(os.path.join(ROOT, "serving", "*.py"))
    others = (
        "checkpoints/parts",
        "checkpoints/sentence_vectors",
        "inference/embeddings",
        "inference/fill_mask",
        "inference/reader",
        "inference/text_batches",
        "tasks/similar_label",
    )
    return serving + [os.path.join(ROOT, name + ".py") for name in others]


def named_templates():
    """The templates that stand in constants."""
    yield from (service._TOO_LARGE, guard._NO_ROOM, protocol._NO_ROOM, model._NO_LABELS)
    yield from model._REASONS.values()
    yield from (model._OWN_VECTORS, model._POOLED_VECTORS, *sentence_vectors._POOLED.values())
    yield from schemas._SENTENCES.values()
    yield from (parts._HEAD_WORDS[head] for head in (model.MASKED_LM, model.CLASSIFIER))
    yield from (words for head, words in parts._FINE_TUNED_WORDS.items() if head != model.CLASSIFIER)


def test_every_sentence_that_the_service_says_is_translated():
    found = {template for path in sources() for template in templates_in(path)}
    assert len(found) > 35
    assert found.union(named_templates()) - set(CHINESE) == set()


@pytest.mark.parametrize("english", CHINESE)
def test_a_translation_has_the_values_of_its_sentence(english):
    def values(template):
        fields = [(name, form) for _, name, form, _ in string.Formatter().parse(template) if name is not None]
        return sorted((int(name or place), form) for place, (name, form) in enumerate(fields))

    assert values(CHINESE[english]) == values(english)


def test_sentences_within_sentences_are_translated_and_names_are_not():
    place = Sentence("{} of row {}", "context", 3)
    assert place == "context of row 3"
    assert in_language_of(Sentence("{} is missing", place), "zh-CN,zh;q=0.9,en;q=0.8") == "第 3 行的 context 缺失"
    assert in_language_of(Sentence("{} is missing", "context"), "zh") == "context 缺失"


@pytest.mark.parametrize("header", [None, "", "en", "en-US,zh;q=0.5", "*"])
def test_english_is_said_where_chinese_is_not_what_a_client_names_first(header):
    assert in_language_of(Sentence("row {}", 1), header) == "row 1"


def test_what_nobody_translated_stays_as_it_is():
    assert in_language_of(Sentence("{} is bad", Sentence("row {}", 1)), "zh") == "row 1 is bad"
    assert in_language_of("100 % {}", "zh") == "100 % {}"
