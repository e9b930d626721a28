"""Strict flags: what is wrong, what is near, and the exit status."""

import dataclasses
import glob
import importlib
import os
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

import create_pretraining_data
import run_classifier
import run_pretraining
from albert.base.columns import width_of
from albert.base.errors import UserError
from albert.base.flags import RARE, Flags, MissingFlagsError, UsageError, run_command, separate_words
from albert.base.help_page import help_page
from albert.base.paths import ROOT
from albert.downloads import download, fetch_vocab

RUNNERS = [create_pretraining_data, run_classifier, run_pretraining]

# docs/en/commands.md, "Published flags and defaults"
PUBLISHED = {
    run_pretraining: {
        "bert_config_file": None, "input_file": None, "output_dir": None, "init_checkpoint": None,
        "max_seq_length": 128, "max_predictions_per_seq": 20, "do_train": False, "do_eval": False,
        "train_batch_size": 32, "eval_batch_size": 8, "learning_rate": 5e-5, "num_train_steps": 100000,
        "num_warmup_steps": 10000, "save_checkpoints_steps": 1000, "iterations_per_loop": 1000,
        "max_eval_steps": 100, "use_tpu": False, "tpu_name": None, "tpu_zone": None, "gcp_project": None,
        "master": None, "num_tpu_cores": 8,
    },
    run_classifier: {
        "data_dir": None, "task_name": None, "vocab_file": None, "output_dir": None, "bert_config_file": None,
        "init_checkpoint": None, "do_lower_case": True, "max_seq_length": 128, "do_train": False, "do_eval": False,
        "do_predict": False, "train_batch_size": 32, "eval_batch_size": 8, "predict_batch_size": 8,
        "learning_rate": 5e-5, "num_train_epochs": 3.0, "warmup_proportion": 0.1, "save_checkpoints_steps": 1000,
        "iterations_per_loop": 1000, "use_tpu": False, "tpu_name": None, "tpu_zone": None, "gcp_project": None,
        "master": None, "num_tpu_cores": 8,
    },
    create_pretraining_data: {
        "input_file": None, "output_file": None, "vocab_file": None, "do_lower_case": True,
        "do_whole_word_mask": False, "max_seq_length": 128, "max_predictions_per_seq": 20, "random_seed": 12345,
        "dupe_factor": 10, "masked_lm_prob": 0.15, "short_seq_prob": 0.1, "non_chinese": False,
        "spm_model_file": None, "ngram": 3, "do_permutation": False, "random_next_sentence": False,
    },
}  # fmt: skip


def make_flags():
    flags = Flags()
    flags.location("output_dir", None, "a folder")
    flags.integer("train_batch_size", 32, "rows", minimum=1)
    flags.boolean("do_train", False, "train")
    flags.choice("optimizer", "lamb", ["lamb", "adamw"], "an optimizer")
    return flags


def test_values_are_read():
    flags = make_flags()
    flags.parse(["--output_dir=out", "--train_batch_size=4096", "--do_train=true", "--optimizer=adamw"])
    assert (flags.output_dir, flags.train_batch_size, flags.do_train, flags.optimizer) == ("out", 4096, True, "adamw")
    assert flags.was_given("output_dir")
    assert flags.as_dict() == {
        "do_train": True, "optimizer": "adamw", "output_dir": "out", "train_batch_size": 4096
    }  # fmt: skip


class Settings(NamedTuple):
    train_batch_size: int
    do_train: bool
    chief: str = "not a flag"


FrozenSettings = dataclasses.make_dataclass(
    "FrozenSettings", [("train_batch_size", int), ("do_train", bool), ("chief", str)], frozen=True
)


@pytest.mark.parametrize("settings_class", [Settings, FrozenSettings])
def test_settings_take_the_flags_of_their_fields(settings_class):
    flags = make_flags()
    flags.parse(["--train_batch_size=3", "--nodo_train"])
    assert flags.values_of(settings_class) == {"train_batch_size": 3, "do_train": False}
    assert flags.given() == {"train_batch_size", "do_train"}  # what was typed, also where it is the default


