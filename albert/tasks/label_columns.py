"""Labels of a row that have a column each, which holds 1 where the row has the label and 0 where it has not."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterable, Optional, Tuple

SETTING = "label_columns"  # the key in task files
_MARKS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
_MOST_SHOWN = 40  # characters of a wrong value

Error = Callable[[str], Exception]  # a fault, in words that follow its place -> the error


def marked_labels(values: Iterable[Tuple[str, Any]], error: Error) -> Tuple[str, ...]:
    """Returns the labels of a row, perhaps none.

    Args:
      values: each label with what its column holds: a cell, or a value of JSON.
      error: makes an error that names the place.

    Raises:
      UserError: a column holds something else than 0 or 1 (or 0.0, 1.0, true, false in any case).
    """
    return tuple(label for label, value in values if _is_marked(label, value, error))


def _is_marked(label: str, value: Any, error: Error) -> bool:
    marked: Optional[bool] = _MARKS.get(str(value).strip().lower())
    if marked is None:
        shown = json.dumps(value, ensure_ascii=False)[:_MOST_SHOWN]
        raise error("has {} in the column '{}' of a label, which takes 0 or 1".format(shown, label))
    return marked
