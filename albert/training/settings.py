"""Settings of a training run: one immutable record, made by a command's builder or by a program."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, FrozenSet, Mapping, Optional

from albert.devices.precision import FLOAT32
from albert.devices.selection import Devices

_NOT_SAVED = ("config_files", "devices", "given", "command_line")


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """Settings that pre-training and fine-tuning share. Most fields have the name and the meaning of a flag.

    Attributes:
      output_dir: the folder for checkpoints, logs and results.
      init_checkpoint: weights to start from, a folder or a prefix; None for random weights.
      config_files: the model's JSON file by the name of its family; empty where init_checkpoint says which model it is.
      seed: of initial weights, shuffles and dropout.
      do_train, do_eval: the phases of the run.
      max_seq_length: tokens of a sequence.
      train_batch_size: rows of a step, of all devices together.
      eval_batch_size: rows of an evaluation step.
      learning_rate: at its peak.
      optimizer: "lamb" or "adamw".
      bias_correction: whether the bias of the optimizer's moments is corrected.
      save_checkpoints_steps: steps between two checkpoints.
      keep_checkpoint_max: checkpoints to keep; 0 keeps all.
      gradient_accumulation_steps: equal parts of a batch that are computed one after the other.
      precision: of matrix products in training, see `albert.devices.precision`.
      recompute: whether layers keep only their input and are computed again for the gradients.
      freeze_encoder: whether the head alone is trained, with the pooler that it reads.
      use_xla: whether the training step is compiled by XLA.
      preset: "recommended", "published" or None, see `albert.training.presets`.
      log_every_steps, eval_every_steps, early_stopping_evals, profile: see `albert.monitor.observer`.
      use_tpu, tpu_name, tpu_zone, gcp_project, master, num_tpu_cores, iterations_per_loop: of a TPU.
      devices: where the run computes, found once.
      given: the names of the settings that the user chose: presets and model folders leave them alone.
      command_line: all flags of the command with their values, for the record; empty in a program.
    """

    output_dir: str
    init_checkpoint: Optional[str] = None
    config_files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seed: int = 12345
    do_train: bool = True
    do_eval: bool = False
    max_seq_length: int = 128
    train_batch_size: int = 32
    eval_batch_size: int = 8
    learning_rate: float = 5e-5
    optimizer: str = "adamw"
    bias_correction: bool = True
    save_checkpoints_steps: int = 1000
    keep_checkpoint_max: int = 5
    gradient_accumulation_steps: int = 1
    precision: str = FLOAT32
    recompute: bool = False
    freeze_encoder: bool = False
    use_xla: bool = False
    preset: Optional[str] = None
    log_every_steps: int = 20
    eval_every_steps: Optional[int] = None
    early_stopping_evals: Optional[int] = None
    profile: bool = False
    use_tpu: bool = False
    tpu_name: Optional[str] = None
    tpu_zone: Optional[str] = None
    gcp_project: Optional[str] = None
    master: Optional[str] = None
    num_tpu_cores: int = 8
    iterations_per_loop: int = 1000
    devices: Devices = Devices()
    given: FrozenSet[str] = frozenset()
    command_line: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and results: all do but further workers of a cluster."""
        return self.devices.is_chief

    def value_or(self, name: str, default: Any) -> Any:
        """The setting; `default`, where that is not None and the user did not choose the setting."""
        return getattr(self, name) if default is None or name in self.given else default

    def resolved(self) -> Dict[str, Any]:
        """The flags as the run uses them, by name; in a program, the settings."""
        names = {field.name for field in dataclasses.fields(self)} - set(_NOT_SAVED)
        if self.command_line:
            names &= set(self.command_line)
        return dict(self.command_line, **{name: getattr(self, name) for name in names})
