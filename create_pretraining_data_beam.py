"""Makes the same pre-training records on Apache Beam: on this machine, or on a Spark, Flink or Dataflow cluster.

    python create_pretraining_data_beam.py --input_file='gs://text/*.txt' --output_file=gs://records/zh.tfrecord \\
      --vocab_file=albert_config/vocab.txt --do_whole_word_mask=True --beam_options='--runner=DataflowRunner …'

The flags are those of create_pretraining_data.py, and with the same number of shards of text so are the examples; only
their order and their place in the files are the engine's. Needs requirements/beam.txt; the workers of a cluster need
this folder and the packages of requirements.txt, too.
"""

from __future__ import annotations

import logging
from typing import Any

from albert.base.errors import UsageError, UserError
from albert.base.flags import Flags, run_command
from albert.pretraining_data.flags import build_data_settings, build_record_settings, declare_data_flags


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    declare_data_flags(flags)
    flags.string("beam_options", "", "Beam's own options, as one string: '--runner=SparkRunner …'")
    flags.boolean("overwrite", False, "replace an output that is there")
    return flags


def main(flags: Flags) -> None:
    """Makes the records on Beam."""
    settings = build_data_settings(flags, build_record_settings(flags))
    if settings.outputs.more:
        raise UsageError("--output_file must be one name on Beam: --num_shards divides it")
    load_engine().make_data_set(settings, flags.beam_options)


def load_engine() -> Any:
    """Imports Beam only when logging is set up: it logs as soon as it is imported.

    Raises:
      UserError: it is not installed.
    """
    logging.getLogger("apache_beam").setLevel(logging.WARNING)
    try:
        from albert.pretraining_data import beam
    except ImportError as error:
        raise UserError("Apache Beam is missing: pip install -r requirements/beam.txt ({})".format(error)) from error
    return beam


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
