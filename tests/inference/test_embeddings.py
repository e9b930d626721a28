"""Layers of which vectors are taken: the last but one, where there are two."""

from types import SimpleNamespace

import pytest

from albert.base.errors import UserError
from albert.inference.embeddings import _checked_layers


def model(layers):
    return SimpleNamespace(config=SimpleNamespace(num_hidden_layers=layers), prefix="model.ckpt-1")


@pytest.mark.parametrize("layers,taken", [(1, 0), (2, 0), (4, 2)])
def test_the_default_layer_is_one_that_every_model_has(layers, taken):
    assert _checked_layers(None, model(layers)) == [taken]


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(UserError, match="has 1 layers: layer indexes are 0 to 0 or -1 to -1, not -2"):
        _checked_layers([-2], model(1))
