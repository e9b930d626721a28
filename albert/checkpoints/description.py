"""Description of a fine-tuned model in its folder: task, labels and the names of config and vocabulary."""

from __future__ import annotations

import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from albert.base.errors import UserError
from albert.files import json_reading
from albert.files.complete import recover, write_json
from albert.model.outputs import CLASSIFIER, FINE_TUNED_HEADS, SENTENCE_VECTOR
from albert.text.long_texts import LONG_TEXTS

DESCRIPTION_FILE = "task.json"
READER_KEYS = ("doc_stride", "max_query_length", "max_answer_length")  # of a model that answers with spans
CLASSIFIER_KEYS = ("thresholds", "long_text")  # of a classifier
_LONGEST_SEQUENCE = 1 << 20
TAGGER_KEYS = ("reads_characters",)  # of a model that tags tokens
_OPTIONAL_FLAGS = ("is_sentencepiece", "use_pooled_output")
_OPTIONAL_TEXTS = ("similar_label", "pooling")
_BEST_FOLDER = "best"  # in the output folder of a run


class ModelFolder(NamedTuple):
    """Description of a fine-tuned model.

    Attributes:
      task: name of the task that it was fine-tuned on.
      labels: label strings; the position of a label is its id.
      family: name of the model family.
      config_file: name of the configuration file in the folder.
      vocab_file: name of the vocabulary in the folder.
      do_lower_case: whether text is lower-cased.
      max_seq_length: the longest sequence that it was fine-tuned on.
      is_sentencepiece: whether vocab_file is a sentencepiece model.
      use_pooled_output: whether the head takes the pooler's output, or the mean of the tokens.
      similar_label: the label of pairs that mean the same; None where the task does not name it.
      pooling: how the tokens of a sentence become one vector (`pooling.pool`), which then goes through the linear map
        of the sentence-vector head and is divided by its length; None where there is no such head.
      head: the fine-tuned head (`outputs.FINE_TUNED_HEADS`). A folder of an earlier version may lack it: then it is
        None, unless `pooling` says it, and the weights say it (`model.CheckpointModel.head`).
      doc_stride, max_query_length, max_answer_length: how a model that answers with spans reads
        (`context_windows.WindowSettings`); None for other models and in folders of earlier versions.
      reads_characters: whether a tagger reads letters and digits one by one, as the files have them that it learned
        from; else a run of letters or of digits is one token.
      thresholds: of a classifier with several labels a row the least probability of each label, by its id; None where
        labels exclude each other.
      long_text: how a classifier reads long texts (`long_texts.LONG_TEXTS`); None, as in folders of earlier versions,
        cuts them.
    """

    task: str
    labels: Tuple[str, ...]
    family: str
    config_file: str
    vocab_file: str
    do_lower_case: bool
    max_seq_length: int
    is_sentencepiece: bool = False
    use_pooled_output: bool = True
    similar_label: Optional[str] = None
    pooling: Optional[str] = None
    head: Optional[str] = None
    doc_stride: Optional[int] = None
    max_query_length: Optional[int] = None
    max_answer_length: Optional[int] = None
    reads_characters: bool = False
    thresholds: Optional[Tuple[float, ...]] = None
    long_text: Optional[str] = None

    @property
    def is_multilabel(self) -> bool:
        """Whether a row has any number of labels, whose probabilities need not sum to 1."""
        return self.thresholds is not None


def write_description(folder: str, description: ModelFolder) -> None:
    """Writes a description into a folder; `folder.write_companions` writes config and vocabulary too."""
    write_json(os.path.join(folder, DESCRIPTION_FILE), dict(description._asdict(), labels=list(description.labels)))


def best_folder(output_dir: str) -> str:
    """Finds the folder of a run's best model; whole, even if a process was killed while it replaced the folder."""
    return recover(os.path.join(output_dir, _BEST_FOLDER))


