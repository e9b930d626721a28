"""What is said of a table's layout before its rows are read."""

import logging

import pytest

from albert.base.errors import UserError
from albert.tasks.text_table import open_pairs


@pytest.mark.parametrize("line, is_told", [("怎么还款\t如何还款", True), ("怎么还款", False)])
def test_columns_are_told_only_of_a_line_that_has_them(tmp_path, caplog, line, is_told):
    caplog.set_level(logging.INFO)
    path = tmp_path / "in.tsv"
    path.write_text(line + "\n", encoding="utf-8")
    try:
        list(open_pairs(str(path)).rows)
    except UserError as error:
        assert not is_told and "line 1 has no tab" in str(error)
    assert ("is a pair; the texts are in the first two columns" in caplog.text) == is_told
