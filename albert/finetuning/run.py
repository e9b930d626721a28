"""A fine-tuning run of any kind of task: train, evaluate every checkpoint, keep the best, predict with it."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Type

import optimization
from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError
from albert.batches import length_buckets
from albert.batches.pipeline import fine_tuning_input_fn
from albert.batches.position import DataPosition
from albert.checkpoints.description import ModelFolder, best_folder
from albert.checkpoints.families import Family
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.folder import Companions, write_companions
from albert.checkpoints.training_folder import latest_checkpoint, saved_checkpoints
from albert.checkpoints.values import step_of
from albert.finetuning.feature_cache import CachedFeatures, cached_features
from albert.finetuning.model_fn import record_answers
from albert.finetuning.problem import Problem, Run, Split
from albert.monitor.evaluation import Evaluator, Goal, Results
from albert.monitor.figures import text_of
from albert.monitor.observer import TrainingObserver, save_each_epoch, say_where_it_is, training_advice
from albert.tasks.splits import split_path
from albert.training import run_model
from albert.training.presets import apply_preset, fine_tuning_values
from albert.training.resume import resuming_input_fn, training_folder
from albert.training.run import (
    check_max_seq_length,
    check_training,
    declare_training_flags,
    explained_errors,
    is_chief_process,
    make_estimator,
    prepare_output_dir,
    save_run_config,
    starting_checkpoint,
    takes_part,
    training_setup,
    write_figures,
    write_results,
)
from albert.training.run_model import RunModel
from albert.training.step import TrainingSetup
from tokenization import FullTokenizer, check_vocab_size

_log = logging.getLogger(__name__)

CACHE_FOLDER = "features"
EVAL_RESULTS = "eval_results"
TEST_RESULTS = "test_results"
DEV_EVALUATIONS = "dev_evaluations.json"  # of every checkpoint
REPORTS_FOLDER = "reports"  # of every checkpoint on the dev split, and of the test split
_EVAL_PREFIX = "eval_"


def declare_fine_tuning_flags(flags: Flags, families: Sequence[Family]) -> None:
    """The flags that all fine-tuning runners share; each adds those whose published defaults differ."""
    declare_training_flags(flags)
    for family in families:
        help_text = "the JSON file of a model of the {} family; by default that of --init_checkpoint"
        flags.string(family.config_flag, None, help_text.format(family.name))
    flags.string("vocab_file", None, "the WordPiece vocabulary, one token per line; by default --init_checkpoint's")
    flags.string("spm_model_file", None, "a sentencepiece model, used in place of the vocabulary")
    flags.boolean("do_lower_case", True, "lower-case the text and drop accents")
    flags.boolean("do_train", False, "fine-tune on the train split")
    flags.boolean("do_eval", False, "evaluate each saved checkpoint on the dev split and keep the best")
    flags.boolean("do_predict", False, "predict the test split with the best checkpoint")
    flags.integer("train_batch_size", 32, "rows per step", minimum=1)
    flags.integer("eval_batch_size", 8, "rows per evaluation step", minimum=1)
    flags.integer("predict_batch_size", 8, "rows per prediction step", minimum=1)
    flags.float("learning_rate", 5e-5, "the learning rate at its peak", minimum=0.0)
    flags.float("num_train_epochs", 3.0, "passes over the train split", minimum=0.0)
    flags.float("warmup_proportion", 0.1, "the share of the steps in which the learning rate rises", 0.0, 1.0)
    flags.integer("save_checkpoints_steps", 1000, "steps between two checkpoints", minimum=1)
    flags.boolean("eval_each_epoch", False, "save and evaluate at each epoch's end, not by --save_checkpoints_steps")
    flags.integer("keep_checkpoint_max", 20, "checkpoints to keep for evaluation; 0 keeps all", minimum=0)
    flags.choice("optimizer", "adamw", optimization.OPTIMIZERS, "how weights move")
    flags.boolean("bucket_by_length", True, "batch rows of like length together (not on TPU)")


def run_fine_tuning(flags: Flags, find_family: Callable[[Flags], Family], kind: Type[Problem]) -> None:
    """Checks, trains, evaluates, predicts and says what was done.

    Args:
      flags: of the command.
      find_family: tells the family of the model that the flags name.
      kind: of the task.
    """
    task = kind.find_task(flags)
    family = find_family(flags)
    model = run_model.find_model(flags, family)
    check_max_seq_length(flags, model.config)
    if flags.do_train and flags.num_train_epochs <= 0:
        raise UsageError("--num_train_epochs must be over 0 to train")
    if flags.do_train:
        check_training(flags)
    if not takes_part(flags):
        return
    tokenizer = _tokenizer(flags, model)
    check_vocab_size(tokenizer, model.config.vocab_size, model.config_file or "the checkpoint")
    problem = kind(Run(flags, family, model, task, tokenizer))
    rows = problem.read_splits(_needed_splits(flags))
    if flags.do_train:
        values = fine_tuning_values(hidden_size=model.config.hidden_size)
        apply_preset(flags, values, model.config.hidden_size)
    prepare_output_dir(flags)
    _describe_output(problem)
    advice = training_advice(flags, model.config.hidden_size, "warmup_proportion")
    is_chief = is_chief_process(flags)
    with explained_errors(flags.output_dir, advice), training_folder(flags, is_chief):
        observer, evaluator = _run_phases(problem, rows, advice)
    if observer:
        observer.say_what_was_done()
    if is_chief:
        say_where_it_is(flags.output_dir, evaluator)
        _say_what_next(problem)


def _run_phases(
    problem: Problem, rows: Dict[str, List[Any]], advice: str
) -> Tuple[Optional[TrainingObserver], Optional[Evaluator]]:
    """Trains, evaluates and predicts as the flags ask; returns what watched the training, and what evaluated."""
    flags, task = problem.run.flags, problem.run.task
    dev = _with_features(problem, "dev", rows["dev"]) if flags.do_eval else None
    training = _with_features(problem, "train", rows["train"]) if flags.do_train else None
    if training and flags.eval_each_epoch:
        save_each_epoch(flags, training.features.num_rows)
    save_run_config(flags, [split_path(task, flags.data_dir, split) for split in rows])
    evaluator = _evaluator(problem, dev) if dev else None
    observer = train(problem, training, advice, evaluator) if training else None
    best = evaluate(problem, dev, evaluator) if evaluator else None
    if flags.do_predict:
        predict(problem, _with_features(problem, "test", rows["test"]), best)
    return observer, evaluator


def check_fine_tuning_flags(flags: Flags) -> None:
    """Raises `UsageError` unless the flags name a folder and a phase."""
    flags.require("output_dir")
    if not (flags.do_train or flags.do_eval or flags.do_predict):
        raise UsageError("nothing to do: give --do_train=True, --do_eval=True, --do_predict=True or several")


def _tokenizer(flags: Flags, model: RunModel) -> FullTokenizer:
    """What the flags name, else what stands beside the checkpoint."""
    is_named = flags.vocab_file or flags.spm_model_file
    files = flags if is_named else model
    if not (files.vocab_file or files.spm_model_file):
        raise UsageError("--vocab_file must be given (or --spm_model_file): no vocabulary stands beside the model")
    do_lower_case = flags.value_or("do_lower_case", model.do_lower_case)
    return FullTokenizer(files.vocab_file, do_lower_case, files.spm_model_file)


def _needed_splits(flags: Flags) -> List[str]:
    phases = (("train", flags.do_train), ("dev", flags.do_eval), ("test", flags.do_predict))
    return [split for split, is_asked in phases if is_asked]


def _describe_output(problem: Problem) -> None:
    flags, family, model, task, tokenizer = problem.run
    description = ModelFolder(
        task=task.name,
        labels=task.labels,
        family=family.name,
        config_file=model.config_name,
        vocab_file=os.path.basename(tokenizer.vocab_file),
        do_lower_case=tokenizer.basic_tokenizer.do_lower_case,
        max_seq_length=flags.max_seq_length,
        is_sentencepiece=tokenizer.is_sentencepiece,
        **problem.description(),
    )
    companions = Companions(model.config, vocab_file=tokenizer.vocab_file, description=description)
    write_companions(flags.output_dir, companions)


def _with_features(problem: Problem, split: str, rows: List[Any]) -> Split:
    flags, task = problem.run.flags, problem.run.task
    features = cached_features(
        rows,
        encoder=problem.encoder(),
        split=split,
        source_files=[split_path(task, flags.data_dir, split)],
        cache_dir=os.path.join(flags.output_dir, CACHE_FOLDER),
    )
    return Split(rows, features)


def _estimator(problem: Problem, setup: TrainingSetup, predict_batch_size: Optional[int] = None) -> Any:
    flags = problem.run.flags
    return make_estimator(
        flags,
        problem.build_model_fn(setup),
        train_batch_size=flags.train_batch_size,
        eval_batch_size=flags.eval_batch_size,
        predict_batch_size=predict_batch_size,
        save_checkpoints_steps=flags.save_checkpoints_steps,
        keep_checkpoint_max=flags.keep_checkpoint_max,
        is_training=setup.optimizer is not None,
    )


def _input_fn(
    problem: Problem,
    features: CachedFeatures,
    is_training: bool,
    position: DataPosition = DataPosition(),  # noqa: B008 (immutable)
) -> Callable[..., Any]:
    flags = problem.run.flags
    return fine_tuning_input_fn(
        features.path,
        problem.encoder().features,
        num_rows=features.num_rows,
        max_seq_length=problem.max_record_length,
        is_training=is_training,
        seed=flags.seed + position.seed_offset,
        bucket_by_length=flags.bucket_by_length,
        # Each shape is compiled anew: without buckets there is one.
        static_shapes=flags.use_tpu or (is_training and flags.use_xla and not flags.bucket_by_length),
        start_step=position.start_step,
    )


def _training_input_fn(problem: Problem, features: CachedFeatures) -> Any:
    """The training rows from the place on that the run has reached in them."""
    flags = problem.run.flags
    names = ("train_batch_size", "bucket_by_length", "use_tpu", "seed")
    return resuming_input_fn(
        flags.output_dir,
        {
            "the training rows": os.path.basename(features.path),  # it names data, vocabulary and settings
            **{"--" + name: getattr(flags, name) for name in names},
            **({"the order of buckets": length_buckets.ORDER_VERSION} if flags.bucket_by_length else {}),
        },
        is_chief_process(flags),
        lambda position: _input_fn(problem, features, True, position),
    )


def train(problem: Problem, split: Split, advice: str, evaluator: Optional[Evaluator]) -> TrainingObserver:
    """Fine-tunes up to the last step, from the folder's last checkpoint where there is one; returns what watched it."""
    flags = problem.run.flags
    steps = max(1, int(split.features.num_rows / flags.train_batch_size * flags.num_train_epochs))
    warmup_steps = int(steps * flags.warmup_proportion)
    observer = TrainingObserver(flags, total_steps=steps, warmup_steps=warmup_steps, advice=advice, evaluator=evaluator)
    optimizer = optimization.OptimizerSettings(
        learning_rate=flags.learning_rate,
        num_train_steps=steps,
        num_warmup_steps=warmup_steps,
        optimizer=flags.optimizer,
    )
    if flags.eval_every_steps == 0 and 0 < flags.keep_checkpoint_max < steps // flags.save_checkpoints_steps:
        _log.info(
            "Only the last %d checkpoints are kept and evaluated (--keep_checkpoint_max).", flags.keep_checkpoint_max
        )
    setup = training_setup(flags, optimizer, observer)
    observer.train(_estimator(problem, setup), _training_input_fn(problem, split.features))
    return observer


