"""Engines of models: the lightest one that opens a model's files, behind checks that the files fit each other.

Only the engine "tensorflow" needs TensorFlow. A model folder is opened by a lighter one where its library is installed
(see light_export).
"""

from __future__ import annotations

import logging
import os
from typing import Any, NamedTuple, Optional

from albert.base.errors import UserError
from albert.inference.light_export import LIGHT_ENGINES, light_files
from albert.inference.model_files import EXPORT_DESCRIPTION_FILE, ONNX, TENSORFLOW, TFLITE, ModelFiles
from albert.model.outputs import CLASSIFIER, HEADS, LABELLED_HEADS
from tokenization import FullTokenizer, check_vocab_size

_log = logging.getLogger(__name__)

_EXPORT_FLAGS = {ONNX: "onnx", TFLITE: "tflite --tflite_type=int8 --max_seq_length=0", TENSORFLOW: "savedmodel"}


class EngineOptions(NamedTuple):
    """Options of an engine.

    Attributes:
      engine: one of model_files.ENGINES; None for the lightest that opens the files.
      graph_file: where the engine "tensorflow" keeps a checkpoint's frozen graph for the next start.
      gpu_memory_fraction: the share of a GPU's memory that may be used.
    """

    engine: Optional[str] = None
    graph_file: Optional[str] = None
    gpu_memory_fraction: float = 1.0


class OpenedEngine(NamedTuple):
    """Engine (see engine_tensorflow), its name, and the longest row that it takes."""

    engine: Any
    name: str
    max_seq_length: int


def open_engine(files: ModelFiles, head: str, tokenizer: FullTokenizer, options: EngineOptions) -> OpenedEngine:
    """Opens the engine of a model.

    Args:
      files: see `ModelFiles`.
      head: one of `outputs.HEADS`, which the model must have.
      tokenizer: the model's.
      options: see `EngineOptions`.

    Raises:
      UserError: a file is missing or does not fit, the model has no such head, or the engine does not open such files
        or is not installed.
    """
    files = lightest(files, options.engine)
    if files.export_format is None:
        engine, max_positions = _open_checkpoint(files, head, tokenizer, options)
    else:
        engine, max_positions = _open_export(files, head, tokenizer, options)
    longest = min(files.max_seq_length, max_positions, engine.seq_length or files.max_seq_length)
    return OpenedEngine(engine, files.engine, longest)


def lightest(files: ModelFiles, engine: Optional[str] = None) -> ModelFiles:
    """Returns the files that the lightest engine opens: those of a model folder's light export, or the same.

    Args:
      files: see `ModelFiles`.
      engine: the engine that is to open them; None for any.

    Raises:
      UserError: the engine does not open them.
    """
    if files.export_format or engine == TENSORFLOW:
        check_engine(files, engine)
        return files
    check_library(engine)
    found = light_files(files, engine)
    if found is None:
        check_engine(files, engine)
    _log.info("%s", _choice(files, found))
    return found or files


def _choice(files: ModelFiles, found: Optional[ModelFiles]) -> str:
    """Says in a line which engine answers."""
    if found:
        return "Engine: {}, from {}.".format(found.engine, found.checkpoint)
    if any(light.is_made_here() for light in LIGHT_ENGINES):
        return "Engine: {}.".format(files.engine)
    return "Engine: {}; `pip install -r requirements/export.txt` brings a lighter one.".format(files.engine)


def check_library(engine: Optional[str]) -> None:
    """Raises `UserError` where an engine is named whose library is not installed; it says which file installs it."""
    if engine == ONNX:
        from albert.inference import engine_onnx

        engine_onnx.runtime()
    if engine == TFLITE:
        from albert.inference import engine_tflite

        engine_tflite.interpreter_class()


def check_engine(files: ModelFiles, engine: Optional[str]) -> None:
    """Raises `UserError` where an engine is named that does not open a model's files."""
    if engine in (None, files.engine):
        return
    raise UserError(
        "the engine {} does not open {}, which is {}: `python export_model.py --checkpoint=FOLDER --format={} "
        "--output_dir=OUT` makes an export that it opens".format(
            engine,
            files.checkpoint,
            "an export as {}".format(files.export_format) if files.export_format else "a checkpoint",
            _EXPORT_FLAGS[engine],
        )
    )


class _Opened(NamedTuple):
    engine: Any
    max_positions: int


def _open_export(files: ModelFiles, head: str, tokenizer: FullTokenizer, options: EngineOptions) -> _Opened:
    if files.head != head:
        raise UserError(
            "the export {} cannot answer: it has the head {}, not {}".format(files.checkpoint, files.head, head)
        )
    config = files.model_config or {}
    check_vocab_size(tokenizer, config["vocab_size"], os.path.join(files.checkpoint, EXPORT_DESCRIPTION_FILE))
    engine = _export_engine(files, options)
    if files.width is not None and engine.width not in (None, files.width):
        engine.close()
        raise UserError(
            "the export {} answers with {} {}, but its {} names {}{}: export the model again".format(
                files.checkpoint,
                engine.width,
                "probabilities" if head in LABELLED_HEADS else "numbers",
                EXPORT_DESCRIPTION_FILE,
                files.width,
                " labels" if head in LABELLED_HEADS else "",
            )
        )
    return _Opened(engine, config["max_position_embeddings"])


def _export_engine(files: ModelFiles, options: EngineOptions) -> Any:
    if files.engine == ONNX:
        from albert.inference import engine_onnx

        return engine_onnx.OnnxEngine(files.checkpoint, HEADS[files.head].outputs[0])
    if files.engine == TFLITE:
        from albert.inference import engine_tflite

        return engine_tflite.TfliteEngine(files.checkpoint)
    from albert.inference import engine_tensorflow

    return engine_tensorflow.export_engine(
        files.checkpoint, files.export_format or "", files.head, gpu_memory_fraction=options.gpu_memory_fraction
    )


def _open_checkpoint(files: ModelFiles, head: str, tokenizer: FullTokenizer, options: EngineOptions) -> _Opened:
    from albert.checkpoints.model import open_checkpoint
    from albert.inference import engine_tensorflow

    model = open_checkpoint(files.checkpoint, files.config_file)
    check_vocab_size(tokenizer, model.config.vocab_size, files.config_file or "the config")
    engine = engine_tensorflow.checkpoint_engine(
        model,
        head,
        len(files.labels) if head == CLASSIFIER else None,
        graph_file=options.graph_file,
        gpu_memory_fraction=options.gpu_memory_fraction,
    )
    return _Opened(engine, model.config.max_position_embeddings)
