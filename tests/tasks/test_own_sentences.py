"""Tagging tasks of one's own: the same entities out of every format, and one sentence for every fault."""

import json
import logging

import pytest

from albert.tasks.entities import Entity, tags_of_entities
from albert.tasks.ner_rows import word_places
from albert.tasks.task_check import with_known_labels
from albert.tasks.task_file import read_task
from tests.support.own_tasks import describe, fault, lines, read, region, studio

TEXTS = ("我在北京😀见张三", "没有", "AB 公司的iPhone15")
ENTITIES = ([("北京", 2, "LOC"), ("张三", 6, "PER")], [], [("AB 公司", 0, "ORG")])
SPANS = ([[2, 4, "LOC"], [6, 8, "PER"]], [], [[0, 5, "ORG"]])
# What a browser counts: the emoji is two units.
REGIONS = ([region(2, 4, "北京", "LOC"), region(7, 9, "张三", "PER")], [], [region(0, 5, "AB 公司", "ORG")])


def _objects(spans):
    return [{"id": 1, "start_offset": start, "end_offset": end, "label": kind} for start, end, kind in spans]


def _with_texts(text, spans):
    return [{"start": start, "end": end, "type": kind, "text": text[start:end]} for start, end, kind in spans]


def _quoted(spans):
    return str(spans).replace("'", '""')


def _tagged(text, spans, form="{}\t{}\n"):
    tokens = list(word_places(text))
    tags = tags_of_entities([Entity(*span) for span in spans], tokens)
    return "".join(form.format(text[start:end], tag) for (start, end), tag in zip(tokens, tags)) + "\n"


ROWS = list(zip(TEXTS, SPANS))
MIN = [
    dict({"id": 7 + n, "text": text, "annotator": 1, "annotation_id": n, "lead_time": 2.5}, **found)
    for n, (text, found) in enumerate(
        zip(TEXTS, [{"label": [each["value"] for each in found]} if found else {} for found in REGIONS])
    )
]
FILES = {
    "doccano.jsonl": (lines(*({"id": 1, "text": text, "label": spans, "Comments": []} for text, spans in ROWS)), {}),
    "entities.jsonl": (
        lines(*({"text": text, "entities": _objects(spans), "relations": []} for text, spans in ROWS)),
        {"format": "doccano"},
    ),
    "texts.json": (
        [{"content": text, "spans": _with_texts(text, spans)} for text, spans in ROWS],
        {"text_a": "content"},
    ),
    "studio.json": (studio(*(({"text": text}, found) for text, found in zip(TEXTS, REGIONS))), {}),
    "named.json": (
        studio(*(({"text": text}, found) for text, found in zip(TEXTS, REGIONS))),
        {"format": "label_studio", "label": "label"},
    ),
    "min.json": (MIN, {}),
    "cluener.json": (
        lines(*({"text": t, "label": {k: {t[a:b]: [[a, b - 1]]} for a, b, k in spans}} for t, spans in ROWS)),
        {},
    ),
    "table.csv": (
        "text,label\r\n" + "".join('"{}","{}"\r\n'.format(text, _quoted(spans)) for text, spans in ROWS),
        {},
    ),
    "table.tsv": (
        "id\ttext\tmarked\n" + "".join("1\t{}\t{}\n".format(t, str(s).replace("'", '"')) for t, s in ROWS),
        {"format": "tsv", "label": "marked"},
    ),
    "numbers.tsv": (
        "".join("{}\t{}\n".format(str(spans).replace("'", '"'), text) for text, spans in ROWS),
        {"format": "tsv", "text_a": 2, "label": 1},
    ),
}


def _found(sentences):
    return [[(s.text[e.start : e.end], e.start, e.type) for e in s.entities] for s in sentences]


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_same_entities_out_of_every_format(tmp_path, name):
    content, values = FILES[name]
    sentences = read(tmp_path, name, content, kind="tags", **values)
    assert [sentence.text for sentence in sentences] == list(TEXTS)
    assert _found(sentences) == list(ENTITIES)