def read_description(folder: str) -> Optional[ModelFolder]:
    """Reads the description in a folder; None if there is none.

    Raises:
      UserError: the file is damaged, or a value is of another type.
    """
    path = os.path.join(folder, DESCRIPTION_FILE)
    if not os.path.exists(path):
        return None
    values = json_reading.read_description(path, "a description of a fine-tuned model")
    try:
        return _folder_of(values)
    except UserError as error:
        raise UserError("{} is not a description of a fine-tuned model: {}".format(path, error)) from error


def _folder_of(values: json_reading.Description) -> ModelFolder:
    optional = tuple(ModelFolder._field_defaults)
    values.check_keys(ModelFolder._fields, required=[name for name in ModelFolder._fields if name not in optional])
    given: Dict[str, Any] = {name: values.flag(name) for name in _OPTIONAL_FLAGS if name in values}
    given.update({name: values.text(name) for name in _OPTIONAL_TEXTS if values.values.get(name) is not None})
    given.update(tagger_values(values), **reader_values(values))
    given["head"] = _head_of(values)
    labels = values.texts("labels")
    given.update(classifier_values(values, given["head"], len(labels)))
    return ModelFolder(
        task=values.text("task"),
        labels=labels,
        family=values.text("family"),
        # Whoever made the folder chose these names; they must lead nowhere else.
        config_file=values.file_name("config_file"),
        vocab_file=values.file_name("vocab_file"),
        do_lower_case=values.flag("do_lower_case"),
        max_seq_length=values.count("max_seq_length", least=1, most=_LONGEST_SEQUENCE),
        **given,
    )


def tagger_values(values: json_reading.Description) -> Dict[str, Any]:
    """Reads how a tagger reads, by TAGGER_KEYS, where the description says it.

    Raises:
      UserError: a value is not true or false.
    """
    return {name: values.flag(name) for name in TAGGER_KEYS if name in values}


def reader_values(values: json_reading.Description) -> Dict[str, Any]:
    """Reads how a model that answers with spans reads, by READER_KEYS; without what the description leaves open.

    Raises:
      UserError: a value is no number of tokens.
    """
    given = [name for name in READER_KEYS if values.values.get(name) is not None]
    return {name: values.count(name, least=1, most=_LONGEST_SEQUENCE) for name in given}


def classifier_values(values: json_reading.Description, head: Optional[str], num_labels: int) -> Dict[str, Any]:
    """Reads how a classifier answers, by CLASSIFIER_KEYS; without what the description leaves open.

    Args:
      values: the description.
      head: that it names; None for that of the weights.
      num_labels: that it names.

    Raises:
      UserError: a value is none of those that are known, or is for another head.
    """
    given = [name for name in CLASSIFIER_KEYS if values.values.get(name) is not None]
    if given and head not in (None, CLASSIFIER):
        raise UserError("'{}' is for a classifier, 'head' is {}".format(given[0], head))
    found: Dict[str, Any] = {}
    if "thresholds" in given:
        found["thresholds"] = values.numbers("thresholds", 0.0, 1.0)
        if len(found["thresholds"]) != num_labels:
            raise UserError("'thresholds' has {} numbers for {} labels".format(len(found["thresholds"]), num_labels))
    if "long_text" in given:
        found["long_text"] = values.text("long_text")
        if found["long_text"] not in LONG_TEXTS:
            raise UserError("'long_text' must be one of {}, not {}".format(", ".join(LONG_TEXTS), found["long_text"]))
    return found


def _head_of(values: json_reading.Description) -> Optional[str]:
    pooled = SENTENCE_VECTOR if values.values.get("pooling") is not None else None
    if values.values.get("head") is None:
        return pooled
    head = values.text("head")
    if head not in FINE_TUNED_HEADS:
        raise UserError("'head' must be one of {}, not {}".format(", ".join(FINE_TUNED_HEADS), head))
    if (head == SENTENCE_VECTOR) != bool(pooled):
        raise UserError("'head' is {}, and 'pooling' {}".format(head, "says otherwise" if pooled else "is missing"))
    return head
