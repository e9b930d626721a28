"""Fine-tuning run of any kind of task: train, evaluate every checkpoint, keep the best, predict with it."""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Type

import optimization
from albert.base.errors import UsageError, UserError
from albert.batches import length_buckets
from albert.batches.pipeline import fine_tuning_input_fn
from albert.batches.position import DataPosition
from albert.checkpoints.card import next_command
from albert.checkpoints.description import ModelFolder, best_folder, read_description, write_description
from albert.checkpoints.families import Family
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.folder import Companions, write_companions
from albert.checkpoints.training_folder import latest_checkpoint, saved_checkpoints
from albert.checkpoints.values import step_of
from albert.files.reading import describe_files
from albert.finetuning.feature_cache import CachedFeatures, cached_features
from albert.finetuning.learning_watch import LearningWatch, Schedule
from albert.finetuning.model_fn import build_fine_tuning_model_fn, record_answers
from albert.finetuning.problem import FineTuningRun, FoldAnswers, Problem, Split, results_name
from albert.finetuning.rate_trials import TrialPlan, with_best_rate
from albert.finetuning.settings import FineTuningSettings
from albert.inference.model_files import TENSORFLOW
from albert.inference.open_model import open_model
from albert.inference.predict_command import predict_file
from albert.monitor.evaluation import Evaluator
from albert.monitor.figures import write_figures, write_results
from albert.monitor.goal import Goal, Results
from albert.monitor.guards import divergence_advice
from albert.monitor.observer import TrainingObserver
from albert.monitor.summary import log_best, log_files
from albert.tasks.task import Task
from albert.training import plausible, run_model
from albert.training.estimator import make_estimator
from albert.training.output_folder import check_output_dir
from albert.training.presets import apply_preset, fine_tuning_values
from albert.training.resume import resuming_input_fn, training_folder
from albert.training.run import (
    check_max_seq_length,
    check_training,
    explained_errors,
    make_observer,
    prepare_output_dir,
    save_run_config,
    settings_of_worker,
    starting_checkpoint,
    training_setup,
)
from albert.training.run_model import RunModel
from albert.training.step import TrainingSetup
from tokenization import FullTokenizer, check_vocab_size

_log = logging.getLogger(__name__)

CACHE_FOLDER = "features"
EVAL_RESULTS = "eval_results"
DEV_EVALUATIONS = "dev_evaluations.json"  # of every checkpoint
OWN_PREDICTIONS = "_predict.jsonl"  # of a file of one's own, behind its name
REPORTS_FOLDER = "reports"  # of every checkpoint on the dev split, and of the test split
MISTAKES = "dev-mistakes"  # of the best checkpoint, among the reports
_EVAL_PREFIX = "eval_"


def run_fine_tuning(settings: FineTuningSettings, kind: Type[Problem], family: Optional[Family] = None) -> None:
    """Checks, trains, evaluates, predicts and says what was done.

    Args:
      settings: of the run.
      kind: of the task.
      family: of the model; None for that of the model which the settings name.

    Raises:
      UserError: something does not fit; the sentence says what, where and what to do.
    """
    check_output_dir(settings.output_dir, kind.head)
    task = kind.find_task(settings)
    family = family or run_model.find_family(settings)
    model = run_model.find_model(settings, family)
    check_max_seq_length(settings, model.config)
    if settings.do_train:
        check_training(settings)
    own = settings_of_worker(settings)
    if own is None:
        return
    if own.do_train:
        values = fine_tuning_values(hidden_size=model.config.hidden_size)
        own = apply_preset(own, values, model.config.hidden_size)
    problem, rows = _prepared(kind, own, family, model, task)
    advice = divergence_advice(
        hidden_size=model.config.hidden_size,
        learning_rate=own.learning_rate,
        warmup="--warmup_proportion={:g}".format(own.warmup_proportion),
    )
    if _has_folds(own):
        problem.train_folds(rows, lambda fold, its_rows: _train_fold(fold, its_rows, advice))
        return
    is_keeper = own.do_train and own.is_chief
    with explained_errors(own.output_dir, advice), training_folder(own.output_dir, is_keeper=is_keeper):
        done = _run_phases(problem, rows, advice)
    _say_what_was_done(own, done)


class _Done(NamedTuple):
    """What a run has done.

    Attributes:
      observer: of training; None where nothing was trained.
      evaluator: of the dev split; None without evaluation.
      watch: over what was learned.
      mistakes: words on the table of the dev rows that went wrong; None without one.
    """

    observer: Optional[TrainingObserver]
    evaluator: Optional[Evaluator]
    watch: LearningWatch
    mistakes: Optional[str] = None