@pytest.mark.parametrize(
    "argument,message",
    [
        ("--train_batchsize=4", "unknown flag --train_batchsize: the nearest known one is --train_batch_size"),
        ("--batch_size=4", "unknown flag --batch_size: the nearest known one is --train_batch_size (--help"),
        ("--lr=4", "unknown flag --lr (--help lists them)"),
        ("--help_me", "unknown flag --help_me (--help lists them)"),
        ("--versions", "unknown flag --versions (--help lists them)"),
        ("--output_dir", "--output_dir has no value: write --output_dir=FOLDER"),
        ("--train_batch_size=many", "train_batch_size"),
        ("--train_batch_size=0", "train_batch_size"),
        ("--optimizer=sgd", "lamb|adamw"),
        ("train.txt", "unexpected argument 'train.txt'"),
    ],
)
def test_mistakes_are_named(argument, message):
    with pytest.raises(UsageError) as error:
        make_flags().parse([argument])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_value_is_named():
    flags = make_flags()
    flags.parse([])
    with pytest.raises(UsageError, match="--output_dir must be given"):
        flags.require("output_dir", "optimizer")


PATH_FLAGS = (
    "input_file eval_input_file output_file heldout_file vocab_file spm_model_file user_dictionary bert_config_file "
    "albert_config_file config_file config_files output_dir export_dir data_dir model_dir run_dir init_checkpoint "
    "checkpoint task_file file output path model vectors tf_checkpoint_path pytorch_dump_path from to "
    "index rerank teacher_predictions teacher_vectors eval_pairs train_pairs test_pairs"
).split()
LISTS = {"config_files", "input_file", "eval_input_file", "teacher_vectors"}


def commands():
    """The root's commands with flags of their own, and those that run as modules."""
    found = [download, fetch_vocab]
    for path in sorted(glob.glob(os.path.join(glob.escape(ROOT), "*.py"))):
        with open(path, encoding="utf-8") as file:
            if "def declare_flags" in file.read() and "beam" not in path:  # Beam need not be installed
                found.append(importlib.import_module(os.path.basename(path)[:-3]))
    return found


