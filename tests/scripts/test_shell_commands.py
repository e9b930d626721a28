"""run_classifier_lcqmc.sh, run_classifier_clue.sh and create_pretrain_data.sh, with stand-ins for what they call."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from albert.base.paths import ROOT
from tests.support.local_server import closed_port

PACKAGES = ["base", "files", "downloads"]
RUNNERS = ["run_classifier", "create_pretraining_data"]
SCRIPTS = ["run_classifier_lcqmc.sh", "run_classifier_clue.sh", "create_pretrain_data.sh"]
ECHO = "import sys\nprint('\\n'.join(sys.argv[1:]))\n"


@pytest.fixture
def project(tmp_path):
    """A copy of the scripts in which set-up is done and the runners write down their flags."""
    root = tmp_path / "a project"
    (root / "scripts").mkdir(parents=True)
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / "scripts" / "setup.sh").write_text("")
    python = root / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for name in SCRIPTS:
        shutil.copy(os.path.join(ROOT, name), str(root))
    for name in PACKAGES:
        shutil.copytree(os.path.join(ROOT, "albert", name), str(root / "albert" / name))
    (root / "albert" / "clue").mkdir()
    (root / "albert" / "clue" / "benchmark.py").write_text(ECHO)
    for name in RUNNERS:
        (root / (name + ".py")).write_text(ECHO)
    return root


def run(project, script, *flags, **kwargs):
    nowhere = closed_port()
    return subprocess.run(
        ["bash", str(project / script), *flags],
        env={**os.environ, "ALBERT_ZH_MIRROR": nowhere, "LCQMC_MIRROR": nowhere, "no_proxy": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
        **kwargs,
    )


def add_model_and_data(project):
    for name in ("albert_tiny_zh/albert_model.ckpt.index", "lcqmc/train.txt", "lcqmc/dev.txt", "lcqmc/test.txt"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("")


def test_lcqmc_without_a_network(project):
    done = run(project, "run_classifier_lcqmc.sh")
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert "cannot be reached" in first
    listing = "\n".join(rest)
    for name in ("./albert_tiny_zh/albert_model.ckpt", "./lcqmc/train.txt, dev.txt, test.txt", "--sample"):
        assert name in listing
    assert done.stdout == ""
    assert not (project / "lcqmc").exists() and not (project / "albert_tiny_zh").exists()


def test_lcqmc_as_published(project):
    add_model_and_data(project)
    done = run(project, "run_classifier_lcqmc.sh", "--train_batch_size=8")
    assert done.returncode == 0, done.stderr
    flags = done.stdout.splitlines()
    for flag in (
        "--task_name=lcqmc_pair",
        "--data_dir=./lcqmc",
        "--max_seq_length=128",
        "--num_train_epochs=5",
        "--init_checkpoint=./albert_tiny_zh/albert_model.ckpt",
    ):
        assert flag in flags
    assert flags[-1] == "--train_batch_size=8"


def test_lcqmc_on_the_sample(project):
    done = run(project, "run_classifier_lcqmc.sh", "--seed=3", "--sample")
    assert done.returncode == 0, done.stderr
    assert "--data_dir=./data/sample_pairs" in done.stdout and "--seed=3" in done.stdout
    assert "--init_checkpoint=starter" in done.stdout and "--sample\n" not in done.stdout
    assert "not of LCQMC" in done.stdout


def test_lcqmc_status_is_that_of_the_run(project):
    add_model_and_data(project)
    (project / "run_classifier.py").write_text("import sys\nsys.exit(7)\n")
    assert run(project, "run_classifier_lcqmc.sh").returncode == 7


def test_clue_hands_everything_on_and_ends_with_the_same_status(project, tmp_path):
    (project / "albert" / "clue" / "benchmark.py").write_text(
        "import os, sys\nprint(sys.argv[1:], os.getcwd())\nsys.exit(7)\n"
    )
    done = run(project, "run_classifier_clue.sh", "tnews", "--data_dir=my data", cwd=str(tmp_path))
    assert done.returncode == 7
    assert done.stdout == "['tnews', '--data_dir=my data'] {}\n".format(os.path.realpath(str(project)))


@pytest.mark.parametrize("number", [(), ("3",)])
def test_pretraining_data_by_number(project, number):
    done = run(project, "create_pretrain_data.sh", *number)
    name = (number or ("1",))[0]
    flags = done.stdout.splitlines()
    assert f"--input_file=data/news_zh_{name}.txt" in flags
    assert f"--output_file=data/tf_news_2016_zh_raw_news2016zh_{name}.tfrecord" in flags
    assert "--max_predictions_per_seq=51" in flags and "--do_whole_word_mask=True" in flags


def test_pretraining_data_of_ones_own(project, tmp_path):
    done = run(project, "create_pretrain_data.sh", "my text", "out", "--seed=1", cwd=str(tmp_path))
    flags = done.stdout.splitlines()
    assert "--input_file=my text" in flags and "--output_file=out" in flags
    assert flags[-1] == "--seed=1"
    assert f"--vocab_file={project}/albert_config/vocab.txt" in flags


@pytest.mark.parametrize("flags", [("in.txt",), ("--seed=1",), ("a", "--seed=1")])
def test_pretraining_data_misused(project, flags):
    done = run(project, "create_pretrain_data.sh", *flags)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_pretraining_data_without_an_environment(project):
    shutil.rmtree(str(project / ".venv"))
    done = run(project, "create_pretrain_data.sh")
    assert done.returncode == 1
    assert "scripts/setup.sh" in done.stderr