def test_tagged_lines_of_a_task_of_ones_own(tmp_path):
    content = "-DOCSTART- -X- O O\n\n" + "".join(_tagged(text, spans, "{} -X- _ {}\n") for text, spans in ROWS)
    sentences = read(tmp_path, "train.conll", content, kind="tags")
    assert [[name for name, _, _ in found] for found in _found(sentences)] == [["北京", "张三"], [], ["AB公司"]]
    assert [sentence.tokens[0] for sentence in sentences] == [(0, 1), (0, 1), (0, 2)]


def test_the_types_of_train_are_the_tags_and_others_are_an_error(tmp_path):
    read(tmp_path, "a.jsonl", FILES["doccano.jsonl"][0], kind="tags")
    task = with_known_labels(read_task(describe(tmp_path, "a.jsonl", kind="tags")), None)
    assert task.labels == ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")
    content = lines({"text": "我", "label": [[0, 1, "LOC"]]}, {"text": "你好", "label": [[1, 2, "NEW"]]})
    for split in ("dev", "test"):
        assert fault(tmp_path, "a.jsonl", content, split, kind="tags", labels=["LOC", "PER"]) == (
            "a.jsonl line 2 has the unknown entity type 'NEW' ('好'): the types of the task mine are LOC, PER"
        )


