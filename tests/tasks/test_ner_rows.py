"""Readers of tagged sentences: both formats, odd texts, and one sentence for every mistake."""

import json
import logging

import pytest

from albert.base.errors import UserError
from albert.tasks import ner_rows
from albert.tasks.ner import NER_TASKS
from albert.tasks.ner_rows import word_places
from albert.tasks.tagged_lines import tagged_lines

MSRA = NER_TASKS["msra_ner"]
WEIBO = NER_TASKS["weibo_ner"]
CLUENER = NER_TASKS["cluener"]


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return str(path)


def read(folder, content, split="train", task=MSRA):
    write(folder, task.files[split][0], content)
    return ner_rows.read_sentence_split(task, str(folder), split)


def entities(sentence):
    return [(sentence.text[e.start : e.end], e.start, e.type) for e in sentence.entities]


def test_tabs_blanks_and_blank_lines(tmp_path):
    first, second = read(tmp_path, "\n\n我 O\n在\tO\n北 B-LOC\n京 I-LOC\n\n \t\n\n他 B-PER\n")
    assert first.text == "我在北京" and entities(first) == [("北京", 2, "LOC")] and first.line == 3
    assert second.text == "他" and entities(second) == [("他", 0, "PER")] and second.row_id == 1 and second.line == 10


def test_a_mark_and_line_ends_of_windows_change_nothing(tmp_path):
    plain = read(tmp_path, "我 B-PER\n好 O\n\n你 O\n")
    assert read(tmp_path, b"\xef\xbb\xbf" + "我 B-PER\r\n好 O\r\n\r\n你 O\r\n".encode("utf-8")) == plain


def test_bmes_and_words_of_latin_letters(tmp_path):
    (sentence,) = read(tmp_path, "在 O\nNew B-LOC\nYork E-LOC\n的 O\nA S-ORG\nB S-ORG\n2 O\n0 O\n")
    assert sentence.text == "在New York的AB20"
    assert entities(sentence) == [("New York", 1, "LOC"), ("A", 10, "ORG"), ("B", 11, "ORG")]
    assert [sentence.text[start:end] for start, end in sentence.tokens] == [
        "在",
        "New",
        "York",
        "的",
        "A",
        "B",
        "2",
        "0",
    ]


def test_odd_tokens_are_tokens(tmp_path):
    (sentence,) = read(tmp_path, "\u3000 O\n\u2028\tO\n𠮷 B-PER\n")
    assert sentence.text == "\u3000\u2028𠮷" and entities(sentence) == [("𠮷", 2, "PER")]


@pytest.mark.parametrize("blank", ["\u200b", "\ufeff", "\xad", "\u3000", " \t"])
def test_a_line_in_which_nothing_can_be_read_ends_a_sentence(tmp_path, blank):
    for content in ("我 O\n{}\n北 B-LOC\n", "我\n{}\n北\n"):
        assert [sentence.text for sentence in read(tmp_path, content.format(blank), "test")] == ["我", "北"]


