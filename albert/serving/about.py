"""Description of the served model for people: its name, size, task, date and dev scores, from the files beside it."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

_CARD_FILE = "MODEL_CARD.md"
_BEST = "best"  # the folder of a run's best model, which says less than that of the run
_SECTION = re.compile(r"^## (.+)$")
_ROW = re.compile(r"^\| (.+?) \| (.*) \|$")
_SIZES = {312: "tiny", 384: "small", 768: "base", 1024: "large", 2048: "xlarge", 4096: "xxlarge"}  # by hidden size
_DEV = "dev "
_MOST_BYTES = 1 << 20  # of a file that is read


class About(NamedTuple):
    """Description of a model; what is not known is None or empty.

    Attributes:
      name: of the folder.
      family: of the model, "zh" or "google".
      size: as published models are called, such as "tiny".
      layers: their number.
      hidden_size: numbers of a token's vector.
      parameters: their number.
      task: on which it was fine-tuned.
      date: of its training, as 2026-01-31.
      dev: names and values of its evaluation on the dev split, the most important one first.
    """

    name: str = ""
    family: Optional[str] = None
    size: Optional[str] = None
    layers: Optional[int] = None
    hidden_size: Optional[int] = None
    parameters: Optional[int] = None
    task: Optional[str] = None
    date: Optional[str] = None
    dev: Tuple[Tuple[str, str], ...] = ()


def read_about(path: str, folder: str, config: Optional[Dict[str, Any]] = None) -> About:
    """Reads what the files of a model say of it; files that are not there or cannot be read say nothing.

    Args:
      path: of the model, as it was named.
      folder: that holds its model card and task.json.
      config: the model's configuration, where it is known.
    """
    card, described = _read_card(folder), _read_json(os.path.join(folder, "task.json"))
    sizes = card.get("Model", {})
    config = config or _read_json(os.path.join(folder, str(described.get("config_file", "albert_config.json"))))
    hidden_size = _whole(config.get("hidden_size", sizes.get("hidden_size")))
    return About(
        name=_name_of(path),
        family=described.get("family") or sizes.get("family"),
        size=_SIZES.get(hidden_size or 0),
        layers=_whole(config.get("num_hidden_layers", sizes.get("num_hidden_layers"))),
        hidden_size=hidden_size,
        parameters=_whole(sizes.get("parameters")),
        task=described.get("task") or card.get("Task", {}).get("task"),
        date=card.get("Training", {}).get("date"),
        dev=tuple(
            (name[len(_DEV) :], value) for name, value in card.get("Evaluation", {}).items() if name.startswith(_DEV)
        ),
    )


def _name_of(path: str) -> str:
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.basename(folder) if name == _BEST else name


def _read_card(folder: str) -> Dict[str, Dict[str, str]]:
    """The tables of a model card: by section the value of each name; the first of a name counts."""
    sections: Dict[str, Dict[str, str]] = {}
    rows: Dict[str, str] = {}
    for line in _lines(os.path.join(folder, _CARD_FILE)):
        title, row = _SECTION.match(line), _ROW.match(line)
        if title:
            rows = sections.setdefault(title.group(1), {})
        elif row:
            rows.setdefault(row.group(1), row.group(2).replace("\\|", "|"))
    return sections


def _lines(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_MOST_BYTES).splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _read_json(path: str) -> Dict[str, Any]:
    try:
        found = json.loads("\n".join(_lines(path)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _whole(value: Any) -> Optional[int]:
    digits = str(value).replace(",", "")
    return int(digits) if digits.isdigit() else None