def test_blanks_words_and_repeated_spans_are_said(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    spans = [[0, 3, "ORG"], [6, 11, "PRO"], [5, 11, "PRO"]]
    (sentence,) = read(tmp_path, "a.jsonl", lines({"text": "公司 的 iPhone", "label": spans}), kind="tags")
    assert _found([sentence]) == [[("公司", 0, "ORG"), ("iPhone", 5, "PRO")]]
    for words in (
        "a.jsonl: 1 entity has blanks at its ends, which are left off; the first is '公司 ' (ORG, 0 to 3) of line 1.",
        "1 entity begins or ends inside of a word and takes the whole word; the first is 'Phone' (PRO, 6 to 11) of",
        "1 entity is marked twice and counts once; the first is 'iPhone' (PRO, 5 to 11) of line 1.",
    ):
        assert words in caplog.text


def test_overlaps_are_an_error_or_the_longest_is_kept(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    content = lines({"text": "北京大学", "label": [[0, 2, "LOC"], [0, 4, "ORG"]]})
    assert fault(tmp_path, "a.jsonl", content, kind="tags") == (
        "a.jsonl line 1 has entities that overlap, '北京大学' (ORG, 0 to 4) and '北京' (LOC, 0 to 2): tags hold one of "
        'them, so remove one, or set "overlaps": "longest" in the task file to keep the longest'
    )
    assert _found(read(tmp_path, "a.jsonl", content, kind="tags", overlaps="longest")) == [[("北京大学", 0, "ORG")]]
    assert "1 entity overlaps a longer one and is left out; the first is '北京' (LOC, 0 to 2) of line 1." in caplog.text


def test_a_test_file_without_spans_and_ids(tmp_path):
    content = lines({"id": "x", "text": "甲"}, {"id": "y", "text": "乙", "label": None})
    first, second = read(tmp_path, "a.jsonl", content, "test", kind="tags", id="id")
    assert (first.entities, second.entities, second.own_id) == (None, None, "y")
    twice = content.replace('"y"', '"x"')
    assert fault(tmp_path, "a.jsonl", twice, "test", kind="tags", id="id").startswith("a.jsonl line 2 has the id x, as")
    labelled = lines({"id": 1, "text": "甲", "label": [[0, 1, "A"]]}, {"id": 1, "text": "乙", "label": []})
    assert len(read(tmp_path, "a.jsonl", labelled, kind="tags", id="id")) == 2


def test_a_long_document_is_read_in_a_moment(tmp_path):
    text = "我在北京😀见张三，" * 10_000
    spans = [[start, start + 2, "LOC"] for start in range(2, len(text), 9)]
    (sentence,) = read(tmp_path, "a.jsonl", lines({"text": text, "label": spans}), "dev", kind="tags")
    assert len(sentence.entities) == 10_000 and sentence.entities[-1].end == len(text) - 5
    tags = tags_of_entities(sentence.entities, sentence.tokens)
    assert tags.count("B-LOC") == tags.count("I-LOC") == 10_000


@pytest.mark.parametrize(
    "record, expected",
    [
        ({"text": "北京", "label": [[0, 3, "A"]]}, "has a span from 0 to 3 (A), but its text has 2 characters"),
        ({"text": "北京", "label": [[-1, 1, "A"]]}, "has a span from -1 to 1 (A), but its text has 2 characters"),
        ({"text": "北京", "label": [[1, 1, "A"]]}, "has an empty span from 1 to 1 (A)"),
        ({"text": "北京", "label": [[2, 1, "A"]]}, "has an empty span from 2 to 1 (A)"),
        ({"text": "北 京", "label": [[1, 2, "A"]]}, "has a span from 1 to 2 (A) without any word"),
        ({"text": "北京", "label": [[0, 2, ""]]}, 'has no type in the span [0, 2, ""]'),
        ({"text": "北京", "label": [[0, 2]]}, "has no type in the span [0, 2]"),
        ({"text": "北京", "label": [{"start": 0, "end": 2, "label": 3}]}, "has no type in the span {"),
        ({"text": "北京", "label": [{"start": 0, "type": "A"}]}, "has no whole numbers as start and end of the span {"),
        ({"text": "北京", "label": [["0", "2", "A"]]}, "has no whole numbers as start and end of the span ["),
        ({"text": "北京", "label": ["A"]}, 'has no span but "A": it must be [start, end, type], {"start"'),
        ({"text": "北京", "label": "A"}, 'has no spans but "A": each must be [start, end, type]'),
        ({"text": "北京", "label": {"A": ["北京"]}}, "has no spans under 'A' but [\"北京\"]"),
        (
            {"text": "我在北京", "entities": [{"start": 1, "end": 3, "type": "A", "text": "北京"}]},
            "has a span from 1 to 3 (A), which should be '北京', but the text has '在北' there",
        ),
        ({"text": " ", "label": []}, "has an empty text: fill it in or remove the row"),
        ({"text": "\ud800", "label": []}, "has half a character"),
        ({"content": "北京", "label": []}, "has no key 'text' (its keys: content, label)"),
        ({"text": "北京", "label": [], "entities": []}, "may have its spans under 'label' or 'entities': name the key"),
        ({"text": "北京"}, "has no tags: only the test split may have none"),
    ],
)
def test_a_fault_is_named_with_its_line_or_record(tmp_path, record, expected):
    good = {"text": "好", "label": [[0, 1, "A"]]}
    content = "".join(json.dumps(each) + "\n" for each in (good, record))
    assert fault(tmp_path, "a.jsonl", content, kind="tags").startswith("a.jsonl line 2 " + expected)
    listed = json.dumps([good, record])
    assert fault(tmp_path, "a.json", listed, kind="tags").startswith("a.json record 2 " + expected)


@pytest.mark.parametrize(
    "name, content, expected",
    [
        (
            "a.csv",
            'text,label\n好,"[[0,1,""A""]]"\n北京,A\n',
            'a.csv line 3 has no spans as JSON but "A": write [[0, 2',
        ),
        ("a.csv", 'text,label\n好,"[[0,1,""A""]]"\n北京,\n', "a.csv line 3 has no tags: only the test split may"),
        (
            "a.txt",
            "好 B-A\n京 X\n",
            "a.txt line 2 has the unknown tag 'X': known are O and B-, I-, M-, E-, S- before a t",
        ),
        ("a.txt", "好 B-A\n京\n", "a.txt line 2 has no tag, but line 1 has one"),
        ("a.txt", "好 x B-A\n京 O\n", "a.txt line 2 has 2 columns, but line 1 has 3"),
        ("a.txt", "好 O\n京 O\n", "a.txt has no entity to learn from"),
        ("a.jsonl", '{"text": "好", "label": []}\n', "a.jsonl has no entity to learn from"),
        ("a.jsonl", "", "a.jsonl has no sentences: give a file with at least one sentence of the task mine"),
        ("a.json", "[]", "a.json has no sentences: give a file with at least one sentence of the task mine"),
        ("a.json", '[{"text": "好"', "a.json begins like a JSON list, but is none ("),
        ("a.json", '["好"]', 'a.json record 1 is not a JSON object but "好"'),
    ],
)
def test_a_file_that_is_not_as_described(tmp_path, name, content, expected):
    assert fault(tmp_path, name, content, kind="tags").startswith(expected)
