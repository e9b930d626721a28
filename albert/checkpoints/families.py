"""Families of models under the name ALBERT-zh: their classes, flags and runners as records.

The classes are imported at their first use, and TensorFlow with them: command lines need the names alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, NamedTuple, Optional, Tuple, Type

from albert.model.config import ModelConfig
from albert.model.types import Tensor

if TYPE_CHECKING:
    from albert.model.encoder import TransformerModel


class Family(NamedTuple):
    """Family of models: what differs between the two outside of modeling.py and modeling_google.py."""

    name: str
    config_flag: str  # names the configuration file on command lines
    pretraining_runner: str
    classification_runner: str
    has_groups: bool  # whether its layers form groups, all of which may start from the first group

    @property
    def config_class(self) -> Type[ModelConfig]:
        """The class of the family's configurations."""
        return _classes_of(self.name)[0]

    @property
    def model_class(self) -> Type[TransformerModel]:
        """The class of the family's encoders."""
        return _classes_of(self.name)[1]


def _classes_of(name: str) -> Tuple[Type[ModelConfig], Type[TransformerModel]]:
    from albert.base import quiet_tensorflow  # noqa: F401

    if name == ZH.name:
        from modeling import BertConfig, BertModel

        return BertConfig, BertModel
    from modeling_google import AlbertConfig, AlbertModel

    return AlbertConfig, AlbertModel


ZH = Family(
    name="zh",
    config_flag="bert_config_file",
    pretraining_runner="run_pretraining.py",
    classification_runner="run_classifier.py",
    has_groups=False,
)
GOOGLE = Family(
    name="google",
    config_flag="albert_config_file",
    pretraining_runner="run_pretraining_google.py",
    classification_runner="run_classifier_sp_google.py",
    has_groups=True,
)

FAMILIES = {family.name: family for family in (ZH, GOOGLE)}


def build_encoder(
    family: Family,
    config: ModelConfig,
    features: Dict[str, Tensor],
    is_training: bool,
    *,
    use_one_hot_embeddings: bool = False,
    kept_positions: Optional[Tensor] = None,
    has_pooler: bool = True,
) -> TransformerModel:
    """Builds the family's encoder over a batch of sequences.

    Args:
      family, config: of the model.
      features: input_ids, input_mask and segment_ids, each int [B, S].
      is_training: whether dropout acts.
      use_one_hot_embeddings, kept_positions, has_pooler: see `TransformerModel`.
    """
    return family.model_class(
        config=config,
        is_training=is_training,
        input_ids=features["input_ids"],
        input_mask=features["input_mask"],
        token_type_ids=features["segment_ids"],
        use_one_hot_embeddings=use_one_hot_embeddings,
        scope="bert",
        kept_positions=kept_positions,
        has_pooler=has_pooler,
    )
