"""Addresses, mirrors and commands of published files."""

import pytest

from albert.base.errors import UserError
from albert.checkpoints.files import find_checkpoint
from albert.downloads import published_files
from albert.downloads.published_files import LCQMC_SOURCE, archive_of, download_command, mirror_advice
from albert.model.config import ModelConfig


def test_a_mirror_takes_the_place_of_the_address(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert published_files.vocabulary_address() == "https://huggingface.co/bert-base-chinese/resolve/main/vocab.txt"
    monkeypatch.setenv("HF_ENDPOINT", "https://hf-mirror.com/")
    assert published_files.vocabulary_address() == "https://hf-mirror.com/bert-base-chinese/resolve/main/vocab.txt"
    monkeypatch.setenv("CLUE_MIRROR", "http://here/clue")
    assert archive_of("tnews").url == "http://here/clue/tnews_public.zip"


def test_the_variable_of_an_address_is_named():
    advice = mirror_advice("https://huggingface.co/voidful/albert_chinese_tiny/resolve/main/config.json")
    assert (
        advice
        == "name a mirror by the environment variable HF_ENDPOINT (for example HF_ENDPOINT=https://hf-mirror.com)"
    )
    assert mirror_advice(LCQMC_SOURCE.address + "/dev.txt") == "name a mirror by the environment variable LCQMC_MIRROR"
    assert mirror_advice("http://127.0.0.1/file") == ""


@pytest.mark.parametrize(
    "path, command",
    [
        ("albert_tiny_zh", "albert_tiny_489k --to=albert_tiny_zh"),
        ("models/albert_tiny_zh/albert_model.ckpt", "albert_tiny_489k --to=models/albert_tiny_zh"),
        ("./albert_base_zh/", "albert_base_zh --to=./albert_base_zh/"),
        ("albert_chinese_tiny", "albert_chinese_tiny --to=albert_chinese_tiny"),
        ("my_model", None),
        ("", None),
    ],
)
def test_the_command_for_a_published_model(path, command):
    assert download_command(path) == (command and "python -m albert.downloads.download " + command)


def test_a_published_model_that_is_missing_names_its_download(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"zh.index does not exist \(`python -m .* albert_tiny_489k --to=albert_t"):
        find_checkpoint("albert_tiny_zh")
    with pytest.raises(UserError, match="json: No such file or directory .`python -m .* --to=albert_base_zh`"):
        ModelConfig.from_json_file("albert_base_zh/albert_config_base.json")
