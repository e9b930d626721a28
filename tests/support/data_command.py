"""Runs create_pretraining_data.py in this process, on the tiny corpus, and looks at what it leaves."""

import os
import random

import pytest

import create_pretraining_data
from albert.base.flags import run_command
from tests.support.tiny_corpus import TEXT


def arguments(folder, **changes):
    values = {
        "input_file": folder / "text.txt",
        "output_file": folder / "out" / "zh.tfrecord",
        "vocab_file": folder / "vocab.txt",
        "max_seq_length": 32,
        "max_predictions_per_seq": 5,
        "dupe_factor": 2,
        "num_workers": 1,
    }
    values.update(changes)
    return ["--{}={}".format(name, value) for name, value in values.items() if value is not None]


def make(folder, **changes):
    create = create_pretraining_data
    run_command(create.__doc__, create.declare_flags(), create.main, arguments(folder, **changes))


def refusal(folder, capsys, **changes):
    """The sentence and the exit status of a command that must fail and leave no file."""
    before = files_below(folder)
    with pytest.raises(SystemExit) as end:
        make(folder, **changes)
    assert files_below(folder) == before
    # Behind the sentence about a missing flag stands an example of the command.
    lines = [line for line in capsys.readouterr().err.strip().splitlines() if not line.startswith("example: ")]
    error = lines[-1]
    assert error.startswith("error: ")
    return error, end.value.code


def files_below(folder):
    """The bytes of every file, by path, but for the reports, which tell how long it took."""
    return {
        os.path.relpath(os.path.join(base, name), str(folder)): open(os.path.join(base, name), "rb").read()
        for base, _, names in os.walk(str(folder))
        for name in names
        if not name.endswith(".report.json")
    }


def records_of(files):
    return {name: content for name, content in files.items() if name.endswith(".tfrecord")}


def long_text(num_documents=60):
    rng = random.Random(5)
    lines = [line for line in TEXT.splitlines() if line]
    return "\n".join(
        "\n".join(rng.choice(lines) for _ in range(rng.randrange(1, 8))) + "\n" for _ in range(num_documents)
    )
