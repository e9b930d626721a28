"""An export: open the checkpoint, write the format, compare its answers with the source's, give the folder its name."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError
from albert.checkpoints.folder import Companions, write_companions
from albert.checkpoints.model import CheckpointModel, open_checkpoint
from albert.export import transformers_folder
from albert.export.format import Request, Written
from albert.export.from_transformers import write_tensorflow
from albert.export.frozen import write_frozen
from albert.export.numpy_albert import NumpyAlbert
from albert.export.onnx import write_onnx
from albert.export.parity import Parity, check_parity, compare_outputs, probe_inputs, probe_length
from albert.export.pytorch import write_pytorch
from albert.export.savedmodel import write_savedmodel
from albert.export.tflite import TFLITE_TYPES, write_tflite
from albert.files.complete import CompleteFolder, files_in
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import EXPORT_DESCRIPTION_FILE, check_export_folder, describe_export
from albert.model.outputs import CLASSIFIER, HEADS, INPUT_NAMES

_log = logging.getLogger(__name__)

_NO_VOCABULARY = "No vocabulary is beside the checkpoint, so none goes along: --vocab_file names one."

_ANY_LENGTH = 0
TFLITE_LENGTH = 128
TENSORFLOW = "tensorflow"  # the only format that reads a folder of transformers


class Format(NamedTuple):
    """One format of exports.

    Attributes:
      write: puts the files of a request into a folder.
      default_length: tokens of a row unless asked otherwise; 0 for any, None where the format has no such thing.
    """

    write: Callable[[Request, str], Written]
    default_length: Optional[int]


FORMATS: Dict[str, Format] = {
    "savedmodel": Format(write_savedmodel, _ANY_LENGTH),
    "frozen": Format(write_frozen, _ANY_LENGTH),
    "tflite": Format(write_tflite, TFLITE_LENGTH),
    "onnx": Format(write_onnx, _ANY_LENGTH),
    "pytorch": Format(write_pytorch, None),
}


def declare_export_flags(flags: Flags) -> None:
    """The flags of an export beside its source, its format and its folder."""
    flags.choice("head", None, tuple(HEADS), "what the export answers; by default what the checkpoint was trained for")
    flags.string("bert_config_file", None, "the config of a zh model, where it is not beside the checkpoint")
    flags.string("albert_config_file", None, "the config of a google model, where it is not beside the checkpoint")
    flags.string("vocab_file", None, "the vocabulary that goes with it, where it is not beside the checkpoint")
    flags.boolean("do_lower_case", True, "whether text is lower-cased, where the checkpoint's folder does not say so")
    flags.integer("max_seq_length", None, "the only length of rows; 0 for any (tflite: 128, others: any)", minimum=0)
    flags.choice("tflite_type", "float32", TFLITE_TYPES, "how TFLite keeps the weights")
    flags.boolean("overwrite", False, "replace an earlier export in the output folder")


def run_export(flags: Flags, *, path: str, format_name: str, output_dir: str) -> None:
    """Exports, compares, and says what is there.

    Args:
      flags: see `declare_flags`.
      path: what is exported: a checkpoint's prefix or folder; for the format "tensorflow" a folder of transformers.
      format_name: the format to write.
      output_dir: the folder to make.

    Raises:
      UserError: the checkpoint, the head or the folder is none; the export does not answer as the checkpoint does.
    """
    check_export_folder(output_dir, overwrite=flags.overwrite)
    with CompleteFolder(output_dir, marker=EXPORT_DESCRIPTION_FILE) as folder:
        if format_name == TENSORFLOW:
            written, parity = _import_transformers(flags, path, folder)
        else:
            written, parity = _export_checkpoint(flags, path, format_name, folder)
    _log.info("Parity: %s.", parity)
    names = ", ".join(files_in(output_dir))
    opened_by = written.opened_by.replace("{}", output_dir)
    _log.info("%s holds %s; it opens with %s.", output_dir, names, opened_by)


def _export_checkpoint(flags: Flags, path: str, format_name: str, folder: str) -> Tuple[Written, Parity]:
    request = _request(flags, path, format_name)
    model = request.model
    written = FORMATS[format_name].write(request, folder)
    length = request.seq_length or probe_length(model.config.max_position_embeddings)
    inputs = probe_inputs(model.config.vocab_size, length)
    with InferenceGraph(head_recipe(model, request.head)) as source:
        parity = compare_outputs(source.answer(inputs), written.answer(inputs))
    check_parity(parity, written.tolerance)
    name = transformers_folder.VOCAB_FILE if model.vocab_file else None
    _write_vocabulary(folder, model.vocab_file or model.spm_model_file, name)
    describe_export(folder, _description(request, format_name, parity))
    return written, parity


def _import_transformers(flags: Flags, path: str, folder: str) -> Tuple[Written, Parity]:
    for name in ("head", "max_seq_length", "bert_config_file", "albert_config_file"):
        if flags.was_given(name):
            raise UsageError("--{} means nothing to --format={}: the folder says it all".format(name, TENSORFLOW))
    source = transformers_folder.read(path)
    beside = os.path.join(path, transformers_folder.VOCAB_FILE)
    vocab_file = flags.vocab_file or (beside if os.path.exists(beside) else None)
    written = write_tensorflow(source, folder, vocab_file, flags.do_lower_case)
    length = probe_length(source.config["max_position_embeddings"])
    inputs = probe_inputs(source.config["vocab_size"], length)
    expected = NumpyAlbert(source.config, source.values).answer(inputs, source.head)
    parity = compare_outputs(expected, written.answer(inputs))
    check_parity(parity, written.tolerance)
    if vocab_file is None:
        _log.info(_NO_VOCABULARY)
    describe_export(folder, {"format": TENSORFLOW, "head": source.head, "parity": parity._asdict()})
    return written, parity


def _request(flags: Flags, path: str, format_name: str) -> Request:
    model = _open(flags, path)
    head = flags.head or model.head
    if head not in model.heads:
        raise UserError(
            "the checkpoint {} has no {} head: it can be exported with --head={}".format(
                model.prefix, head, ", ".join(model.heads)
            )
        )
    description = model.description
    return Request(
        model=model,
        head=head,
        seq_length=_seq_length(flags.max_seq_length, format_name, model),
        tflite_type=flags.tflite_type,
        text_length=model.config.max_position_embeddings if description is None else description.max_seq_length,
        do_lower_case=flags.do_lower_case if description is None else description.do_lower_case,
    )


def _open(flags: Flags, path: str) -> CheckpointModel:
    config_flags = [name for name in ("bert_config_file", "albert_config_file") if getattr(flags, name)]
    if len(config_flags) > 1:
        raise UsageError("give --bert_config_file (zh family) or --albert_config_file (google family), not both")
    model = open_checkpoint(path, getattr(flags, config_flags[0]) if config_flags else None)
    return model._replace(vocab_file=flags.vocab_file) if flags.vocab_file else model


def _seq_length(asked: Optional[int], format_name: str, model: CheckpointModel) -> Optional[int]:
    default = FORMATS[format_name].default_length
    if default is None and asked is not None:
        raise UsageError("--max_seq_length means nothing to --format={}: it takes any length".format(format_name))
    positions = model.config.max_position_embeddings
    if asked is not None and asked > positions:
        raise UserError("--max_seq_length={} is over the model's {} positions".format(asked, positions))
    length = min(default or _ANY_LENGTH, positions) if asked is None else asked
    return length or None


def _write_vocabulary(folder: str, vocab_file: Optional[str], name: Optional[str]) -> None:
    if vocab_file:
        write_companions(folder, Companions(vocab_file=vocab_file, vocab_name=name))
    else:
        _log.info(_NO_VOCABULARY)


def _description(request: Request, format_name: str, parity: Parity) -> Dict[str, Any]:
    model = request.model
    description: Dict[str, Any] = {
        "format": format_name,
        "family": model.family.name,
        "head": request.head,
        "inputs": list(INPUT_NAMES),
        "outputs": list(HEADS[request.head].outputs),
        "max_seq_length": request.seq_length or request.text_length,
        "do_lower_case": request.do_lower_case,
        "model_config": model.config.to_dict(),
        "parity": parity._asdict(),
    }
    if request.head == CLASSIFIER:
        description["labels"] = list(model.labels or map(str, range(model.num_labels)))
    return description
