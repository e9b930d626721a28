"""An export: open the checkpoint, write the format, compare its answers with the source's, give the folder its name."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import export_folder
import export_frozen
import export_parity
import export_savedmodel
from checkpoint_model import CheckpointModel, open_model
from command_line import Flags, UsageError
from errors import UserError
from export_format import HEAD_OUTPUTS, HEADS, INPUT_NAMES, Request, Written
from export_graph import InferenceGraph

_log = logging.getLogger(__name__)

_ANY_LENGTH = 0


class Format(NamedTuple):
    """One format of exports.

    Attributes:
      write: puts the files of a request into a folder.
      default_length: tokens of a row unless asked otherwise; 0 for any, None where the format has no such thing.
    """

    write: Callable[[Request, str], Written]
    default_length: Optional[int]


FORMATS: Dict[str, Format] = {
    "savedmodel": Format(export_savedmodel.write, _ANY_LENGTH),
    "frozen": Format(export_frozen.write, _ANY_LENGTH),
}


def declare_flags(flags: Flags) -> None:
    """All flags of an export."""
    flags.string("checkpoint", None, "what to export: a folder, or a checkpoint's prefix")
    flags.choice("format", None, list(FORMATS), "what to write")
    flags.string("output_dir", None, "the folder to make")
    flags.choice("head", None, HEADS, "what the export answers; by default what the checkpoint was trained for")
    flags.string("bert_config_file", None, "the config of a zh model, where it is not beside the checkpoint")
    flags.string("albert_config_file", None, "the config of a google model, where it is not beside the checkpoint")
    flags.string("vocab_file", None, "the vocabulary that goes with it, where it is not beside the checkpoint")
    flags.boolean("do_lower_case", True, "whether text is lower-cased, where the checkpoint's folder does not say so")
    flags.integer("max_seq_length", None, "the only length of rows; 0 for any (tflite: 128, others: any)", minimum=0)
    flags.boolean("overwrite", False, "replace an earlier export in the output folder")


def run(flags: Flags) -> None:
    """Exports, compares, and says what is there.

    Raises:
      UserError: the checkpoint, the head or the folder is none; the export does not answer as the checkpoint does.
    """
    flags.require("checkpoint", "format", "output_dir")
    place = export_folder.CompleteFolder(flags.output_dir, overwrite=flags.overwrite)
    request = _request(flags)
    with place as folder:
        written = FORMATS[flags.format].write(request, folder)
        parity = _compare(request, written)
        _add_companions(request, folder)
        export_folder.describe(folder, _description(request, flags.format, parity))
    _report(flags.output_dir, written, parity)


def _request(flags: Flags) -> Request:
    model = _open(flags)
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
        seq_length=_seq_length(flags, model),
        do_lower_case=flags.do_lower_case if description is None else description.do_lower_case,
    )


def _open(flags: Flags) -> CheckpointModel:
    config_flags = [name for name in ("bert_config_file", "albert_config_file") if getattr(flags, name)]
    if len(config_flags) > 1:
        raise UsageError("give --bert_config_file (zh family) or --albert_config_file (google family), not both")
    model = open_model(flags.checkpoint, getattr(flags, config_flags[0]) if config_flags else None)
    return model._replace(vocab_file=flags.vocab_file) if flags.vocab_file else model


def _seq_length(flags: Flags, model: CheckpointModel) -> Optional[int]:
    default = FORMATS[flags.format].default_length
    asked = flags.max_seq_length
    if default is None and asked is not None:
        raise UsageError("--max_seq_length means nothing to --format={}: it takes any length".format(flags.format))
    positions = model.config.max_position_embeddings
    if asked is not None and asked > positions:
        raise UserError("--max_seq_length={} is over the model's {} positions".format(asked, positions))
    length = min(default or _ANY_LENGTH, positions) if asked is None else asked
    return length or None


def _compare(request: Request, written: Written) -> export_parity.Parity:
    config = request.model.config
    length = request.seq_length or export_parity.probe_length(config.max_position_embeddings)
    inputs = export_parity.probe_inputs(config.vocab_size, length)
    with InferenceGraph(request.model, request.head) as source:
        parity = export_parity.compare(source.answer(inputs), written.answer(inputs))
    export_parity.check(parity, written.tolerance)
    return parity


def _companions(request: Request) -> Tuple[str, ...]:
    """The files that turn text into the model's ids."""
    return tuple(filter(None, (request.model.vocab_file, request.model.spm_model_file)))


def _add_companions(request: Request, folder: str) -> None:
    for path in _companions(request):
        export_folder.add_file(folder, path, os.path.basename(path))


def _description(request: Request, format_name: str, parity: export_parity.Parity) -> Dict[str, Any]:
    model = request.model
    description: Dict[str, Any] = {
        "format": format_name,
        "family": model.family.name,
        "head": request.head,
        "inputs": list(INPUT_NAMES),
        "outputs": list(HEAD_OUTPUTS[request.head]),
        "max_seq_length": request.seq_length or model.config.max_position_embeddings,
        "do_lower_case": request.do_lower_case,
        "model_config": model.config.to_dict(),
        "parity": parity._asdict(),
    }
    if request.head == "classifier":
        description["labels"] = list(model.labels or map(str, range(model.num_labels)))
    return description


def _report(output_dir: str, written: Written, parity: export_parity.Parity) -> None:
    _log.info("Parity: %s.", parity)
    names = ", ".join(export_folder.files_in(output_dir))
    _log.info("%s holds %s; it opens with %s.", output_dir, names, written.opened_by.replace("{}", output_dir))
