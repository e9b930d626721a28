"""Model of a run: the one that the settings name, else the one in the folder of --init_checkpoint."""

from __future__ import annotations

import logging
import os
from typing import NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UsageError, UserError
from albert.checkpoints.families import FAMILIES, Family
from albert.checkpoints.folder import CONFIG_NAME, Companions, write_companions
from albert.checkpoints.model import CheckpointModel, contradictions, open_checkpoint
from albert.checkpoints.training_folder import latest_checkpoint
from albert.checkpoints.values import read_contents
from albert.checkpoints.variables import describe_weights, family_of, listed
from albert.model.config import ModelConfig
from albert.training.settings import TrainingSettings

_log = logging.getLogger(__name__)


class RunModel(NamedTuple):
    """Model of a run: its configuration and its files.

    Attributes:
      config: the model's configuration.
      config_file: its path; None where it was inferred from a checkpoint's shapes.
      vocab_file, spm_model_file: what makes tokens; both None where nothing names or holds one.
      do_lower_case: whether text is lower-cased, where the model's folder or its records say it; else None.
      use_pooled_output: what a fine-tuned head stands on, where a model folder says it; else None.
      labels: of a fine-tuned head, where a model folder names them.
      pooling, vector_size: of a sentence-vector head; None where the model has none.
    """

    config: ModelConfig
    config_file: Optional[str]
    vocab_file: Optional[str] = None
    spm_model_file: Optional[str] = None
    do_lower_case: Optional[bool] = None
    use_pooled_output: Optional[bool] = None
    labels: Tuple[str, ...] = ()
    pooling: Optional[str] = None
    vector_size: Optional[int] = None

    @property
    def config_name(self) -> str:
        """The name of the configuration in a folder that keeps it."""
        return os.path.basename(self.config_file) if self.config_file else CONFIG_NAME


def find_family(settings: TrainingSettings) -> Family:
    """Finds the family of the config that is named, else that of the checkpoint to start from or to continue.

    Args:
      settings: of a command that takes models of both families.

    Raises:
      UserError: the checkpoint cannot be used.
      UsageError: nothing names a model, or both families are named.
    """
    config_flags = ["--" + family.config_flag for family in FAMILIES.values()]
    named = [family for family in FAMILIES.values() if family.name in settings.config_files]
    if len(named) > 1:
        raise UsageError("give {}: a model is of one family".format(" or ".join(config_flags)))
    if named:
        return named[0]
    start = settings.init_checkpoint or latest_checkpoint(settings.output_dir)
    if start is None:
        raise UsageError(
            "{} must be given, or --init_checkpoint=FOLDER with a model in it (starter: the shipped one)".format(
                " or ".join(config_flags)
            )
        )
    return open_checkpoint(start).family


def find_model(settings: TrainingSettings, family: Family, from_group_0: bool = False) -> RunModel:
    """Finds the model on which --init_checkpoint, the output folder's checkpoints and the config agree.

    Args:
      settings: of the run.
      family: the family that it is for.
      from_group_0: whether the checkpoint to start from may have another number of groups than the config.

    Raises:
      UserError: they do not agree (both sides are named), or a checkpoint cannot be used.
      UsageError: nothing names a model.
    """
    named = settings.config_files.get(family.name)
    latest = latest_checkpoint(settings.output_dir)
    if latest:
        _check_precision(latest)
    start = settings.init_checkpoint or latest
    if named and from_group_0:
        start = latest
    if start is None:
        if not named:
            raise UsageError(
                "--{} must be given, or --init_checkpoint=FOLDER with a model in it (starter: the shipped one)".format(
                    family.config_flag
                )
            )
        return RunModel(family.config_class.from_json_file(named), named)
    model = open_checkpoint(start, named, family.config_flag)
    _check_family(model, family)
    if latest and start != latest:
        _check_agreement(model, latest)
    description = model.description
    return RunModel(
        config=model.config,
        config_file=model.config_file,
        vocab_file=model.vocab_file,
        spm_model_file=model.spm_model_file,
        do_lower_case=model.do_lower_case,
        use_pooled_output=description.use_pooled_output if description else None,
        labels=description.labels if description else (),
        pooling=model.pooling if model.vector_size else None,
        vector_size=model.vector_size,
    )


def _check_family(model: CheckpointModel, family: Family) -> None:
    if model.family is not family:
        raise UserError(
            "the checkpoint {} is {}, this command is for the {} family: {} and {} take it".format(
                model.prefix,
                describe_weights(model.shapes),
                family.name,
                model.family.pretraining_runner,
                model.family.classification_runner,
            )
        )


def _check_agreement(model: CheckpointModel, latest: str) -> None:
    """Raises `UserError` where the output folder already holds another model than the one to start from."""
    shapes = read_contents(latest).shapes
    differing = contradictions(model.config, shapes)
    if family_of(shapes) == model.family.name and not differing:
        return
    theirs, ours = describe_weights(shapes), describe_weights(model.shapes)
    raise UserError(
        "--output_dir holds {}, which is {} --init_checkpoint{} ({}): give another --output_dir".format(
            latest,
            "another model than" if theirs == ours else theirs + ", and",
            "" if theirs == ours else " is " + ours,
            ", ".join(differing) or "the families differ",
        )
    )


def _check_precision(latest: str) -> None:
    """Raises `UserError` where training cannot go on from the output folder's checkpoint, which is not in float32."""
    cast = read_contents(latest).cast
    if cast:
        raise UserError(
            "--output_dir holds {}, whose weights are not in float32 ({}): a run cannot resume from it, but can start "
            "from it with --init_checkpoint and another --output_dir".format(latest, cast[0])
        )


def check_label_order(model: RunModel, labels: Sequence[str], is_training: bool) -> None:
    """Checks that the head of a model has a task's labels in the task's order, if it has the same labels.

    Raises:
      UserError: it has them in another order, and is not trained before it answers; then a warning is enough.
    """
    if tuple(labels) == model.labels or sorted(labels) != sorted(model.labels):
        return
    text = "the head of the model has the labels of the task in another order: {}, not {}"
    text = text.format(listed(model.labels), listed(tuple(labels)))
    if not is_training:
        raise UserError(text + "; train it on the task (--do_train=True), or bring the labels into its order")
    _log.warning("%s: it begins with each label's weights at another label.", text)


def keep_files(model: RunModel, folder: str) -> None:
    """Saves the configuration, and what is known of the vocabulary and its case, beside the checkpoints of a run."""
    companions = Companions(
        config=model.config,
        config_name=model.config_name,
        vocab_file=model.vocab_file or model.spm_model_file,
        do_lower_case=model.do_lower_case,
    )
    write_companions(folder, companions)
