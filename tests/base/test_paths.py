"""Paths in commands that are shown."""

import shlex

import pytest

from albert.base.paths import shell_word


@pytest.mark.parametrize("path", ["out/best", "模型/v1.2", "a=b,c:d@e"])
def test_plain_paths_stay_as_they_are(path):
    assert shell_word(path) == path


@pytest.mark.parametrize("path", ["out[v1]", "my models/a", "a*b?", "it's", "~x", "a$b", "", "c\\d"])
def test_others_are_quoted(path):
    assert shell_word(path) != path
    assert shlex.split("command --output_dir=" + shell_word(path)) == ["command", "--output_dir=" + path]
