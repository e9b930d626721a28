"""Tags and entities: every scheme by hand, and the F1 of seqeval on random tags."""

import numpy as np
import pytest

from albert.tasks.entities import (
    Entity,
    EntityScore,
    bio_tags,
    entities_of_tags,
    entity_scores,
    over_all_types,
    parse_tag,
    tags_of_entities,
)


def read(tags):
    return entities_of_tags([parse_tag(tag) for tag in tags.split()])


@pytest.mark.parametrize(
    "tags,entities,repaired",
    [
        ("O O", [], []),
        ("B-A I-A O B-B", [(0, 2, "A"), (3, 4, "B")], []),
        ("B-A B-A I-A", [(0, 1, "A"), (1, 3, "A")], []),
        ("B-A M-A E-A S-B O S-A", [(0, 3, "A"), (3, 4, "B"), (5, 6, "A")], []),
        ("O I-A I-A", [(1, 3, "A")], [1]),
        ("B-A I-B I-B", [(0, 1, "A"), (1, 3, "B")], [1]),
        ("B-A E-A I-A", [(0, 2, "A"), (2, 3, "A")], [2]),
        ("S-A M-A", [(0, 1, "A"), (1, 2, "A")], [1]),
        ("B-A.x I-A.x", [(0, 2, "A.x")], []),
        ("B-A I-A", [(0, 2, "A")], []),
    ],
)
def test_what_tags_spell(tags, entities, repaired):
    reading = read(tags)
    assert [tuple(entity) for entity in reading.entities] == entities
    assert reading.repaired == repaired


@pytest.mark.parametrize("text", ["", "B", "B-", "-A", "X-A", "BA", "o", "BI-A", "0"])
def test_what_is_no_tag(text):
    assert parse_tag(text) is None


def test_the_tags_of_types():
    assert bio_tags(["A", "B"]) == ("O", "B-A", "I-A", "B-B", "I-B")


def test_tags_of_entities_that_overlap_or_cut_a_token():
    tokens = [(0, 1), (1, 4), (4, 5), (6, 7)]
    assert tags_of_entities([Entity(2, 5, "A")], tokens) == ["O", "B-A", "I-A", "O"]
    assert tags_of_entities([Entity(0, 1, "A"), Entity(0, 4, "B"), Entity(6, 7, "A")], tokens) == [
        "B-B", "I-B", "O", "B-A",
    ]  # fmt: skip
    assert tags_of_entities([Entity(5, 6, "A")], tokens) == ["O"] * 4  # of a blank between two tokens


def test_scores_by_hand():
    gold = [[Entity(0, 2, "A"), Entity(3, 4, "B")], [Entity(0, 1, "A")]]
    found = [[Entity(0, 2, "A"), Entity(3, 5, "B")], [Entity(0, 1, "B")]]
    scores = entity_scores(gold, found)
    assert scores == {"A": EntityScore(2, 1, 1), "B": EntityScore(1, 2, 0)}
    total = over_all_types(scores)
    assert (total.precision, total.recall, total.f1) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert (scores["A"].precision, scores["A"].recall, scores["A"].f1) == pytest.approx((1, 0.5, 2 / 3))
    assert scores["B"].f1 == 0.0


def test_nothing_to_find_and_nothing_found():
    assert over_all_types(entity_scores([[]], [[]])).f1 == 0.0
    with pytest.raises(ValueError, match="1 predictions for 2 sentences"):
        entity_scores([[], []], [[]])


@pytest.mark.parametrize("prefixes", ["BI", "BIES"])
def test_seqeval_agrees_on_random_tags(prefixes):
    seqeval = pytest.importorskip("seqeval.metrics")
    random = np.random.RandomState(4)
    tags = ["O"] + ["{}-{}".format(prefix, kind) for prefix in prefixes for kind in ("A", "B", "C.d")]
    for _ in range(30):
        lengths = random.randint(1, 9, 7)
        gold, found = ([[str(tag) for tag in random.choice(tags, size)] for size in lengths] for _ in range(2))
        found = [[tag if random.rand() < 0.4 else other for tag, other in zip(*pair)] for pair in zip(gold, found)]
        scores = entity_scores(*([read(" ".join(row)).entities for row in rows] for rows in (gold, found)))
        total = over_all_types(scores)
        assert total.f1 == pytest.approx(seqeval.f1_score(gold, found, zero_division=0))
        assert total.precision == pytest.approx(seqeval.precision_score(gold, found, zero_division=0))
        assert total.recall == pytest.approx(seqeval.recall_score(gold, found, zero_division=0))
        report = seqeval.classification_report(gold, found, output_dict=True, zero_division=0)
        for kind, score in scores.items():
            assert score.f1 == pytest.approx(report[kind]["f1-score"])


def test_tags_and_entities_are_each_others_way_back():
    random = np.random.RandomState(5)
    for _ in range(50):
        tags = [str(tag) for tag in random.choice(bio_tags(["A", "B"]), random.randint(1, 9))]
        entities = read(" ".join(tags)).entities
        tokens = [(place, place + 1) for place in range(len(tags))]
        assert read(" ".join(tags_of_entities(entities, tokens))) == (entities, [])
