import json

import pytest

from albert.base.errors import UserError
from albert.tasks.splits import read_split, with_labels
from albert.tasks.task_file import read_task

PAIRS = {"name": "mine", "files": {"train": "train.tsv"}, "text_a": "first", "text_b": "second", "label": "same"}


def describe(folder, values):
    path = folder / "mine.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return str(path)


def rows_of(folder, values, content, name="train.tsv", split="train"):
    (folder / name).write_text(content, encoding="utf-8")
    task = with_labels(read_task(describe(folder, values)), None) if split == "train" else None
    task = task or read_task(describe(folder, dict(values, labels=["0", "1"])))
    return [(row.text_a, row.text_b, row.label, row.own_id) for row in read_split(task, None, split)]


EXPECTED = [("甲", "乙", "1", None), ("丙", "丁", "0", None)]


@pytest.mark.parametrize(
    "changes, name, content",
    [
        ({}, "train.tsv", "same\tfirst\tmore\tsecond\n1\t甲\tx\t乙\n0\t丙\ty\t丁\n"),
        ({}, "train.tsv", "\ufefffirst\tsecond\tsame\r\n甲\t乙\t1\r\n丙\t丁\t0\r\n"),
        ({"text_a": 2, "text_b": 4, "label": 1}, "train.tsv", "1\t甲\tx\t乙\n0\t丙\ty\t丁\n"),
        ({"text_a": 1, "text_b": 2, "label": 3, "header": True}, "train.tsv", "a\tb\tc\n甲\t乙\t1\n丙\t丁\t0\n"),
        ({}, "train.csv", "same,first,second\n1,甲,乙\n0,丙,丁\n"),
        ({"separator": "|"}, "train.txt", "same|first|second\n1|甲|乙\n0|丙|丁\n"),
        ({"format": "csv"}, "train", 'same,first,second\n1,"甲",乙\n0,丙,"丁"\n'),
        (
            {},
            "train.jsonl",
            '{"first": "甲", "second": "乙", "same": 1}\n{"first": "丙", "second": "丁", "same": "0"}\n',
        ),
    ],
)
def test_pairs_of_every_format(tmp_path, changes, name, content):
    assert rows_of(tmp_path, dict(PAIRS, files={"train": name}, **changes), content, name) == EXPECTED


def test_single_texts_with_ids_and_commas(tmp_path):
    values = {"name": "mine", "files": {"train": "train.csv"}, "text_a": "text", "id": "key"}
    content = 'key,text,label\nr1,"甲,""乙""",好\nr2,丙,坏\n'
    assert rows_of(tmp_path, values, content, "train.csv") == [('甲,"乙"', None, "好", "r1"), ("丙", None, "坏", "r2")]


@pytest.mark.parametrize(
    "changes, content",
    [
        ({}, "first\tsecond\n甲\t乙\n"),
        ({"text_a": 2, "text_b": 3, "label": 1}, "甲\t乙\n"),
        ({"text_a": 1, "text_b": 2, "label": 3}, "甲\t乙\n"),
    ],
)
def test_a_test_file_without_labels(tmp_path, changes, content):
    values = dict(PAIRS, files={"test": "test.tsv"}, **changes)
    assert rows_of(tmp_path, values, content, "test.tsv", "test") == [("甲", "乙", None, None)]


@pytest.mark.parametrize(
    "name, train, test",
    [
        ("{}.tsv", "label\ttext\n0\t好\n1\t坏\n", "id\ttext\n7\t很好\n9\t很坏\n"),
        ("{}.csv", "label,text\n0,好\n1,坏\n", "id,text\n7,很好\n9,很坏\n"),
        ("{}.tsv", "label\ttext\tid\n0\t好\t\n1\t坏\t\n", "id\ttext\n7\t很好\n9\t很坏\n"),
        (
            "{}.json",
            '{"text":"好","label":"0"}\n{"text":"坏","label":1}\n',
            '{"id":7,"text":"很好"}\n{"id":9,"text":"坏"}\n',
        ),
        (
            "{}.json",
            '{"text":"好","label":0,"id":null}\n{"text":"坏","label":1}\n',
            '{"id":7,"text":"很好"}\n{"id":9,"text":"坏"}\n',
        ),
    ],
)
def test_ids_that_only_the_test_file_has(tmp_path, name, train, test):
    files = {split: name.format(split) for split in ("train", "test")}
    values = {"name": "mine", "files": files, "text_a": "text", "id": "id"}
    assert [row[2:] for row in rows_of(tmp_path, values, train, files["train"])] == [("0", None), ("1", None)]
    found = rows_of(tmp_path, values, test, files["test"], "test")
    assert [str(row[3]) for row in found] == ["7", "9"]
    without = test.replace("id", "no")
    with pytest.raises(UserError, match="has no id: the task names the column 'id' for it, which the test split must"):
        rows_of(tmp_path, values, without, files["test"], "test")


