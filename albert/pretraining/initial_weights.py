"""Initial weights of pre-training from scratch, where they differ from the published ones (docs/en/optimizers.md).

From the published start the model first learns how frequent each token is, and the shortest way there makes the vectors
of all tokens alike. Two values of the start are in the way:

- the masked-LM bias is 0, so that frequencies have to be learned. Balanced, it is the logarithm of each token's share;
- the zh family multiplies two matrices of standard deviation 0.02 for the word embeddings, which are then five times
  smaller than those of the positions. Balanced, the second has 1 / √E, and both are of the same size.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any, Callable, Dict, Iterator

import numpy as np
import tensorflow.compat.v1 as tf

from albert.model import layers
from albert.model.config import ModelConfig
from albert.model.types import Tensor

BIAS, PROJECTION = "cls/predictions/output_bias", "bert/embeddings/word_embeddings_2"
_UNSEEN = 0.1  # added to every count, or a token that was not seen would have no probability

Initializers = Dict[str, Callable[..., Tensor]]  # by the name of the variable


def balanced_initializers(config: ModelConfig, token_counts: np.ndarray) -> Initializers:
    """Makes the initializers of the variables that start otherwise than in the published models.

    Args:
      config: of the model, of either family; in the google family there is no such projection.
      token_counts: how often each token was masked, float [up to V].
    """
    counts = np.full([config.vocab_size], _UNSEEN)
    counts[: len(token_counts)] += token_counts
    bias = np.log(counts / counts.sum()).astype(np.float32)
    stddev = 1.0 / math.sqrt(getattr(config, "embedding_size", None) or config.hidden_size)
    return {
        BIAS: lambda shape, dtype, **_: tf.constant(bias, dtype, shape),
        PROJECTION: layers.initializer(PROJECTION, stddev),
    }


@contextlib.contextmanager
def starting_from(initializers: Initializers) -> Iterator[None]:
    """Lets variables that are made inside start by these initializers, by their names; all others as they would."""

    def get(getter: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
        if name in initializers:
            kwargs["initializer"] = initializers[name]
        return getter(name, *args, **kwargs)

    with tf.variable_scope(tf.get_variable_scope(), custom_getter=get):
        yield
