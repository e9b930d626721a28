"""Records of sentences: labels at first pieces; entities, their scores and files."""

import json
import os

import numpy as np
import pytest

from albert.files.features import TAG_FEATURES
from albert.files.record_encoding import encode_rows
from albert.finetuning.ner.answers import predicted_entities, score_entities, write_entities
from albert.finetuning.ner.features import record_encoder
from albert.inference.sentence_parts import parts_of
from albert.inference.tag_reading import token_answers
from albert.tasks.entities import Entity
from albert.tasks.ner import NER_TASKS
from albert.tasks.ner_rows import Sentence, word_places
from tokenization import FullTokenizer

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("甲乙丙丁戊己庚") + ["cs", "##ol", "20", "##08", "a"]
TASK = NER_TASKS["msra_ner"]
UNK, CLS, SEP = 1, 2, 3


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("".join(token + "\n" for token in TOKENS), encoding="utf-8")
    return FullTokenizer(str(path))


def sentence(text, entities=(), tokens=None):
    return Sentence(0, text, word_places(text) if tokens is None else tokens, tuple(entities), 1)


def test_a_tag_stands_at_the_first_piece_of_its_token(tokenizer):
    row = sentence("甲CSOL乙2008", [Entity(1, 6, "ORG"), Entity(6, 10, "LOC")])
    (record,) = record_encoder(TASK, tokenizer, 16).records([row])
    b_loc, b_org, i_org = (1 + TASK.labels.index(tag) for tag in ("B-LOC", "B-ORG", "I-ORG"))
    assert record.values == {
        "row_index": [0],
        "input_ids": [CLS, 5, 12, 13, 6, 14, 15, SEP],
        "segment_ids": [0] * 8,
        "label_ids": [0, 1, b_org, 0, i_org, b_loc, 0, 0],
    }
    assert encode_rows(TAG_FEATURES, [record.values])


def test_parts_answer_as_one(tokenizer):
    text = "甲乙丙丁戊己庚" * 4
    row = sentence(text, [Entity(5, 8, "PER"), Entity(20, 21, "LOC")])
    records = list(record_encoder(TASK, tokenizer, 9).records([row, sentence("甲")]))
    parts = list(parts_of([row, sentence("甲")], tokenizer, 9))
    assert len(parts) == len(records) > 4
    # A model that answers what the records ask for.
    answers = []
    for record in records:
        ids = np.array(record.values["label_ids"])
        answers.append(np.where(np.arange(len(TASK.labels)) == (ids - 1)[:, None], 0.0, -9.0))
    tokens = token_answers(parts, answers, 2)
    assert [len(answer) for answer in tokens] == [len(text), 1]
    assert predicted_entities(TASK, row, tokens[0]) == list(row.entities)
    labelled = [value for record in records for value in record.values["label_ids"] if value]
    assert len(labelled) == len(text) + 1  # no tag is learnt twice


ODD = "  Ａ甲\u3000乙é20\u2028丙"


def test_files_of_entities(tmp_path):
    task = NER_TASKS["cluener"]
    rows = [sentence(ODD)._replace(own_id=9), sentence("甲乙")._replace(row_id=1)]
    predicted = [[Entity(3, 6, "name"), Entity(7, 9, "game")], []]
    paths = write_entities(str(tmp_path), task, rows, predicted)
    assert [os.path.basename(p) for p in paths] == [
        "cluener_predict.bio",
        "cluener_predict.spans.json",
        "cluener_predict.json",
    ]
    bio, spans, handed_in = ((tmp_path / os.path.basename(path)).read_text(encoding="utf-8") for path in paths)
    assert bio == "Ａ\tO\n甲\tB-name\n乙\tI-name\né\tO\n20\tB-game\n丙\tO\n\n甲\tO\n乙\tO\n\n"
    spans = [json.loads(line) for line in spans.split("\n") if line]
    assert spans[0] == {
        "id": 9, "text": ODD, "entities": [
            {"start": 3, "end": 6, "type": "name", "text": "甲\u3000乙"},
            {"start": 7, "end": 9, "type": "game", "text": "20"},
        ],
    }  # fmt: skip
    assert spans[1] == {"id": 1, "text": "甲乙", "entities": []}
    assert [json.loads(line) for line in handed_in.split("\n") if line] == [
        {"id": 9, "label": {"name": {"甲\u3000乙": [[3, 5]]}, "game": {"20": [[7, 8]]}}},
        {"id": 1, "label": {}},
    ]


def test_scores_and_report(tmp_path):
    rows = [sentence("甲乙", [Entity(0, 2, "PER")]), sentence("丙", [Entity(0, 1, "LOC")])]
    tags = [["B-PER", "I-PER"], ["B-PER"]]
    answers = [
        np.log(np.where(np.eye(len(TASK.labels))[[TASK.labels.index(tag) for tag in row]] == 1, 0.7, 0.05))
        for row in tags
    ]
    report = tmp_path / "report.tsv"
    figures = score_entities(TASK, rows, answers, report_path=str(report), prefix="eval_")
    expected = {"eval_f1": 0.5, "eval_precision": 0.5, "eval_recall": 0.5}
    assert figures == pytest.approx(dict(expected, eval_loss=-(2 * np.log(0.7) + np.log(0.05)) / 3))
    assert report.read_text().splitlines() == [
        "type\tgold\tpredicted\tright\tprecision\trecall\tf1",
        "LOC\t1\t0\t0\t0.0000\t0.0000\t0.0000",
        "PER\t1\t2\t1\t0.5000\t1.0000\t0.6667",
        "all types\t2\t2\t1\t0.5000\t0.5000\t0.5000",
    ]
    untagged = [row._replace(entities=None) for row in rows]
    assert score_entities(TASK, untagged, answers, report_path=str(tmp_path / "none")) == {}
