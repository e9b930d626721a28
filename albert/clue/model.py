"""Model that the benchmark fine-tunes: a published model, a folder, a checkpoint, or random weights."""

from __future__ import annotations

import glob
import os
import sys
from typing import Any, Dict, List, NamedTuple, Optional

from albert.base.errors import UserError, nearest
from albert.base.paths import VOCABULARY, model_path
from albert.checkpoints.families import FAMILIES, Family
from albert.checkpoints.model import find_weights, open_checkpoint
from albert.downloads import download
from albert.downloads.published_files import MODEL_FOLDERS, MODELS, archive_of
from albert.files.reading import describe_files

DEFAULT_MODEL = "albert_tiny_489k"


class BenchmarkModel(NamedTuple):
    """Model to fine-tune.

    Attributes:
      name: the name of the folder of its results.
      family: its family, which decides the fine-tuning command.
      path: a folder, a checkpoint's prefix, or a config file (random weights).
      published: its name among the downloads; None for a model of the user's own.
    """

    name: str
    family: Family
    path: str
    published: Optional[str] = None

    @property
    def is_random(self) -> bool:
        """Tells whether there is only a config, so that training starts from random weights."""
        return self.path.endswith(".json")


def find_model(name: str) -> BenchmarkModel:
    """Finds the model by a published name, a folder, a checkpoint, "starter", or a config file (random weights).

    Raises:
      UserError: there is no such model, or it is no ALBERT.
    """
    name = model_path(name)
    own_name = os.path.splitext(os.path.basename(os.path.normpath(name)))[0]
    if name in MODELS:
        return BenchmarkModel(
            name, FAMILIES[MODELS[name].family], os.path.join(".", MODEL_FOLDERS.get(name, name)), name
        )
    if name.endswith(".json"):
        return BenchmarkModel(own_name, _family_of_config(name), name)
    if os.path.exists(name) or os.path.exists(name + ".index"):
        return BenchmarkModel(own_name, open_checkpoint(name).family, name)
    near = nearest(name, MODELS)
    raise UserError(
        "MODEL={} is no folder, no checkpoint and no published model; the nearest one is {} (known: {})".format(
            name, near, ", ".join(sorted(MODELS))
        )
    )


def _family_of_config(path: str) -> Family:
    """Family whose config can be read from a file; each family refuses the keys of the other."""
    errors = []
    for family in FAMILIES.values():
        try:
            family.config_class.from_json_file(path)
            return family
        except UserError as error:
            errors.append(error)
    raise errors[0]


def bring_model(model: BenchmarkModel) -> None:
    """Downloads a published model that is missing.

    Raises:
      UserError: it cannot be downloaded; names the file and its folder.
    """
    if model.published:
        download.download(model.published, model.path, sys.stderr)


def missing_model_files(model: BenchmarkModel) -> List[str]:
    """Line that names the file to copy and its folder; no line if the model is there."""
    if model.published is None or glob.glob(os.path.join(glob.escape(model.path), "*.index")):
        return []
    return ["  {} into ./, or its files into {}".format(archive_of(model.published).url, os.path.join(model.path, ""))]


def model_flags(model: BenchmarkModel) -> Dict[str, Any]:
    """Flags that name the model to a fine-tuning command."""
    if model.is_random:
        return {model.family.config_flag: model.path, "vocab_file": VOCABULARY}
    return {"init_checkpoint": model.path}


def fingerprint(model: BenchmarkModel) -> str:
    """SHA-256 that identifies the weights: of the config, or of the index file, which holds the weights' checksums."""
    path = model.path if model.is_random else find_weights(model.path) + ".index"
    return str(describe_files([path])[0]["sha256"])
