"""Largest batch that fits the memory: measured per model, length and recomputation, and shown as tables."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from albert.base.terminal import table
from albert.devices import precision
from albert.memory.probe import MEASURED_BATCHES, Training, TrainingProbe

_log = logging.getLogger(__name__)

GIB = 2**30
USABLE_SHARE = 0.9  # the rest is for the libraries' work space and for gaps between buffers
_STEP_BACK = 0.95  # factor for a batch that did not fit when it was tried

Figure = Dict[str, Any]


class Budget(NamedTuple):
    """Memory to fit into.

    Attributes:
      num_bytes: the memory of the device, or the memory that the user names.
      device: the device that steps are measured on, in words.
      can_try: whether a batch that was computed can also be tried: the budget is the memory of this machine's GPU.
    """

    num_bytes: float
    device: str
    can_try: bool


class MemorySettings(NamedTuple):
    """Settings of a measurement.

    Attributes:
      trainings: name of the model and training, in the order of measurement; all of one phase and precision.
      budget: the memory to fit into.
    """

    trainings: Tuple[Tuple[str, Training], ...]
    budget: Budget


def find_budget(memory_gb: Optional[float]) -> Budget:
    """Finds the memory to fit into: `memory_gb` GiB or, if that is None, the memory of this machine's device."""
    gpus = precision.gpus()
    device = "GPU ({})".format(gpus[0].physical_device_desc) if gpus else "CPU"
    if memory_gb is not None:
        return Budget(memory_gb * GIB, device, can_try=False)
    if gpus:
        return Budget(gpus[0].memory_limit, device, can_try=True)
    return Budget(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), device, can_try=False)


def measure_all(settings: MemorySettings) -> List[Figure]:
    """Measures every training and logs the progress; returns the figures as JSON values."""
    figures: List[Figure] = []
    for number, (name, training) in enumerate(settings.trainings, 1):
        figures.append(dict(measure(training, settings.budget), model=name))
        _log.info("[%d/%d] %s", number, len(settings.trainings), _in_words(figures[-1]))
    return figures


def measure(training: Training, budget: Budget) -> Figure:
    """Measures one training: its largest batch, and the memory that one more example needs."""
    with TrainingProbe(training) as probe:
        memory = probe.measure()
        batch = memory.largest_batch(USABLE_SHARE * budget.num_bytes)
        while budget.can_try and batch and not probe.fits(batch):
            batch = int(_STEP_BACK * batch)
        return {
            "length": training.length,
            "recompute": training.recompute,
            "largest_batch": batch,
            "was_tried": budget.can_try,
            "weights_and_slots_bytes": probe.resident_bytes,
            "bytes_per_example": memory.bytes_per_example(max(batch, 1)),
            "peak_bytes": {str(of): memory.peak_bytes(of) for of in sorted({1, 2, 8, 64, max(batch, 1)})},
        }


def _in_words(figure: Figure) -> str:
    return "{}, length {}{}: {:.1f} MB per example, batch {}".format(
        figure["model"],
        figure["length"],
        ", recomputed" if figure["recompute"] else "",
        figure["bytes_per_example"] / 1e6,
        figure["largest_batch"],
    )


def report(figures: List[Figure], budget: Budget, phase: str, precision_name: str) -> str:
    """Tables of the largest batches and of the memory per example, with a line on how they were measured."""
    how = "tried on it" if budget.can_try else "extrapolated from steps of {} and {} examples".format(*MEASURED_BATCHES)
    return (
        "\nLargest batch in {:.1f} GiB ({}, {}; measured on {}, {}, {:.0%} of the memory in use):\n\n{}\n"
        "Memory of one more example, MB:\n\n{}"
    ).format(
        budget.num_bytes / GIB,
        phase,
        precision_name,
        budget.device,
        how,
        USABLE_SHARE,
        _table(figures, lambda figure: str(figure["largest_batch"])),
        _table(figures, lambda figure: "{:.1f}".format(figure["bytes_per_example"] / 1e6)),
    )


def _table(figures: List[Figure], cell: Callable[[Figure], str]) -> str:
    """Table with a row per length and two columns per model, without and with recomputation."""
    columns = list(dict.fromkeys((figure["model"], figure["recompute"]) for figure in figures))
    rows: Dict[int, List[str]] = {}
    for column in columns:
        for figure in figures:
            if (figure["model"], figure["recompute"]) == column:
                rows.setdefault(figure["length"], [str(figure["length"])]).append(cell(figure))
    header = ["length"] + [model + (" --recompute" if recompute else "") for model, recompute in columns]
    return table(header, list(rows.values()))
