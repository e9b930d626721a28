"""Export of a checkpoint: open it, write the format, compare the answers with the source's, name the folder."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, List, Optional, Tuple

from albert.base.errors import UserError
from albert.checkpoints.card import FOLDER, export_card, next_command, today, vector_command, write_card
from albert.checkpoints.description import CLASSIFIER_KEYS, READER_KEYS, TAGGER_KEYS
from albert.checkpoints.folder import Companions, write_companions
from albert.checkpoints.model import CheckpointModel, open_checkpoint
from albert.checkpoints.sentence_vectors import vector_rows, vector_values
from albert.export import transformers_folder
from albert.export.format import Request, Written
from albert.export.from_transformers import check_vocabulary, write_tensorflow
from albert.export.frozen import write_frozen
from albert.export.heads import choose_head
from albert.export.numpy_albert import NumpyAlbert
from albert.export.onnx import write_onnx
from albert.export.parity import Parity, check_parity, compare_outputs, probe_inputs, probe_length
from albert.export.pytorch import write_pytorch
from albert.export.savedmodel import write_savedmodel
from albert.export.settings import ANY_LENGTH, DEFAULT_LENGTHS, TO_TENSORFLOW, ExportSettings
from albert.export.tflite import write_tflite
from albert.export.transformers_tokenizer import VOCAB_FILE, read_tokenizer
from albert.files.complete import CompleteFolder, files_in
from albert.inference.context_windows import WindowSettings
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import EXPORT_DESCRIPTION_FILE, EXPORT_ENGINES, check_export_folder, describe_export
from albert.inference.reader import DOC_STRIDE, MAX_QUERY_LENGTH, fitting_windows
from albert.model.outputs import (
    CLASSIFIER,
    FINE_TUNED_HEADS,
    INPUT_NAMES,
    LABELLED_HEADS,
    SENTENCE_VECTOR,
    SPANS,
    TAGS,
)

_log = logging.getLogger(__name__)

_NO_VOCABULARY = "No vocabulary is beside the checkpoint, so the export has none: --vocab_file names one."

# What puts the files of a request into a folder, by format.
_WRITERS: Dict[str, Callable[[Request, str], Written]] = {
    "savedmodel": write_savedmodel,
    "frozen": write_frozen,
    "tflite": write_tflite,
    "onnx": write_onnx,
    "pytorch": write_pytorch,
}


def export_model(settings: ExportSettings) -> None:
    """Writes an export, compares its answers with the source's, and logs what is there.

    Raises:
      UserError: the checkpoint, the head or the folder cannot be used; the export does not answer as its source does.
    """
    check_export_folder(settings.output_dir, overwrite=settings.overwrite)
    with CompleteFolder(settings.output_dir, marker=EXPORT_DESCRIPTION_FILE) as folder:
        if settings.export_format == TO_TENSORFLOW:
            written, parity = _import_transformers(settings, folder)
        else:
            written, parity = _export_checkpoint(settings, folder)
    _log.info("Parity: %s.", parity)
    names = ", ".join(files_in(settings.output_dir))
    opened_by = written.opened_by.replace("{}", settings.output_dir)
    _log.info("%s holds %s; it opens with %s.", settings.output_dir, names, opened_by)


def _export_checkpoint(settings: ExportSettings, folder: str) -> Tuple[Written, Parity]:
    request = _request(settings)
    model = request.model
    written = _WRITERS[settings.export_format](request, folder)
    length = request.seq_length or probe_length(model.config.max_position_embeddings)
    inputs = probe_inputs(model.config.vocab_size, length)
    with InferenceGraph(head_recipe(model, request.head)) as source:
        parity = compare_outputs(
            source.answer(inputs), written.answer(inputs), inputs["input_mask"], is_multilabel=request.is_multilabel
        )
    check_parity(parity, written.tolerance)
    name = VOCAB_FILE if model.vocab_file else None
    _write_vocabulary(folder, model.vocab_file or model.spm_model_file, name)
    description = _description(request, settings.export_format, parity)
    describe_export(folder, description)
    rows = _card_rows(description, vector_rows(model) if request.head == SENTENCE_VECTOR else [], parity)
    write_card(folder, export_card(model, rows, _command(request, settings.export_format, written)))
    return written, parity


def _command(request: Request, export_format: str, written: Written) -> str:
    """Command or code that asks the export."""
    description, is_opened_here = request.model.description, export_format in EXPORT_ENGINES
    if is_opened_here and request.head == SENTENCE_VECTOR:
        return vector_command(FOLDER)
    if is_opened_here and description and request.head == request.model.head and request.head in FINE_TUNED_HEADS:
        return next_command(description, FOLDER)
    return written.opened_by.replace("{}", FOLDER)


def _import_transformers(settings: ExportSettings, folder: str) -> Tuple[Written, Parity]:
    path = settings.checkpoint
    source = transformers_folder.read(path)
    tokenizer = read_tokenizer(path, settings.vocab_file, settings.do_lower_case)
    written = write_tensorflow(source, folder, tokenizer)
    length = probe_length(source.config["max_position_embeddings"])
    inputs = probe_inputs(source.config["vocab_size"], length)
    expected = NumpyAlbert(source.config, source.values, source.pooling).answer(inputs, source.head)
    answers, mask = written.answer(inputs), inputs["input_mask"]
    parity = compare_outputs(expected, answers, mask, is_multilabel=source.is_multilabel)
    check_parity(parity, written.tolerance)
    if tokenizer.path is None:
        _log.info(_NO_VOCABULARY)
    describe_export(folder, {"format": TO_TENSORFLOW, "head": source.head, "parity": parity._asdict()})
    rows = [("imported from", "transformers: " + os.path.basename(os.path.abspath(path)))]
    write_card(folder, export_card(open_checkpoint(folder), [*rows, *_measured_rows(parity)]))
    return written, parity


def _card_rows(description: Dict[str, Any], vectors: List[Tuple[str, str]], parity: Parity) -> List[Tuple[str, str]]:
    """Rows of the model card on an export."""
    return [
        ("format", description["format"]),
        ("head", description["head"]),
        ("inputs", "{} (int32, [rows, tokens])".format(", ".join(description["inputs"]))),
        ("outputs", ", ".join(description["outputs"])),
        *vectors,
        ("tokens of a row, at most", str(description["max_seq_length"])),
        *_measured_rows(parity),
    ]


def _measured_rows(parity: Parity) -> List[Tuple[str, str]]:
    return [("compared with its source", str(parity)), ("date", today())]


def _request(settings: ExportSettings) -> Request:
    model = open_checkpoint(settings.checkpoint, settings.config_file)
    if settings.vocab_file:
        model = model._replace(vocab_file=settings.vocab_file)
    head = choose_head(model, settings.head)
    if model.vocab_file or model.spm_model_file:
        is_sentencepiece = not model.vocab_file
        path = model.vocab_file or model.spm_model_file or ""
        check_vocabulary(path, is_sentencepiece, model.config, model.config_file or "the checkpoint")
    description = model.description
    return Request(
        model=model,
        head=head,
        seq_length=_seq_length(settings, model),
        tflite_type=settings.tflite_type,
        onnx_type=settings.onnx_type,
        text_length=model.config.max_position_embeddings if description is None else description.max_seq_length,
        do_lower_case=settings.do_lower_case if model.do_lower_case is None else model.do_lower_case,
    )


def _seq_length(settings: ExportSettings, model: CheckpointModel) -> Optional[int]:
    """Returns the only length of rows; None for any."""
    asked, positions = settings.max_seq_length, model.config.max_position_embeddings
    if asked is None:
        default = DEFAULT_LENGTHS[settings.export_format]
        return min(default or ANY_LENGTH, positions) or None
    if asked > positions:
        raise UserError("--max_seq_length={} is over the model's {} positions".format(asked, positions))
    return asked or None


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
        "outputs": list(request.outputs),
        "max_seq_length": request.seq_length or request.text_length,
        "do_lower_case": request.do_lower_case,
        "model_config": model.config.to_dict(),
        "parity": parity._asdict(),
    }
    if request.head in LABELLED_HEADS:
        description["labels"] = list(model.labels or map(str, range(model.num_labels or 0)))
    keys = {SPANS: READER_KEYS, TAGS: TAGGER_KEYS, CLASSIFIER: CLASSIFIER_KEYS}.get(request.head, ())
    if model.description:
        description.update({name: getattr(model.description, name) for name in keys})
    if request.head == SPANS and request.seq_length and request.seq_length < request.text_length:
        description.update(_shorter_windows(request))
    if request.head == CLASSIFIER:
        description["similar_label"] = model.description.similar_label if model.description else None
    if request.head == SENTENCE_VECTOR:
        description[SENTENCE_VECTOR] = vector_values(model)
    return description


def _shorter_windows(request: Request) -> Dict[str, int]:
    """How a reader reads whose export has shorter rows than training had."""
    trained = request.model.description
    settings = WindowSettings(
        max_seq_length=request.seq_length or request.text_length,
        doc_stride=(trained and trained.doc_stride) or DOC_STRIDE,
        max_query_length=(trained and trained.max_query_length) or MAX_QUERY_LENGTH,
    )
    fitting = fitting_windows(settings, request.model.prefix)
    return {"doc_stride": fitting.doc_stride, "max_query_length": fitting.max_query_length}