class _BestAnswers:
    """Answers on the dev split of the best checkpoint that this process has evaluated."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal
        self._results: Results = {}
        self._answers: List[Any] = []

    def offer(self, results: Results, answers: List[Any]) -> None:
        """Keeps the answers of a checkpoint if none before was better."""
        if not self._results or self._goal.rank(results) > self._goal.rank(self._results):
            self._results, self._answers = results, answers

    def of(self, step: int) -> Optional[List[Any]]:
        """The answers of the checkpoint of a step; None where they are not kept."""
        return self._answers if self._results.get("global_step") == step else None


def _say_what_was_done(settings: FineTuningSettings, done: _Done) -> None:
    if settings.is_chief and done.evaluator:
        log_best(done.evaluator)
        done.watch.conclude(done.evaluator)
    if done.observer:
        done.observer.say_what_was_done()
    if settings.is_chief:
        log_files(settings.output_dir)
        if done.mistakes:
            _log.info("%s", done.mistakes)
        _say_what_next(settings.output_dir)


def _prepared(
    kind: Type[Problem], settings: FineTuningSettings, family: Family, model: RunModel, task: Task
) -> Tuple[Problem, Dict[str, List[Any]]]:
    """Reads the splits that the phases need; makes the output folder and describes the model in it."""
    tokenizer = _tokenizer(settings, model)
    check_vocab_size(tokenizer, model.config.vocab_size, model.config_file or "the checkpoint")
    run_model.check_label_order(model, task.labels, settings.do_train)
    problem = kind(FineTuningRun(settings, family, model, task, tokenizer))
    rows = problem.read_splits(_needed_splits(problem))
    prepare_output_dir(settings.output_dir)
    if not _has_folds(settings):  # whose models have folders of their own
        _describe_output(problem)
    return problem, rows


def _has_folds(settings: FineTuningSettings) -> bool:
    return bool(getattr(settings, "num_folds", None))


def _run_phases(problem: Problem, rows: Dict[str, List[Any]], advice: str) -> _Done:
    """Trains, evaluates and predicts as the settings ask."""
    settings = problem.run.settings
    dev = _with_features(problem, "dev", rows["dev"]) if settings.do_eval else None
    training = _with_features(problem, "train", rows["train"]) if settings.do_train else None
    if training and settings.eval_each_epoch:
        steps = -(-training.features.num_rows // settings.train_batch_size)
        settings = dataclasses.replace(settings, save_checkpoints_steps=steps)
        problem = problem.with_settings(settings)
    if training and dev and settings.try_learning_rates:
        settings = _with_best_rate(problem, training, dev, advice)
        problem = problem.with_settings(settings)
    data_files = [path for split in rows for path in problem.source_files(split)]
    save_run_config(settings, data_files + [path for paths in problem.training_files().values() for path in paths])
    watch = LearningWatch(settings, guessing_loss=problem.guessing_loss(training) if training else None)
    kept = _BestAnswers(_goal(problem))
    evaluator = _evaluator(problem, dev, watch, kept) if dev else None
    observer = train(problem, training, advice, evaluator, watch) if training else None
    best = evaluate(problem, dev, evaluator) if dev and evaluator else None
    mistakes = _conclude(problem, dev, best, kept) if dev and best and problem.concludes else None
    if settings.do_predict and settings.predict_file:
        predict_own_file(settings)
    elif settings.do_predict:
        name = problem.predicted_split
        known = {"train": training, "dev": dev}.get(name)
        predict(problem, known or _with_features(problem, name, rows[name]), best)
    return _Done(observer, evaluator, watch, mistakes)


def _conclude(problem: Problem, dev: Split, best: str, kept: _BestAnswers) -> Optional[str]:
    """Learns from the best checkpoint's answers how they become decisions, and writes what went wrong; says where."""
    settings = problem.run.settings
    answers = _dev_answers(problem, dev, best, kept)
    problem.fit(dev, answers)
    if not settings.is_chief:
        return None
    for folder in (settings.output_dir, os.path.dirname(best)):
        write_description(folder, _description(problem))
    path = _report_path(problem, MISTAKES)
    count = problem.write_mistakes(path, dev, answers)
    return None if count is None else "Dev rows that went wrong ({:,}), the worst first: {}".format(count, path)


