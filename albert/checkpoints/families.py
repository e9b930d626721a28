"""The two published model families under the name ALBERT-zh, as records: all that a shared module asks of a family."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
from modeling import BertConfig, BertModel
from modeling_google import AlbertConfig, AlbertModel


class Family(NamedTuple):
    """What differs between the families outside of their modules."""

    name: str
    config_class: Any
    model_class: Any
    config_flag: str  # the flag that names the model's JSON file
    pretraining_runner: str
    classification_runner: str
    has_groups: bool  # whether layers come in groups, all of which may start from one


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
    config: Any,
    features: Dict[str, Any],
    is_training: bool,
    *,
    use_one_hot_embeddings: bool = False,
    kept_positions: Optional[Any] = None,
) -> Any:
    """Builds the family's encoder over a batch of sequences.

    Args:
      family, config: the model.
      features: input_ids, input_mask and segment_ids, each int [B, S].
      is_training: whether dropout acts.
      use_one_hot_embeddings, kept_positions: see `TransformerModel`.
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
    )
