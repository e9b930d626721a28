"""Classification tasks of one's own: one label or several a row, from tables, JSON, doccano and Label Studio."""

import pytest

from albert.tasks.task_check import with_known_labels
from albert.tasks.task_file import read_task
from tests.support.own_tasks import choice, describe, fault, lines, read, studio

ROWS = (("好吃", ("味道",)), ("又贵又慢", ("价格", "服务")), ("路过", ()), ("便宜", ("价格",)))
SEVERAL = {
    "lists.jsonl": (lines(*({"text": text, "label": list(labels)} for text, labels in ROWS)), {}),
    "doccano.json": ([{"id": 1, "text": text, "label": list(labels)} for text, labels in ROWS], {"format": "doccano"}),
    "texts.jsonl": (lines(*({"text": text, "label": "|".join(labels)} for text, labels in ROWS)), {}),
    "bars.tsv": ("text\tlabel\n" + "".join("{}\t{}\n".format(text, "|".join(found)) for text, found in ROWS), {}),
    "commas.csv": (
        "text,tags\n" + "".join('{},"{}"\n'.format(text, ", ".join(found)) for text, found in ROWS),
        {"label": "tags", "label_separator": ","},
    ),
    "json.csv": (
        "text,label\n" + "".join('{},"{}"\n'.format(t, str(list(f)).replace("'", '""')) for t, f in ROWS),
        {},
    ),
    "studio.json": (studio(*(({"text": text}, [choice(*found)] if found else []) for text, found in ROWS)), {}),
    "min.json": (
        [
            {"id": n, "text": text, "annotation_id": n, "about": {"choices": list(found)}}
            for n, (text, found) in enumerate(ROWS)
        ],
        {},
    ),
}


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_several_labels_a_row_out_of_every_format(tmp_path, name):
    content, values = SEVERAL[name]
    rows = read(tmp_path, name, content, kind="multilabel", text_a="text", **values)
    assert [(row.text_a, row.labels, row.label) for row in rows] == [(*row, None) for row in ROWS]
    task = with_known_labels(read_task(describe(tmp_path, name, kind="multilabel", text_a="text", **values)), None)
    assert task.labels == ("价格", "味道", "服务") and task.is_multilabel and task.metric == "micro_f1"


MARKED = {
    "marks.csv": "text,用户,价格,味道,服务\n好吃,a,0,1,0\n又贵又慢,b,1,0,1\n路过,c,0,0,0\n便宜,d,1,0,0\n",
    "floats.tsv": "服务\ttext\t价格\t味道\n0.0\t好吃\t0.0\t1.0\n1.0\t又贵又慢\t1.0\t0.0\n"
    "0.0\t路过\t0.0\t0.0\n0.0\t便宜\t1.0\t0.0\n",
    "marks.jsonl": lines(
        *({"text": text, **{label: int(label in found) for label in ("价格", "味道", "服务")}} for text, found in ROWS)
    ),
    "booleans.json": [
        {"text": text, **{label: label in found for label in ("价格", "味道", "服务")}} for text, found in ROWS
    ],
}
COLUMNS = {"kind": "multilabel", "text_a": "text", "label_columns": ["价格", "味道", "服务"]}


@pytest.mark.parametrize("name", sorted(MARKED))
def test_labels_with_a_column_each(tmp_path, name):
    rows = read(tmp_path, name, MARKED[name], **COLUMNS)
    assert [(row.text_a, row.labels, row.label) for row in rows] == [(*row, None) for row in ROWS]
    assert read_task(describe(tmp_path, name, **COLUMNS)).labels == ("价格", "味道", "服务")


def test_faults_of_labels_with_a_column_each(tmp_path):
    for cell, shown in (("2", '"2"'), ("", '""'), ("-1", '"-1"'), ("是", '"是"')):
        content = "text,价格,味道,服务\n好吃,0,1,0\n便宜,1,{},0\n".format(cell)
        expected = "a.csv line 3 has {} in the column '味道' of a label, which takes 0 or 1".format(shown)
        assert fault(tmp_path, "a.csv", content, **COLUMNS) == expected
    content = lines({"text": "好吃", "价格": 0, "味道": 0.5, "服务": 1})
    assert fault(tmp_path, "a.json", content, **COLUMNS).startswith(
        "a.json line 1 has 0.5 in the column '味道' of a label"
    )
    expected = "a.csv line 1 has no column 味道 (it has 3: text, 价格, 服务)"
    assert fault(tmp_path, "a.csv", "text,价格,服务\n好吃,0,1\n", **COLUMNS) == expected
    assert fault(tmp_path, "a.json", lines({"text": "好吃", "价格": 0}), **COLUMNS).startswith(
        "a.json line 1 has no key '味道'"
    )
    assert fault(tmp_path, "a.json", studio(({"text": "好"}, [choice("甲")])), **COLUMNS).startswith(
        "a.json is an export of Label Studio, whose labels have no columns"
    )
    assert "has no label" in fault(tmp_path, "a.csv", "text\n好\n", "dev", **COLUMNS)
    unnamed = fault(tmp_path, "a.csv", "text,价格,味道\n好吃,0,1\n", kind="multilabel", text_a="text")
    assert unnamed == (
        "a.csv line 2 has no label: only the test split may have none; where each label has a column of 0 and 1, name "
        'these columns with "label_columns" in the task file'
    )
    for name, content in (("a.csv", "text\n好\n坏\n"), ("a.json", lines({"text": "好"}, {"text": "坏"}))):
        assert [row.labels for row in read(tmp_path, name, content, "test", **COLUMNS)] == [None, None]