def test_a_tilde_is_the_home_folder_in_every_path_of_every_command(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    seen = set()
    for command in commands():
        declared = command.declare_flags().as_dict()
        names = [name for name in declared if name in PATH_FLAGS]
        for name in names:
            flags = command.declare_flags()
            others = ["--run_dir=x"] if "run_dir" in names and name != "run_dir" else []
            others += ["--{}=x".format(word) for word in ("path", "task_file") if word in names and word != name]
            others += ["--action=query"] if "action" in declared else []
            flags.parse(["--{}=~/data/a b.txt".format(name)] + others)
            assert getattr(flags, name) == "/home/me/data/a b.txt", (command.__name__, name)
        seen.update(names)
    assert seen == set(PATH_FLAGS)


def test_a_tilde_in_lists_of_paths_and_in_texts(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    flags = create_pretraining_data.declare_flags()
    flags.parse(["--input_file=~/a*.txt, ~/b.txt,c~.txt, ./~d", "--output_file", "~/x.tfrecord"])
    assert flags.input_file == "/home/me/a*.txt,/home/me/b.txt,c~.txt, ./~d"
    assert flags.output_file == "/home/me/x.tfrecord"
    flags = make_flags()
    flags.string("sentence", None, "a text")
    flags.parse(["--sentence=~/你好", "--output_dir=out~1"])
    assert (flags.sentence, flags.output_dir) == ("~/你好", "out~1")


def test_a_home_folder_that_does_not_exist_is_named(tmp_path, monkeypatch):
    flags = Flags()
    flags.location("output_dir", None, "a folder")
    with pytest.raises(UsageError, match="--output_dir=~nobody.here/x: there is no home folder ~nobody.here/x: write"):
        flags.parse(["--output_dir=~nobody.here/x"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~nobody.here").mkdir()
    flags.parse(["--output_dir=~nobody.here"])
    assert flags.output_dir == "~nobody.here"


def parsed_words(*arguments):
    flags = make_flags()
    flags.word("source", "what to read")
    flags.word("target", "where to write", is_required=False)
    flags.parse(arguments)
    return flags.source, flags.target, flags.output_dir


@pytest.mark.parametrize(
    "arguments,values",
    [
        (["a"], ("a", None, None)),
        (["a", "--output_dir=x", "b"], ("a", "b", "x")),
        (["--output_dir", "x", "a"], ("a", None, "x")),
        (["--target=a", "b"], ("b", "a", None)),
        (["a", "--", "--b"], ("a", "--b", None)),
        (["--output-dir=x", "a"], ("a", None, "x")),
        (["-output_dir", "--x", "a"], ("a", None, "--x")),
    ],
)
def test_words_stand_anywhere_among_the_flags(arguments, values):
    assert parsed_words(*arguments) == values


@pytest.mark.parametrize(
    "arguments,message",
    [
        ([], "SOURCE is missing: what to read (--help lists all flags)"),
        (["--target=a"], "SOURCE is missing: what to read (--help lists all flags)"),
        (["a", "b", "c"], "unexpected argument 'c': write every option as --name=value (--help lists them)"),
        (
            ["--outdir=x", "--none", "a"],
            "unknown flag --outdir: the nearest known one is --output_dir; unknown flag --none (--help lists them)",
        ),
    ],
)
def test_mistakes_with_words_are_named(arguments, message):
    with pytest.raises(UsageError) as error:
        parsed_words(*arguments)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "arguments, value",
    [
        (["--do_train", "True"], True),
        (["--do-train", "false"], False),
        (["--do_train"], True),
        (["--nodo_train"], False),
        (["--no-do-train"], False),
        (["--do_train", "--optimizer=adamw"], True),
    ],
)
def test_booleans_are_written_in_all_ways(arguments, value):
    flags = make_flags()
    flags.parse(arguments)
    assert flags.do_train is value


def test_what_is_neither_true_nor_false_is_named():
    with pytest.raises(UsageError) as error:
        make_flags().parse(["--do_train=maybe"])
    assert str(error.value) == "flag --do_train=maybe: give True or False"


def test_words_are_separated_from_the_flags_of_several_commands():
    other = Flags()
    other.integer("num_folds", 1, "folds")
    arguments = ["tnews", "--num-folds", "3", "--do_train", "True", "lcqmc", "--none", "--output_dir=x"]
    assert separate_words(arguments, [make_flags(), other]) == (
        ["tnews", "lcqmc"],
        ["--num_folds=3", "--do_train=True", "--none", "--output_dir=x"],
    )


def needy_flags():
    flags = make_flags()
    flags.word("source", "what to read")
    flags.boolean("do_eval", False, "evaluate")
    flags.boolean("do_predict", False, "predict")
    flags.string("task_name", None, "a task")
    flags.location("task_file", None, "a task of your own")
    flags.needs("do_train", "do_eval", "do_predict")
    flags.needs("output_dir")
    flags.needs("task_name", "task_file", unless=["optimizer"])
    return flags


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["x"], "--output_dir and one of --do_train=True, --do_eval=True or --do_predict=True must be given"),
        (["x", "--do_eval", "--optimizer="], "--output_dir and --task_name or --task_file must be given"),
        (["x", "--do_eval", "--output_dir=o", "--optimizer="], "--task_name or --task_file must be given"),
    ],
)
def test_all_that_is_missing_is_named_at_once(arguments, message):
    flags = needy_flags()
    flags.set_default("optimizer", None)
    flags.parse([argument for argument in arguments if argument != "--optimizer="])
    if "--optimizer=" not in arguments:
        flags.set_default("optimizer", "lamb")
    with pytest.raises(MissingFlagsError) as error:
        flags.require()
    assert str(error.value) == message + " (--help lists all flags)"


def test_missing_words_are_named_with_the_flags():
    with pytest.raises(MissingFlagsError, match=r"^SOURCE, --output_dir and one of --do_train=True, .* must be given"):
        needy_flags().parse([])


