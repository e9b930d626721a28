"""Measures the largest batch that fits the memory, per length and model, with and without recomputation of layers.

    python measure_memory.py --memory_gb=12
    python measure_memory.py --config_files=my_model/albert_config.json --lengths=128,512 --training=pre-training

It runs training steps of one and two examples on this machine's device and records every buffer; the memory of a larger
batch is computed from them. Without --memory_gb, the memory is that of the device; if the device is a GPU, the largest
batch is then tried. With --gradient_accumulation_steps, any batch can be trained, in slices.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, List, Tuple

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.paths import CONFIGS
from albert.checkpoints import families
from albert.devices import precision
from albert.files.complete import write_json
from albert.memory.phases import DEFAULT_OPTIMIZERS, FINE_TUNING
from albert.model.config import ModelConfig
from albert.optimizers.names import OPTIMIZERS

if TYPE_CHECKING:
    from albert.memory.largest_batch import MemorySettings

SIZES = ("tiny", "base", "large")


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.group("Model")
    configs = ",".join(os.path.join(CONFIGS, "albert_config_{}.json".format(size)) for size in SIZES)
    flags.locations("config_files", configs, "config files (JSON) of the models, separated by commas")
    flags.choice("family", families.ZH.name, sorted(families.FAMILIES), "family of the models")
    flags.group("Training")
    flags.string("lengths", "64,128,256,320,384,512", "tokens per sequence, separated by commas", kind="N,N,…")
    flags.choice("training", FINE_TUNING, sorted(DEFAULT_OPTIMIZERS), "the phase of training")
    flags.choice("optimizer", None, OPTIMIZERS, "optimizer; by default that of the phase's command")
    flags.choice("precision", precision.FLOAT32, precision.PRECISIONS, "precision of matrix products in training")
    flags.group("Devices")
    flags.float("memory_gb", None, "the memory to fit into, in GiB; by default that of this machine's device", 0.0)
    flags.location("output_file", "memory.json", "the file for the figures, as JSON")
    return flags


def build_settings(flags: Flags) -> MemorySettings:
    """Builds the settings of the measurement from the flags.

    Raises:
      UserError: a config cannot be read, a length is invalid or exceeds a model's positions, or this machine does not
        support the precision.
    """
    lengths = _lengths(flags.lengths)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.memory.largest_batch import MemorySettings, find_budget
    from albert.memory.probe import Training

    precision.check_precision(flags.precision)
    family = families.FAMILIES[flags.family]
    trainings: List[Tuple[str, Training]] = []
    for path in flags.config_files.split(","):
        config = family.config_class.from_json_file(path)
        _check_lengths(lengths, config, path)
        for length in lengths:
            optimizer = flags.optimizer or DEFAULT_OPTIMIZERS[flags.training]
            training = Training(family, config, length, flags.training, optimizer, flags.precision)
            trainings += [(_model_name(path), training._replace(recompute=recompute)) for recompute in (False, True)]
    return MemorySettings(tuple(trainings), find_budget(flags.memory_gb))


def _lengths(text: str) -> List[int]:
    words = text.split(",")
    if not all(word.strip().isdigit() and int(word) >= 2 for word in words):
        raise UserError("--lengths={}: write numbers of at least 2, separated by commas".format(text))
    return [int(word) for word in words]


def _check_lengths(lengths: List[int], config: ModelConfig, path: str) -> None:
    for length in lengths:
        if length > config.max_position_embeddings:
            raise UserError(
                "--lengths: {} exceeds the {} positions of {}".format(length, config.max_position_embeddings, path)
            )


def _model_name(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0].replace("albert_config_", "")


def main(flags: Flags) -> None:
    """Measures, prints the tables and saves the figures."""
    settings = build_settings(flags)
    from albert.memory.largest_batch import USABLE_SHARE, measure_all, report

    figures = measure_all(settings)
    sys.stdout.write(report(figures, settings.budget, flags.training, flags.precision))
    budget = settings.budget
    result = {"memory_bytes": budget.num_bytes, "usable_share": USABLE_SHARE, "device": budget.device}
    write_json(flags.output_file, dict(result, flags=flags.as_dict(), figures=figures))


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
