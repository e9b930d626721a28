"""Marks of single parameters."""

import pytest


def slow(*values):
    """Parameters of a case that only `bash run_tests.sh --all` runs: the others of its test do the same in small."""
    return pytest.param(*values, marks=pytest.mark.slow)
