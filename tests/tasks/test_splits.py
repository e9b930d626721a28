import json

import pytest

from albert.base.errors import UserError
from albert.tasks.delimited_rows import tab_separated
from albert.tasks.registry import get_task
from albert.tasks.rows import Row
from albert.tasks.splits import read_split, read_splits, split_path, with_labels
from albert.tasks.task import Task

LCQMC = get_task("lcqmc")
SENTENCE_PAIR = get_task("sentence_pair")


def write(folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return str(folder)


def read(folder, content, split="train", task=LCQMC):
    return read_split(task, write(folder, task.files[split][0], content), split)


def message(folder, content, split="train", task=LCQMC):
    """The error that a file makes, its own path written as FILE."""
    with pytest.raises(UserError) as error:
        read(folder, content, split, task)
    text = str(error.value)
    assert "\n" not in text
    return text.replace(str(folder / task.files[split][0]), "FILE")


def test_rows_in_file_order(tmp_path):
    assert read(tmp_path, "甲\t乙\t1\n丙 丁\t戊\t0\n") == [Row(0, "甲", "乙", "1", 1), Row(1, "丙 丁", "戊", "0", 2)]


def test_columns_in_another_order(tmp_path):
    assert read(tmp_path, "1\t甲\t乙\n", task=SENTENCE_PAIR) == [Row(0, "甲", "乙", "1", 1)]


def test_a_single_text(tmp_path):
    reader = tab_separated("label", "text_a", labels=("0", "1"))
    task = Task("single", ("0", "1"), {"train": ("x.tsv",)}, reader)
    assert read(tmp_path, "label\ttext_a\n1\t房间太小\n", task=task) == [Row(0, "房间太小", None, "1", 2)]


def test_the_first_line_is_a_row_when_it_looks_like_one(tmp_path):
    assert [row.row_id for row in read(tmp_path, "label\ttext\t1\na\tb\t0\n")] == [0, 1]


@pytest.mark.parametrize(
    "header", ["text_a\ttext_b\tlabel", "sentence1\tsentence2\t标签", "x\ty\tLabel", "\t\t label "]
)
def test_a_header_line_is_no_row(tmp_path, header):
    assert read(tmp_path, header + "\n甲\t乙\t1\n") == [Row(0, "甲", "乙", "1", 2)]


def test_a_header_word_that_is_a_label_is_a_label(tmp_path):
    labels = ("label", "other")
    task = Task("odd", labels, {"train": ("x",)}, tab_separated("a", "b", "label", labels=labels))
    assert read(tmp_path, "a\tb\tlabel\n", task=task) == [Row(0, "a", "b", "label", 1)]


def test_only_the_first_line_can_be_a_header(tmp_path):
    assert message(tmp_path, "a\tb\t0\na\tb\tlabel\n") == (
        "FILE line 2 has the unknown label 'label': the labels of the task lcqmc are 0, 1"
    )


def test_a_first_line_with_an_unknown_label_is_not_dropped_as_a_header(tmp_path):
    assert message(tmp_path, "a\tb\t好\na\tb\t0\n").startswith("FILE line 1 has the unknown label '好'")


def test_a_test_file_may_have_labels(tmp_path):
    assert read(tmp_path, "甲\t乙\t1\n", split="test") == [Row(0, "甲", "乙", "1", 1)]


def test_a_test_file_may_lack_labels(tmp_path):
    rows = [Row(0, "甲", "乙", None, 1), Row(1, "丙", "丁", None, 2)]
    assert read(tmp_path, "甲\t乙\n丙\t丁\n", split="test") == rows
    assert read(tmp_path, "甲\t乙\n丙\t丁\n", split="test", task=SENTENCE_PAIR) == rows


def test_a_header_of_a_test_file_without_labels(tmp_path):
    assert read(tmp_path, "sentence1\tsentence2\n甲\t乙\n", split="test") == [Row(0, "甲", "乙", None, 2)]
    assert len(read(tmp_path, "sentence1\t句\n甲\t乙\n", split="test")) == 2


@pytest.mark.parametrize("split", ["train", "dev"])
def test_only_a_test_file_may_lack_labels(tmp_path, split):
    assert message(tmp_path, "甲\t乙\n丙\t丁\n", split=split) == (
        "FILE line 1 has no label (one of 0, 1): only the test split may have none"
    )


def test_labels_that_begin_in_the_middle(tmp_path):
    assert message(tmp_path, "甲\t乙\n丙\t丁\t1\n", split="test") == (
        "FILE line 2 has 3 columns, expected 2 (sentence_a, sentence_b), separated by tabs,"
        " because the first line has no label"
    )


def test_quotes_and_other_line_breaks_are_ordinary_characters(tmp_path):
    text = "\"他说\u2028'不\x85'\x0b\r好\x1c"
    assert read(tmp_path, '{}\t"\t1\n'.format(text)) == [Row(0, text, '"', "1", 1)]


@pytest.mark.parametrize(
    "content",
    [
        b"a\tb\t1\r\nc\td\t0\r\n",
        b"\xef\xbb\xbfa\tb\t1\nc\td\t0",
        b"\xef\xbb\xbfx\ty\tlabel\r\na\tb\t1\r\nc\td\t0\r\n",
        b"a\tb\t1 \nc\td\t 0\n",
        b"a\tb\t1\nc\td\t0\n\n",
        b"a\tb\t1\nc\td\t0\n\r\n \n",
    ],
)
def test_harmless_differences(tmp_path, content):
    assert [row[1:4] for row in read(tmp_path, content)] == [("a", "b", "1"), ("c", "d", "0")]


@pytest.mark.parametrize(
    "content, wrong",
    [
        ("a\tb\t0\na\tb\n", "line 2 has 2 columns"),
        ("a\tb\t0\na\n", "line 2 has 1 column"),
        ("a\tb\t0\na\tb\t1\t1\n", "line 2 has 4 columns"),
        ("a b 0\n", "line 1 has 1 column"),
        ("a\tb\tlabel\na\tb\n", "line 2 has 2 columns"),
        ("a\tb\tc\t0\n", "line 1 has 4 columns"),
    ],
)
def test_missing_and_surplus_columns(tmp_path, content, wrong):
    expected = "FILE {}, expected 3 (sentence_a, sentence_b, label), separated by tabs".format(wrong)
    assert message(tmp_path, content, split="dev") == expected


@pytest.mark.parametrize("label", ["2", "", "01", "1.0", "１"])
def test_an_unknown_label(tmp_path, label):
    assert message(tmp_path, "a\tb\t1\na\tb\t{}\n".format(label)) == (
        "FILE line 2 has the unknown label '{}': the labels of the task lcqmc are 0, 1".format(label)
    )


@pytest.mark.parametrize(
    "row, place", [("\tb\t1", "first"), ("a\t\t1", "second"), ("a\t \u3000\t1", "second"), ("\t\t1", "first")]
)
def test_an_empty_text(tmp_path, row, place):
    assert message(tmp_path, "a\tb\t1\n{}\n".format(row)) == (
        "FILE line 2 has an empty {} text: fill it in or remove the row".format(place)
    )


@pytest.mark.parametrize("content", ["", "\n", "\n\n", "\ufeff", "a\tb\tlabel\n"])
def test_a_file_without_rows(tmp_path, content):
    assert message(tmp_path, content) == ("FILE has no rows: give a file with at least one row of the task lcqmc")


@pytest.mark.parametrize(
    "content, line", [("a\tb\t1\n\nc\td\t0\n", 2), ("\na\tb\t1\n", 1), ("a\tb\t1\n\n\t\n \nx\n", 2)]
)
def test_a_blank_line_before_others(tmp_path, content, line):
    assert message(tmp_path, content) == "FILE line {} is blank: remove it or fill it in".format(line)


def test_a_carriage_return_before_the_line_end_is_no_text(tmp_path):
    rows = read(tmp_path, "1\t甲\t乙\r\n0\t丙\t丁\r丁\n0\t丙\t丁\r", task=SENTENCE_PAIR)
    assert [row.text_b for row in rows] == ["乙", "丁\r丁", "丁"]


def test_a_byte_order_mark_is_one_at_the_beginning_only(tmp_path):
    assert [row.text_a for row in read(tmp_path, "\ufeffa\tb\t1\n\ufeffa\tb\t1\n")] == ["a", "\ufeffa"]


def test_not_utf8(tmp_path):
    assert message(tmp_path, b"a\tb\t1\n" + "中文\t中\t1\n".encode("gb18030")).startswith("FILE line 2 is not UTF-8: ")
    assert message(tmp_path, "中\tb\t1\n".encode("utf-16-be")).startswith("FILE line 1 holds a NUL byte")
    assert read(tmp_path, "好\tb\t1\n".encode("utf-16"))[0].text_a == "好"  # its byte order mark tells what it is


def test_a_nul_byte(tmp_path):
    assert message(tmp_path, b"a\tb\t1\na\0\tb\t1\n") == "FILE line 2 holds a NUL byte: is it a text file?"


def test_a_very_long_row(tmp_path):
    assert read(tmp_path, "长" * 400000 + "\tb\t1\n")[0].text_a == "长" * 400000


def test_a_missing_folder_and_file(tmp_path):
    with pytest.raises(UserError) as error:
        read_split(SENTENCE_PAIR, str(tmp_path / "no"), "train")
    assert str(error.value) == "there is no folder {}: it must hold train.tsv or train.txt".format(tmp_path / "no")
    (tmp_path / "dev.tsv").mkdir()
    with pytest.raises(UserError) as error:
        read_split(SENTENCE_PAIR, str(tmp_path), "dev")
    assert str(error.value) == (
        "the folder {} has no dev.tsv or dev.txt: put the dev rows of the task sentence_pair there".format(tmp_path)
    )


def test_the_first_name_that_exists_is_read(tmp_path):
    write(tmp_path, "dev.txt", "0\ta\tb\n")
    assert split_path(SENTENCE_PAIR, str(tmp_path), "dev") == str(tmp_path / "dev.txt")
    write(tmp_path, "dev.tsv", "1\ta\tb\n")
    assert split_path(SENTENCE_PAIR, str(tmp_path), "dev") == str(tmp_path / "dev.tsv")
    assert [row.label for row in read_split(SENTENCE_PAIR, str(tmp_path), "dev")] == ["1"]


def write_json(folder, *objects, split="train"):
    text = "".join(json.dumps(values) + "\n" for values in objects)
    return write(folder, split + ".json", text)


def pair(label=None, **more):
    values = dict({"sentence1": "甲", "sentence2": "乙"}, **more)
    return values if label is None else dict(values, label=label)


OCNLI = get_task("ocnli")


def test_rows_without_an_agreed_label_are_left_out_and_said(tmp_path, caplog):
    caplog.set_level("INFO")
    write_json(tmp_path, pair("-"), pair("neutral"), pair("-"), pair("entailment"))
    rows = read_split(OCNLI, str(tmp_path), "train")
    assert [(row.row_id, row.label, row.line) for row in rows] == [(0, "neutral", 2), (1, "entailment", 4)]
    expected = "{}: 2 rows with the label '-' left out.".format(tmp_path / "train.json")
    assert [record.getMessage() for record in caplog.records] == [expected]


def test_in_a_test_file_no_row_is_left_out(tmp_path):
    write_json(tmp_path, pair("neutral"), pair("-"), split="test")
    assert [row.label for row in read_split(OCNLI, str(tmp_path), "test")] == ["neutral", None]


def test_a_file_of_which_all_is_left_out(tmp_path):
    write_json(tmp_path, pair("-"))
    with pytest.raises(UserError, match="train.json has no rows"):
        read_split(OCNLI, str(tmp_path), "train")


@pytest.mark.parametrize(
    "objects, expected",
    [
        ([pair(id=1), pair(id=2), pair(id=1)], "line 3 has the id 1, as has line 1: give each its own"),
        ([pair(id=1), pair(id="1")], "line 2 has the id 1, as has line 1: give each its own"),
        ([pair(id=1), pair()], "line 2 has no id, but line 1 has one: give all rows an id or none"),
        ([pair(), pair(id=0)], "line 1 has no id, but line 2 has one: give all rows an id or none"),
        ([pair("neutral"), pair()], "line 2 has no label, but line 1 has one: give all rows a label or none"),
        ([pair(), pair("neutral")], "line 1 has no label, but line 2 has one: give all rows a label or none"),
        ([pair(sentence1="\ud83d")], "line 1 has half a character (\\ud800 to \\udfff) in its first text"),
        ([pair("neutral"), pair(" ")], "line 2 has no label, but line 1 has one: give all rows a label or none"),
        ([pair(""), pair("neutral")], "line 1 has no label, but line 2 has one: give all rows a label or none"),
        ([pair(None), pair("?")], "line 2 has the unknown label '?': the labels of the task ocnli are contradiction"),
    ],
)
def test_odd_rows_of_a_test_file(tmp_path, objects, expected):
    write_json(tmp_path, *objects, split="test")
    with pytest.raises(UserError) as error:
        read_split(OCNLI, str(tmp_path), "test")
    assert str(error.value).startswith("{} {}".format(tmp_path / "test.json", expected))


@pytest.mark.parametrize("content", ["甲\t乙\t\n丙\t丁\t\n", "text_a\ttext_b\tlabel\n甲\t乙\t \n丙\t丁\t\n"])
def test_empty_labels_of_a_test_file_are_none(tmp_path, content):
    assert [row.label for row in read(tmp_path, content, split="test")] == [None, None]
    assert "has the unknown label ''" in message(tmp_path, content, split="dev")


def test_empty_labels_of_json_lines_are_none(tmp_path):
    write_json(tmp_path, pair(" "), pair(), dict(pair(), label=None), split="test")
    assert [row.label for row in read_split(OCNLI, str(tmp_path), "test")] == [None, None, None]


@pytest.mark.parametrize(
    "split, rows, warning",
    [
        (
            "train",
            ["1", "1"],
            "all 2 rows have the label '1', of the task's 2 (0, 1): the model learns to answer nothing",
        ),
        (
            "dev",
            ["0"],
            "the only row has the label '0', of the task's 2 (0, 1): a model that always answers it scores 1",
        ),
        ("test", ["0"] * 3, "all 3 rows have the label '0'"),
        ("dev", ["0", "1"], None),
    ],
)
def test_a_split_of_one_class_is_said(tmp_path, caplog, split, rows, warning):
    write(tmp_path, split + ".txt", "".join("a\tb\t{}\n".format(label) for label in rows))
    read_splits(LCQMC, str(tmp_path), [split])
    assert len(caplog.records) == bool(warning) and (warning or "") in caplog.text


@pytest.mark.parametrize(
    "labels, pairs",
    [
        (["Yes", "yes", "no"], ["'Yes' and 'yes'"]),
        (["好\u200b", "好", "坏"], ["'好' and '好\\u200b'"]),
        (["Ａ", "A", "b", "c"], ["'A' and 'Ａ'"]),
        (["正 面", "正面"], ["'正 面' and '正面'"]),
        (["a", "b"], []),
    ],
)
def test_labels_that_look_alike_are_said(tmp_path, caplog, labels, pairs):
    write(tmp_path, "train.txt", "".join("a\tb\t{}\n".format(label) for label in labels))
    assert len(with_labels(LCQMC._replace(labels=(), similar_label=None), str(tmp_path)).labels) == len(labels)
    expected = ["train.txt has the labels {}, which look alike: they are two labels to learn.".format(p) for p in pairs]
    assert [record.getMessage()[len(str(tmp_path)) + 1 :] for record in caplog.records] == expected


def test_repeated_ids_of_training_rows_are_said(tmp_path, caplog):
    caplog.set_level("INFO")
    write_json(tmp_path, pair("neutral", id=1), pair("neutral", id=1), pair("neutral", id=2), pair("neutral", id=1))
    assert len(read_split(OCNLI, str(tmp_path), "train")) == 4
    assert "train.json: 2 rows with the id of an earlier one, the first in line 2; all are kept." in caplog.text


def test_a_label_that_is_never_trained_on_is_said(tmp_path, caplog):
    write_json(tmp_path, pair("neutral"), pair("entailment"))
    write_json(tmp_path, pair("neutral"), pair("contradiction"), pair("contradiction"), split="dev")
    read_splits(OCNLI, str(tmp_path), ["train", "dev"])
    assert [record.getMessage() for record in caplog.records] == [
        "{} line 2 has the label 'contradiction', which no row of {} has: it cannot be learned.".format(
            tmp_path / "dev.json", tmp_path / "train.json"
        )
    ]
    caplog.clear()
    read_splits(OCNLI, str(tmp_path), ["dev"])
    assert not caplog.records


@pytest.mark.parametrize(
    "labels, expected", [("10 9 9 1", ("1", "9", "10")), ("b a 10", ("10", "a", "b")), ("坏 好", ("坏", "好"))]
)
def test_labels_of_the_train_split(tmp_path, labels, expected):
    task = LCQMC._replace(labels=(), similar_label=None)
    write(tmp_path, "train.txt", "".join("a\tb\t{}\n".format(label) for label in labels.split()))
    assert with_labels(task, str(tmp_path)).labels == expected
    assert with_labels(LCQMC, None) is LCQMC


def test_a_single_label_is_refused(tmp_path):
    write(tmp_path, "train.txt", "a\tb\t1\na\tc\t1\n")
    with pytest.raises(UserError, match=r"train.txt has only one label \('1'\): a classifier needs at least two"):
        with_labels(LCQMC._replace(labels=()), str(tmp_path))


def test_a_similar_label_that_the_train_split_lacks(tmp_path):
    write(tmp_path, "train.txt", "a\tb\t好\na\tc\t坏\n")
    with pytest.raises(UserError, match="'similar_label' must be one of a task's two labels, not '1': .* 坏, 好"):
        with_labels(LCQMC._replace(labels=()), str(tmp_path))


def test_a_header_that_names_all_columns_decides_their_places(tmp_path):
    rows = read(tmp_path, "qid\tlabel\ttext_a\n0\t1\t甲\n1\t0\t乙\n", task=get_task("chnsenticorp"))
    assert [row[:4] for row in rows] == [(0, "甲", None, "1"), (1, "乙", None, "0")]
    (row,) = read(tmp_path, "qid\ttext_a\n0\t甲\n", split="test", task=get_task("chnsenticorp"))
    assert row[:4] == (0, "甲", None, None)


@pytest.mark.parametrize(
    "header, row",
    [
        ("label\tsentence1\tsentence2", "1\t甲\t乙"),
        ("id\ttext_a\ttext_b\tlabel", "7\t甲\t乙\t1"),
        ("qid1\tqid2\tquestion1\tquestion2\tlabel", "1\t2\t甲\t乙\t1"),
        ("标签\t句子1\t句子2", "1\t甲\t乙"),
        ("title\tquery\tlabel\tid", "乙\t甲\t1\t3"),
    ],
)
def test_common_names_of_a_header_decide_their_places_too(tmp_path, header, row):
    (found,) = read(tmp_path, "{}\n{}\n".format(header, row))
    assert found[:4] == (0, "甲", "乙", "1") and found.line == 2


def test_common_names_of_one_text(tmp_path):
    (row,) = read(tmp_path, "id\ttext\tlabel\n3\t甲\t1\n", task=get_task("chnsenticorp"))
    assert row[:4] == (0, "甲", None, "1")


@pytest.mark.parametrize("content", ["query\ttitle\t1\n", "a\tb\t0\n", "text\tsentence\t1\n"])
def test_words_that_may_be_texts_are_no_header(tmp_path, content):
    assert len(read(tmp_path, content)) == 1
