"""Weights that only torch can read: a pickle is a program, and not every torch runs none of it."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.export import transformers_weights


class Tensor:
    """Stands for a tensor of torch."""

    def is_floating_point(self):
        return True

    def float(self):
        return self

    def numpy(self):
        return np.ones([2], np.float32)


@pytest.mark.parametrize(
    "version, is_safe",
    [
        ("2.5.1+cpu", False),
        ("1.13.1", False),
        ("2.0", False),
        ("2.6.0", True),
        ("2.13.0+cu128", True),
        ("3.0.0a1", True),
    ],
)
def test_a_torch_that_runs_programs_in_files_reads_none(tmp_path, monkeypatch, version, is_safe):
    asked = []

    def load(path, **options):
        asked.append(options)
        return {"weight": Tensor()}

    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__=version, load=load))
    path = str(tmp_path / "pytorch_model.bin")
    if is_safe:
        np.testing.assert_array_equal(transformers_weights._read_torch(path)["weight"], [1.0, 1.0])
        assert asked == [{"map_location": "cpu", "weights_only": True}]
    else:
        with pytest.raises(
            UserError, match="pytorch_model.bin is a pickle, which torch .* does not read safely: install"
        ):
            transformers_weights._read_torch(path)
        assert asked == []
