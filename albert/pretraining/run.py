"""A pre-training run of either family, from parsed flags to a closing summary."""

from __future__ import annotations

import logging
import os
from typing import Any, List, Optional

import optimization
from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError
from albert.batches import dynamic_masking
from albert.batches.pipeline import HeldOut, pretraining_input_fn
from albert.batches.position import DataPosition, file_marks
from albert.checkpoints.families import Family
from albert.checkpoints.training_folder import latest_checkpoint
from albert.files.record_sets import record_counts
from albert.monitor.evaluation import Evaluator, Goal, Results
from albert.monitor.figures import text_of
from albert.monitor.observer import TrainingObserver, say_where_it_is, training_advice
from albert.pretraining.inputs import Inputs, check_masking, check_records, evaluated_on, find_inputs, with_vocabulary
from albert.pretraining.model_fn import build_pretraining_model_fn
from albert.training import run_model
from albert.training.presets import apply_preset, pretraining_values
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
    write_results,
)
from albert.training.run_model import RunModel
from albert.training.step import TrainingSetup

_log = logging.getLogger(__name__)

EVAL_RESULTS = "eval_results"
_GOAL = Goal("loss", is_higher_better=False)


def declare_pretraining_flags(flags: Flags, family: Family) -> None:
    """The flags that both pre-training runners share; each adds those whose published defaults differ."""
    declare_training_flags(flags)
    flags.string(family.config_flag, None, "the model's JSON file; by default that of --init_checkpoint")
    flags.string("input_file", None, "TFRecord files: names and globs, separated by commas")
    flags.string("eval_input_file", None, "records for evaluation, of documents that training does not see")
    flags.float("eval_share", 0.02, "without --eval_input_file: the share of the records kept from training", 0.0, 0.5)
    flags.boolean("eval_on_training_data", False, "evaluate on the very records that are trained on")
    flags.integer("max_eval_steps", 100, "the most evaluation steps", minimum=1)
    flags.choice("optimizer", "lamb", optimization.OPTIMIZERS, "how weights move")
    flags.float("poly_power", 1.0, "the power of the learning rate's decay", minimum=0.0)
    flags.integer("start_warmup_step", 0, "the step at which the warm-up begins", minimum=0)
    if family.has_groups:
        flags.boolean("init_from_group0", False, "start every group of layers from group 0 of --init_checkpoint")
    flags.boolean(
        "adapt_all_variables", False, "LAMB adapts norms and biases too, as the published zh models were trained"
    )
    flags.integer("keep_checkpoint_max", 5, "checkpoints to keep; 0 keeps all", minimum=0)
    flags.string("export_dir", None, "the folder for a SavedModel of the last checkpoint, made at the end")


def run_pretraining(flags: Flags, family: Family) -> None:
    """Checks, trains, evaluates and says what was done."""
    flags.require("input_file", "output_dir")
    if not (flags.do_train or flags.do_eval):
        raise UsageError("nothing to do: give --do_train=True, --do_eval=True or both")
    if flags.do_train:
        check_training(flags)
    if not takes_part(flags):
        return
    model = run_model.find_model(flags, family, _is_from_group_0(flags, family))
    config = model.config
    check_max_seq_length(flags, config)
    check_export_dir(flags)
    inputs = find_inputs(flags)
    for path in sorted(set(inputs.train_files + inputs.eval_files)):
        check_records(path, flags.max_seq_length, flags.max_predictions_per_seq, config.vocab_size)
    check_masking(flags, inputs)
    model = with_vocabulary(model, inputs)
    eval_steps = _eval_steps(flags, inputs) if flags.do_eval else 0
    _apply_preset(flags, config)
    prepare_output_dir(flags)
    save_run_config(flags)
    run_model.keep_files(model, flags.output_dir)
    advice = training_advice(flags, config.hidden_size, "num_warmup_steps")
    evaluator = _evaluator(flags, family, config, inputs, eval_steps) if flags.do_eval else None
    is_chief = is_chief_process(flags)
    with explained_errors(flags.output_dir, advice), training_folder(flags, is_chief):
        observer = train(flags, family, config, inputs, advice, evaluator) if flags.do_train else None
        if evaluator:
            evaluate(flags, family, config, inputs, eval_steps, evaluator)
        if flags.export_dir:
            export_after_training(flags, family, model)
    if observer:
        observer.say_what_was_done()
    if is_chief:
        say_where_it_is(flags.output_dir, evaluator)
        _say_what_next(flags, family, model)


