"""Files of a model folder or of an export: their names, and where a model's weights, vocabulary and labels are.

Needs no TensorFlow to find an export.
"""

from __future__ import annotations

import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from albert.base.errors import UserError
from albert.checkpoints.description import (
    CLASSIFIER_KEYS,
    DESCRIPTION_FILE,
    READER_KEYS,
    TAGGER_KEYS,
    ModelFolder,
    best_folder,
    classifier_values,
    read_description,
    reader_values,
    tagger_values,
)
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.variables import token_head_of
from albert.files.complete import files_in, may_be_replaced, recover, write_json
from albert.files.json_reading import Description, is_file_name
from albert.files.json_reading import read_description as read_json
from albert.files.reading import describe_files
from albert.model.outputs import CLASSIFIER, FINE_TUNED_HEADS, LABELLED_HEADS, SENTENCE_VECTOR, SPANS
from albert.tasks.entities import OUTSIDE
from albert.tasks.similar_label import find_similar_label
from tokenization import FullTokenizer

TENSORFLOW, TFLITE, ONNX = ENGINES = ("tensorflow", "tflite", "onnx")

EXPORT_DESCRIPTION_FILE = "export.json"  # marks a folder that an export made
FROZEN_FILE = "frozen_graph.pb"
TFLITE_FILE = "model.tflite"
ONNX_FILE = "model.onnx"
VERSION_FOLDER = "1"  # of a SavedModel: TensorFlow Serving looks for folders whose names are numbers

_CHECKPOINT = "tensorflow"  # the format of an export that is a model folder, as fine-tuning makes it
# The formats of the other exports, by the engine that opens them.
EXPORT_ENGINES = {"onnx": ONNX, "tflite": TFLITE, "frozen": TENSORFLOW, "savedmodel": TENSORFLOW}
_MODELS = (FROZEN_FILE, ONNX_FILE, TFLITE_FILE, VERSION_FOLDER)  # what engines open
_VOCABULARY = "vocab.txt"


class ModelFiles(NamedTuple):
    """Files of a model that answers texts.

    Attributes:
      checkpoint: prefix of the weights; of an export its folder.
      vocab_file: path of the vocabulary.
      labels: label strings in the order of their ids, of a tagger its BIO tags; empty for sentence vectors and spans.
      config_file: path of the model's configuration; None in an export, which has it inside.
      do_lower_case: whether text is lower-cased.
      max_seq_length: longer rows are cut.
      is_sentencepiece: whether vocab_file is a sentencepiece model.
      export_format: the format of an export; None for a checkpoint.
      model_config: the configuration of an export's model.
      similar_label: the label of similar pairs, where the description names it.
      description_file: path of the description; None where nothing describes the model.
      head: one of `outputs.FINE_TUNED_HEADS`.
      vector_size: numbers of a sentence vector of an export; None for others.
      doc_stride, max_query_length, max_answer_length, reads_characters, thresholds, long_text: see `ModelFolder`.
    """

    checkpoint: str
    vocab_file: str
    labels: Tuple[str, ...]
    config_file: Optional[str] = None
    do_lower_case: bool = True
    max_seq_length: int = 128
    is_sentencepiece: bool = False
    export_format: Optional[str] = None
    model_config: Optional[Dict[str, Any]] = None
    similar_label: Optional[str] = None
    description_file: Optional[str] = None
    head: str = CLASSIFIER
    vector_size: Optional[int] = None
    doc_stride: Optional[int] = None
    max_query_length: Optional[int] = None
    max_answer_length: Optional[int] = None
    reads_characters: bool = False
    thresholds: Optional[Tuple[float, ...]] = None
    long_text: Optional[str] = None

    @property
    def engine(self) -> str:
        """The engine that opens the files, one of ENGINES."""
        return EXPORT_ENGINES[self.export_format] if self.export_format else TENSORFLOW

    @property
    def width(self) -> Optional[int]:
        """The length of an answer's last axis: labels, or numbers of a sentence vector; None where rows decide it."""
        return len(self.labels) if self.head in LABELLED_HEADS else self.vector_size

    def similar_id(self) -> int:
        """Finds the id of the label that means "similar".

        Raises:
          UserError: nothing says which it is (see `find_similar_label`), or the labels do not exclude each other.
        """
        if self.thresholds is not None:
            raise UserError(
                "{} cannot score pairs: it gives a row any number of labels, and none of them means similar; train a "
                "task whose pairs have one of two labels".format(self.checkpoint)
            )
        return self.labels.index(find_similar_label(self.labels, self.similar_label, self.description_file or ""))

    def tokenizer(self) -> FullTokenizer:
        """Makes the model's tokenizer."""
        is_model = self.is_sentencepiece
        return FullTokenizer(
            None if is_model else self.vocab_file, self.do_lower_case, self.vocab_file if is_model else None
        )


