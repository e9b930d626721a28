"""Model configurations, typed and strict: the JSON file that belongs to a checkpoint.

An unknown key is an error that names the nearest known one; a missing size or a value of the wrong type is an error
too. Keys that libraries write beside a model's own are left out (`library_keys`). The settings of a run (batch,
learning rate, …) are flags and not part of it.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Dict, Sequence, Type, TypeVar

from albert.base.errors import UserError, check_keys
from albert.downloads.published_files import download_advice
from albert.files.json_reading import parse_description, read_text
from albert.model.library_keys import without_library_keys

_REQUIRED = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
_TYPES: Dict[str, Any] = {"int": int, "float": (int, float), "str": str}

LARGE_HIDDEN_SIZE = 1024  # from here on the published settings are known to fail (large, xlarge, xxlarge)
HIDDEN_ACTIVATIONS = ("gelu", "relu", "tanh", "linear")

AnyConfig = TypeVar("AnyConfig", bound="ModelConfig")


@dataclasses.dataclass
class ModelConfig:
    """Configuration of a model, the keys of both families (docs/en/models.md).

    Attributes:
      vocab_size: tokens in the vocabulary (V).
      hidden_size: width of the encoder (H).
      num_hidden_layers: how often the layer is applied (L).
      num_attention_heads: attention heads (N); divides hidden_size.
      intermediate_size: width of the feed-forward layer (I).
      hidden_act: its activation, one of gelu, relu, tanh, linear.
      hidden_dropout_prob: dropout of embeddings, attention output and feed-forward output while training.
      attention_probs_dropout_prob: dropout of the attention probabilities while training.
      max_position_embeddings: the longest sequence.
      type_vocab_size: segments.
      initializer_range: standard deviation of the initial weights.
    """

    vocab_size: int
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        """Checks types and values."""
        for field in dataclasses.fields(self):
            self._check_type(field)
        for name in _REQUIRED + ("max_position_embeddings", "type_vocab_size"):
            if getattr(self, name) < 1:
                raise UserError("{} must be at least 1, not {}".format(name, getattr(self, name)))
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise UserError("{} must lie in [0, 1), not {}".format(name, getattr(self, name)))
        if self.hidden_size % self.num_attention_heads:
            raise UserError(
                "hidden_size {} is not a multiple of num_attention_heads {}".format(
                    self.hidden_size, self.num_attention_heads
                )
            )
        self._check_choice("hidden_act", HIDDEN_ACTIVATIONS)

    def _check_type(self, field: dataclasses.Field) -> None:
        value = getattr(self, field.name)
        type_name = str(field.type).replace("Optional[", "").rstrip("]")
        if value is None and "Optional" in str(field.type):
            return
        if isinstance(value, bool) or not isinstance(value, _TYPES[type_name]):
            raise UserError("{} must be of type {}, not {!r}".format(field.name, type_name, value))

    def _check_choice(self, name: str, choices: Sequence[str]) -> None:
        if getattr(self, name) not in choices:
            raise UserError("{} must be one of {}, not {!r}".format(name, ", ".join(choices), getattr(self, name)))

    @classmethod
    def from_dict(cls: Type[AnyConfig], values: Dict[str, Any]) -> AnyConfig:
        """Builds a configuration from its JSON object.

        Raises:
          UserError: an unknown key, a missing size, a wrong type or value.
        """
        known = tuple(field.name for field in dataclasses.fields(cls))
        values = without_library_keys(values, known)
        check_keys(values, known, required=_REQUIRED)
        return cls(**values)

    @classmethod
    def from_json_file(cls: Type[AnyConfig], path: str) -> AnyConfig:
        """Reads a configuration file (raises `UserError`, naming the file)."""
        try:
            return cls.from_dict(dict(parse_description(read_text(path)).values))
        except OSError as error:
            raise UserError(
                "cannot read the model config {}: {}{}".format(path, error.strerror, download_advice(path))
            ) from error
        except UserError as error:
            raise UserError("{} is no {}: {}".format(path, cls.__name__, error)) from error

    def to_dict(self) -> Dict[str, Any]:
        """Returns all keys with their values; keys that are not set are left out."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}

    def to_json_string(self) -> str:
        """Returns the JSON text of the configuration file."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def without_dropout(self: AnyConfig) -> AnyConfig:
        """Returns the configuration for evaluation and prediction."""
        return dataclasses.replace(self, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
