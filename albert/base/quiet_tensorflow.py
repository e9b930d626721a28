"""Quiet start of TensorFlow: imported first, this module keeps the start-up messages of both versions off the screen.

Errors are still shown; TF_CPP_MIN_LOG_LEVEL=0 in the environment brings the rest back. Where TensorFlow is not
installed, the import raises `UserError`.
"""

from __future__ import annotations

import logging
import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
warnings.filterwarnings("ignore", category=FutureWarning)
warnings.filterwarnings("ignore", category=DeprecationWarning)
warnings.filterwarnings("ignore", module="tensorflow")

from albert.base.errors import UserError  # noqa: E402 (the settings above must come first)

try:
    import tensorflow.compat.v1 as tf
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith("tensorflow"):
        raise
    raise UserError(
        "TensorFlow is not installed, and only an export as ONNX or TFLite can do without: `pip install -r "
        "requirements.txt` brings it"
    ) from error

tf.logging.set_verbosity(tf.logging.ERROR)


def _is_no_echo(record: logging.LogRecord) -> bool:
    """Whether a record is not the line that TPUEstimator logs about an exception before raising it again."""
    return not record.getMessage().startswith("Error recorded from ")


logging.getLogger("tensorflow").addFilter(_is_no_echo)