def is_export(folder: str) -> bool:
    """Whether a folder holds an export that is no checkpoint."""
    return _export_in(folder) is not None


def find_model(folder: str) -> Optional[ModelFiles]:
    """Finds the model of an export, or of a folder that fine-tuning made: its best one, else its last.

    Returns:
      None where nothing describes a model.

    Raises:
      UserError: the described model cannot answer, or has no weights.
    """
    export = _export_in(folder)
    if export:
        return _find_export(folder, export)
    for place in (best_folder(folder), folder):
        description = read_description(place)
        if description is not None:
            return ModelFiles(
                checkpoint=find_checkpoint(place),
                config_file=os.path.join(place, description.config_file),
                vocab_file=os.path.join(place, description.vocab_file),
                labels=description.labels,
                do_lower_case=description.do_lower_case,
                max_seq_length=description.max_seq_length,
                is_sentencepiece=description.is_sentencepiece,
                similar_label=description.similar_label,
                description_file=os.path.join(place, DESCRIPTION_FILE),
                head=description.head or _described_head(description) or _head_of_weights(place),
                **{name: getattr(description, name) for name in READER_KEYS + TAGGER_KEYS + CLASSIFIER_KEYS},
            )
    return None


def _described_head(description: ModelFolder) -> Optional[str]:
    """The head that a description of an earlier version tells without naming it; None where only the weights do."""
    if not description.labels:  # `pooling`, of sentence vectors, was looked at before
        return SPANS
    return None if OUTSIDE in description.labels else CLASSIFIER


def _head_of_weights(folder: str) -> str:
    """The fine-tuned head of a folder whose description, of an earlier version, does not name it."""
    from albert.checkpoints.values import variable_shapes

    return token_head_of(variable_shapes(find_checkpoint(folder))) or CLASSIFIER


def _export_in(folder: str) -> Optional[Description]:
    """The description of the export in a folder; None where there is none, or a checkpoint."""
    if not os.path.exists(os.path.join(recover(folder), EXPORT_DESCRIPTION_FILE)):
        return None
    description = _read_export(folder)
    return description if description.text("format") != _CHECKPOINT else None


def _read_export(folder: str) -> Description:
    """Reads the description of an export, its format and head among it."""
    path = os.path.join(folder, EXPORT_DESCRIPTION_FILE)
    description = read_json(path, "a description of an export")
    try:
        for name in ("format", "head"):
            description.text(name)
        return description
    except UserError as error:
        raise _no_export(path, error) from error


def _no_export(path: str, error: UserError) -> UserError:
    return UserError("{} is not a description of an export: {}".format(path, error))


