"""Families of models under the name ALBERT-zh: their classes, flags and runners as records."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Type

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
from albert.model.config import ModelConfig
from albert.model.encoder import TransformerModel
from albert.model.types import Tensor
from modeling import BertConfig, BertModel
from modeling_google import AlbertConfig, AlbertModel


class Family(NamedTuple):
    """Family of models: what differs between the two outside of modeling.py and modeling_google.py."""

    name: str
    config_class: Type[ModelConfig]
    model_class: Type[TransformerModel]
    config_flag: str  # names the configuration file on command lines
    pretraining_runner: str
    classification_runner: str
    has_groups: bool  # whether its layers form groups, all of which may start from the first group


ZH = Family(
    name="zh",
    config_class=BertConfig,
    model_class=BertModel,
    config_flag="bert_config_file",
    pretraining_runner="run_pretraining.py",
    classification_runner="run_classifier.py",
    has_groups=False,
)
GOOGLE = Family(
    name="google",
    config_class=AlbertConfig,
    model_class=AlbertModel,
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