def test_the_similar_label(tmp_path):
    assert read_task(describe(tmp_path, dict(PAIRS, similar_label=" duplicate "))).similar_label == "duplicate"
    assert read_task(describe(tmp_path, PAIRS)).similar_label is None
    single = {key: value for key, value in PAIRS.items() if key != "text_b"}
    with pytest.raises(UserError, match="'similar_label' is for pairs: name the second text with 'text_b'"):
        read_task(describe(tmp_path, dict(single, similar_label="1")))


def test_metric_labels_and_files(tmp_path):
    values = dict(PAIRS, labels=["1", "0"], metric="mcc", files={"dev": "sub/dev.tsv", "test": "t.tsv"})
    task = read_task(describe(tmp_path, values))
    assert (task.name, task.labels, task.metric) == ("mine", ("1", "0"), "mcc")
    assert task.files == {"dev": (str(tmp_path / "sub" / "dev.tsv"),), "test": (str(tmp_path / "t.tsv"),)}
    assert read_task(describe(tmp_path, values), has_data_dir=True).files["test"] == ("t.tsv",)
    with pytest.raises(UserError, match="the task mine names no file of its train split"):
        read_split(task, None, "train")
    with pytest.raises(UserError, match="there is no file .*dev.tsv: put the dev rows of the task mine there"):
        read_split(task, None, "dev")


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"lable": "x"}, "unknown key 'lable': the nearest known one is 'label'"),
        ({"files": {"tran": "x.tsv"}}, "unknown key 'tran': the nearest known one is 'train'"),
        ({"files": {}}, '\'files\' must be an object like {"train": "train.tsv"}, not {}'),
        ({"files": {"train": 3}}, "'train' must be a text, not 3"),
        (
            {"files": {"train": "a.tsv", "dev": "b.json"}},
            "the key 'format' (json, tsv, csv, label_studio, doccano) is missing",
        ),
        ({"files": {"train": "a.xlsx"}}, "the key 'format' (json, tsv, csv, label_studio, doccano) is missing"),
        ({"format": "xml"}, "'format' must be one of json, tsv, csv, label_studio, doccano, not 'xml'"),
        ({"name": "a/b"}, "'name' must be of letters, digits, _ and -, not 'a/b'"),
        ({"name": 7}, "'name' must be a text, not 7"),
        ({"metric": "f1"}, "'metric' must be one of accuracy, macro_f1, mcc, not 'f1'"),
        ({"labels": "guess"}, "'labels' must be a list of texts or \"infer\", not 'guess'"),
        ({"labels": [0, 1]}, "'labels' must be a list of texts or \"infer\", not [0, 1]"),
        ({"labels": ["a", "a"]}, "'labels' must be at least two that differ, not ['a', 'a']"),
        (
            {"labels": ["正面", "负面", "正面 "]},
            "'labels' must be at least two that differ, not ['正面', '负面', '正面 ']: ",
        ),
        ({"labels": ["a", "\u3000a"]}, "'labels' must be at least two that differ, not ["),
        ({"labels": ["a", "b"], "similar_label": "c"}, "'similar_label' must be one of a task's two labels, not 'c'"),
        ({"labels": ["a", "b", "c"], "similar_label": "c"}, "'similar_label' must be one of a task's two labels"),
        ({"similar_label": 1}, "'similar_label' must be a text, not 1"),
        ({"text_a": 0}, "'text_a' must be a column's name or its number from 1, not 0"),
        ({"text_a": True}, "'text_a' must be a column's name or its number from 1, not True"),
        ({"header": False}, "the column 'first' needs a header that names it: give its number, from 1"),
        ({"header": "yes"}, "'header' must be true or false, not 'yes'"),
        ({"format": "json", "header": True}, "'header' has no use with JSON"),
        ({"format": "json", "text_a": 1}, "the columns of JSON have names, not numbers (1)"),
    ],
)
def test_a_wrong_description_is_one_sentence(tmp_path, changes, expected):
    path = describe(tmp_path, dict(PAIRS, **changes))
    with pytest.raises(UserError) as error:
        read_task(path)
    assert str(error.value).startswith("{} does not describe a task: {}".format(path, expected))


