"""Pre-training run of either family, from settings to a closing summary."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional

import optimization
from albert.base.errors import UserError
from albert.base.paths import shell_word
from albert.batches import dynamic_masking
from albert.batches.pipeline import HeldOut, pretraining_input_fn
from albert.batches.position import DataPosition, file_marks
from albert.checkpoints.families import Family
from albert.checkpoints.model import vocabulary_words
from albert.checkpoints.training_folder import latest_checkpoint
from albert.checkpoints.values import variable_shapes
from albert.checkpoints.variables import heads_of
from albert.files.literal_paths import literal_path
from albert.files.record_sets import record_counts
from albert.model.config import ModelConfig
from albert.model.outputs import MASKED_LM, PRETRAINING
from albert.monitor.evaluation import Evaluator
from albert.monitor.figures import write_results
from albert.monitor.goal import Baseline, Goal, Results
from albert.monitor.guards import divergence_advice
from albert.monitor.observer import TrainingObserver
from albert.monitor.summary import log_best, log_files
from albert.pretraining.commonest_token import commonest_token_baseline, masked_token_counts
from albert.pretraining.initial_weights import Initializers, balanced_initializers
from albert.pretraining.inputs import Inputs, check_masking, check_records, evaluated_on, find_inputs, with_vocabulary
from albert.pretraining.model_fn import build_pretraining_model_fn
from albert.pretraining.published_graph import PublishedGraphListener, published_graph, write_graph_of_best
from albert.pretraining.settings import BALANCED, PretrainingSettings
from albert.training import run_model
from albert.training.estimator import make_estimator
from albert.training.output_folder import check_export_dir, check_output_dir
from albert.training.presets import apply_preset, pretraining_values
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

_log = logging.getLogger(__name__)

EVAL_RESULTS = "eval_results"
_COUNTED_RECORDS = 10000
_GOAL = Goal("loss", is_higher_better=False, lead="masked_lm_accuracy")


class PretrainingRun(NamedTuple):
    """State of a run that its phases share."""

    settings: PretrainingSettings
    family: Family
    model: RunModel
    inputs: Inputs


def run_pretraining(settings: PretrainingSettings, family: Family) -> None:
    """Checks, trains, evaluates and says what was done.

    Args:
      settings: of the run.
      family: of the model.

    Raises:
      UserError: something does not fit; the sentence says what, where and what to do.
    """
    if settings.do_train:
        check_training(settings)
    own = settings_of_worker(settings)
    if own is None:
        return
    run = _prepared(own, family)
    run_model.keep_files(run.model, own.output_dir)
    advice = divergence_advice(
        hidden_size=run.model.config.hidden_size,
        learning_rate=run.settings.learning_rate,
        warmup="--num_warmup_steps={:g}".format(run.settings.num_warmup_steps),
    )
    evaluator = _evaluator(run) if own.do_eval else None
    graph = published_graph(family, run.model.config)
    is_keeper = own.do_train and own.is_chief
    with explained_errors(own.output_dir, advice), training_folder(own.output_dir, is_keeper=is_keeper):
        observer = train(run, advice, evaluator, graph) if own.do_train else None
        if evaluator:
            evaluate(run, evaluator)
            write_graph_of_best(own.output_dir, graph)
        if own.export_dir:
            export_after_training(run, own.export_dir)
    if own.is_chief and evaluator:
        log_best(evaluator)
    if observer:
        observer.say_what_was_done()
    if own.is_chief:
        log_files(own.output_dir)
        _say_what_next(run)


def _prepared(settings: PretrainingSettings, family: Family) -> PretrainingRun:
    """Finds and checks model and records; makes the output folder, which then holds the resolved settings."""
    check_output_dir(settings.output_dir, PRETRAINING)
    model = run_model.find_model(settings, family, _is_from_group_0(settings, family))
    check_max_seq_length(settings, model.config)
    check_export_dir(settings.export_dir, settings.output_dir)
    inputs = _checked_inputs(settings, model.config)
    if settings.do_train:
        settings = _with_preset(settings, model.config)
    run = PretrainingRun(settings, family, with_vocabulary(model, inputs), inputs)
    if settings.do_eval:
        _eval_steps(run)
    prepare_output_dir(settings.output_dir)
    save_run_config(settings)
    return run


def _checked_inputs(settings: PretrainingSettings, config: ModelConfig) -> Inputs:
    inputs = find_inputs(settings)
    for path in sorted(set(inputs.train_files + inputs.eval_files)):
        check_records(path, settings.max_seq_length, settings.max_predictions_per_seq, config.vocab_size)
    check_masking(settings, inputs)
    return inputs


def _with_preset(settings: PretrainingSettings, config: ModelConfig) -> PretrainingSettings:
    values = pretraining_values(
        hidden_size=config.hidden_size,
        optimizer=settings.optimizer,
        train_batch_size=settings.train_batch_size,
        num_train_steps=settings.num_train_steps,
    )
    return apply_preset(settings, values, config.hidden_size)


def _is_from_group_0(settings: PretrainingSettings, family: Family) -> bool:
    return family.has_groups and settings.init_from_group0


def optimizer_settings(settings: PretrainingSettings) -> optimization.OptimizerSettings:
    """Settings of the optimizer of a run."""
    adapt: Dict[str, Any] = {"exclude_from_layer_adaptation": ()} if settings.adapt_all_variables else {}
    return optimization.OptimizerSettings(
        learning_rate=settings.learning_rate,
        num_train_steps=settings.num_train_steps,
        num_warmup_steps=settings.num_warmup_steps,
        optimizer=settings.optimizer,
        poly_power=settings.poly_power,
        start_warmup_step=settings.start_warmup_step,
        bias_correction=settings.bias_correction,
        **adapt,
    )


def _estimator(run: PretrainingRun, setup: TrainingSetup, initializers: Optional[Initializers] = None) -> Any:
    model_fn = build_pretraining_model_fn(run.family, run.model.config, setup, initializers)
    return make_estimator(run.settings, model_fn, is_training=setup.optimizer is not None)


def _input_fn(
    settings: PretrainingSettings,
    paths: List[str],
    held_out: Optional[HeldOut],
    is_training: bool,
    position: DataPosition = DataPosition(),  # noqa: B008 (immutable)
) -> Any:
    return pretraining_input_fn(
        paths,
        max_seq_length=settings.max_seq_length,
        max_predictions_per_seq=settings.max_predictions_per_seq,
        is_training=is_training,
        seed=settings.seed + position.seed_offset,
        held_out=held_out,
        drop_remainder=settings.use_tpu,
        dynamic=dynamic_masking.of_files(paths, settings.max_seq_length, settings.max_predictions_per_seq),
        start_step=position.start_step,
    )


def _training_input_fn(settings: PretrainingSettings, inputs: Inputs) -> Any:
    """The training records from the place on that the run has reached in them."""
    names = ("train_batch_size", "max_predictions_per_seq", "seed")
    return resuming_input_fn(
        settings.output_dir,
        {
            "--input_file": file_marks(inputs.train_files),
            "the held-out share": inputs.held_out and inputs.held_out.period,
            **{"--" + name: getattr(settings, name) for name in names},
        },
        settings.is_chief,
        lambda position: _input_fn(settings, inputs.train_files, inputs.held_out, True, position),
    )


def train(run: PretrainingRun, advice: str, evaluator: Optional[Evaluator], graph: bytes) -> TrainingObserver:
    """Trains up to the last step, from the folder's last checkpoint where there is one; returns its observer.

    Args:
      run: what is trained.
      advice: what to do where training diverges.
      evaluator: evaluates checkpoints while training; None where nothing does.
      graph: of `published_graph`, for every checkpoint.
    """
    settings = run.settings
    observer = make_observer(
        settings,
        total_steps=settings.num_train_steps,
        warmup_steps=settings.num_warmup_steps,
        advice=advice,
        evaluator=evaluator,
    )
    from_group_0 = _is_from_group_0(settings, run.family)
    setup = training_setup(settings, optimizer_settings(settings), observer, init_from_group_0=from_group_0)
    graphs = [PublishedGraphListener(settings.output_dir, graph)] if settings.is_chief else []
    estimator = _estimator(run, setup, _initializers(run, setup))
    observer.train(estimator, _training_input_fn(settings, run.inputs), graphs)
    return observer


def _initializers(run: PretrainingRun, setup: TrainingSetup) -> Optional[Initializers]:
    """Initializers of a balanced start; None where a masked-LM head is there already, or for a published start."""
    settings, inputs = run.settings, run.inputs
    if settings.initial_weights != BALANCED or latest_checkpoint(settings.output_dir):
        return None
    if setup.init_checkpoint and MASKED_LM in heads_of(variable_shapes(setup.init_checkpoint)):
        return None
    input_fn = _input_fn(settings, inputs.train_files, inputs.held_out, is_training=True)
    counts = masked_token_counts(input_fn, _COUNTED_RECORDS)
    _log.info(
        "Initial weights: the masked-LM bias starts at the shares of %s masked tokens.", format(int(counts.sum()), ",")
    )
    return balanced_initializers(run.model.config, counts)


def _evaluator(run: PretrainingRun) -> Evaluator:
    """Measures checkpoints on held-out records, and keeps the one with the lowest loss."""
    settings, inputs = run.settings, run.inputs
    sizes = [os.path.getsize(path) for path in inputs.eval_files]
    steps = _eval_steps(run)
    _log.info("Evaluation on %s.", evaluated_on(inputs))
    return Evaluator(
        settings.output_dir,
        name="held-out" if inputs.held_out or inputs.eval_files != inputs.train_files else "training-data",
        data=[inputs.eval_files, sizes, inputs.held_out, steps, settings.eval_batch_size, settings.seed],
        goal=_GOAL,
        measure=lambda prefix: _measure(run, steps, prefix),
        find_baseline=lambda: _baseline(run, steps),
    )


def _baseline(run: PretrainingRun, steps: int) -> Optional[Baseline]:
    settings, inputs = run.settings, run.inputs
    input_fn = _input_fn(settings, inputs.eval_files, inputs.held_out, is_training=False)
    return commonest_token_baseline(input_fn, steps * settings.eval_batch_size)


def _measure(run: PretrainingRun, steps: int, prefix: Optional[str]) -> Results:
    """The figures of a checkpoint, or of the starting weights where none is given."""
    settings, inputs = run.settings, run.inputs
    setup = TrainingSetup(
        init_checkpoint=None if prefix else starting_checkpoint(settings),
        init_from_group_0=_is_from_group_0(settings, run.family),
        use_tpu=settings.use_tpu,
    )
    input_fn = _input_fn(settings, inputs.eval_files, inputs.held_out, is_training=False)
    path = literal_path(prefix) if prefix else None
    return _estimator(run, setup).evaluate(input_fn, steps=steps, checkpoint_path=path)


def evaluate(run: PretrainingRun, evaluator: Evaluator) -> None:
    """Evaluates the folder's last checkpoint, or the starting weights where there is none."""
    output_dir = run.settings.output_dir
    latest = latest_checkpoint(output_dir)
    if latest:
        results = evaluator.evaluate(latest)
        evaluator.keep_best()
    else:
        start = starting_checkpoint(run.settings)
        _log.info("%s holds no checkpoint: evaluating %s.", output_dir, start or "random weights")
        results = _measure(run, _eval_steps(run), None)
        _log.info("%s: %s", evaluator.name, evaluator.goal.text(results, evaluator.baseline))
    write_results(output_dir, EVAL_RESULTS, results)


