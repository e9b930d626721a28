"""Description of a fine-tuned model in its folder: task, labels and the names of config and vocabulary."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from albert.base.errors import UserError
from albert.files.complete import recover, write_json

DESCRIPTION_FILE = "task.json"
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


def write_description(folder: str, description: ModelFolder) -> None:
    """Writes a description into a folder; `folder.write_companions` writes config and vocabulary too."""
    write_json(os.path.join(folder, DESCRIPTION_FILE), dict(description._asdict(), labels=list(description.labels)))


def best_folder(output_dir: str) -> str:
    """Finds the folder of a run's best model; whole, even if a process was killed while it replaced the folder."""
    return recover(os.path.join(output_dir, _BEST_FOLDER))


def read_description(folder: str) -> Optional[ModelFolder]:
    """Reads the description in a folder; None if there is none.

    Raises:
      UserError: the file is damaged.
    """
    path = os.path.join(folder, DESCRIPTION_FILE)
    if not os.path.exists(path):
        return None
    try:
        with open(path, "rb") as file:
            values: Dict[str, Any] = json.load(file)
        return ModelFolder(**dict(values, labels=tuple(values["labels"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("{} is no description of a fine-tuned model: {}".format(path, error)) from error
