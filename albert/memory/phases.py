"""Phases of training whose memory is measured; command lines need them without TensorFlow."""

from __future__ import annotations

from albert.optimizers.names import ADAMW, LAMB

FINE_TUNING = "fine-tuning"
PRE_TRAINING = "pre-training"
DEFAULT_OPTIMIZERS = {FINE_TUNING: ADAMW, PRE_TRAINING: LAMB}