def _evaluator(problem: Problem, split: Split) -> Evaluator:
    """What measures checkpoints on the dev split, and keeps the one that is the best by the task's metric."""
    flags, metric = problem.run.flags, problem.run.task.metric
    return Evaluator(
        flags.output_dir,
        name="dev",
        # The file's name tells rows, vocabulary and settings.
        data=[os.path.basename(split.features.path), metric] + problem.answer_settings(),
        goal=Goal(_EVAL_PREFIX + metric, is_higher_better=True),
        measure=lambda prefix: _measure(problem, split, TrainingSetup(use_tpu=flags.use_tpu), prefix),
    )


def evaluate(problem: Problem, split: Split, evaluator: Evaluator) -> Optional[str]:
    """Evaluates what is left of the saved checkpoints; returns the prefix of the best, in <output_dir>/best.

    Where nothing was trained, the starting weights are evaluated and None is returned.
    """
    flags = problem.run.flags
    prefixes = saved_checkpoints(flags.output_dir)
    if not prefixes:
        start = starting_checkpoint(flags)
        _log.info("%s holds no checkpoint: evaluating %s.", flags.output_dir, start or "random weights")
        results = _measure(problem, split, TrainingSetup(init_checkpoint=start, use_tpu=flags.use_tpu), None)
        write_results(flags.output_dir, EVAL_RESULTS, results)
        _log.info("dev: %s", text_of(results))
        return None
    # Where the user said how often to evaluate, only the last is left to do.
    for prefix in prefixes[-1:] if flags.do_train and flags.eval_every_steps else prefixes:
        evaluator.evaluate(prefix)
    known = {"model.ckpt-{}".format(results["global_step"]): results for results in evaluator.known()}
    write_figures(os.path.join(flags.output_dir, DEV_EVALUATIONS), known)
    write_results(flags.output_dir, EVAL_RESULTS, evaluator.best())
    best = evaluator.keep_best()
    _log.info("Best of %d checkpoints: %s", len(known), best)
    return best


