"""Tables as spreadsheets and other machines write them: encodings, line ends, long cells, lines without text."""

import json

import pytest

from albert.base.errors import UserError
from albert.tasks.splits import read_split
from albert.tasks.task_file import read_task

LONG = "这是一篇很长的文章。" * 14000


def rows_of(folder, name, content):
    """The rows of a table with the columns label and text."""
    (folder / name).write_bytes(content)
    task = {"name": "mine", "files": {"train": name}, "text_a": "text", "label": "label"}
    (folder / "task.json").write_bytes(json.dumps(task).encode("utf-16"))
    return [(row.label, row.text_a) for row in read_split(read_task(str(folder / "task.json")), None, "train")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name, separator", [("train.tsv", "\t"), ("train.csv", ","), ("train.txt", "\t")])
def test_tables_of_any_program(tmp_path, name, separator, newline, encoding):
    lines = ["label,text", "0,差", "1,好", "\u3000\u200b"]
    content = newline.join(lines).replace(",", separator) + newline
    assert rows_of(tmp_path, name, content.encode(encoding)) == [("0", "差"), ("1", "好")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_cells_that_are_long_or_hold_a_carriage_return(tmp_path, encoding):
    content = 'label,text\r\n0,好的\r不错\r\n1,"好\r,的"\r\n1,{}\r\n'.format(LONG)
    assert rows_of(tmp_path, "train.csv", content.encode(encoding)) == [
        ("0", "好的\r不错"),
        ("1", "好\r,的"),
        ("1", LONG),
    ]


@pytest.mark.parametrize("text", ["\u200b", "\ufeff \u200d", "\xad"])
def test_a_text_in_which_nothing_can_be_read_is_empty(tmp_path, text):
    with pytest.raises(UserError, match="train.tsv line 3 has an empty first text: fill it in or remove the row"):
        rows_of(tmp_path, "train.tsv", "label\ttext\n0\t差\n1\t{}\n".format(text).encode("utf-8"))
