"""Quiet start of TensorFlow: imported first, this module keeps the start-up messages of both versions off the screen.

Errors are still shown; TF_CPP_MIN_LOG_LEVEL=0 in the environment brings the rest back.
"""

from __future__ import annotations

import logging
import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
warnings.filterwarnings("ignore", category=FutureWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)
warnings.filterwarnings("ignore", module="tensorflow")

import tensorflow.compat.v1 as tf  # noqa: E402 (the settings above must come first)

tf.logging.set_verbosity(tf.logging.ERROR)


def _is_no_echo(record: logging.LogRecord) -> bool:
    """Whether a record is not the line that TPUEstimator logs about an exception before raising it again."""
    return not record.getMessage().startswith("Error recorded from ")


logging.getLogger("tensorflow").addFilter(_is_no_echo)
