"""A fine-tuning run of either family: train, evaluate every checkpoint, keep the best, predict with it."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional

import checkpoint
import classification
import classification_answers
import metrics_file
import model_folder
import optimization
import run_model
import submission
import task_flags
import training_observer
import training_presets
import training_resume
import training_run
from command_line import Flags, UsageError
from data_position import DataPosition
from errors import UserError
from estimator_specs import TrainingSetup
from families import Family
from feature_cache import CachedFeatures, cached_features
from input_pipeline import classification_input_fn
from run_model import RunModel
from task_rows import Row
from task_splits import read_splits, split_path
from tasks import Task
from tokenization import FullTokenizer, check_vocab_size
from training_checkpoints import latest_checkpoint, saved_checkpoints
from training_evaluation import Evaluator, Goal, Results
from training_observer import TrainingObserver

_log = logging.getLogger(__name__)

CACHE_FOLDER = "features"
EVAL_RESULTS = "eval_results"
TEST_RESULTS = "test_results"
DEV_EVALUATIONS = "dev_evaluations.json"  # of every checkpoint
REPORTS_FOLDER = "reports"  # of every checkpoint on the dev split, and of the test split
_EVAL_PREFIX = "eval_"


class Run(NamedTuple):
    """What all phases of a run share."""

    flags: Flags
    family: Family
    model: RunModel
    task: Task
    tokenizer: FullTokenizer
    use_pooled_output: bool


class Split(NamedTuple):
    """A split of the task's data."""

    rows: List[Row]
    features: CachedFeatures


def declare_flags(flags: Flags, family: Family) -> None:
    """The flags that both fine-tuning runners share; each adds those whose published defaults differ."""
    training_run.declare_flags(flags)
    flags.string(family.config_flag, None, "the model's JSON file; by default that of --init_checkpoint")
    task_flags.declare_flags(flags)
    flags.string("vocab_file", None, "the WordPiece vocabulary, one token per line; by default --init_checkpoint's")
    flags.string("spm_model_file", None, "a sentencepiece model, used in place of the vocabulary")
    flags.boolean("do_lower_case", True, "lower-case the text and drop accents")
    flags.boolean("use_pooled_output", True, "classify the pooler's first token; False: the mean of all tokens")
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
    flags.integer("keep_checkpoint_max", 20, "checkpoints to keep for evaluation; 0 keeps all", minimum=0)
    flags.choice("optimizer", "adamw", optimization.OPTIMIZERS, "how weights move")
    flags.boolean("bucket_by_length", True, "batch rows of like length together (not on TPU)")


def run(flags: Flags, family: Family) -> None:
    """Checks, trains, evaluates, predicts and says what was done."""
    task_flags.check_flags(flags)
    flags.require("output_dir")
    if not (flags.do_train or flags.do_eval or flags.do_predict):
        raise UsageError("nothing to do: give --do_train=True, --do_eval=True, --do_predict=True or several")
    task = task_flags.find_task(flags)
    model = run_model.find_model(flags, family)
    training_run.check_max_seq_length(flags, model.config)
    if flags.do_train and flags.num_train_epochs <= 0:
        raise UsageError("--num_train_epochs must be over 0 to train")
    if flags.do_train:
        training_run.check_training(flags)
    if not training_run.takes_part(flags):
        return
    tokenizer = _tokenizer(flags, model)
    check_vocab_size(tokenizer, model.config.vocab_size, model.config_file or "the checkpoint")
    this = Run(flags, family, model, task, tokenizer, _use_pooled_output(flags, model))
    rows = read_splits(task, flags.data_dir, _needed_splits(flags))
    if flags.do_train:
        values = training_presets.fine_tuning_values(hidden_size=model.config.hidden_size)
        training_presets.apply(flags, values, model.config.hidden_size)
    training_run.prepare_output_dir(flags)
    _describe_output(this)
    advice = training_observer.advice(flags, model.config.hidden_size, "warmup_proportion")
    is_chief = training_run.is_chief(flags)
    with training_run.explained_errors(flags.output_dir, advice), training_resume.training_folder(flags, is_chief):
        dev = _with_features(this, "dev", rows["dev"]) if flags.do_eval else None
        evaluator = _evaluator(this, dev) if dev else None
        observer = (
            train(this, _with_features(this, "train", rows["train"]), advice, evaluator) if flags.do_train else None
        )
        best = evaluate(this, dev, evaluator) if evaluator else None
        if flags.do_predict:
            predict(this, _with_features(this, "test", rows["test"]), best)
    if observer:
        observer.say_what_was_done()
    if is_chief:
        training_observer.say_where_it_is(flags.output_dir, evaluator)
        _say_what_next(flags)


