"""Suggestions for an unknown flag: the flag that is meant, or one that is spelled alike."""

from __future__ import annotations

import difflib
from typing import Collection, Optional

_LIKENESS = 0.72  # of the letters; below it, a suggestion would be a guess
_LEAST_BEGINNING = 3  # letters of a flag that may stand for it
# What users of other programs write, and the flags that are meant; the first one that a command has is suggested.
_MEANINGS = {
    "train_batch_size": "batch_size bs batchsize per_device_train_batch_size",
    "batch_size": "bs batchsize eval_batch_size predict_batch_size",
    "learning_rate": "lr",
    "num_train_epochs": "epochs epoch num_epochs max_epochs n_epochs",
    "num_train_steps": "steps max_steps train_steps",
    "num_warmup_steps": "warmup warmup_steps",
    "warmup_proportion": "warmup warmup_ratio",
    "max_seq_length": "max_length max_len maxlen seq_len max_seq_len seq_length",
    "gradient_accumulation_steps": "accumulation_steps accumulate_grad_batches grad_accum",
    "init_checkpoint": "model model_dir model_path model_name_or_path pretrained_model checkpoint ckpt",
    "checkpoint": "model model_dir model_path model_name_or_path init_checkpoint ckpt",
    "model_dir": "model model_path model_name_or_path init_checkpoint checkpoint ckpt",
    "model": "model_dir model_path model_name_or_path init_checkpoint checkpoint ckpt",
    "output_dir": "out output output_path save_dir out_dir",
    "output_file": "out output output_path out_file",
    "data_dir": "data data_path dataset dataset_dir",
    "input_file": "data input data_path train_file file",
    "task_name": "task dataset",
    "do_train": "train",
    "do_eval": "eval evaluate",
    "do_predict": "predict test",
    "vocab_file": "vocab vocab_path",
    "bert_config_file": "config config_file config_name",
    "albert_config_file": "config config_file config_name bert_config_file",
    "config_file": "config config_name bert_config_file albert_config_file",
    "precision": "fp16 bf16 amp mixed_precision",
    "num_devices": "gpus gpu num_gpus n_gpu devices",
    "save_checkpoints_steps": "save_steps save_interval",
    "log_every_steps": "logging_steps log_steps log_interval",
    "eval_every_steps": "eval_steps eval_interval",
    "early_stopping_evals": "early_stopping patience",
    "keep_checkpoint_max": "save_total_limit",
    "seed": "random_seed random_state",
    "random_seed": "seed random_state",
    "format": "to export_format",
    "overwrite": "force overwrite_output_dir",
}  # fmt: skip


def suggestion(name: str, known: Collection[str]) -> Optional[str]:
    """The known name that a word means or is spelled like; None where none is near."""
    lowered = name.lower()
    for flag, words in _MEANINGS.items():
        if flag in known and lowered in words.split():
            return flag
    longer = [flag for flag in known if len(lowered) >= _LEAST_BEGINNING and flag.startswith(lowered)]
    if len(longer) == 1:
        return longer[0]
    near = difflib.get_close_matches(lowered, list(known), n=1, cutoff=_LIKENESS)
    return near[0] if near else None
