"""Flags of all training commands, and their way into settings."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Type

from albert.base.flags import RARE, Flags
from albert.checkpoints.families import Family
from albert.devices import precision
from albert.devices.selection import find_devices
from albert.training.presets import PRESETS
from albert.training.settings import TrainingSettings


def declare_training_flags(flags: Flags) -> None:
    """Declares what pre-training and fine-tuning share; each command adds those whose published defaults differ."""
    flags.needs("output_dir")
    flags.group("Training")
    flags.location("output_dir", None, "the folder for checkpoints, logs and results")
    flags.group("Model")
    flags.model_location(
        "init_checkpoint", None, "weights to start from: a folder, a prefix, or 'starter' for the shipped model"
    )
    _declare_monitoring(flags)
    flags.group("Training")
    flags.integer("seed", 12345, "the seed of initial weights, shuffles and dropout")
    flags.choice(
        "preset",
        None,
        PRESETS,
        "recommended: set learning rate and warm-up by the model's size where the published ones are known to fail, "
        "and say what is set (flags that are given win); published: keep the published ones and warn of nothing",
    )
    flags.boolean(
        "bias_correction",
        True,
        "correct the bias of the optimizer's moments, without which the first steps are several times the learning "
        "rate; the published models were trained without (--preset=published)",
    )
    flags.boolean(
        "freeze_encoder",
        False,
        "train the head alone, with the pooler that it reads: a linear probe of the encoder, or quick training on few "
        "rows",
    )
    flags.integer(
        "gradient_accumulation_steps",
        1,
        "equal parts of a batch, computed one after the other to save memory",
        minimum=1,
    )
    flags.boolean("recompute", False, "keep only the inputs of layers, and compute these again for the gradients")
    _declare_devices(flags)


def _declare_monitoring(flags: Flags) -> None:
    flags.group("Logging")
    flags.integer("log_every_steps", 20, "steps between two reports", minimum=1)
    flags.boolean("profile", False, "write a timeline of one training step into the output folder")
    flags.group("Evaluation")
    flags.integer(
        "eval_every_steps",
        None,
        "with --do_train and --do_eval: the least number of steps between two evaluations while training; by default "
        "every checkpoint is evaluated when it is saved, 0 leaves evaluation to the end",
        minimum=0,
    )
    flags.integer(
        "early_stopping_evals",
        None,
        "with --do_train and --do_eval: end training after this number of evaluations in a row without improvement",
        minimum=1,
    )


def _declare_devices(flags: Flags) -> None:
    flags.group("Devices")
    flags.choice("precision", precision.FLOAT32, precision.PRECISIONS, "precision of matrix products in training")
    flags.integer(
        "num_devices",
        1,
        "devices of this machine that share each training batch: GPUs where there are any, else parts of the CPU; "
        "several machines are named by TF_CONFIG",
        minimum=1,
    )
    flags.boolean(
        "use_xla",
        False,
        "compile the training step by XLA (TPUs always do): for GPUs, and sequences of one length, as every length is "
        "compiled again; slower on a CPU",
    )
    flags.group(RARE)
    flags.integer("iterations_per_loop", 1000, "steps in one call to a TPU", minimum=1)
    flags.boolean("use_tpu", False, "train on a TPU")
    flags.string("tpu_name", None, "the TPU's name or address (grpc://…:8470)")
    flags.string("tpu_zone", None, "the TPU's zone")
    flags.string("gcp_project", None, "the TPU's project")
    flags.string("master", None, "the address of a TensorFlow master")
    flags.integer("num_tpu_cores", 8, "TPU cores", minimum=1)


def declare_config_files(flags: Flags, families: Iterable[Family]) -> None:
    """Declares the flag of each family's model configuration."""
    flags.group("Model")
    for family in families:
        help_text = "the JSON file of a model of the {} family; by default that of --init_checkpoint"
        flags.location(family.config_flag, None, help_text.format(family.name))


def training_values(flags: Flags, settings_class: Type[TrainingSettings], families: Iterable[Family]) -> Dict[str, Any]:
    """Collects the values of a settings class from a command line, by field.

    Args:
      flags: parsed ones.
      settings_class: `TrainingSettings` or a class made of it.
      families: those that the command takes models of.

    Raises:
      UsageError: there is no --output_dir.
      UserError: the devices that are asked for are not there.
    """
    flags.require("output_dir")
    named = {family.name: getattr(flags, family.config_flag) for family in families}
    given = flags.given()
    devices = find_devices(num_devices=flags.num_devices, is_number_given="num_devices" in given, use_tpu=flags.use_tpu)
    return dict(
        flags.values_of(settings_class),
        config_files={name: path for name, path in named.items() if path},
        devices=devices,
        given=given,
        command_line=flags.as_dict(),
    )
