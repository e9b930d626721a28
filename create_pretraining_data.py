"""Makes pre-training records (masked words, sentence order) from text.

    python create_pretraining_data.py --input_file='text/*.txt' --output_file=records/zh.tfrecord \\
      --vocab_file=albert_config/vocab.txt --do_whole_word_mask=True

The input is UTF-8 text, one sentence per line, blank lines between documents. The output is one TFRecord file or a
set of shards, and a JSON file beside it that says what they hold. A run that was interrupted goes on where it ended
when the same command is given again.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.base.machine import available_cores
from albert.pretraining_data.flags import build_data_settings, build_record_settings, declare_data_flags
from albert.pretraining_data.run import make_data_set, show_examples


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    declare_data_flags(flags)
    flags.group("Output")
    flags.integer("num_workers", None, "processes (default: one per core); changes nothing in the output", minimum=1)
    flags.integer("show", 0, "print this many examples; without --output_file nothing else is done", minimum=0)
    flags.boolean("overwrite", False, "replace an output that was made with other settings")
    return flags


def main(flags: Flags) -> None:
    """Makes the records, shows examples, or both."""
    build = build_record_settings(flags)
    if flags.output_file or not flags.show:
        make_data_set(build_data_settings(flags, build), flags.num_workers or available_cores())
    if flags.show:
        show_examples(flags.input_file, build, flags.show)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
