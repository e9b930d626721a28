"""Makes the same pre-training records on Apache Beam: on this machine, or on a Spark, Flink or Dataflow cluster.

    python create_pretraining_data_beam.py --input_file='gs://text/*.txt' --output_file=gs://records/zh.tfrecord \\
      --vocab_file=albert_config/vocab.txt --do_whole_word_mask=True --beam_options='--runner=DataflowRunner …'

The flags are those of create_pretraining_data.py, and with the same number of shards of text so are the examples; only
their order and their place in the files are the engine's. Needs requirements/beam.txt; the workers of a cluster need
this folder and the packages of requirements.txt, too.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Any, Dict

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.files.record_sets import sidecar_path
from albert.pretraining_data.output import report_path, sidecar_values, total_counts
from albert.pretraining_data.plan import (
    Outputs,
    build_settings,
    check_data_flags,
    check_output_paths,
    declare_data_flags,
    describe_plan,
    plan_tasks,
    warn_of_few_predictions,
)
from albert.pretraining_data.report import (
    OutputSummary,
    WorkDone,
    files_text,
    next_step,
    output_report,
    report_values,
)
from albert.pretraining_data.shards import COUNTS, DROP_REASONS, BuildSettings, ShardResult
from tokenization import FullTokenizer

_log = logging.getLogger(__name__)


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    declare_data_flags(flags)
    flags.string("beam_options", "", "Beam's own options, as one string: '--runner=SparkRunner …'")
    flags.boolean("overwrite", False, "replace an output that is there")
    return flags


def main(flags: Flags) -> None:
    """Plans the shards, has the engine make the records, describes them and says what was done."""
    check_data_flags(flags)
    flags.require("output_file")
    engine = load_engine()
    start = time.monotonic()
    paths = engine.expand(flags.input_file)
    settings = build_settings(flags)
    if settings.user_dictionary:
        raise UserError("--user_dictionary is not carried to the workers of an engine: use create_pretraining_data.py")
    warn_of_few_predictions(settings)
    tokenizer = FullTokenizer(flags.vocab_file, flags.do_lower_case, flags.spm_model_file)
    outputs = Outputs(flags.output_file, flags.heldout_file)
    tasks = plan_tasks(paths, outputs, flags.num_shards, engine.FILES)
    check_output_paths(paths, outputs, tasks)
    engine.make_room(outputs, len(tasks), flags.overwrite)
    description = describe_plan(settings, tokenizer, paths, tasks, engine.FILES)
    counts = engine.run_pipeline(tasks, outputs, settings, flags.beam_options)
    num_bytes = sum(part.end - part.start for task in tasks for part in task.ranges)
    done = WorkDone(num_bytes // len(outputs.names()), time.monotonic() - start, "Apache Beam")
    num_shards = len(tasks) // len(outputs.names())
    for name in outputs.names():
        finish(engine, name, outputs.content(name), description, counts[name], num_shards, done, settings)
    _log.info("%s", next_step(*outputs, num_shards, settings))


def load_engine() -> Any:
    """Imports Beam when logging is set up: it talks as soon as it is imported.

    Raises:
      UserError: it is not installed.
    """
    logging.getLogger("apache_beam").setLevel(logging.WARNING)
    try:
        from albert.pretraining_data import beam
    except ImportError as error:
        raise UserError("Apache Beam is missing: pip install -r requirements/beam.txt ({})".format(error)) from error
    return beam


def finish(
    engine: Any,
    name: str,
    content: str,
    description: Dict[str, Any],
    counts: Counter,
    num_shards: int,
    done: WorkDone,
    settings: BuildSettings,
) -> None:
    """Describes one output and says what it holds."""
    if not counts["examples"]:
        raise UserError("no example could be made for {}: is it the right vocabulary?".format(name))
    all_counts = {key: counts[key] for key in COUNTS + DROP_REASONS}
    totals = total_counts([ShardResult(name, 0, all_counts)])
    engine.write_json(sidecar_path(name), sidecar_values(content, description, totals))
    summary = OutputSummary(name, num_shards, engine.total_size(files_text(name, num_shards)), totals)
    engine.write_json(report_path(name), report_values(summary, done))
    for level, line in output_report(summary, done, settings):
        _log.log(level, "%s", line)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