def _tokenizer(flags: Flags, model: RunModel) -> FullTokenizer:
    """What the flags name, else what stands beside the checkpoint."""
    is_named = flags.vocab_file or flags.spm_model_file
    files = flags if is_named else model
    if not (files.vocab_file or files.spm_model_file):
        raise UsageError("--vocab_file must be given (or --spm_model_file): no vocabulary stands beside the model")
    do_lower_case = flags.value_or("do_lower_case", model.do_lower_case)
    return FullTokenizer(files.vocab_file, do_lower_case, files.spm_model_file)


def _use_pooled_output(flags: Flags, model: RunModel) -> bool:
    """The flag's value, else the model folder's; what the output folder's checkpoints were trained with is final."""
    is_resumed = latest_checkpoint(flags.output_dir) is not None
    trained = model_folder.read_description(flags.output_dir) if is_resumed else None
    if trained is None:
        return flags.value_or("use_pooled_output", model.use_pooled_output)
    if trained.use_pooled_output != flags.value_or("use_pooled_output", trained.use_pooled_output):
        raise UserError(
            "the checkpoints in {} were trained with --use_pooled_output={}: give another --output_dir".format(
                flags.output_dir, trained.use_pooled_output
            )
        )
    return trained.use_pooled_output


def _needed_splits(flags: Flags) -> List[str]:
    phases = (("train", flags.do_train), ("dev", flags.do_eval), ("test", flags.do_predict))
    return [split for split, is_asked in phases if is_asked]


def _describe_output(this: Run) -> None:
    config_path = this.model.config_file or run_model.keep_config(this.model, this.flags.output_dir)
    vocab_path = this.tokenizer.vocab_file
    description = model_folder.ModelFolder(
        task=this.task.name,
        labels=this.task.labels,
        family=this.family.name,
        config_file=os.path.basename(config_path),
        vocab_file=os.path.basename(vocab_path),
        do_lower_case=this.tokenizer.basic_tokenizer.do_lower_case,
        max_seq_length=this.flags.max_seq_length,
        is_sentencepiece=this.tokenizer.is_sentencepiece,
        use_pooled_output=this.use_pooled_output,
    )
    model_folder.describe(this.flags.output_dir, description, config_path=config_path, vocab_path=vocab_path)


def _with_features(this: Run, split: str, rows: List[Row]) -> Split:
    features = cached_features(
        rows,
        task=this.task,
        split=split,
        source_files=[split_path(this.task, this.flags.data_dir, split)],
        tokenizer=this.tokenizer,
        max_seq_length=this.flags.max_seq_length,
        cache_dir=os.path.join(this.flags.output_dir, CACHE_FOLDER),
    )
    return Split(rows, features)


def _estimator(this: Run, setup: TrainingSetup, predict_batch_size: Optional[int] = None) -> Any:
    flags, task = this.flags, this.task
    classifier = classification.Classifier(
        this.family, this.model.config, len(task.labels), this.use_pooled_output, flags.use_tpu, task.num_choices > 0
    )
    return training_run.make_estimator(
        flags,
        classification.build_model_fn(classifier, setup),
        train_batch_size=flags.train_batch_size,
        eval_batch_size=flags.eval_batch_size,
        predict_batch_size=predict_batch_size,
        save_checkpoints_steps=flags.save_checkpoints_steps,
        keep_checkpoint_max=flags.keep_checkpoint_max,
        is_training=setup.optimizer is not None,
    )


def _input_fn(
    this: Run,
    features: CachedFeatures,
    is_training: bool,
    position: DataPosition = DataPosition(),  # noqa: B008 (immutable)
) -> Any:
    return classification_input_fn(
        features.path,
        num_rows=features.num_rows,
        max_seq_length=this.flags.max_seq_length * max(1, this.task.num_choices),
        is_training=is_training,
        seed=this.flags.seed + position.seed_offset,
        bucket_by_length=this.flags.bucket_by_length,
        static_shapes=this.flags.use_tpu,
        start_step=position.start_step,
    )


def _training_input_fn(this: Run, features: CachedFeatures) -> Any:
    """The training rows from the place on that the run has reached in them."""
    names = ("train_batch_size", "bucket_by_length", "use_tpu", "seed")
    return training_resume.resuming_input_fn(
        this.flags.output_dir,
        {
            "the training rows": os.path.basename(features.path),  # it names data, vocabulary and settings
            **{"--" + name: getattr(this.flags, name) for name in names},
        },
        training_run.is_chief(this.flags),
        lambda position: _input_fn(this, features, True, position),
    )


def train(this: Run, split: Split, advice: str, evaluator: Optional[Evaluator]) -> TrainingObserver:
    """Fine-tunes up to the last step, from the folder's last checkpoint where there is one; returns what watched it."""
    flags = this.flags
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
    setup = training_run.training_setup(flags, optimizer, observer)
    observer.train(_estimator(this, setup), _training_input_fn(this, split.features))
    return observer


