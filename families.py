"""The two published model families under the name ALBERT-zh, as records: all that a shared module asks of a family."""

from __future__ import annotations

from typing import Any, NamedTuple

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