def _find_export(folder: str, description: Description) -> ModelFiles:
    export_format, head = description.text("format"), description.text("head")
    if export_format not in EXPORT_ENGINES:
        raise UserError(
            "{} is an export as {}, which no engine here opens: export as {}".format(
                folder, export_format, ", ".join(sorted(EXPORT_ENGINES))
            )
        )
    if head not in FINE_TUNED_HEADS:
        raise UserError("the export {} cannot answer: it has the head {}, not a fine-tuned one".format(folder, head))
    vocabulary = os.path.join(folder, _VOCABULARY)
    models = [name for name in sorted(os.listdir(folder)) if name.endswith(".model")]
    is_sentencepiece = not os.path.exists(vocabulary) and len(models) == 1
    _check_files(folder, description)
    try:
        config = description.section("model_config")
        for name in ("vocab_size", "max_position_embeddings"):
            config.count(name, least=1)
        similar_label = description.text("similar_label") if description.values.get("similar_label") else None
        labels = description.texts("labels") if head in LABELLED_HEADS else ()
        return ModelFiles(
            checkpoint=folder,
            vocab_file=os.path.join(folder, models[0]) if is_sentencepiece else vocabulary,
            labels=labels,
            do_lower_case=description.flag("do_lower_case"),
            max_seq_length=description.count("max_seq_length", least=1, most=config.count("max_position_embeddings")),
            is_sentencepiece=is_sentencepiece,
            export_format=export_format,
            model_config=dict(config.values),
            similar_label=similar_label,
            description_file=os.path.join(folder, EXPORT_DESCRIPTION_FILE),
            head=head,
            vector_size=_vector_size(description) if head == SENTENCE_VECTOR else None,
            **reader_values(description),
            **tagger_values(description),
            **classifier_values(description, head, len(labels)),
        )
    except UserError as error:
        raise _no_export(os.path.join(folder, EXPORT_DESCRIPTION_FILE), error) from error


def _vector_size(description: Description) -> int:
    return description.section(SENTENCE_VECTOR).section("map").count("outputs", least=1)


def check_export_folder(path: str, *, overwrite: bool) -> None:
    """Checks that an export may be written to a folder.

    Args:
      path: the folder.
      overwrite: whether an earlier export in it may be replaced. Anything else never is.

    Raises:
      UserError: the folder holds something already, or is a file.
    """
    recover(path)
    if os.path.exists(path) and not os.path.isdir(path):
        raise UserError("{} is a file: name a folder with --output_dir".format(path))
    if not may_be_replaced(path, EXPORT_DESCRIPTION_FILE):
        raise UserError("{} is not an export and is not empty: name another --output_dir".format(path))
    if os.path.isdir(path) and os.listdir(path) and not overwrite:
        raise UserError(
            "{} holds an export already: --overwrite replaces it, or name another --output_dir".format(path)
        )


def describe_export(folder: str, description: Dict[str, Any]) -> None:
    """Writes what an export is into its folder, with the SHA-256 of what engines here open."""
    names = [name for name in files_in(folder) if name.split(os.sep)[0] in _MODELS]
    sha256 = {name.replace(os.sep, "/"): _sha256_of(folder, name) for name in names}
    values = dict(description, sha256=sha256) if sha256 else description
    write_json(os.path.join(folder, EXPORT_DESCRIPTION_FILE), values)


def _sha256_of(folder: str, name: str) -> str:
    return str(describe_files([os.path.join(folder, name)])[0]["sha256"])


def _check_files(folder: str, description: Description) -> None:
    """Checks that the files of an export are those that were written; earlier versions noted no SHA-256."""
    path = os.path.join(folder, EXPORT_DESCRIPTION_FILE)
    try:
        sha256 = description.section("sha256") if "sha256" in description else Description({})
        expected = {name: sha256.text(name) for name in sha256.values}
    except UserError as error:
        raise _no_export(path, error) from error
    for name in expected:
        if not all(map(is_file_name, name.split("/"))):
            raise _no_export(path, UserError("'sha256' names a file outside the folder, {!r}".format(name)))
        if _sha256_of(folder, name.replace("/", os.sep)) != expected[name]:
            raise UserError(
                "{} is not the file that was exported (its SHA-256 is not that in {}): copy or export it again".format(
                    os.path.join(folder, name), EXPORT_DESCRIPTION_FILE
                )
            )
