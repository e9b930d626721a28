"""Makes the same pre-training records on Apache Beam: on this machine, or on a Flink, Spark or Dataflow cluster.

    python create_pretraining_data_beam.py --input_file='/shared/text/*.txt' --output_file=/shared/zh.tfrecord \\
      --vocab_file=albert_config/vocab.txt --do_whole_word_mask=True --beam_options='--runner=FlinkRunner …'

The flags are those of create_pretraining_data.py, and so are the files, byte for byte. Text and output lie in a folder
that all machines share. Needs requirements/beam.txt; the workers of a cluster need this folder and the packages of
requirements.txt, too. On Spark create_pretraining_data_spark.py needs less.
"""

from __future__ import annotations

import logging
from typing import Any

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.pretraining_data.flags import build_data_settings, build_record_settings, declare_data_flags
from albert.pretraining_data.run import make_data_set_with


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    declare_data_flags(flags)
    flags.boolean("overwrite", False, "replace an output that was made with other settings")
    flags.group("Beam")
    flags.string("beam_options", "", "Beam's own options, as one string: '--runner=FlinkRunner …'")
    return flags


def main(flags: Flags) -> None:
    """Makes the records on Beam."""
    settings = build_data_settings(flags, build_record_settings(flags))
    make_data_set_with(load_engine().beam_engine(flags.beam_options), settings)


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
