"""tokenizer_config.json in a model's folder: how its text becomes tokens, as the library `transformers` names it.

A fine-tuned model says this in its description. A pre-trained one has no description, so this file keeps its case.
"""

from __future__ import annotations

import os
from typing import Optional

from albert.base.errors import UserError
from albert.files.complete import write_json
from albert.files.json_reading import Description, read_description

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
_CASE = "do_lower_case"


def read_tokenizer_config(folder: str) -> Description:
    """Reads the tokenizer_config.json of a folder; empty where it has none.

    Raises:
      UserError: the file does not hold a JSON object.
    """
    path = os.path.join(folder, TOKENIZER_CONFIG_FILE)
    return read_description(path, "a description of a tokenizer") if os.path.exists(path) else Description({})


def read_do_lower_case(folder: str) -> Optional[bool]:
    """Reads whether the text of a folder's model is lower-cased; None where no tokenizer_config.json says it.

    Raises:
      UserError: the file does not hold a JSON object, or its do_lower_case is not true or false.
    """
    config = read_tokenizer_config(folder)
    if config.values.get(_CASE) is None:
        return None
    try:
        return config.flag(_CASE)
    except UserError as error:
        raise UserError("{}: {}".format(os.path.join(folder, TOKENIZER_CONFIG_FILE), error)) from error


def write_do_lower_case(folder: str, do_lower_case: bool) -> None:
    """Writes a tokenizer_config.json that says whether the text of a model is lower-cased."""
    write_json(os.path.join(folder, TOKENIZER_CONFIG_FILE), {_CASE: do_lower_case})
