"""Flags of the pre-training commands, and their way into settings."""

from __future__ import annotations

from albert.base.flags import Flags
from albert.checkpoints.families import Family
from albert.optimizers.names import LAMB, OPTIMIZERS
from albert.pretraining.settings import BALANCED, INITIAL_WEIGHTS, PretrainingSettings
from albert.training.flags import declare_config_files, declare_training_flags, training_values


def declare_pretraining_flags(flags: Flags, family: Family) -> None:
    """Declares what both pre-training commands share; each adds those whose published defaults differ."""
    declare_training_flags(flags)
    declare_config_files(flags, [family])
    flags.needs("input_file")
    flags.needs("do_train", "do_eval")
    flags.group("Data")
    flags.locations("input_file", None, "TFRecord files: names and globs, separated by commas")
    flags.locations("eval_input_file", None, "records for evaluation, of documents that training does not see")
    flags.group("Evaluation")
    flags.float("eval_share", 0.02, "without --eval_input_file: the share of the records kept from training", 0.0, 0.5)
    flags.boolean("eval_on_training_data", False, "evaluate on the very records that are trained on")
    flags.integer("max_eval_steps", 100, "the most evaluation steps", minimum=1)
    flags.group("Training")
    flags.choice("optimizer", LAMB, OPTIMIZERS, "optimizer")
    flags.float("poly_power", 1.0, "the power of the learning rate's decay", minimum=0.0)
    flags.integer("start_warmup_step", 0, "the step at which the warm-up begins", minimum=0)
    if family.has_groups:
        flags.boolean("init_from_group0", False, "start every group of layers from group 0 of --init_checkpoint")
    flags.choice(
        "initial_weights",
        BALANCED,
        INITIAL_WEIGHTS,
        "of a run from random weights: balanced starts the masked-LM bias at the tokens' frequencies, and word "
        "embeddings of the size of positions; published starts as the published models did",
    )
    flags.boolean(
        "adapt_all_variables", False, "LAMB adapts norms and biases too, as the published zh models were trained"
    )
    flags.integer("keep_checkpoint_max", 5, "checkpoints to keep; 0 keeps all", minimum=0)
    flags.location("export_dir", None, "the folder for a SavedModel of the last checkpoint, made at the end")


def build_pretraining_settings(flags: Flags, family: Family) -> PretrainingSettings:
    """Builds the settings of a run from parsed flags.

    Raises:
      UsageError: a flag that is needed has no value.
      UserError: the devices that are asked for are not there.
    """
    flags.require()
    return PretrainingSettings(**training_values(flags, PretrainingSettings, [family]))