def _measure(problem: Problem, split: Split, setup: TrainingSetup, prefix: Optional[str]) -> Results:
    """The figures of a checkpoint on the dev split; the rest that is to be told of it goes into a report."""
    answers = _answers(problem, split, setup, prefix, problem.run.flags.eval_batch_size)
    report = _report_path(problem, "dev-" + (os.path.basename(prefix) if prefix else "start"))
    results = problem.score(split, answers, report_path=report, prefix=_EVAL_PREFIX)
    return dict(results, global_step=step_of(prefix) if prefix else 0)


def _report_path(problem: Problem, name: str) -> str:
    return os.path.join(problem.run.flags.output_dir, REPORTS_FOLDER, name + ".tsv")


def _answers(problem: Problem, split: Split, setup: TrainingSetup, prefix: Optional[str], batch_size: int) -> Any:
    return record_answers(
        _estimator(problem, setup, batch_size),
        _input_fn(problem, split.features, is_training=False),
        num_records=split.features.num_rows,
        prefix=prefix,
    )


def predict(problem: Problem, split: Split, best: Optional[str]) -> None:
    """Predicts the test split and writes what is handed in; scores it where its rows say what is right."""
    flags = problem.run.flags
    prefix = best or _checkpoint_for_prediction(flags)
    answers = _answers(problem, split, TrainingSetup(use_tpu=flags.use_tpu), prefix, flags.predict_batch_size)
    written = problem.write_predictions(split, answers)
    _log.info("Predictions of %s for %s rows: %s", os.path.basename(prefix), format(len(split.rows), ","), written)
    results = problem.score(split, answers, report_path=_report_path(problem, "test"))
    if results:
        write_results(flags.output_dir, TEST_RESULTS, results)
        _log.info("test: %s", text_of(results))


def _checkpoint_for_prediction(flags: Flags) -> str:
    """The best checkpoint of an earlier evaluation, else the last."""
    best = best_folder(flags.output_dir)
    if os.path.isdir(best):
        return find_checkpoint(best)
    latest = latest_checkpoint(flags.output_dir)
    if latest:
        return latest
    raise UserError("{} holds no checkpoint to predict with: train first (--do_train=True)".format(flags.output_dir))


def _say_what_next(problem: Problem) -> None:
    best = best_folder(problem.run.flags.output_dir)
    command = problem.next_command(best) if os.path.isdir(best) else None
    if command:
        _log.info("Next: %s", command)
