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


ZH = Family("zh", BertConfig, BertModel, "bert_config_file", "run_pretraining.py", "run_classifier.py")
GOOGLE = Family(
    "google",
    AlbertConfig,
    AlbertModel,
    "albert_config_file",
    "run_pretraining_google.py",
    "run_classifier_sp_google.py",
)

FAMILIES = {family.name: family for family in (ZH, GOOGLE)}
