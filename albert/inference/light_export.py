"""Light export of a fine-tuned folder: made at the first question, kept beside the weights, opened without TensorFlow.

The folder of the weights gets a folder light_onnx or light_tflite, an export like any other. Its file source.json holds
a hash of all that it was made from, so that it is made again when the model has changed. A folder that cannot be
written, or an export that cannot be made, costs no more than the lightness: then TensorFlow answers.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
from typing import NamedTuple, Optional, Tuple

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.checkpoints.files import data_files
from albert.files.complete import write_json
from albert.files.json_reading import read_description
from albert.files.reading import describe_files
from albert.inference.model_files import ONNX, TFLITE, ModelFiles, find_model

_log = logging.getLogger(__name__)

SOURCE_FILE = "source.json"
_KEY = "source"
_VERSION = 1  # of what such an export is made like
_GPUS = "/dev/nvidia[0-9]*"  # there TensorFlow is the faster one


class LightEngine(NamedTuple):
    """Engine that needs no TensorFlow.

    Attributes:
      name: one of model_files.ENGINES.
      library: the module that it needs.
      exporters: modules that its export needs.
      flags: of export_model.py.
    """

    name: str
    library: str
    exporters: Tuple[str, ...]
    flags: Tuple[str, ...]

    def is_installed(self) -> bool:
        """Whether the library can be imported."""
        return _is_installed(self.library)

    def is_made_here(self) -> bool:
        """Whether its export can be made and opened."""
        return self.is_installed() and all(map(_is_installed, self.exporters))


LIGHT_ENGINES = (  # the faster one first
    LightEngine(ONNX, "onnxruntime", ("tensorflow", "tf2onnx"), ("--format=onnx",)),
    LightEngine(TFLITE, "ai_edge_litert", ("tensorflow",), ("--format=tflite", "--max_seq_length=0")),
)


def light_files(files: ModelFiles, engine: Optional[str] = None) -> Optional[ModelFiles]:
    """Finds the light export of a model, or makes it.

    Args:
      files: of a model folder.
      engine: the engine that is to open it; None for any that is installed.

    Returns:
      The files of the export with all that is said of the model; None where there is none and none can be made.
    """
    if files.export_format or files.description_file is None:
        return None
    engines = [light for light in LIGHT_ENGINES if engine in (None, light.name) and light.is_installed()]
    if not engines or (engine is None and glob.glob(_GPUS)):
        return None
    source = source_of(files)
    kept = [found for found in (_kept(files, light, source) for light in engines) if found]
    if kept:
        return kept[0]
    made = next((light for light in engines if light.is_made_here()), None)
    return _kept(files, made, source) if made and _make(files, made, source) else None


def light_folder(files: ModelFiles, engine: str) -> str:
    """Returns the folder in which the light export of a model folder is kept."""
    return os.path.join(os.path.dirname(files.checkpoint), "light_" + engine)


def source_of(files: ModelFiles) -> str:
    """Returns a hash of all that a light export is made from: weights, configuration, vocabulary, description.

    Raises:
      UserError: a file cannot be read.
    """
    index = files.checkpoint + ".index"
    others = [files.config_file, files.vocab_file, files.description_file]
    described = describe_files([index, *data_files(files.checkpoint), *(path for path in others if path)])
    made_from = [_VERSION, files.head, [entry["sha256"] for entry in described]]
    return hashlib.sha256(json.dumps(made_from).encode("utf-8")).hexdigest()


def _kept(files: ModelFiles, light: LightEngine, source: str) -> Optional[ModelFiles]:
    folder = light_folder(files, light.name)
    try:
        if read_description(os.path.join(folder, SOURCE_FILE), "a light export").text(_KEY) != source:
            return None
        export = find_model(folder)
    except UserError:  # there is none, or it is damaged
        return None
    if export is None or export.head != files.head:
        return None
    return files._replace(
        checkpoint=folder,
        config_file=None,
        export_format=export.export_format,
        model_config=export.model_config,
        vector_size=export.vector_size,
    )


def _make(files: ModelFiles, light: LightEngine, source: str) -> bool:
    """Makes a light export in a process of its own, whose memory is free afterwards; returns whether it was made."""
    folder = light_folder(files, light.name)
    if not os.access(os.path.dirname(folder) or os.curdir, os.W_OK):
        return False
    _log.info("Making %s once: with it the next start needs no TensorFlow.", folder)
    command = [sys.executable, os.path.join(ROOT, "export_model.py"), "--checkpoint=" + files.checkpoint]
    command += ["--head=" + files.head, "--output_dir=" + folder, "--overwrite", *light.flags]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise UserError((done.stdout.decode("utf-8", "replace").strip().splitlines() or ["no reason"])[-1])
        write_json(os.path.join(folder, SOURCE_FILE), {_KEY: source})
    except (OSError, UserError) as error:
        _log.info("%s could not be made: %s.", folder, str(error).rstrip("."))
        return False
    return True


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # a module without a spec stands in its place
        return True
