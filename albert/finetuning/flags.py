"""Flags of the fine-tuning commands, and their way into settings."""

from __future__ import annotations

import math
from typing import Callable, Dict, Optional, Sequence, Tuple, Type, TypeVar

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.checkpoints.families import FAMILIES, GOOGLE, ZH, Family
from albert.finetuning.settings import ClassificationSettings, FineTuningSettings, ReadingSettings
from albert.optimizers.names import ADAMW, OPTIMIZERS
from albert.tasks.flags import check_task_flags, declare_task_flags
from albert.tasks.registry import READER, TAGGER
from albert.tasks.splits import SPLITS, TEST
from albert.text.long_texts import CUT, LONG_TEXTS, WINDOWS
from albert.training.flags import declare_config_files, declare_training_flags, training_values

S = TypeVar("S", bound=FineTuningSettings)

ALL_FAMILIES = tuple(FAMILIES.values())
_CLASSIFIER_LENGTHS = {ZH: 128, GOOGLE: 512}  # as published


def classifier_flags(family: Family) -> Flags:
    """Declares the flags of run_classifier.py (zh) or run_classifier_sp_google.py (google)."""
    flags = fine_tuning_flags([family])
    declare_task_flags(flags)
    flags.group("Model")
    flags.boolean("use_pooled_output", True, "classify the pooler's first token; False: the mean of all tokens")
    flags.integer(
        "max_seq_length",
        _CLASSIFIER_LENGTHS[family],
        "tokens that are read at once; --long_text says what becomes of a longer row",
        minimum=4,
    )
    flags.choice(
        "long_text",
        CUT,
        LONG_TEXTS,
        "rows longer than --max_seq_length: cut; head_tail keeps beginning and end; windows_mean and windows_max read "
        "all of it in overlapping windows, whose logits become one by mean or maximum",
    )
    flags.group("Evaluation")
    flags.integer(
        "num_folds",
        None,
        "train this many models, each compared on its part of the train split and trained on the others; their test "
        "probabilities are averaged",
        minimum=2,
    )
    flags.choice("predict_split", TEST, SPLITS, "with --do_predict: the split to predict, into <split>_results.tsv")
    _declare_teacher_flags(flags)
    return flags


def _declare_teacher_flags(flags: Flags) -> None:
    flags.group("Training")
    flags.location(
        "class_weights",
        None,
        "weights of the labels in the loss: balanced (rare labels count as much as common ones), or a file with a "
        "label, a tab and its weight in each line",
    )
    flags.float("label_smoothing", 0.0, "the share of a label's probability that all labels get alike", 0.0, 0.99)
    flags.location(
        "teacher_predictions",
        None,
        "a teacher's predictions for the train split, learned beside the labels: probabilities as in train_results.tsv "
        "(--predict_split=train), or a .npy array of probabilities or logits [rows, labels]",
    )
    flags.float("teacher_weight", 0.5, "the teacher's share of the loss; the labels have the rest", 0.0, 1.0)
    flags.float("teacher_temperature", 2.0, "divides the logits of teacher and student in the teacher's loss", 0.0)


def reader_flags() -> Flags:
    """Declares the flags of run_mrc.py."""
    flags = _named_task_flags(READER)
    flags.group("Model")
    flags.integer("doc_stride", 128, "tokens of the context from one window to the next", minimum=1)
    flags.integer("max_query_length", 64, "tokens of a question; a longer one loses its end", minimum=1)
    flags.integer("max_answer_length", 50, "tokens of an answer", minimum=1)
    flags.integer("n_best_size", 20, "answers of a question in <task>_nbest.json", minimum=1)
    flags.integer("max_seq_length", 512, "tokens of question and window together", minimum=5)
    _declare_predict_file(flags, "questions: question<TAB>context, JSON lines, or JSON as CMRC 2018's")
    return flags


def tagger_flags() -> Flags:
    """Declares the flags of run_ner.py."""
    flags = _named_task_flags(TAGGER)
    flags.group("Model")
    flags.integer("max_seq_length", 128, "tokens of a sequence; a longer sentence is read in several", minimum=3)
    _declare_predict_file(flags, "texts: one in each line, a table with a column of texts, or JSON lines")
    return flags


