"""Published models and data sets: their names and addresses.

A mirror replaces the part of the address before the file name. Three environment variables name mirrors:
ALBERT_ZH_MIRROR for the models, CLUE_MIRROR for the tasks of CLUE, LCQMC_MIRROR for LCQMC.
"""

from __future__ import annotations

import os
from typing import Dict, List, NamedTuple, Optional

MODELS_BASE = "https://storage.googleapis.com/albert_zh"
CLUE_BASE = "https://storage.googleapis.com/cluebenchmark/tasks"
LCQMC_BASE = "https://raw.githubusercontent.com/pengming617/text_matching/master/data"


class PublishedModel(NamedTuple):
    """A model to download.

    Attributes:
      family: "zh" or "google".
      what: its size, and how it differs from others of that size.
      lcqmc_test_accuracy: as published for its size, in percent (docs/en/models.md); None if none was published.
    """

    family: str
    what: str
    lcqmc_test_accuracy: Optional[float]


# Name of a model (its archive is NAME.zip) → the model.
MODELS: Dict[str, PublishedModel] = {
    "albert_tiny_489k": PublishedModel("zh", "tiny, trained longer", 85.4),
    "albert_tiny": PublishedModel("zh", "tiny", 85.4),
    "albert_base_zh": PublishedModel("zh", "base", 86.3),
    "albert_base_zh_additional_36k_steps": PublishedModel("zh", "base, 36,000 steps more", 86.3),
    "albert_large_zh": PublishedModel("zh", "large", 87.1),
    "albert_xlarge_zh_177k": PublishedModel("zh", "xlarge, 177,000 steps", 87.7),
    "albert_xlarge_zh_183k": PublishedModel("zh", "xlarge, 183,000 steps", 87.7),
    "albert_tiny_zh_google": PublishedModel("google", "tiny", None),
    "albert_small_zh_google": PublishedModel("google", "small", 86.0),
}

# Name of a task of CLUE (its archive is NAME_public.zip) → its content.
CLUE_TASKS: Dict[str, str] = {
    "afqmc": "question pairs of a bank's customers",
    "cluewsc2020": "what a pronoun stands for (the task wsc)",
    "cluener": "names of people, places and eight more kinds",
    "cmnli": "inference, translated",
    "cmrc2018": "reading comprehension",
    "copa": "causes and effects",
    "csl": "keywords of abstracts",
    "drcd": "reading comprehension, traditional characters",
    "iflytek": "descriptions of apps",
    "ocnli": "inference",
    "tnews": "headlines of news",
}

LCQMC = "lcqmc"
LCQMC_FILES = ("train.txt", "dev.txt", "test.txt")


class PublishedFile(NamedTuple):
    """One file to download: its name in the folder, and its address."""

    name: str
    url: str


def known_names() -> List[str]:
    """All names that can be downloaded, data sets first."""
    return [LCQMC] + list(CLUE_TASKS) + list(MODELS)


def _base(variable: str, default: str) -> str:
    return (os.environ.get(variable) or default).rstrip("/")


def archive_of(name: str) -> PublishedFile:
    """The archive of a model in `MODELS` or of a task in `CLUE_TASKS`."""
    if name in MODELS:
        base, archive = _base("ALBERT_ZH_MIRROR", MODELS_BASE), name + ".zip"
    else:
        base, archive = _base("CLUE_MIRROR", CLUE_BASE), name + "_public.zip"
    return PublishedFile(archive, base + "/" + archive)


def lcqmc_files() -> List[PublishedFile]:
    """The three files of LCQMC."""
    base = _base("LCQMC_MIRROR", LCQMC_BASE)
    return [PublishedFile(name, base + "/" + name) for name in LCQMC_FILES]
