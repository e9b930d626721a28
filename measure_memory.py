"""Measures how large a batch the memory takes: per length and model, with and without recomputation of layers.

    python measure_memory.py --memory_gb=12
    python measure_memory.py --config_files=my_model/albert_config.json --lengths=128,512 --training=pre-training

Training steps of one and two examples are run on this machine's device and every buffer of theirs is noted; what a
larger batch needs follows from the laws of the buffers. Without --memory_gb, the memory is that of the device; if that
is a GPU, the batch that is found is then tried. Any batch is trained in slices by --gradient_accumulation_steps.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import logging
import os
import sys
from typing import Any, Dict, List, NamedTuple

import optimization
from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.terminal import table
from albert.checkpoints import families
from albert.devices import precision
from albert.files.complete import write_json
from albert.memory.probe import DEFAULT_OPTIMIZERS, FINE_TUNING, MEASURED_BATCHES, Training, TrainingProbe

_log = logging.getLogger(__name__)

SIZES = ("tiny", "base", "large")
GIB = 2**30
USABLE_SHARE = 0.9  # the rest is for the libraries' own work space and for gaps between buffers
_STEP_BACK = 0.95  # from a batch that did not fit after all


class Budget(NamedTuple):
    """The memory to fit into.

    Attributes:
      num_bytes: of the device, or what is asked for.
      device: what is measured on, in words.
      can_try: whether the batches that are found can be tried: it is the memory of the GPU at hand.
    """

    num_bytes: float
    device: str
    can_try: bool


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    configs = ",".join("albert_config/albert_config_{}.json".format(size) for size in SIZES)
    flags.string("config_files", configs, "the models' JSON files, separated by commas")
    flags.choice("family", families.ZH.name, sorted(families.FAMILIES), "which family the models are of")
    flags.string("lengths", "64,128,256,320,384,512", "tokens per sequence")
    flags.choice("training", FINE_TUNING, sorted(DEFAULT_OPTIMIZERS), "the phase")
    flags.choice("optimizer", None, optimization.OPTIMIZERS, "how weights move; by default as in the phase's runner")
    flags.choice("precision", precision.FLOAT32, sorted(precision.MATMUL_DTYPES), "of the products in training")
    flags.float("memory_gb", None, "the memory to fit into, in GiB; by default that of this machine's device", 0.0)
    flags.string("output_file", "memory.json", "the figures as JSON")
    return flags


def main(flags: Flags) -> None:
    """Measures, prints the tables and saves the figures."""
    trainings = find_trainings(flags)
    precision.check_precision(flags.precision)
    budget = find_budget(flags)
    figures = []
    for number, (name, training) in enumerate(trainings, 1):
        figures.append(dict(measure(training, budget), model=name))
        _log.info("[%d/%d] %s", number, len(trainings), _in_words(figures[-1]))
    sys.stdout.write(report(figures, budget, flags))
    result = {"memory_bytes": budget.num_bytes, "usable_share": USABLE_SHARE, "device": budget.device}
    write_json(flags.output_file, dict(result, flags=flags.as_dict(), figures=figures))


def find_trainings(flags: Flags) -> List[Any]:
    """All combinations of model, length and recomputation, each with its model's name.

    Raises:
      UserError: a config cannot be read, or a length is none or over its positions.
    """
    family = families.FAMILIES[flags.family]
    trainings = []
    for path in flags.config_files.split(","):
        config = family.config_class.from_json_file(path)
        name = os.path.splitext(os.path.basename(path))[0].replace("albert_config_", "")
        for length in _lengths(flags.lengths):
            if length > config.max_position_embeddings:
                raise UserError(
                    "--lengths: {} is over the {} positions of {}".format(length, config.max_position_embeddings, path)
                )
            training = Training(
                family,
                config,
                length,
                flags.training,
                flags.optimizer or DEFAULT_OPTIMIZERS[flags.training],
                flags.precision,
            )
            trainings += [(name, training._replace(recompute=recompute)) for recompute in (False, True)]
    return trainings


def _lengths(text: str) -> List[int]:
    words = text.split(",")
    if not all(word.strip().isdigit() and int(word) >= 2 for word in words):
        raise UserError("--lengths={}: write numbers of at least 2, separated by commas".format(text))
    return [int(word) for word in words]


def find_budget(flags: Flags) -> Budget:
    """The memory that the flags name, or the device has."""
    gpus = precision.gpus()
    device = "GPU ({})".format(gpus[0].physical_device_desc) if gpus else "CPU"
    if flags.memory_gb is not None:
        return Budget(flags.memory_gb * GIB, device, can_try=False)
    if gpus:
        return Budget(gpus[0].memory_limit, device, can_try=True)
    return Budget(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), device, can_try=False)


def measure(training: Training, budget: Budget) -> Dict[str, Any]:
    """The figures of one training: its largest batch, and what an example adds to it."""
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


def _in_words(figure: Dict[str, Any]) -> str:
    return "{}, length {}{}: {:.1f} MB an example, batch {}".format(
        figure["model"],
        figure["length"],
        ", recomputed" if figure["recompute"] else "",
        figure["bytes_per_example"] / 1e6,
        figure["largest_batch"],
    )


def report(figures: List[Dict[str, Any]], budget: Budget, flags: Flags) -> str:
    """Both tables, and how their numbers were found."""
    how = "tried on it" if budget.can_try else "extrapolated from steps of {} and {} examples".format(*MEASURED_BATCHES)
    return (
        "\nLargest batch in {:.1f} GiB ({}, {}; measured on {}, {}, {:.0%} of the memory in use):\n\n{}\n"
        "Memory of one more example, MB:\n\n{}"
    ).format(
        budget.num_bytes / GIB,
        flags.training,
        flags.precision,
        budget.device,
        how,
        USABLE_SHARE,
        _table(figures, lambda figure: str(figure["largest_batch"])),
        _table(figures, lambda figure: "{:.1f}".format(figure["bytes_per_example"] / 1e6)),
    )


def _table(figures: List[Dict[str, Any]], cell: Any) -> str:
    """A row per length; for each model, without and with recomputation."""
    columns = list(dict.fromkeys((figure["model"], figure["recompute"]) for figure in figures))
    rows: Dict[int, List[str]] = {}
    for column in columns:
        for figure in figures:
            if (figure["model"], figure["recompute"]) == column:
                rows.setdefault(figure["length"], [str(figure["length"])]).append(cell(figure))
    header = ["length"] + [model + (" --recompute" if recompute else "") for model, recompute in columns]
    return table(header, list(rows.values()))


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