def _apply_preset(flags: Flags, config: Any) -> None:
    values = pretraining_values(
        hidden_size=config.hidden_size,
        optimizer=flags.optimizer,
        train_batch_size=flags.train_batch_size,
        num_train_steps=flags.num_train_steps,
    )
    if flags.do_train:
        apply_preset(flags, values, config.hidden_size)


def _is_from_group_0(flags: Flags, family: Family) -> bool:
    return family.has_groups and flags.init_from_group0


def optimizer_settings(flags: Flags) -> optimization.OptimizerSettings:
    """How weights move, from the command line."""
    adapt = {"exclude_from_layer_adaptation": ()} if flags.adapt_all_variables else {}
    return optimization.OptimizerSettings(
        learning_rate=flags.learning_rate,
        num_train_steps=flags.num_train_steps,
        num_warmup_steps=flags.num_warmup_steps,
        optimizer=flags.optimizer,
        poly_power=flags.poly_power,
        start_warmup_step=flags.start_warmup_step,
        **adapt,
    )


def _estimator(flags: Flags, family: Family, config: Any, setup: TrainingSetup) -> Any:
    return make_estimator(
        flags,
        build_pretraining_model_fn(family, config, setup),
        train_batch_size=flags.train_batch_size,
        eval_batch_size=flags.eval_batch_size,
        save_checkpoints_steps=flags.save_checkpoints_steps,
        keep_checkpoint_max=flags.keep_checkpoint_max,
        is_training=setup.optimizer is not None,
    )


def _input_fn(
    flags: Flags,
    paths: List[str],
    held_out: Optional[HeldOut],
    is_training: bool,
    position: DataPosition = DataPosition(),  # noqa: B008 (immutable)
) -> Any:
    return pretraining_input_fn(
        paths,
        max_seq_length=flags.max_seq_length,
        max_predictions_per_seq=flags.max_predictions_per_seq,
        is_training=is_training,
        seed=flags.seed + position.seed_offset,
        held_out=held_out,
        drop_remainder=flags.use_tpu,
        dynamic=dynamic_masking.of_files(paths, flags.max_seq_length, flags.max_predictions_per_seq),
        start_step=position.start_step,
    )


def _training_input_fn(flags: Flags, inputs: Inputs) -> Any:
    """The training records from the place on that the run has reached in them."""
    names = ("train_batch_size", "max_predictions_per_seq", "seed")
    return resuming_input_fn(
        flags.output_dir,
        {
            "--input_file": file_marks(inputs.train_files),
            "the held-out share": inputs.held_out and inputs.held_out.period,
            **{"--" + name: getattr(flags, name) for name in names},
        },
        is_chief_process(flags),
        lambda position: _input_fn(flags, inputs.train_files, inputs.held_out, True, position),
    )


def train(
    flags: Flags, family: Family, config: Any, inputs: Inputs, advice: str, evaluator: Optional[Evaluator]
) -> TrainingObserver:
    """Trains up to --num_train_steps, from the folder's last checkpoint where there is one; returns what watched it."""
    observer = TrainingObserver(
        flags,
        total_steps=flags.num_train_steps,
        warmup_steps=flags.num_warmup_steps,
        advice=advice,
        evaluator=evaluator,
    )
    setup = training_setup(
        flags, optimizer_settings(flags), observer, init_from_group_0=_is_from_group_0(flags, family)
    )
    observer.train(_estimator(flags, family, config, setup), _training_input_fn(flags, inputs))
    return observer


