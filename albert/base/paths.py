"""Paths of the files that belong to the project."""

from __future__ import annotations

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIGS = os.path.join(ROOT, "albert_config")
VOCABULARY = os.path.join(CONFIGS, "vocab.txt")  # downloaded by scripts/setup.sh, not part of the repository
DATA = os.path.join(ROOT, "data")