def _dev_answers(problem: Problem, split: Split, prefix: str, kept: _BestAnswers) -> List[Any]:
    """A checkpoint's answers on the dev split: those that are kept, else new ones."""
    answers = kept.of(step_of(prefix))
    if answers is not None:
        return answers
    settings = problem.run.settings
    found: List[Any] = _answers(
        problem, split, TrainingSetup(use_tpu=settings.use_tpu), prefix, settings.eval_batch_size
    )
    return found


def _train_fold(problem: Problem, rows: Dict[str, List[Any]], advice: str) -> FoldAnswers:
    """Trains the model of a fold in its own folder; see `problem.TrainFold`."""
    settings = problem.run.settings
    prepare_output_dir(settings.output_dir)
    _describe_output(problem)
    with explained_errors(settings.output_dir, advice), training_folder(settings.output_dir, is_keeper=True):
        done = _run_phases(problem, rows, advice)
        prefix = best = done.evaluator.keep_best() if done.evaluator else None
        setup = TrainingSetup(use_tpu=settings.use_tpu)
        splits = {name: _with_features(problem, name, rows[name]) for name in rows if name != "train"}
        answers = {
            name: _answers(problem, split, setup, prefix, settings.predict_batch_size) for name, split in splits.items()
        }
    results = (done.evaluator.best() if done.evaluator and best else None) or {}
    return FoldAnswers(results, splits, answers)


def _with_best_rate(problem: Problem, training: Split, dev: Split, advice: str) -> FineTuningSettings:
    """Settings with the best of the learning rates to try, each of which is trained with for some steps."""

    def run_trial(settings: FineTuningSettings) -> Results:
        prepare_output_dir(settings.output_dir)
        trial = problem.with_settings(settings)
        with training_folder(settings.output_dir, is_keeper=True):
            train(trial, training, advice, None, LearningWatch(settings))
        prefix = latest_checkpoint(settings.output_dir)
        setup = TrainingSetup(use_tpu=settings.use_tpu)
        return _measure(trial, dev, setup, prefix)

    settings, baseline = problem.run.settings, problem.baseline(dev)
    plan = TrialPlan(settings, training.features.num_rows, _goal(problem), baseline)
    best: FineTuningSettings = with_best_rate(plan, run_trial)
    return best


def _goal(problem: Problem) -> Goal:
    return Goal(_EVAL_PREFIX + problem.run.task.metric, is_higher_better=True)


def _tokenizer(settings: FineTuningSettings, model: RunModel) -> FullTokenizer:
    """What the settings name, else what stands beside the checkpoint."""
    is_named = settings.vocab_file or settings.spm_model_file
    files: Any = settings if is_named else model
    if not (files.vocab_file or files.spm_model_file):
        raise UsageError("--vocab_file must be given (or --spm_model_file): no vocabulary stands beside the model")
    do_lower_case = settings.value_or("do_lower_case", model.do_lower_case)
    return FullTokenizer(files.vocab_file, do_lower_case, files.spm_model_file)


def _needed_splits(problem: Problem) -> List[str]:
    settings = problem.run.settings
    is_split_predicted = settings.do_predict and not settings.predict_file
    if _has_folds(settings):  # their dev splits are parts of the train split
        return ["train", problem.predicted_split] if is_split_predicted else ["train"]
    phases = (
        ("train", settings.do_train),
        ("dev", settings.do_eval),
        (problem.predicted_split, is_split_predicted),
    )
    return list(dict.fromkeys(split for split, is_asked in phases if is_asked))


def _describe_output(problem: Problem) -> None:
    settings, _, model, _, tokenizer = problem.run
    companions = Companions(model.config, vocab_file=tokenizer.vocab_file, description=_description(problem))
    write_companions(settings.output_dir, companions)


def _description(problem: Problem) -> ModelFolder:
    settings, family, model, task, tokenizer = problem.run
    return ModelFolder(
        task=task.name,
        labels=task.labels,
        family=family.name,
        config_file=model.config_name,
        vocab_file=os.path.basename(tokenizer.vocab_file),
        do_lower_case=tokenizer.basic_tokenizer.do_lower_case,
        max_seq_length=settings.max_seq_length,
        is_sentencepiece=tokenizer.is_sentencepiece,
        head=problem.head,
        **problem.description(),
    )


def _with_features(problem: Problem, split: str, rows: List[Any]) -> Split:
    features = cached_features(
        rows,
        encoder=problem.encoder(split),
        split=split,
        source_files=problem.source_files(split),
        cache_dir=os.path.join(problem.run.settings.output_dir, CACHE_FOLDER),
    )
    return Split(rows, features)


