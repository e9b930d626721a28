"""Files of batches (.npz), so that several processes work on the same ones. Needs only NumPy."""

from __future__ import annotations

from typing import Dict, List, Sequence

import numpy as np

Batch = Dict[str, np.ndarray]


def write_batches(path: str, batches: Sequence[Batch]) -> None:
    """Writes batches (.npz)."""
    arrays = {
        "{}/{}".format(number, name): array for number, batch in enumerate(batches) for name, array in batch.items()
    }
    np.savez(path, **arrays)


def read_batches(path: str) -> List[Batch]:
    """Reads the batches that `write_batches` wrote, in the same order."""
    batches: Dict[int, Batch] = {}
    with np.load(path) as archive:
        for entry in archive.files:
            number, name = entry.split("/")
            batches.setdefault(int(number), {})[name] = archive[entry]
    return [batches[number] for number in sorted(batches)]