def test_a_tag_without_its_beginning_begins_an_entity_and_is_said(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    first, second = read(tmp_path, "我 O\n们 I-PER\n\n北 B-LOC\n京 I-ORG\n")
    assert entities(first) == [("们", 1, "PER")]
    assert entities(second) == [("北", 0, "LOC"), ("京", 1, "ORG")]
    assert "train.txt: 2 tags continue an entity that never began, the first in line 2 (I-PER)" in caplog.text


def test_places_in_words_are_left_out(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert read(tmp_path, "科0 O\n技1 O\n20 O\n", task=WEIBO)[0].text == "科技2"
    assert "each token ends with its place in a word" in caplog.text
    assert read(tmp_path, "科0 O\n技1 O\n20 O\n", task=MSRA)[0].text == "科0技1 20"


@pytest.mark.parametrize(
    "content, texts, count",
    [
        ("王0 B-PER.NAM\n明1 I-PER.NAM\n今0 O\n\n张 B-PER.NAM\n来 O\n", ["王明今", "张来"], "3 of 5"),
        ("老1 O\n板 O\n。0 O\n", ["老板。"], "2 of 3"),  # in one sentence
        ("科0 O\n20 O\n\n20 O\n年 O\n", ["科2", "20年"], "2 of 4"),  # the sentence tells what "20" is
        ("我 O\niPhone6 O\n\n科0 O\nX10 O\n", ["我iPhone6", "科X1"], "2 of 4"),
        ("科0 O\n技 O\n20 O\n第12 O\n", ["科技20第12"], "1 of 4"),
        ("𠮷0 O\n野 O\n", ["𠮷野"], "1 of 2"),
    ],
)
def test_places_in_words_are_left_out_token_by_token(tmp_path, caplog, content, texts, count):
    assert [sentence.text for sentence in read(tmp_path, content, task=WEIBO)] == texts
    assert "train: {} tokens end with their place in a word, which is left out".format(count) in caplog.text


def test_plain_tokens_stay_as_they_are(tmp_path, caplog):
    assert read(tmp_path, "我 O\n有 O\n20 O\nA4 O\n", task=WEIBO)[0].text == "我有20 A4"
    assert not caplog.records


@pytest.mark.parametrize(
    "split, content, warning",
    [
        ("train", "我 O\n\n好 O\n", "none of 2 sentences has an entity: there is nothing to learn"),
        ("dev", "我 O\n", "the only sentence has no entity: the F1 of every model is 0"),
        ("test", "我 O\n", "the only sentence has no entity: the F1 of every model is 0"),
        ("test", "我\n", None),
    ],
)
def test_a_split_without_entities_is_said(tmp_path, caplog, split, content, warning):
    path = write(tmp_path, MSRA.files[split][0], content)
    ner_rows.read_sentence_splits(MSRA, str(tmp_path), [split])
    expected = ["{}: {}.".format(path, warning)] if warning else []
    assert [record.getMessage() for record in caplog.records] == expected


def test_a_test_file_may_hold_tokens_alone(tmp_path):
    first, second = read(tmp_path, "我\n好\n\n你\n", split="test")
    assert first.text == "我好" and first.entities is None and second.entities is None


@pytest.mark.parametrize(
    "content,split,message",
    [
        ("我 O\n好 B-CITY\n", "train", "train.txt line 2 has the unknown tag 'B-CITY': known are O and B-, I-"),
        ("我 O\n好 X-PER\n", "train", "train.txt line 2 has the unknown tag 'X-PER'"),
        ("我 O\n好\n", "train", "train.txt line 2 has no tag, but line 1 has one"),
        ("我\n好 O\n", "test", "test.txt line 1 has no tag, but line 2 has one"),
        ("我\n好\n", "dev", "dev.txt line 1 has no tags: only the test split may have none"),
        ("我 NN O\n", "train", "train.txt line 1 has 3 columns, expected 2: a token and its tag"),
        ("我 O\n\tO\n", "train", "train.txt line 2 has no token before its tag 'O'"),
        ("", "train", "train.txt has no sentences"),
        ("\n\n", "test", "test.txt has no sentences"),
        (b"\xff O\n", "train", "train.txt line 1 is not UTF-8"),
        (b"\xff\xfe O\n", "train", "train.txt is UTF-16 and is cut off or damaged"),
    ],
)
def test_mistakes_of_tagged_lines(tmp_path, content, split, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, content, split)
    assert "\n" not in str(error.value)


def json_lines(*values):
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def test_json_spans(tmp_path):
    text = "彭小军在CSOL2打SK战队SK"
    labels = {"name": {"彭小军": [[0, 2]]}, "game": {"CSOL": [[4, 7]]}, "organization": {"SK": [[10, 11], [14, 15]]}}
    (sentence,) = read(tmp_path, json_lines({"text": text, "label": labels, "id": 7}), task=CLUENER)
    assert sorted(entities(sentence)) == [
        ("CSOL", 4, "game"), ("SK", 10, "organization"), ("SK", 14, "organization"), ("彭小军", 0, "name"),
    ]  # fmt: skip
    assert [text[start:end] for start, end in sentence.tokens[3:7]] == ["在", "CSOL", "2", "打"]
    assert sentence.own_id == 7


@pytest.mark.parametrize("values", [{}, {"label": None}, {"label": ""}])
def test_json_without_labels_in_a_test_file(tmp_path, values):
    (sentence,) = read(tmp_path, json_lines(dict({"text": "我"}, **values)), "test", task=CLUENER)
    assert sentence.entities is None


def test_words_leave_out_blanks_and_keep_places():
    text = " 3月，iPhone4s\u3000é\u2028x"
    assert [text[start:end] for start, end in word_places(text)] == ["3", "月", "，", "iPhone", "4", "s", "é", "x"]


@pytest.mark.parametrize(
    "line,message",
    [
        ('{"text": "我", "label": {}', r"train.json line 2 is not JSON"),
        ('{"txt": "我", "label": {}}', "train.json line 2 has no key 'text' .*did you mean 'txt'"),
        ('{"text": " ", "label": {}}', "train.json line 2 has an empty text"),
        ('{"text": "我"}', "train.json line 2 has no tags: only the test split may have none"),
        ('{"text": "我", "label": {"city": {}}}', "train.json line 2 has the unknown entity type 'city': known are"),
        (
            '{"text": "我好", "label": {"name": {"我": [[1, 1]]}}}',
            "says that '我' is at characters 1 to 1, but the text has '好' there",
        ),
        (
            '{"text": "我好", "label": {"name": {"我": [0, 0]}}}',
            r"gives no list of \[first, last\] characters for '我'",
        ),
        ('{"text": "我好", "label": {"name": {"我": [[-2, -2]]}}}', r"gives no list of \[first, last\] characters"),
        ('{"text": "我好", "label": {"name": 3}}', "train.json line 2 has no object under 'name'"),
    ],
)
def test_mistakes_of_json_spans(tmp_path, line, message):
    good = json_lines({"text": "我", "label": {}})
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, good + line + "\n", task=CLUENER)
    assert "\n" not in str(error.value)


def test_a_type_that_stands_in_dev_alone_is_said(tmp_path, caplog):
    write(tmp_path, "train.txt", "我 B-PER\n")
    write(tmp_path, "dev.txt", "好 O\n\n北 B-LOC\n\n京 B-LOC\n")
    ner_rows.read_sentence_splits(MSRA, str(tmp_path), ["train", "dev"])
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "dev.txt: the sentence in line 3 has an entity of the type 'LOC', of which" in said[0]


def test_only_sentences_of_one_kind_stand_in_a_test_file(tmp_path):
    content = json_lines({"text": "我"}, {"text": "好", "label": {}})
    with pytest.raises(UserError, match="test.json line 2 has tags, but line 1 has none"):
        read(tmp_path, content, "test", CLUENER)


def test_every_task_reads_what_it_names(tmp_path):
    for task in (MSRA, WEIBO, NER_TASKS["resume_ner"]):
        kind = task.labels[1][2:]
        folder = tmp_path / task.name
        folder.mkdir()
        (sentence,) = read(folder, "我 B-{0}\n好 I-{0}\n".format(kind), task=task)
        assert entities(sentence) == [("我好", 0, kind)]


def test_the_reader_streams_in_file_order(tmp_path):
    path = write(tmp_path, "x.txt", "甲 O\n\n乙 O\n")
    assert [sentence.text for sentence in tagged_lines("PER")(path)] == ["甲", "乙"]