def _evaluator(this: Run, split: Split) -> Evaluator:
    """What measures checkpoints on the dev split, and keeps the one that is the best by the task's metric."""
    return Evaluator(
        this.flags.output_dir,
        name="dev",
        data=[os.path.basename(split.features.path), this.task.metric],  # the name tells rows, vocabulary and settings
        goal=Goal(_EVAL_PREFIX + this.task.metric, is_higher_better=True),
        measure=lambda prefix: _measure(this, split, TrainingSetup(use_tpu=this.flags.use_tpu), prefix),
    )


def evaluate(this: Run, split: Split, evaluator: Evaluator) -> Optional[str]:
    """Evaluates what is left of the saved checkpoints; returns the prefix of the best, in <output_dir>/best.

    Where nothing was trained, the starting weights are evaluated and None is returned.
    """
    flags = this.flags
    prefixes = saved_checkpoints(flags.output_dir)
    if not prefixes:
        start = training_run.starting_checkpoint(flags)
        _log.info("%s holds no checkpoint: evaluating %s.", flags.output_dir, start or "random weights")
        results = _measure(this, split, TrainingSetup(init_checkpoint=start, use_tpu=flags.use_tpu), None)
        training_run.write_results(flags.output_dir, EVAL_RESULTS, results)
        _log.info("dev: %s", metrics_file.text_of(results))
        return None
    # Where the user said how often to evaluate, only the last is left to do.
    for prefix in prefixes[-1:] if flags.do_train and flags.eval_every_steps else prefixes:
        evaluator.evaluate(prefix)
    known = {"model.ckpt-{}".format(results["global_step"]): results for results in evaluator.known()}
    training_run.write_figures(os.path.join(flags.output_dir, DEV_EVALUATIONS), known)
    training_run.write_results(flags.output_dir, EVAL_RESULTS, evaluator.best())
    best = evaluator.keep_best()
    _log.info("Best of %d checkpoints: %s", len(known), best)
    return best


def _measure(this: Run, split: Split, setup: TrainingSetup, prefix: Optional[str]) -> Results:
    """The figures of a checkpoint on the dev split; the rest that is to be told of it goes into a report."""
    answers = _answers(this, split, setup, prefix, this.flags.eval_batch_size)
    results = _score(this, split, answers, "dev-" + (os.path.basename(prefix) if prefix else "start"), _EVAL_PREFIX)
    return dict(results, global_step=checkpoint.step_of(prefix) if prefix else 0)


def _score(this: Run, split: Split, answers: Any, report: str, prefix: str = "") -> Dict[str, float]:
    path = os.path.join(this.flags.output_dir, REPORTS_FOLDER, report + ".tsv")
    return classification_answers.score(this.task, split.rows, answers, report_path=path, prefix=prefix)


def _answers(this: Run, split: Split, setup: TrainingSetup, prefix: Optional[str], batch_size: int) -> Any:
    """The logarithms of the labels' probabilities [rows, labels] in file order."""
    return classification_answers.log_probabilities(
        _estimator(this, setup, batch_size),
        _input_fn(this, split.features, is_training=False),
        num_rows=split.features.num_rows,
        num_labels=len(this.task.labels),
        prefix=prefix,
    )


def predict(this: Run, split: Split, best: Optional[str]) -> None:
    """Predicts the test split: its submission and the labels' probabilities, each a line per row in file order."""
    flags = this.flags
    prefix = best or _checkpoint_for_prediction(flags)
    answers = _answers(this, split, TrainingSetup(use_tpu=flags.use_tpu), prefix, flags.predict_batch_size)
    path, handed_in = (os.path.join(flags.output_dir, name) for name in (TEST_RESULTS, submission.file_name(this.task)))
    classification_answers.write_probabilities(path + ".tsv", answers)
    submission.write(handed_in, this.task, split.rows, answers.argmax(axis=1).tolist())
    message = "Predictions of %s for %d rows: %s.tsv; submission, checked (rows, ids, labels): %s"
    _log.info(message, os.path.basename(prefix), len(split.rows), path, handed_in)
    results = _score(this, split, answers, "test")
    if results:
        training_run.write_results(flags.output_dir, TEST_RESULTS, results)
        _log.info("test: %s", metrics_file.text_of(results))


def _checkpoint_for_prediction(flags: Flags) -> str:
    """The best checkpoint of an earlier evaluation, else the last."""
    best = os.path.join(flags.output_dir, model_folder.BEST_FOLDER)
    if os.path.isdir(best):
        return checkpoint.find_checkpoint(best)
    latest = latest_checkpoint(flags.output_dir)
    if latest:
        return latest
    raise UserError("{} holds no checkpoint to predict with: train first (--do_train=True)".format(flags.output_dir))


def _say_what_next(flags: Flags) -> None:
    best = os.path.join(flags.output_dir, model_folder.BEST_FOLDER)
    if os.path.isdir(best):
        _log.info("Next: python similarity.py --model_dir=%s", best)