def test_labels_of_a_row_are_known_differ_and_are_not_empty(tmp_path):
    multi = {"kind": "multilabel", "text_a": "text"}
    (row, _) = read(tmp_path, "a.tsv", "text\tlabel\n好\t甲|乙|甲\n坏\t乙\n", **multi)
    assert row.labels == ("甲", "乙")
    for content, expected in (
        ("text\tlabel\n好\t甲||乙\n", 'a.tsv line 2 has an empty label among ["甲", "", "乙"]'),
        ("text\tlabel\n好\t甲,乙\n", "a.tsv line 2 has the label '甲,乙': if it is several, name what separates them"),
        ("text\tlabel\n好\t甲\n", "a.tsv has only one label ('甲'): a classifier needs at least two"),
        ("text\tlabel\n好\t\n", "a.tsv has no label: a classifier needs at least two"),
    ):
        assert fault(tmp_path, "a.tsv", content, **multi).startswith(expected)
    one = read(tmp_path, "a.tsv", "text\tlabel\n好\t甲,乙\n坏\t丙\n", label_separator="|", **multi)
    assert one[0].labels == ("甲,乙",)
    for split in ("dev", "test"):
        found = fault(tmp_path, "a.tsv", "text\tlabel\n好\t甲|丙\n", split, labels=["甲", "乙"], **multi)
        assert found == "a.tsv line 2 has the unknown label '丙': the labels of the task mine are 甲, 乙"


def test_a_test_file_of_several_labels_may_have_none(tmp_path):
    multi = {"kind": "multilabel", "text_a": "text", "labels": ["甲", "乙"]}
    for content in ("text\n好\n坏\n", "text\tlabel\n好\t\n坏\t\n"):
        assert [row.labels for row in read(tmp_path, "a.tsv", content, "test", **multi)] == [None, None]
    rows = read(tmp_path, "a.tsv", "text\tlabel\n好\t\n坏\t甲\n", "test", **multi)
    assert [row.labels for row in rows] == [(), ("甲",)]
    assert "has no label" in fault(tmp_path, "a.tsv", "text\n好\n", "dev", **multi)


@pytest.mark.parametrize(
    "name, content, values",
    [
        ("doccano.jsonl", lines({"text": "好", "label": ["正"]}, {"text": "坏", "label": ["负"]}), {}),
        ("list.json", [{"text": "好", "label": "正"}, {"text": "坏", "label": "负"}], {}),
        ("studio.json", studio(({"text": "好"}, [choice("正")]), ({"text": "坏"}, [choice("负")])), {}),
        (
            "min.json",
            [
                {"id": 1, "text": "好", "mood": "正", "lead_time": 1},
                {"id": 2, "text": "坏", "mood": "负", "lead_time": 1},
            ],
            {"label": "mood"},
        ),
    ],
)
def test_one_label_a_row_of_labelling_tools(tmp_path, name, content, values):
    rows = read(tmp_path, name, content, text_a="text", **values)
    assert [(row.text_a, row.label, row.labels) for row in rows] == [("好", "正", None), ("坏", "负", None)]


def test_pairs_of_label_studio_and_ids(tmp_path):
    tasks = studio(*(({"a": "甲" * n, "b": "乙"}, [choice(str(n % 2))]) for n in (1, 2)))
    rows = read(tmp_path, "a.json", tasks, kind="pair", text_a="a", text_b="b", id="id")
    assert [(row.text_a, row.text_b, row.label, row.own_id) for row in rows] == [
        ("甲", "乙", "1", 101),
        ("甲甲", "乙", "0", 102),
    ]


@pytest.mark.parametrize(
    "content, expected",
    [
        (
            lines({"text": "好", "label": ["甲", "乙"]}),
            'a.json line 1 has 2 labels (甲, 乙): the "kind" multilabel is for',
        ),
        (lines({"text": "好", "label": []}), "a.json line 1 has no label: only the test split may have none"),
        (lines({"text": "好", "label": [[0, 1, "A"]]}), "a.json line 1 has no label under 'label' but [[0, 1, \"A\"]]"),
        ([{"text": "好", "label": "甲"}, {"text": ""}], "a.json record 2 has an empty first text"),
        (
            studio(({"text": "好"}, [choice("甲", "乙")])),
            'a.json record 1 has 2 labels (甲, 乙): the "kind" multilabel',
        ),
        (
            studio(({"text": "好"}, [choice("甲"), choice("乙", control="other")])),
            "a.json has choices of the controls mood, other: name one with the key 'label'",
        ),
        (studio(({"txt": "好"}, [choice("甲")])), "a.json record 1 has no key 'text' (its keys: txt)"),
        (
            [{"id": 1, "text": "好", "mood": "正", "lead_time": 1}],
            "a.json record 1 has no label: only the test split may have none",
        ),
    ],
)
def test_a_fault_is_named_with_its_line_or_record(tmp_path, content, expected):
    assert fault(tmp_path, "a.json", content, text_a="text").startswith(expected)