def _declare_predict_file(flags: Flags, content: str) -> None:
    flags.group("Data")
    flags.location("predict_file", None, "with --do_predict, in place of the test split: your own " + content)


def _named_task_flags(runner: str) -> Flags:
    flags = fine_tuning_flags(ALL_FAMILIES)
    declare_task_flags(flags, runner)
    return flags


def fine_tuning_flags(
    families: Sequence[Family],
    *,
    train_batch_size: int = 32,
    learning_rate: float = 5e-5,
    is_predicting: bool = True,
) -> Flags:
    """Declares the flags of all fine-tuning commands.

    Args:
      families: those that the command takes models of.
      train_batch_size, learning_rate: the defaults.
      is_predicting: whether the command predicts a test split.
    """
    flags = Flags()
    declare_training_flags(flags)
    declare_config_files(flags, families)
    flags.location("vocab_file", None, "the WordPiece vocabulary, one token per line; by default --init_checkpoint's")
    flags.location("spm_model_file", None, "a sentencepiece model, used in place of the vocabulary")
    flags.boolean("do_lower_case", True, "lower-case the text and drop accents")
    flags.needs("do_train", "do_eval", *(["do_predict"] if is_predicting else []))
    flags.boolean("do_train", False, "fine-tune on the train split")
    flags.boolean("do_eval", False, "evaluate each saved checkpoint on the dev split and keep the best")
    flags.group("Evaluation")
    flags.integer("eval_batch_size", 8, "rows per evaluation step", minimum=1)
    if is_predicting:
        flags.boolean("do_predict", False, "predict the test split with the best checkpoint")
        flags.integer("predict_batch_size", 8, "rows per prediction step", minimum=1)
    flags.group("Training")
    flags.integer("train_batch_size", train_batch_size, "rows per step", minimum=1)
    flags.float("learning_rate", learning_rate, "the learning rate at its peak", minimum=0.0)
    flags.float("num_train_epochs", 3.0, "passes over the train split", minimum=0.0)
    flags.string(
        "try_learning_rates",
        None,
        "rates, separated by commas: a short training with each, then the whole one with the best on the dev split "
        "(in place of --learning_rate)",
    )
    flags.float("warmup_proportion", 0.1, "the share of the steps in which the learning rate rises", 0.0, 1.0)
    flags.integer("save_checkpoints_steps", 1000, "steps between two checkpoints", minimum=1)
    flags.boolean("eval_each_epoch", False, "save and evaluate at each epoch's end, not by --save_checkpoints_steps")
    flags.integer("keep_checkpoint_max", 20, "checkpoints to keep for evaluation; 0 keeps all", minimum=0)
    flags.choice("optimizer", ADAMW, OPTIMIZERS, "optimizer")
    flags.boolean("bucket_by_length", True, "batch rows of like length together (not on TPU)")
    return flags


# The flags of each fine-tuning command, by the name of its file.
FLAGS_OF: Dict[str, Callable[[], Flags]] = {
    ZH.classification_runner: lambda: classifier_flags(ZH),
    GOOGLE.classification_runner: lambda: classifier_flags(GOOGLE),
    READER: reader_flags,
    TAGGER: tagger_flags,
}


def build_classification_settings(flags: Flags, family: Family) -> ClassificationSettings:
    """Builds the settings of a run of classification from parsed flags.

    Raises:
      UsageError: a flag that is needed has no value, or flags do not go together.
      UserError: the devices that are asked for are not there.
    """
    check_task_flags(flags)
    settings = build_settings(flags, ClassificationSettings, [family])
    if "predict_split" in settings.given and not settings.do_predict:
        raise UsageError("--predict_split needs --do_predict=True")
    _check_teacher(settings)
    _check_labels(settings)
    _check_folds(settings)
    return settings