def _evaluator(flags: Flags, family: Family, config: Any, inputs: Inputs, steps: int) -> Evaluator:
    """What measures checkpoints on held-out records, and keeps the one with the lowest loss."""
    sizes = [os.path.getsize(path) for path in inputs.eval_files]
    data = [inputs.eval_files, sizes, inputs.held_out, steps, flags.eval_batch_size, flags.seed]
    return Evaluator(
        flags.output_dir,
        name="evaluation on " + evaluated_on(inputs),
        data=data,
        goal=_GOAL,
        measure=lambda prefix: _measure(flags, family, config, inputs, steps, prefix),
    )


def _measure(flags: Flags, family: Family, config: Any, inputs: Inputs, steps: int, prefix: Optional[str]) -> Results:
    """The figures of a checkpoint, or of the starting weights where none is given."""
    setup = TrainingSetup(
        init_checkpoint=None if prefix else starting_checkpoint(flags),
        init_from_group_0=_is_from_group_0(flags, family),
        use_tpu=flags.use_tpu,
    )
    input_fn = _input_fn(flags, inputs.eval_files, inputs.held_out, is_training=False)
    return _estimator(flags, family, config, setup).evaluate(input_fn, steps=steps, checkpoint_path=prefix)


def evaluate(flags: Flags, family: Family, config: Any, inputs: Inputs, steps: int, evaluator: Evaluator) -> None:
    """Evaluates the folder's last checkpoint, or the starting weights where there is none."""
    latest = latest_checkpoint(flags.output_dir)
    if latest:
        results = evaluator.evaluate(latest)
        evaluator.keep_best()
    else:
        start = starting_checkpoint(flags)
        _log.info("%s holds no checkpoint: evaluating %s.", flags.output_dir, start or "random weights")
        results = _measure(flags, family, config, inputs, steps, None)
        _log.info("evaluation on %s: %s", evaluated_on(inputs), text_of(results))
    write_results(flags.output_dir, EVAL_RESULTS, results)


def _eval_steps(flags: Flags, inputs: Inputs) -> int:
    counts = record_counts(inputs.eval_files)
    records = sum(inputs.held_out.count(count) if inputs.held_out else count for count in counts)
    steps = records // flags.eval_batch_size if flags.use_tpu else -(-records // flags.eval_batch_size)
    if steps == 0:
        raise UserError(
            "no record is left to evaluate on ({} in the input): name --eval_input_file, raise --eval_share, or give "
            "--eval_on_training_data=True".format(sum(counts))
        )
    return min(flags.max_eval_steps, steps)


def check_export_dir(flags: Flags) -> None:
    """Raises `UserError` where --export_dir holds something already: said before the training, not after it."""
    if flags.export_dir and os.path.exists(flags.export_dir) and os.listdir(flags.export_dir):
        raise UserError("--export_dir={} is not empty: name another folder or remove it".format(flags.export_dir))


def export_after_training(flags: Flags, family: Family, model: RunModel) -> None:
    """Makes --export_dir: a SavedModel of the last checkpoint, by the same code as export_model.py."""
    from albert.export.run import (  # here: only this one step of a training run needs it
        declare_export_flags,
        run_export,
    )

    latest = latest_checkpoint(flags.output_dir)
    if latest is None:
        raise UserError("{} holds no checkpoint to export: train first (--do_train=True)".format(flags.output_dir))
    export_flags = Flags()
    declare_export_flags(export_flags)
    config_file = os.path.join(flags.output_dir, model.config_name)
    export_flags.parse(["--{}={}".format(family.config_flag, config_file)])
    run_export(export_flags, path=latest, format_name="savedmodel", output_dir=flags.export_dir)


def _say_what_next(flags: Flags, family: Family, model: RunModel) -> None:
    if latest_checkpoint(flags.output_dir):
        vocabulary = "" if model.vocab_file or model.spm_model_file else " --vocab_file=albert_config/vocab.txt"
        command = "python {} --init_checkpoint={}{} --task_name=…".format(
            family.classification_runner, flags.output_dir, vocabulary
        )
        _log.info("Next: %s (python %s --help)", command, family.classification_runner)
