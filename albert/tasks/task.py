"""Task: the declaration that readers, runners and the registry share."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

CLASSIFICATION, TAGS, SPANS = "classification", "tags", "spans"


class Preset(NamedTuple):
    """Flags with which a task is fine-tuned, by their names."""

    max_seq_length: int
    train_batch_size: int
    learning_rate: float
    num_train_epochs: float
    save_checkpoints_steps: int


class Task(NamedTuple):
    """Declaration of a task: its kind, files, labels, metric and preset.

    Attributes:
      name: the value of --task_name, in lower case.
      labels: the label strings as in the training file; the position of a label is its id. Empty where the train split
        decides (`splits.with_labels`), and where a span of the text is the answer. The BIO tags of a tagging task.
      files: split ("train", "dev", "test") -> names in the data folder; the first that exists is read.
      read_rows: path of such a file -> its rows in order: `rows.Row` and `rows.LeftOut` of classification,
        `mrc_rows.Question`, `ner_rows.Sentence`. It checks the format; what reads a split checks texts, labels and ids.
      metric: the figure by which the best checkpoint is chosen; of classification, a key of `metrics.METRICS`.
      preset: how it is fine-tuned; None where nothing is known.
      left_out_labels: labels that mean "no label"; their rows are left out of train and dev.
      label_aliases: other names of labels in the files.
      label_descriptions: label -> its "label_desc" in the submission; None where a submission has none.
      num_choices: second texts of which one is right; the labels are then the numbers of the choices. 0 in other tasks.
      similar_label: the label which says that the two texts mean the same, as similarity.py needs it; None where the
        task does not name it.
      id_name: name of the ids' column, which the test split must then have; None where ids are optional.
      is_multilabel: whether a row has any number of labels (`Row.labels`); the metric is then a key of
        `multilabel_metrics.METRICS`.
      kind: CLASSIFICATION (one label or several), TAGS of entities, or SPANS that answer questions.
    """

    name: str
    labels: Tuple[str, ...]
    files: Dict[str, Tuple[str, ...]]
    read_rows: Callable[[str], Iterator[Any]]
    metric: str = "accuracy"
    preset: Optional[Preset] = None
    left_out_labels: Tuple[str, ...] = ()
    label_aliases: Tuple[Tuple[str, str], ...] = ()
    label_descriptions: Optional[Dict[str, str]] = None
    num_choices: int = 0
    similar_label: Optional[str] = None
    id_name: Optional[str] = None
    is_multilabel: bool = False
    kind: str = CLASSIFICATION


def label_list(labels: Sequence[str], most: int = 20) -> str:
    """Returns labels as a list for a message; of many, the first and the last."""
    if len(labels) <= most:
        return ", ".join(labels)
    return "{}, …, {} ({} labels)".format(", ".join(labels[:3]), labels[-1], len(labels))
