"""Figures of a training run in metrics.jsonl: one JSON object a line, in the order of the steps.

Every record has "kind", "step" and "time" (seconds since 1970). Training records have the mean loss since the record
before them, learning rate, gradient norm, accuracies and rates; evaluation records have the figures of one checkpoint.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any, Dict, List, Optional

from albert.base.errors import UserError
from albert.files.complete import CompleteFile, write_json
from albert.files.json_reading import parse
from albert.files.space import cannot_write

METRICS_FILE = "metrics.jsonl"
TRAIN, EVAL = "train", "eval"


def append_record(path: str, kind: str, step: int, time: float, figures: Dict[str, Any]) -> None:
    """Appends a record to the file; numbers that are not finite are kept as null.

    Raises:
      UserError: the file cannot be written.
    """
    record = dict(figures, kind=kind, step=int(step), time=round(time, 3))
    line = _line(record)
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise cannot_write(path, error, len(line)) from error


def insert_record(path: str, kind: str, step: int, time: float, figures: Dict[str, Any]) -> None:
    """Inserts a record behind those of the same and of earlier steps; no other process may write the file."""
    append_record(path, kind, step, time, figures)
    records = read_records(path)
    if any(later["step"] < earlier["step"] for earlier, later in zip(records, records[1:])):
        _rewrite(path, sorted(records, key=lambda record: record["step"]))


def read_records(path: str, kind: Optional[str] = None) -> List[Dict[str, Any]]:
    """Reads the records of a run, or those of one kind; none where there is no file.

    A last line that a killed process left half written is no record.
    """
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        records = [record for record in map(_parsed, file) if record is not None]
    return [record for record in records if kind is None or record["kind"] == kind]


def drop_after(path: str, step: int) -> None:
    """Removes the records after the checkpoint from which a run continues, and half a line at the end."""
    if not os.path.exists(path):
        return
    kept = [record for record in read_records(path) if record["step"] <= step]
    with open(path, encoding="utf-8") as file:
        is_as_written = file.read() == "".join(map(_line, kept))
    if not is_as_written:
        _rewrite(path, kept)


def plain(value: Any) -> Any:
    """Converts NumPy's numbers in a figure, or in figures by name, to Python's."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return value.item() if hasattr(value, "item") else value


def write_results(output_dir: str, name: str, results: Dict[str, Any]) -> None:
    """Writes figures as <name>.json, and as <name>.txt with a line per figure, as the published runners do."""
    write_figures(os.path.join(output_dir, name + ".json"), results)
    with CompleteFile(os.path.join(output_dir, name + ".txt")) as file:
        file.write("".join("{} = {}\n".format(key, results[key]) for key in sorted(results)).encode("utf-8"))


def write_figures(path: str, results: Dict[str, Any]) -> None:
    """Writes figures, or figures by name, as JSON; NumPy's numbers as Python's."""
    write_json(path, plain(results))


def _rewrite(path: str, records: List[Dict[str, Any]]) -> None:
    with CompleteFile(path) as file:
        file.write("".join(map(_line, records)).encode("utf-8"))


def _line(record: Dict[str, Any]) -> str:
    finite = {name: None if _is_not_finite(value) else value for name, value in record.items()}
    return json.dumps(finite, sort_keys=True) + "\n"


def _is_not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _parsed(line: str) -> Optional[Dict[str, Any]]:
    try:
        record = parse(line)
    except (ValueError, UserError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("step"), int):
        return None
    return dict({"kind": TRAIN}, **record)  # files of earlier releases name no kind