def _check_labels(settings: ClassificationSettings) -> None:
    for name in ("class_weights", "label_smoothing"):
        if name in settings.given and not settings.do_train:
            raise UsageError("--{} needs --do_train=True: only training uses it".format(name))
    if not 0.0 <= settings.label_smoothing < 1.0:
        raise UsageError("--label_smoothing must be a number from 0 to 0.99 (0.1 is usual)")
    if settings.teacher_predictions and settings.long_text in WINDOWS:
        raise UsageError(
            "--teacher_predictions is for whole rows, --long_text={} trains on parts of them: give cut or "
            "head_tail".format(settings.long_text)
        )


def _check_folds(settings: ClassificationSettings) -> None:
    if settings.num_folds is None:
        return
    if not (settings.do_train and settings.do_eval):
        raise UsageError("--num_folds needs --do_train=True and --do_eval=True: each model is compared on its fold")
    if settings.predict_split != TEST:
        raise UsageError("--num_folds predicts the test split: leave --predict_split out")
    if settings.teacher_predictions:
        raise UsageError("--num_folds takes no --teacher_predictions: train the student with all rows")
    if settings.devices.cluster or settings.use_tpu:
        raise UsageError("--num_folds is for one machine without a TPU")


def _check_teacher(settings: ClassificationSettings) -> None:
    if settings.teacher_predictions is None:
        for name in ("teacher_weight", "teacher_temperature"):
            if name in settings.given:
                raise UsageError("--{} needs --teacher_predictions=FILE".format(name))
        return
    if not settings.do_train:
        raise UsageError("--teacher_predictions needs --do_train=True: only training reads it")
    if settings.use_tpu:
        raise UsageError(
            "--teacher_predictions is not for a TPU: its rows are looked up on this machine while training runs; train "
            "on a CPU or GPU"
        )
    if not 0.0 <= settings.teacher_weight <= 1.0:
        raise UsageError("--teacher_weight must be a number from 0 to 1")
    if not 0.0 < settings.teacher_temperature < math.inf:
        raise UsageError("--teacher_temperature must be a number over 0 (1 to 5 is usual)")


def build_reading_settings(flags: Flags) -> ReadingSettings:
    """Builds the settings of a run of reading comprehension; raises as `build_classification_settings`."""
    check_task_flags(flags)
    return build_settings(flags, ReadingSettings, ALL_FAMILIES)


def build_tagging_settings(flags: Flags) -> FineTuningSettings:
    """Builds the settings of a run of tagging; raises as `build_classification_settings`."""
    check_task_flags(flags)
    return build_settings(flags, FineTuningSettings, ALL_FAMILIES)


def build_settings(flags: Flags, settings_class: Type[S], families: Sequence[Family]) -> S:
    """Builds the settings of a fine-tuning run from parsed flags; raises as `build_classification_settings`."""
    flags.require()
    values = training_values(flags, settings_class, families)
    values["try_learning_rates"] = _rates_of(flags.try_learning_rates)
    settings = settings_class(**values)
    _check_trials(settings)
    if settings.predict_file and not settings.do_predict:
        raise UsageError("--predict_file needs --do_predict=True")
    if settings.do_train and settings.num_train_epochs <= 0:
        raise UsageError("--num_train_epochs must be over 0 to train")
    return settings


def _rates_of(text: Optional[str]) -> Tuple[float, ...]:
    if text is None:
        return ()
    rates = []
    for part in text.split(","):
        try:
            rates.append(float(part))
        except ValueError:
            rates.append(0.0)
        if not 0.0 < rates[-1] < 1.0:
            raise UsageError(
                "--try_learning_rates takes rates over 0 and under 1, separated by commas (2e-5,1e-4), not '{}'".format(
                    part.strip()
                )
            )
    return tuple(dict.fromkeys(rates))


def _check_trials(settings: FineTuningSettings) -> None:
    if not settings.try_learning_rates:
        return
    if not (settings.do_train and settings.do_eval):
        raise UsageError(
            "--try_learning_rates needs --do_train=True and --do_eval=True: the dev split says which is best"
        )
    if settings.devices.cluster:
        raise UsageError("--try_learning_rates is for one machine: try them on one, then train on all with the best")
