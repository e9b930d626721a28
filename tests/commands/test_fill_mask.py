"""Words for masks against what the published implementations answered, and against the exporters' graph."""

import numpy as np
import pytest

import fill_mask
from albert.base.errors import UserError
from albert.checkpoints.model import open_checkpoint
from albert.inference import encoder_model
from albert.inference.graph import InferenceGraph, head_recipe
from tests.support import exports, model_fixtures
from tests.support.marks import slow

TEXTS = ["一[MASK]七[MASK]", "[MASK]", "丈三[MASK]上下不与丁丁"]


@pytest.fixture(scope="module", params=["zh_postln", slow("google_g2")])
def filler(request, published):
    model = fill_mask.FillMask(encoder_model.open_encoder(published[request.param]), batch_size=2)
    yield request.param, published[request.param], model
    model.close()


def test_masks_are_answered_as_by_published_implementations(filler):
    name, _, model = filler
    arrays = model_fixtures.load(name)
    inputs = dict(exports.inputs_of(name), masked_lm_positions=arrays["in/masked_lm_positions"].astype(np.int32))
    answers = np.log(model._engine.answer(inputs))
    np.testing.assert_allclose(answers.reshape(15, -1), arrays["out/masked_lm_log_probs"], atol=2e-5)


def test_candidates_are_the_most_probable_tokens_of_each_mask(filler):
    _, folder, model = filler
    found = model.fill(TEXTS, top_k=4)
    assert [len(masks) for masks in found] == [2, 1, 1]
    source = open_checkpoint(folder)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(0x4E00 + n) for n in range(206)]
    with InferenceGraph(head_recipe(source, "masked_lm")) as graph:
        for text, masks in zip(TEXTS, found):
            ids = [2]
            for number, part in enumerate(text.split("[MASK]")):
                ids += ([4] if number else []) + [tokens.index(char) for char in part]
            ids = np.array([ids + [3]], np.int32)
            row = {"input_ids": ids, "input_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
            probabilities = graph.answer(row)["probabilities"][0]
            for place, candidates in zip(np.flatnonzero(ids[0] == 4), masks):
                best = sorted(range(5, 211), key=lambda token: -probabilities[place, token])[:4]
                assert [candidate.token for candidate in candidates] == [tokens[token] for token in best]
                np.testing.assert_allclose(
                    [candidate.probability for candidate in candidates], probabilities[place, best], atol=1e-6
                )


def test_an_inner_character_counts_for_the_character(published, tmp_path):
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "一", "丁", "ab", "##一", "##ab", "##丁", "##七"]
    tokens += ["filler{}".format(number) for number in range(211 - len(tokens))]
    (tmp_path / "v.txt").write_text("\n".join(tokens), encoding="utf-8")
    source = encoder_model.open_encoder(published["zh_postln"], vocab_file=str(tmp_path / "v.txt"))
    model = fill_mask.FillMask(source)
    probabilities = np.linspace(0.001, 0.0094, 211)
    found = dict(model._best(probabilities, 211))
    model.close()
    values = dict(zip(tokens, probabilities))
    assert found["一"] == pytest.approx(values["一"] + values["##一"])
    assert found["丁"] == pytest.approx(values["丁"] + values["##丁"])
    assert found["##ab"] == pytest.approx(values["##ab"]) and found["##七"] == pytest.approx(values["##七"])
    assert found["##一"] == found["##丁"] == found["[UNK]"] == found["[MASK]"] == 0.0


@pytest.mark.parametrize(
    "text,message",
    [
        ("", r"row 2 has no \[MASK\]"),
        ("一丁", r"row 2 has no \[MASK\]: write one where a word is missing"),
        (None, "row 2 must be a text, not None"),
        ("[MASK]" + "一" * 100000, "row 2 has 100,003 tokens, the model takes at most 40: shorten it"),
    ],
)
def test_a_bad_text_is_one_sentence_and_the_next_is_answered(filler, text, message):
    model = filler[2]
    with pytest.raises(UserError, match=message):
        model.fill(["[MASK]", text])
    assert len(model.fill(["\ud800[MASK]\x00😂"])[0][0]) == 5


def test_a_model_without_the_head_is_refused(tmp_path):
    source = encoder_model.open_encoder(exports.write_classifier(tmp_path / "m"))
    with pytest.raises(UserError, match="has no masked-LM head, which fine-tuning leaves out: name a pre-trained one"):
        fill_mask.FillMask(source)


def test_the_command(published, tmp_path, capsys):
    (tmp_path / "lines.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    flags = fill_mask.declare_flags()
    flags.parse(["--checkpoint=" + published["zh_postln"], "--input_file=" + str(tmp_path / "lines.txt"), "--top_k=2"])
    fill_mask.main(flags)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("    ")] == TEXTS
    assert len(lines) == 7 and all(line.count("%") == 2 for line in lines if line.startswith("    "))
    flags = fill_mask.declare_flags()
    flags.parse(["--checkpoint=" + published["zh_postln"]])
    with pytest.raises(UserError, match="--text or --input_file must be given"):
        fill_mask.main(flags)