def test_an_example_follows_what_is_missing(capsys):
    description = (
        "Does it.\n\n    python it.py --a=1 \\\n      --output_dir=x        what it does\n    python it.py --b\n"
    )
    with pytest.raises(SystemExit):
        run_command(description, needy_flags(), lambda flags: flags.require(), ["a"])
    error, example = capsys.readouterr().err.splitlines()
    assert error.startswith("error: --output_dir and one of")
    assert example == "example: python it.py --a=1 --output_dir=x"


def test_help_lists_what_is_required_first_and_rare_flags_last():
    flags = make_flags()
    flags.group(RARE)
    flags.string("tpu_name", None, "a TPU")
    flags.group("Own group")
    flags.float("learning_rate", 5e-5, "the rate")
    flags.group("Data")
    flags.location("vocab_file", None, "the vocabulary")
    flags.word("source", "what to read")
    flags.needs("output_dir")
    page = help_page("What it does.", flags.entries(), 80)
    titles = [line.rstrip(":") for line in page.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Required", "Data", "Flags", "Own group", RARE]
    for text in (
        "\n  SOURCE                        what to read\n  --output_dir=FOLDER           a folder\n",
        "\n  --learning_rate=RATE          the rate (default: 5e-5)\n",
        "\n  --train_batch_size=N          rows (default: 32)\n",
        "\n  --do_train=True|False         train\n",
        "\n  --optimizer=lamb|adamw        an optimizer (default: lamb)\n",
        "\n  --vocab_file=FILE             the vocabulary\n",
    ):
        assert text in page
    assert "None" not in page and "--source" not in page


@pytest.mark.parametrize("runner", RUNNERS)
def test_published_flags_keep_their_defaults(runner):
    flags = runner.declare_flags()
    flags.parse([])
    values = flags.as_dict()
    for name, default in PUBLISHED[runner].items():
        assert values[name] == default, name


@pytest.mark.parametrize("runner", RUNNERS)
def test_runners_live_in_one_process_and_know_only_their_flags(runner):
    runner.declare_flags()
    with pytest.raises(UsageError, match="unknown flag --outputdir"):
        runner.declare_flags().parse(["--outputdir=x"])


@pytest.mark.parametrize(
    "error,status", [(UserError("no such file"), 1), (UsageError("bad flag"), 2), (KeyboardInterrupt(), 130)]
)
def test_mistakes_end_with_one_sentence_and_a_status(capsys, error, status):
    def main(flags):
        raise error

    with pytest.raises(SystemExit) as exit_:
        run_command("A command.", make_flags(), main, [])
    assert exit_.value.code == status
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ")


def test_help_of_a_command_without_flags_names_none(capsys):
    run_command("What it does.\n", Flags(), lambda flags: None, ["--help"])
    assert capsys.readouterr().out == "What it does.\n"


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.__name__)
def test_help_fits_the_screen_and_says_something_of_every_flag(command):
    page = help_page(command.__doc__, command.declare_flags().entries(), 80)
    assert [line for line in page.splitlines() if width_of(line) > 80] == []
    assert "None" not in page
    assert all(entry.text for entry in command.declare_flags().entries())


def test_no_command_imports_tensorflow_to_declare_its_flags():
    names = [command.__name__ for command in commands()]
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name).declare_flags()\n"
        "    assert 'tensorflow' not in sys.modules, name\n"
    )
    done = subprocess.run([sys.executable, "-c", code] + names, cwd=ROOT, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()
    assert len(names) > 20


def test_the_version_is_told_without_tensorflow(capsys):
    run_command("A command.", make_flags(), lambda flags: None, ["--version"])
    assert re.match(r"ALBERT-zh [\d.]+, TensorFlow (1\.15|2\.15)\.\d, Python 3\.[\d.]+\n$", capsys.readouterr().out)


def test_help_lists_every_flag(capsys):
    run_command("What it does.", make_flags(), lambda flags: None, ["--help"])
    text = capsys.readouterr().out
    assert text.startswith("What it does.")
    assert all("--" + name in text for name in make_flags().as_dict())
