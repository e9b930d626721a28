"""Where the published models and data sets can be downloaded: declarations only.

A mirror replaces the part of the address before the file's name: ALBERT_ZH_MIRROR for the models,
LCQMC_MIRROR for LCQMC (both environment variables).
"""

from __future__ import annotations

import os
from typing import Dict, List, NamedTuple

MODELS_BASE = "https://storage.googleapis.com/albert_zh"
LCQMC_BASE = "https://raw.githubusercontent.com/pengming617/text_matching/master/data"

# Model name (its archive is NAME.zip) → what it is.
MODELS: Dict[str, str] = {
    "albert_tiny_489k": "zh family, tiny, trained longer",
    "albert_tiny": "zh family, tiny",
    "albert_base_zh": "zh family, base",
    "albert_base_zh_additional_36k_steps": "zh family, base, 36,000 steps more",
    "albert_large_zh": "zh family, large",
    "albert_xlarge_zh_177k": "zh family, xlarge, 177,000 steps",
    "albert_xlarge_zh_183k": "zh family, xlarge, 183,000 steps",
    "albert_tiny_zh_google": "google family, tiny",
    "albert_small_zh_google": "google family, small",
}

LCQMC = "lcqmc"
LCQMC_FILES = ("train.txt", "dev.txt", "test.txt")


class PublishedFile(NamedTuple):
    """One file to download: its name in the folder, and its address."""

    name: str
    url: str


def known_names() -> List[str]:
    """Every name that can be asked for, LCQMC first."""
    return [LCQMC] + list(MODELS)


def _base(variable: str, default: str) -> str:
    return (os.environ.get(variable) or default).rstrip("/")


def model_archive(name: str) -> PublishedFile:
    """The archive of a model in `MODELS`."""
    archive = name + ".zip"
    return PublishedFile(archive, _base("ALBERT_ZH_MIRROR", MODELS_BASE) + "/" + archive)


def lcqmc_files() -> List[PublishedFile]:
    """LCQMC's three files."""
    base = _base("LCQMC_MIRROR", LCQMC_BASE)
    return [PublishedFile(name, base + "/" + name) for name in LCQMC_FILES]
