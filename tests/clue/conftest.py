"""Surroundings of the benchmark's tests: another folder, no network, no choice of a model."""

import pytest

from tests.support.local_server import closed_port


@pytest.fixture(autouse=True)
def in_another_folder(monkeypatch, tmp_path):
    """The command starts outside the repository, without a network and without a choice of model."""
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.delenv("MODEL", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for variable in ("CLUE_MIRROR", "ALBERT_ZH_MIRROR", "LCQMC_MIRROR"):
        monkeypatch.setenv(variable, closed_port())
