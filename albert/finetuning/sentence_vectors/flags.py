"""Flags of the commands that train sentence vectors, and their way into settings."""

from __future__ import annotations

from typing import Type, TypeVar

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.finetuning.flags import ALL_FAMILIES, build_settings, fine_tuning_flags
from albert.finetuning.settings import DistillationSettings, PairSettings, VectorSettings
from albert.model.pooling import MEAN, POOLINGS

V = TypeVar("V", bound=VectorSettings)

_PAIRS = "sentence TAB sentence TAB score in each line (or CSV, or JSON lines); a score may be a label 0 or 1"


def distillation_flags() -> Flags:
    """Declares the flags of run_distillation.py."""
    flags = fine_tuning_flags(ALL_FAMILIES, train_batch_size=64, learning_rate=1e-3, is_predicting=False)
    flags.needs("input_file")
    flags.needs("teacher_vectors")
    flags.group("Data")
    flags.locations("input_file", None, "files with a sentence in each line: names and globs, separated by commas")
    flags.locations(
        "teacher_vectors", None, ".npy files [lines, width] of the teacher's vectors, one for each input file, in order"
    )
    _declare_vector_flags(flags)
    flags.group("Training")
    flags.boolean("center_teacher", True, "take the mean of the teacher's vectors away from each")
    flags.float("cosine_weight", 1.0, "of 1 - cosine to the teacher's vector in the loss", minimum=0.0)
    flags.float(
        "structure_weight",
        10.0,
        "of the squared difference of the similarities within a batch in the loss",
        minimum=0.0,
    )
    return flags


def pair_flags() -> Flags:
    """Declares the flags of run_embedding.py."""
    flags = fine_tuning_flags(ALL_FAMILIES, train_batch_size=64)
    for name in ("task_name", "data_dir"):
        flags.needs(name, unless=["train_pairs", "eval_pairs", "test_pairs"])
    flags.group("Data")
    flags.string("task_name", None, "a task of pairs that mean the same or do not: lcqmc, afqmc, …")
    flags.location("data_dir", None, "the folder with the task's files")
    flags.location("train_pairs", None, "without a task, pairs to train on: " + _PAIRS)
    _declare_vector_flags(flags)
    flags.group("Data")
    flags.location("test_pairs", None, "pairs to predict, as --train_pairs")
    flags.group("Model")
    flags.integer("vector_size", None, "numbers of a vector; by default as before, else the hidden size", minimum=1)
    flags.group("Training")
    flags.float(
        "ranking_weight", 1.0, "of CoSENT's ranking loss: pairs of higher score have a higher cosine", minimum=0.0
    )
    flags.float(
        "negatives_weight",
        0.0,
        "of the loss in which the other sentences of a batch are negatives of each positive pair",
        minimum=0.0,
    )
    flags.float("positive_score", None, "pairs from it on are positive ones; by default 0.8 of the highest score")
    return flags


def _declare_vector_flags(flags: Flags) -> None:
    flags.group("Data")
    flags.location("eval_pairs", None, "pairs on which checkpoints are compared: " + _PAIRS)
    flags.group("Model")
    flags.choice("pooling", MEAN, POOLINGS, "how the vectors of a sentence's tokens become one")
    flags.integer("max_seq_length", 64, "tokens of a sentence; longer ones are cut", minimum=3)
    flags.group("Training")
    flags.integer(
        "group_size",
        None,
        "rows of a batch that are compared with one another; by default those that a device computes at once",
        minimum=2,
    )


def build_distillation_settings(flags: Flags) -> DistillationSettings:
    """Builds the settings of a distillation from parsed flags.

    Raises:
      UsageError: a flag that is needed has no value, or there is nothing to do.
      UserError: the devices that are asked for are not there.
    """
    settings = _checked(flags, DistillationSettings)
    if settings.do_eval and not settings.eval_pairs:
        raise UsageError("--do_eval=True needs --eval_pairs=FILE")
    if settings.cosine_weight <= 0 and settings.structure_weight <= 0:
        raise UsageError("--cosine_weight and --structure_weight are both 0: nothing is left to learn")
    if settings.use_tpu:
        raise UsageError(
            "run_distillation.py is not for a TPU: the teacher's vectors are looked up on this machine while training "
            "runs; train on a CPU or GPU"
        )
    return settings


def build_pair_settings(flags: Flags) -> PairSettings:
    """Builds the settings of training on pairs from parsed flags; raises as `build_distillation_settings`."""
    settings = _checked(flags, PairSettings)
    files = {"train_pairs": settings.do_train, "eval_pairs": settings.do_eval, "test_pairs": settings.do_predict}
    if settings.task_name:
        flags.require("data_dir")
        given = next((name for name in files if getattr(settings, name)), None)
        if given:
            raise UsageError("give --task_name and --data_dir, or files of pairs, not both (--{})".format(given))
    else:
        for name, is_needed in files.items():
            if is_needed and not getattr(settings, name):
                raise UsageError("--{} must be given, or --task_name and --data_dir".format(name))
    if settings.ranking_weight <= 0 and settings.negatives_weight <= 0:
        raise UsageError("--ranking_weight and --negatives_weight are both 0: nothing is left to learn")
    return settings


def _checked(flags: Flags, settings_class: Type[V]) -> V:
    return build_settings(flags, settings_class, ALL_FAMILIES)
