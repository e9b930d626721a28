"""What a checkpoint lacks is found once, and said in the same words by every command."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints import parts, warm_start
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import variable_shapes
from albert.inference.embeddings import Embedder
from albert.inference.encoder_model import open_encoder
from albert.inference.fill_mask import FillMask
from tests.support import exports, model_fixtures
from tests.support.published_checkpoints import published_values, save

NAMES = sorted(model_fixtures.FAMILY_OF)
POOLER = "bert/pooler/"


def weights_of(name):
    return model_fixtures.variables_of(model_fixtures.load(name))


def without(values, *prefixes):
    return {name: value for name, value in values.items() if not name.startswith(prefixes)}


@pytest.fixture(scope="module")
def without_pooler(tmp_path_factory):
    """A folder with a whole model of each family, but for the pooler."""
    folders = {}
    for name in ("zh_postln", "google_g1"):
        folders[name] = exports.write_fixture(tmp_path_factory.mktemp(name), name)
        save(folders[name] + "/albert_model.ckpt", without(published_values(name), POOLER))
    return folders


@pytest.mark.parametrize("name", NAMES)
def test_all_weights_of_the_published_encoders_are_known(name):
    shapes = {key: list(value.shape) for key, value in weights_of(name).items()}
    encoder = {key for key in shapes if key.startswith("bert/") and not key.startswith(POOLER)}
    assert set(parts.encoder_weights(shapes)) == encoder
    assert parts.encoder_lack(shapes) is None and parts.has_pooler(shapes)


@pytest.mark.parametrize("name", ["zh_postln", "google_g1"])
def test_what_needs_no_pooler_works_without_one(without_pooler, name):
    model = open_checkpoint(without_pooler[name])
    assert not model.has_pooler and model.heads == ("encoder", "masked_lm")
    source = open_encoder(without_pooler[name])
    assert Embedder(source).embed(["一丁"]).shape == (1, 48)
    assert len(FillMask(source).fill(["一[MASK]"], top_k=2)[0][0]) == 2


def test_a_model_with_a_pooler_is_warm_started_with_a_new_one_and_the_log_says_so(without_pooler):
    prefix = open_checkpoint(without_pooler["zh_postln"]).prefix
    shapes = {key: list(value.shape) for key, value in weights_of("zh_postln").items()}
    plan = warm_start.plan_warm_start(shapes, prefix)
    assert {name for name in plan.missing if name.startswith("bert/")} == {
        POOLER + "dense/" + end for end in ("bias", "kernel")
    }
    assert "the checkpoint has no pooler: it begins at random" in warm_start.report(plan, prefix)


@pytest.mark.parametrize("name", ["zh_postln", "google_g2"])
@pytest.mark.parametrize("use", ["open", "warm start"])
def test_other_missing_weights_are_named_with_what_is_there_in_their_place(tmp_path, name, use):
    values, old = weights_of(name), "bert/embeddings/LayerNorm/gamma"
    values["bert/embeddings/layer_normalization/gamma"] = values.pop(old)
    prefix = save(tmp_path / "model.ckpt", values)
    message = "lacks 1 of the .* weights of its encoder: {}; it has others in their place: .*normalization".format(old)
    shapes = {key: list(value.shape) for key, value in weights_of(name).items()}
    with pytest.raises(UserError, match=message):
        open_checkpoint(prefix) if use == "open" else warm_start.plan_warm_start(shapes, prefix)


def shapes_with(*heads, pooler):
    names = [name for name in weights_of("zh_postln") if name.startswith("cls/")]
    names += ["cls/{}/output_{}".format(head, end) for head in ("squad", "tagging") for end in ("weights", "bias")]
    shapes = {name: [2, 3] for name in names}
    shapes = {name: shapes[name] for name in shapes if name.split("/")[1] in heads}
    shapes.update({name: [2, 3] for name in ("output_weights", "output_bias") if "classifier" in heads})
    return dict(shapes, **{POOLER + "dense/" + end: [3] for end in ("kernel", "bias") if pooler})


@pytest.mark.parametrize(
    "heads, pooler, head, use_pooled_output, lack",
    [
        (["predictions"], False, "masked_lm", True, None),
        (["predictions", "seq_relationship"], True, "pretraining", True, None),
        (
            ["predictions", "seq_relationship"],
            False,
            "pretraining",
            True,
            "no pooler, on which its sentence",
        ),
        (["classifier"], True, "classifier", True, None),
        (["classifier"], False, "classifier", True, "no pooler, on which its fine-tuned head stands"),
        (["classifier"], False, "classifier", False, None),
        ([], True, "classifier", True, "no fine-tuned head"),
        (["tagging"], True, "classifier", True, "a fine-tuned head for tags of tokens, no classifier"),
        (["squad"], False, "classifier", True, "a fine-tuned head for spans that answer questions, no classifier"),
        (["tagging"], False, "tags", True, None),
        (["squad"], False, "spans", True, None),
        (["squad"], True, "tags", True, "no head that tags tokens: run_ner.py trains one"),
        (["classifier"], True, "spans", True, "no head that answers questions with spans: run_mrc.py trains one"),
        ([], True, "masked_lm", True, "no masked-LM head, which fine-tuning leaves out"),
        ([], False, "encoder", True, None),
    ],
)
def test_a_head_that_cannot_answer_says_what_it_lacks(heads, pooler, head, use_pooled_output, lack):
    found = parts.lack_of(shapes_with(*heads, pooler=pooler), head, use_pooled_output)
    assert found == lack or (lack and found.startswith(lack))


def test_an_encoder_without_a_pooler_has_no_pooled_output(without_pooler, tmp_path):
    assert parts.outputs_of("encoder", variable_shapes(without_pooler["zh_postln"] + "/albert_model.ckpt")) == (
        "sequence_output",
    )
    exports.run(checkpoint=without_pooler["zh_postln"], format="frozen", output_dir=tmp_path / "out", head="encoder")
    with pytest.raises(UserError, match="has no pooler, on which its sentence-order head stands: it can be exported"):
        exports.run(
            checkpoint=without_pooler["zh_postln"], format="frozen", output_dir=tmp_path / "more", head="pretraining"
        )
    assert np.array_equal(sorted(path.name for path in tmp_path.iterdir()), ["out"])


def test_a_head_of_which_a_part_is_missing_is_said_to_be_incomplete():
    shapes = shapes_with("predictions", pooler=True)
    del shapes["cls/predictions/transform/dense/bias"]
    assert parts.lack_of(shapes, "masked_lm") == (
        "only a part of its masked_lm head: cls/predictions/transform/dense/bias is missing"
    )
    assert parts.usable_heads(shapes) == ("encoder",)
