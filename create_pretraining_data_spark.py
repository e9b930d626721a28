"""Makes the same pre-training records on Apache Spark, with the machines of a cluster.

    python create_pretraining_data_spark.py --input_file='/shared/text/*.txt' --output_file=/shared/zh.tfrecord \\
      --vocab_file=albert_config/vocab.txt --do_whole_word_mask=True --spark_master=spark://host:7077

The flags are those of create_pretraining_data.py, and so are the files, byte for byte. Text and output lie in a folder
that all machines share. Each machine needs the packages of requirements/spark.txt; the code travels to it. A run that
was interrupted goes on where it ended when the same command is given again.
"""

from __future__ import annotations

import logging
import os
import sys
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
    flags.group("Spark")
    flags.string("spark_master", None, "Spark's master: spark://host:7077, yarn, local[4] (default: as configured)")
    flags.string("spark_options", "", "Spark's own options: 'spark.executor.memory=1g spark.cores.max=8'")
    return flags


def main(flags: Flags) -> None:
    """Makes the records on Spark."""
    settings = build_data_settings(flags, build_record_settings(flags))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # of the workers: Spark's own default is any python3
    make_data_set_with(load_engine().spark_engine(flags.spark_master, flags.spark_options), settings)


def load_engine() -> Any:
    """Imports Spark, and has the way to it say nothing of every connection.

    Raises:
      UserError: it is not installed.
    """
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        from albert.pretraining_data import spark
    except ImportError as error:
        raise UserError("Spark is missing: pip install -r requirements/spark.txt ({})".format(error)) from error
    return spark


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