def _eval_steps(run: PretrainingRun) -> int:
    settings, inputs = run.settings, run.inputs
    counts = record_counts(inputs.eval_files)
    records = sum(inputs.held_out.count(count) if inputs.held_out else count for count in counts)
    steps = records // settings.eval_batch_size if settings.use_tpu else -(-records // settings.eval_batch_size)
    if steps == 0:
        raise UserError(
            "no record is left to evaluate on ({} in the input): name --eval_input_file, raise --eval_share, or give "
            "--eval_on_training_data=True".format(sum(counts))
        )
    return min(settings.max_eval_steps, steps)


def export_after_training(run: PretrainingRun, export_dir: str) -> None:
    """Makes the folder of an export: a SavedModel of the last checkpoint, by the same code as export_model.py."""
    from albert.export.run import export_model  # here: only this one step of a training run needs it
    from albert.export.settings import ExportSettings

    output_dir = run.settings.output_dir
    latest = latest_checkpoint(output_dir)
    if latest is None:
        raise UserError("{} holds no checkpoint to export: train first (--do_train=True)".format(output_dir))
    settings = ExportSettings(
        checkpoint=latest,
        export_format="savedmodel",
        output_dir=export_dir,
        config_file=os.path.join(output_dir, run.model.config_name),
    )
    export_model(settings)


def _say_what_next(run: PretrainingRun) -> None:
    output_dir, model, runner = run.settings.output_dir, run.model, run.family.classification_runner
    if latest_checkpoint(output_dir):
        vocabulary = vocabulary_words([model.vocab_file, model.spm_model_file], model.config.vocab_size)
        command = "python {} --init_checkpoint={}{} --task_name=…".format(runner, shell_word(output_dir), vocabulary)
        _log.info("Next: %s (python %s --help)", command, runner)
