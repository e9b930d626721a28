"""What the service finds in folders of each kind, and that its answers are those of the modules behind it."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference import embeddings, encoder_model, fill_mask, predictor, vector_model
from albert.inference.model_files import find_model
from albert.serving import model as serving_model
from albert.serving.model import (
    CLASSIFY,
    COSINE,
    EMBED,
    FILL_MASK,
    MODELS,
    NER,
    PAIRS,
    SIMILARITY,
    SPANS,
    TAGS,
    NumberedRow,
    open_served_model,
    whole_size,
)
from tests.support import exports

TEXTS = ["一丁七万", "万七", "丈三上下不与"]


def opened(folder, **options):
    return open_served_model(str(folder), **dict({"engine": None, "batch_size": 2}, **options))


def numbered(rows, first=1):
    return [NumberedRow(first + number, row) for number, row in enumerate(rows)]


def test_a_fine_tuned_folder_answers_pairs_and_embeds(tmp_path):
    folder = exports.write_classifier(tmp_path / "m", labels=("0", "1"))
    pairs = [("我喜欢吃苹果", "你喜欢吃香蕉吗"), ("明天下雨吗", None)]
    with predictor.open_predictor(folder) as loaded:
        expected = loaded.predict(pairs, True)
    model = opened(folder)
    np.testing.assert_allclose(model.answers[PAIRS](numbered(pairs), True), expected, atol=1e-6)
    embedder = embeddings.Embedder(encoder_model.open_encoder(folder))
    np.testing.assert_allclose(model.answers[EMBED](numbered(["我吃"]), None), embedder.embed(["我吃"]), atol=1e-6)
    assert set(model.refusals) == {FILL_MASK} and "no masked-LM head" in model.refusals[FILL_MASK]
    assert (model.labels, model.engine, model.max_seq_length) == (("0", "1"), "tensorflow", 12)
    assert {MODELS[question] for question in (SIMILARITY, CLASSIFY, EMBED)} == set(model.answers)
    with pytest.raises(UserError, match="the first text of row 8 is empty"):
        model.answers[PAIRS](numbered([("我", None), (" ", "你")], first=7), False)
    model.close()


def test_a_pre_trained_folder_embeds_and_fills(published):
    folder = published["zh_postln"]
    model = opened(folder)
    assert set(model.refusals) == {SIMILARITY, CLASSIFY} and model.labels == ()
    filler = fill_mask.FillMask(encoder_model.open_encoder(folder))
    assert model.answers[FILL_MASK](numbered(["一[MASK]七"]), 3) == filler.fill(["一[MASK]七"], 3)
    with pytest.raises(UserError, match="row 4 has no \\[MASK\\]"):
        model.answers[FILL_MASK](numbered(["一"], first=4), 3)
    assert len(model.answers[EMBED](numbered(TEXTS), None)) == 3
    with pytest.raises(UserError, match="opens no pre-trained checkpoint"):
        opened(folder, engine="tflite")


def test_three_labels_are_no_similarity_and_exports_answer_pairs_alone(tmp_path):
    folder = exports.write_classifier(tmp_path / "m")
    exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "out", max_seq_length=0)
    model = opened(tmp_path / "out")
    assert set(model.answers) == {PAIRS}
    assert set(model.refusals) == {SIMILARITY, EMBED, FILL_MASK}
    assert "has 3 labels" in model.refusals[SIMILARITY]
    assert model.answers[PAIRS](numbered([("我", "你")]), False).shape == (1, 3)
    assert model.engine == "tensorflow"
    with pytest.raises(UserError, match="the engine tflite does not open"):
        opened(tmp_path / "out", engine="tflite")


def test_a_model_of_sentence_vectors_answers_similarity_with_cosines(tmp_path):
    folder = exports.write_vectors(tmp_path / "m")
    exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "out")
    with vector_model.open_vectors(folder) as loaded:
        vectors = loaded.embed(TEXTS)
        cosines = loaded.cosines([(TEXTS[0], TEXTS[1])])
    for place, lacking in ((folder, {CLASSIFY}), (tmp_path / "out", {CLASSIFY, FILL_MASK})):
        model = opened(place)
        assert set(model.refusals) == lacking and (model.score, model.labels) == (COSINE, ())
        np.testing.assert_allclose(model.answers[EMBED](numbered(TEXTS), None), vectors, atol=1e-6)
        answer = model.answers[PAIRS](numbered([(TEXTS[0], TEXTS[1])]), True)
        np.testing.assert_allclose([row[model.similar_id] for row in answer], cosines, atol=1e-6)
        with pytest.raises(UserError, match="the second text of row 7 is empty"):
            model.answers[PAIRS](numbered([("一", " ")], first=7), False)
        assert model.vector.startswith("the model's own sentence vectors")
        model.close()
    with pytest.raises(UserError, match="the engine tflite does not open"):
        opened(tmp_path / "out", engine="tflite")


def test_taggers_and_readers_answer_their_questions(tmp_path):
    tagger = opened(exports.write_tagger(tmp_path / "tags"))
    assert tagger.answered == ["ner", "embed"] and len(tagger.types) == 2
    text = "一丁七万" * 10
    assert all(found.text == text[found.start : found.end] for found in tagger.answers[TAGS](numbered([text]), None)[0])
    assert tagger.size_of(TAGS)(numbered([text])[0]).sequences > 1
    assert tagger.size_of(EMBED)(numbered([text])[0]).sequences == 1
    reader = opened(exports.write_reader(tmp_path / "spans"))
    assert reader.answered == ["mrc", "embed"] and "does not tag texts" in reader.refused[NER]
    best = reader.answers[SPANS](numbered([("七", text)]), 2)[0]
    assert len(best) == 2 and best[0].score >= best[1].score and best[0].text == text[best[0].start : best[0].end]
    assert reader.size_of(SPANS)(numbered([("七", text)])[0]).sequences > 1
    with pytest.raises(UserError, match="the context of row 5 is empty"):
        reader.answers[SPANS](numbered([("七", " ")], first=5), 1)


def test_a_light_engine_answers_and_the_encoder_comes_when_vectors_are_wanted(tmp_path, monkeypatch):
    folder = exports.write_classifier(tmp_path / "m", labels=("0", "1"))
    pairs = numbered([("我喜欢吃苹果", "你喜欢吃香蕉吗")])
    whole = opened(folder)
    exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "light")
    monkeypatch.setattr(serving_model, "lightest", lambda files, engine: find_model(str(tmp_path / "light")))
    loaded = []
    load = serving_model._encoder
    monkeypatch.setattr(serving_model, "_encoder", lambda *settings: loaded.append(settings) or load(*settings))
    light = opened(folder)
    assert set(light.refused) == set(whole.refused) and light.labels == ("0", "1") and loaded == []
    np.testing.assert_allclose(light.answers[PAIRS](pairs, False), whole.answers[PAIRS](pairs, False), atol=1e-6)
    for _ in range(2):
        vectors = light.answers[EMBED](numbered(TEXTS), None)
    np.testing.assert_allclose(vectors, whole.answers[EMBED](numbered(TEXTS), None), atol=1e-6)
    assert len(loaded) == 1
    light.close()


def test_the_label_of_similar_pairs_is_found_by_its_name(tmp_path):
    folder = exports.write_classifier(tmp_path / "a", labels=("duplicate", "not_duplicate"))
    model = opened(folder)
    assert model.similar_id == 0 and SIMILARITY not in model.refusals
    assert opened(exports.write_classifier(tmp_path / "b", labels=("否", "是"))).similar_id == 1
    refused = opened(exports.write_classifier(tmp_path / "c", labels=("甲", "乙")))
    assert refused.refusals[SIMILARITY] == (
        "which of the model's labels '甲' and '乙' means similar is not known: name it under the key 'similar_label' "
        "in task.json; use /classify"
    )
    assert PAIRS in refused.answers


def test_rows_are_weighed_by_their_characters():
    rows = numbered([("我喜欢", "你"), ("我", None), "你好"])
    assert [whole_size(row) for row in rows] == [(1, 7), (1, 4), (1, 5)]