MARKED = {"kind": "multilabel", "text_a": "text", "label_columns": ["a", "b"]}


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"kind": "tag"}, "'kind' must be one of classification, pair, multilabel, tags, spans, not 'tag'"),
        ({"kind": "pair", "text_a": "a"}, "the key 'text_b' is missing"),
        (
            {"kind": "tags", "text_b": "a"},
            "the key 'text_b' is for the kind classification or pair or multilabel, not tags",
        ),
        ({"kind": "spans", "overlaps": "error"}, "the key 'overlaps' is for the kind tags, not spans"),
        ({"kind": "spans", "contxt": "a"}, "unknown key 'contxt': the nearest known one is 'context'"),
        ({"kind": "tags", "overlaps": "all", "format": "json"}, "'overlaps' must be one of error, longest, not 'all'"),
        ({"kind": "tags", "overlaps": "longest"}, "'overlaps' has no use with lines of a token and its tag"),
        ({"kind": "tags", "metric": "accuracy"}, "'metric' must be one of f1, precision, recall, not 'accuracy'"),
        (
            {"kind": "tags", "format": "squad"},
            "'format' must be one of conll, json, tsv, csv, label_studio, doccano, not",
        ),
        ({"kind": "pair", "label_columns": ["a", "b"]}, "the key 'label_columns' is for the kind multilabel, not pair"),
        (dict(MARKED, label="c"), "'label' has no use beside 'label_columns', which names the labels"),
        (dict(MARKED, labels=["a", "b"]), "'labels' has no use beside 'label_columns'"),
        (dict(MARKED, label_separator=","), "'label_separator' has no use beside 'label_columns'"),
        (dict(MARKED, label_columns="a"), "'label_columns' must be a list of the columns' names, not 'a'"),
        (dict(MARKED, label_columns=[1, 2]), "'label_columns' must be a list of the columns' names, not [1, 2]"),
        (dict(MARKED, label_columns=["a"]), "'label_columns' must be at least two that differ, not ['a']"),
        (dict(MARKED, label_columns=["a", "text"]), "'label_columns' names the column 'text', which has another use"),
        (dict(MARKED, format="doccano"), "'label_columns' has no use with the format doccano"),
        (dict(MARKED, header=False), "the column 'text' needs a header that names it"),
        ({"kind": "tags", "labels": []}, "'labels' must be at least one that differ, not []"),
        ({"kind": "tags", "text_a": "a", "header": False}, "the column 'a' needs a header that names it"),
        ({"kind": "spans", "annotator": True}, "'annotator' must be an id or a text, not True"),
        ({"kind": "spans", "question": 1}, "the column 'context' needs a header that names it"),
        ({"kind": "spans", "format": "json", "context": 2}, "the columns of JSON have names, not numbers (2)"),
    ],
)
def test_keys_of_a_kind(tmp_path, values, expected):
    header = {"header": False} if values.get("question") == 1 else {}
    path = describe(tmp_path, dict({"name": "mine", "files": {"train": "train.tsv"}}, **values, **header))
    with pytest.raises(UserError) as error:
        read_task(path)
    assert str(error.value).startswith("{} does not describe a task: {}".format(path, expected))


@pytest.mark.parametrize("key", ["name", "files", "text_a"])
def test_a_missing_key_is_named(tmp_path, key):
    values = {other: value for other, value in PAIRS.items() if other != key}
    with pytest.raises(UserError, match="does not describe a task: the key '{}' is missing".format(key)):
        read_task(describe(tmp_path, values))


def test_no_description(tmp_path):
    with pytest.raises(UserError, match="cannot read the task file .*none.json: No such file"):
        read_task(str(tmp_path / "none.json"))
    with pytest.raises(UserError, match="mine.json does not describe a task: it is not JSON \\(Expecting"):
        read_task(describe(tmp_path, "{'name'"))
    with pytest.raises(UserError, match="mine.json does not describe a task: it holds no JSON object"):
        read_task(describe(tmp_path, "[]"))


@pytest.mark.parametrize(
    "values, content, expected",
    [
        (PAIRS, "same\tfirst\n", "line 1 has no column second (it has 2: same, first)"),
        (PAIRS, "first\tfirst\tsecond\tsame\n", "line 1 names the column 'first' twice"),
        (PAIRS, "first\tsecond\tsame\n甲\t乙\n", "line 2 has 2 columns, expected 3 (first, second, same)"),
        (PAIRS, "first\tsecond\tno\n甲\t乙\t1\n", "line 2 has no label: only the test split may have none"),
        (PAIRS, "first\tsecond\tsame\n甲\t乙\t\n", "line 2 has an empty label"),
        (dict(PAIRS, text_a=1, text_b=5, label=2), "甲\t1\n", "line 1 has no column 5 (it has 2: 甲, 1)"),
        (
            dict(PAIRS, format="csv"),
            'same,first,second\n1,"甲,乙\n',
            "line 2 is not a row of comma-separated columns (",
        ),
    ],
)
def test_a_file_that_is_not_as_described(tmp_path, values, content, expected):
    with pytest.raises(UserError) as error:
        rows_of(tmp_path, values, content)
    assert str(error.value).startswith("{} {}".format(tmp_path / "train.tsv", expected))