def _estimator(problem: Problem, setup: TrainingSetup, predict_batch_size: Optional[int] = None) -> Any:
    settings = problem.run.settings
    return make_estimator(
        settings,
        build_fine_tuning_model_fn(problem.objective, problem.answers, setup),
        predict_batch_size=predict_batch_size,
        is_training=setup.optimizer is not None,
    )


def _input_fn(
    problem: Problem,
    features: CachedFeatures,
    is_training: bool,
    position: DataPosition = DataPosition(),  # noqa: B008 (immutable)
) -> Callable[..., Any]:
    settings = problem.run.settings
    input_fn = fine_tuning_input_fn(
        features.path,
        problem.encoder("train" if is_training else "dev").features,
        num_rows=features.num_rows,
        max_seq_length=problem.max_record_length,
        is_training=is_training,
        seed=settings.seed + position.seed_offset,
        bucket_by_length=settings.bucket_by_length,
        # Each shape is compiled again: without buckets there is one.
        static_shapes=settings.use_tpu or (is_training and settings.use_xla and not settings.bucket_by_length),
        start_step=position.start_step,
    )
    return (lambda params: problem.training_batches(input_fn(params))) if is_training else input_fn


def _training_input_fn(problem: Problem, features: CachedFeatures) -> Any:
    """The training rows from the place on that the run has reached in them."""
    settings = problem.run.settings
    names = ("train_batch_size", "bucket_by_length", "use_tpu", "seed")
    files = {
        "--" + flag: [description["sha256"] for description in describe_files(paths)]
        for flag, paths in problem.training_files().items()
    }
    return resuming_input_fn(
        settings.output_dir,
        {
            "the training rows": os.path.basename(features.path),  # it names data, vocabulary and settings
            **{"--" + name: getattr(settings, name) for name in names},
            **({"the order of buckets": length_buckets.ORDER_VERSION} if settings.bucket_by_length else {}),
            **files,
        },
        settings.is_chief,
        lambda position: _input_fn(problem, features, True, position),
    )


def train(
    problem: Problem, split: Split, advice: str, evaluator: Optional[Evaluator], watch: LearningWatch
) -> TrainingObserver:
    """Fine-tunes up to the last step, from the folder's last checkpoint where there is one; returns its observer."""
    settings = problem.run.settings
    steps = settings.num_train_steps(split.features.num_rows)
    plausible.warn_of_rows(split.features.num_rows, settings, settings.num_train_epochs)
    warmup_steps = int(steps * settings.warmup_proportion)
    observer = make_observer(settings, total_steps=steps, warmup_steps=warmup_steps, advice=advice, evaluator=evaluator)
    optimizer = optimization.OptimizerSettings(
        learning_rate=settings.learning_rate,
        num_train_steps=steps,
        num_warmup_steps=warmup_steps,
        optimizer=settings.optimizer,
        bias_correction=settings.bias_correction,
    )
    if settings.eval_every_steps == 0 and 0 < settings.keep_checkpoint_max < steps // settings.save_checkpoints_steps:
        _log.info(
            "Only the last %d checkpoints are kept and evaluated (--keep_checkpoint_max).", settings.keep_checkpoint_max
        )
    watch.begin(Schedule(steps, warmup_steps))
    setup = training_setup(settings, optimizer, observer)
    observer.train(_estimator(problem, setup), _training_input_fn(problem, split.features))
    return observer


def _evaluator(problem: Problem, split: Split, watch: LearningWatch, kept: _BestAnswers) -> Evaluator:
    """Measures checkpoints on the dev split, and keeps the best by the task's metric."""
    settings, metric = problem.run.settings, problem.run.task.metric

    def measure(prefix: str) -> Results:
        answers = _answers(problem, split, TrainingSetup(use_tpu=settings.use_tpu), prefix, settings.eval_batch_size)
        problem.fit(split, answers)
        watch.look(step_of(prefix), lambda: problem.sameness(split, answers))
        results = _scores(problem, split, answers, prefix)
        kept.offer(results, answers if problem.concludes else [])
        return results

    def describe(prefix: str) -> Optional[ModelFolder]:
        if not problem.concludes:
            return None
        problem.fit(split, _dev_answers(problem, split, prefix, kept))
        return _description(problem)

    return Evaluator(
        settings.output_dir,
        name="dev",
        # The file's name is a hash of rows, vocabulary and settings.
        data=[os.path.basename(split.features.path), metric] + problem.answer_settings(),
        goal=_goal(problem),
        measure=measure,
        find_baseline=lambda: problem.baseline(split),
        describe=describe,
    )


