"""Names of the optimizers; command lines need them without TensorFlow."""

from __future__ import annotations

LAMB, ADAMW = OPTIMIZERS = ("lamb", "adamw")
