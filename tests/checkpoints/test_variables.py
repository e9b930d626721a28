"""Variables of checkpoints: family, sizes and heads by names and shapes."""

import subprocess
import sys

import pytest

from albert.base.paths import ROOT
from albert.checkpoints import variables
from albert.model.outputs import HEADS
from tests.support import model_fixtures


def shapes_of(name):
    return {key: list(value.shape) for key, value in model_fixtures.variables_of(model_fixtures.load(name)).items()}


@pytest.mark.parametrize("name", sorted(model_fixtures.FAMILY_OF))
def test_family_and_sizes_are_those_of_the_config(name):
    shapes = shapes_of(name)
    config = model_fixtures.config_of(name, model_fixtures.load(name))
    sizes = variables.sizes_of(shapes)
    assert variables.family_of(shapes) == model_fixtures.FAMILY_OF[name].name
    assert {"vocab_size", "embedding_size", "hidden_size", "intermediate_size"} < set(sizes)
    assert sizes == {key: getattr(config, key) for key in sizes}


ENCODER_ALONE = {"bert/embeddings/word_embeddings": [20, 4]}


@pytest.mark.parametrize(
    "added,heads",
    [
        ((), ("encoder",)),
        (("cls/predictions/output_bias",), ("encoder", "masked_lm")),
        (
            ("cls/predictions/output_bias", "cls/seq_relationship/output_weights"),
            ("encoder", "masked_lm", "pretraining"),
        ),
        (("cls/seq_relationship/output_weights",), ("encoder",)),
        (("output_weights", "output_bias"), ("encoder", "classifier")),
        (("cls/squad/output_weights", "cls/squad/output_bias"), ("encoder", "spans")),
        (("cls/tagging/output_weights", "cls/tagging/output_bias"), ("encoder", "tags")),
    ],
)
def test_heads_are_told_by_their_weights(added, heads):
    assert variables.heads_of(dict(ENCODER_ALONE, **{name: [3, 4] for name in added})) == heads


@pytest.mark.parametrize("prefix,head", [("cls/squad/", "spans"), ("cls/tagging/", "tags"), ("cls/predictions/", None)])
def test_heads_of_tokens_are_told_apart(prefix, head):
    assert variables.token_head_of(dict(ENCODER_ALONE, **{prefix + "output_bias": [2]})) == head


def test_every_head_that_exports_have_is_complete():
    for name, head in HEADS.items():
        assert head.name == name and head.outputs and head.architecture and head.auto_class


def test_names_need_no_tensorflow():
    code = (
        "import sys, albert.checkpoints.variables, albert.checkpoints.description; print('tensorflow' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT).split() == [b"False"]


def test_labels_are_those_of_a_classifier():
    assert variables.num_labels_of(dict(ENCODER_ALONE, output_weights=[3, 4])) == 3
    assert variables.num_labels_of(ENCODER_ALONE) is None
    tagger = dict(ENCODER_ALONE, **{"cls/tagging/output_weights": [5, 4]})
    assert variables.num_tags_of(tagger) == 5 and variables.num_labels_of(tagger) is None


def test_names_are_listed_up_to_three():
    assert variables.listed(()) == "none"
    assert variables.listed(("a", "b", "c")) == "a, b, c"
    assert variables.listed(("a", "b", "c", "d", "e")) == "a, b, c and 2 more"