def evaluate(problem: Problem, split: Split, evaluator: Evaluator) -> Optional[str]:
    """Evaluates the saved checkpoints that were not yet; returns the prefix of the best, in <output_dir>/best.

    Where nothing was trained, the starting weights are evaluated and None is returned.
    """
    settings = problem.run.settings
    prefixes = saved_checkpoints(settings.output_dir)
    if not prefixes:
        start = starting_checkpoint(settings)
        _log.info("%s holds no checkpoint: evaluating %s.", settings.output_dir, start or "random weights")
        setup = TrainingSetup(init_checkpoint=start, use_tpu=settings.use_tpu)
        results = _measure(problem, split, setup, None)
        write_results(settings.output_dir, EVAL_RESULTS, results)
        _log.info("dev: %s", evaluator.goal.text(results, evaluator.baseline))
        return None
    # Where the user said how often to evaluate, only the last is left to do.
    for prefix in prefixes[-1:] if settings.do_train and settings.eval_every_steps else prefixes:
        evaluator.evaluate(prefix)
    known = {"model.ckpt-{}".format(results["global_step"]): results for results in evaluator.known()}
    write_figures(os.path.join(settings.output_dir, DEV_EVALUATIONS), known)
    write_results(settings.output_dir, EVAL_RESULTS, evaluator.best() or {})
    return evaluator.keep_best()


def _measure(problem: Problem, split: Split, setup: TrainingSetup, prefix: Optional[str]) -> Results:
    """Asks a checkpoint for its answers on the dev split, and scores them."""
    answers = _answers(problem, split, setup, prefix, problem.run.settings.eval_batch_size)
    problem.fit(split, answers)
    return _scores(problem, split, answers, prefix)


def _scores(problem: Problem, split: Split, answers: Any, prefix: Optional[str]) -> Results:
    """The figures of a checkpoint's answers on the dev split; all that is more than figures goes into a report."""
    report = _report_path(problem, "dev-" + (os.path.basename(prefix) if prefix else "start"))
    results = problem.score(split, answers, report_path=report, prefix=_EVAL_PREFIX)
    return dict(results, global_step=step_of(prefix) if prefix else 0)


def _report_path(problem: Problem, name: str) -> str:
    return os.path.join(problem.run.settings.output_dir, REPORTS_FOLDER, name + ".tsv")


def _answers(problem: Problem, split: Split, setup: TrainingSetup, prefix: Optional[str], batch_size: int) -> Any:
    return record_answers(
        _estimator(problem, setup, batch_size),
        _input_fn(problem, split.features, is_training=False),
        num_records=split.features.num_rows,
        prefix=prefix,
    )


def predict(problem: Problem, split: Split, best: Optional[str]) -> None:
    """Predicts the split that is asked for and writes what is predicted; scores it where its rows are labelled."""
    settings, name = problem.run.settings, problem.predicted_split
    prefix = best or _checkpoint_for_prediction(settings)
    answers = _answers(problem, split, TrainingSetup(use_tpu=settings.use_tpu), prefix, settings.predict_batch_size)
    problem.recall(read_description(os.path.dirname(prefix)))
    written = problem.write_predictions(split, answers)
    _log.info("Predictions of %s for %s rows: %s", os.path.basename(prefix), format(len(split.rows), ","), written)
    results = problem.score(split, answers, report_path=_report_path(problem, name))
    if results:
        write_results(settings.output_dir, results_name(name), results)
        goal = Goal(problem.run.task.metric, is_higher_better=True)
        _log.info("%s: %s", name, goal.text(results, problem.baseline(split)))


def predict_own_file(settings: FineTuningSettings) -> None:
    """Answers one's own texts or questions with the best checkpoint, else the last, as predict.py does."""
    _checkpoint_for_prediction(settings)
    path = settings.predict_file or ""
    name = os.path.splitext(os.path.basename(path))[0] + OWN_PREDICTIONS
    with open_model(settings.output_dir, TENSORFLOW, batch_size=settings.predict_batch_size) as model:
        predict_file(model, model.abilities[0], path, os.path.join(settings.output_dir, name))


def _checkpoint_for_prediction(settings: FineTuningSettings) -> str:
    """The best checkpoint of an earlier evaluation, else the last."""
    best = best_folder(settings.output_dir)
    if os.path.isdir(best):
        return find_checkpoint(best)
    latest = latest_checkpoint(settings.output_dir)
    if latest:
        return latest
    raise UserError("{} holds no checkpoint to predict with: train first (--do_train=True)".format(settings.output_dir))


def _say_what_next(output_dir: str) -> None:
    best = best_folder(output_dir)
    description = read_description(best)
    if description:
        _log.info("Next: %s", next_command(description, best))
