"""Presets: settings for batches and sizes that do not train at the published ones, set only by --preset.

The values, and where they come from:

- Pre-training. The published rate, 0.00176, belongs to LAMB at batch 4096. A smaller batch needs less: the rate falls
  with the square root of the batch (LAMB, arXiv 1904.00962, section 4). For AdamW it is BERT's 1e-4 at batch 256
  (arXiv 1810.04805, appendix A.2), and for the smallest models 1e-3, measured with tiny at batches of 16 and 32
  (docs/en/measurements.md). Hidden size 1024 takes half of it, 2048 and above a quarter; the warm-up is a tenth
  of the steps, from 1024 on a fifth. Users of large and above report a loss that jumps up and stays there, cured by
  a smaller rate (google-research/albert, issue 29); the factors are cautious choices, not measured here.
- Fine-tuning. At 5e-5 and 2e-5, large and above often end at chance (brightmart/albert_zh, issues 53 and 56); at 5e-6
  xlarge was reported to train (google-research, issue 151), and 1e-5 stands between. The smallest models learn little
  at the published rates on few rows, and most at 5e-4 (measured, docs/en/measurements.md). Others are left alone.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any, Dict, TypeVar

from albert.model.config import LARGE_HIDDEN_SIZE
from albert.training.settings import TrainingSettings

S = TypeVar("S", bound=TrainingSettings)

_log = logging.getLogger(__name__)

PUBLISHED, RECOMMENDED = PRESETS = ("published", "recommended")
_XLARGE_HIDDEN_SIZE = 2048
_SMALL_HIDDEN_SIZE = 384
_SMALL_ADAMW_RATE = 1e-3
_SMALL_FINE_TUNING_RATE = 5e-4
_PUBLISHED_VALUES: Dict[str, Any] = {"bias_correction": False, "initial_weights": PUBLISHED}  # where ours differ
_PRETRAINING_RATES = {"lamb": (0.00176, 4096), "adamw": (1e-4, 256)}  # with the batch that each belongs to


def pretraining_values(
    *, hidden_size: int, optimizer: str, train_batch_size: int, num_train_steps: int
) -> Dict[str, Any]:
    """Recommended settings of a pre-training run, by name."""
    rate, batch_size = _PRETRAINING_RATES[optimizer]
    if optimizer == "adamw" and hidden_size <= _SMALL_HIDDEN_SIZE:
        return {"learning_rate": _SMALL_ADAMW_RATE, "num_warmup_steps": num_train_steps // 10}
    share, warmup_share = (1.0, 0.1) if hidden_size < LARGE_HIDDEN_SIZE else (0.5, 0.2)
    if hidden_size >= _XLARGE_HIDDEN_SIZE:
        share = 0.25
    return {
        "learning_rate": float("{:.3g}".format(share * rate * (train_batch_size / batch_size) ** 0.5)),
        "num_warmup_steps": int(num_train_steps * warmup_share),
    }


def fine_tuning_values(*, hidden_size: int) -> Dict[str, Any]:
    """Recommended settings of a fine-tuning run, by name; none where the published ones work."""
    if hidden_size <= _SMALL_HIDDEN_SIZE:
        return {"learning_rate": _SMALL_FINE_TUNING_RATE}
    if hidden_size < LARGE_HIDDEN_SIZE:
        return {}
    return {"learning_rate": 5e-6 if hidden_size >= _XLARGE_HIDDEN_SIZE else 1e-5, "warmup_proportion": 0.2}


def apply_preset(settings: S, values: Dict[str, Any], hidden_size: int) -> S:
    """Sets the recommended values if the preset asks for them, else warns where the size is known to need them.

    Args:
      settings: of the run; what the user chose stays.
      values: recommended ones, by name.
      hidden_size: of the model.

    Returns:
      The settings to train with.
    """
    if settings.preset == PUBLISHED:
        fields = {field.name for field in dataclasses.fields(settings)}
        values = {name: value for name, value in _PUBLISHED_VALUES.items() if name in fields}
        return dataclasses.replace(settings, **_not_given(settings, values))
    if settings.preset == RECOMMENDED:
        if not values:
            _log.info("--preset=recommended sets nothing: the published settings work for hidden size %d.", hidden_size)
        return dataclasses.replace(settings, **_not_given(settings, values))
    if (
        settings.preset is None
        and hidden_size >= LARGE_HIDDEN_SIZE
        and settings.learning_rate > values["learning_rate"]
    ):
        _log.warning(
            "Models of hidden size %d are known not to train at --learning_rate=%g: --preset=recommended sets %s "
            "(--preset=published keeps yours and this line away).",
            hidden_size,
            settings.learning_rate,
            " ".join("--{}={}".format(name, _text(value)) for name, value in sorted(values.items())),
        )
    return settings


def _not_given(settings: TrainingSettings, values: Dict[str, Any]) -> Dict[str, Any]:
    """The values that the user left open; says what becomes of each."""
    preset = settings.preset
    for name, value in sorted(values.items()):
        current = _text(getattr(settings, name))
        if name in settings.given:
            _log.info("--preset=%s leaves --%s=%s, as given (it would set %s).", preset, name, current, _text(value))
        else:
            _log.info("--preset=%s sets --%s=%s (by default %s).", preset, name, _text(value), current)
    return {name: value for name, value in values.items() if name not in settings.given}


def _text(value: Any) -> str:
    return "{:g}".format(value) if isinstance(value, float) else str(value)
