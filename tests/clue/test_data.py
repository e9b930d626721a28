"""Data and models of the benchmark: the user's folders, and downloads from a local server that misbehaves."""

from __future__ import annotations

import io
import os
import zipfile

import pytest

from albert.base.errors import UserError
from albert.checkpoints import families
from albert.clue.data import bring_data, commonest_label_accuracy, folder_of, missing_data_files, parse_folders
from albert.clue.model import bring_model, find_model, fingerprint, missing_model_files, model_flags
from albert.clue.tasks import BENCHMARK_TASKS, CLUE, find_tasks
from albert.downloads.published_files import CLUE_TASKS, MODELS, known_names
from tests.support import tiny_model
from tests.support.local_server import closed_port, serving
from tests.support.tiny_runs import publish

TNEWS = BENCHMARK_TASKS["tnews"]
LINES = {"train.json": '{"sentence": "好", "label": "100"}\n', "dev.json": '{"sentence": "坏", "label": "100"}\n'}


@pytest.fixture
def mirrors(monkeypatch):
    def use(site):
        for variable in ("CLUE_MIRROR", "ALBERT_ZH_MIRROR", "LCQMC_MIRROR"):
            monkeypatch.setenv(variable, site)

    return use


def zip_of(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def names(folder):
    return sorted(os.listdir(str(folder)))


def test_an_archive_is_fetched_unpacked_and_not_asked_for_again(tmp_path, mirrors, capsys):
    folder = str(tmp_path / "data" / "tnews")
    with serving(zip_of({"tnews/" + name: text for name, text in LINES.items()})) as site:
        mirrors(site.url)
        bring_data(TNEWS, folder)
        bring_data(TNEWS, folder)
        assert len(site.asked) == 1
    assert names(folder) == ["dev.json", "train.json"] and names(tmp_path / "data") == ["tnews"]
    assert "tnews_public.zip: 0.0 of 0.0 MB (100 %)" in capsys.readouterr().err


def test_a_cut_download_goes_on_and_ends_whole(tmp_path, mirrors):
    content = zip_of(dict(LINES, **{"test.json": "x" * 5000}))
    with serving(content) as site:
        site.cuts = [100, 200]
        mirrors(site.url)
        bring_data(TNEWS, str(tmp_path / "tnews"))
        assert site.asked == [None, "bytes=100-", "bytes=300-"]
    assert names(tmp_path / "tnews") == ["dev.json", "test.json", "train.json"]


@pytest.mark.parametrize(
    ("members", "status", "message"),
    [
        ({"../train.json": "x"}, 200, "leads out of the folder"),
        (LINES, 404, "the server answers 404"),
        (None, 200, "is not a complete zip archive"),
    ],
)
def test_what_cannot_be_downloaded_leaves_no_folder(tmp_path, mirrors, members, status, message):
    with serving(zip_of(members) if members else b"no archive") as site:
        site.status = status
        mirrors(site.url)
        with pytest.raises(UserError, match=message):
            bring_data(TNEWS, str(tmp_path / "data" / "tnews"))
    assert not (tmp_path / "data" / "tnews").exists() and not (tmp_path / "train.json").exists()


def test_an_archive_brought_by_hand_is_used_and_left(tmp_path, mirrors):
    mirrors(closed_port())
    (tmp_path / "tnews_public.zip").write_bytes(zip_of(LINES))
    bring_data(TNEWS, str(tmp_path / "tnews"))
    assert names(tmp_path) == ["tnews", "tnews_public.zip"] and "dev.json" in names(tmp_path / "tnews")


def test_folders_of_the_user_are_used_as_they_are(tmp_path, mirrors):
    mirrors(closed_port())
    wsc = BENCHMARK_TASKS["wsc"]
    data_dir = str(tmp_path)
    assert folder_of(wsc, data_dir, {}) == os.path.join(data_dir, "wsc")
    (tmp_path / "cluewsc2020").mkdir()
    assert folder_of(wsc, data_dir, {}) == os.path.join(data_dir, "cluewsc2020")
    named = parse_folders("tnews=x,wsc=elsewhere")
    assert folder_of(wsc, data_dir, named) == "elsewhere"
    (tmp_path / "cluewsc2020" / "train.json").write_text("")  # not all of it, but the user's
    bring_data(wsc, str(tmp_path / "cluewsc2020"))
    assert names(tmp_path / "cluewsc2020") == ["train.json"]


@pytest.mark.parametrize("text", ["wsc", "wsc=", "news=x", "wsc=x;tnews=y,"])
def test_folders_must_be_written_properly(text):
    if text.endswith(","):
        text = text[:-1] + ",y"
    with pytest.raises(UserError, match="--data_dirs must be like wsc=FOLDER"):
        parse_folders(text)


def test_without_a_network_the_files_to_copy_are_named(tmp_path, mirrors):
    nowhere = closed_port()
    mirrors(nowhere)
    folders = {name: str(tmp_path / name) for name in ("tnews", "lcqmc", "xnli")}
    for name, message in (
        ("tnews", "cannot be reached"),
        ("lcqmc", "cannot be reached"),
        ("xnli", "cannot be downloaded: copy"),
    ):
        with pytest.raises(UserError, match=message):
            bring_data(BENCHMARK_TASKS[name], folders[name])
    tnews, lcqmc, xnli = missing_data_files(find_tasks(list(folders)), folders)
    assert tnews.strip().startswith("train.json, dev.json, test.json into " + folders["tnews"])
    assert "(or {}/tnews_public.zip into {}/)".format(nowhere, tmp_path) in tnews
    assert "train.txt, dev.txt, test.txt" in lcqmc and nowhere in lcqmc
    assert "multinli/multinli.train.zh.tsv" in xnli


def test_the_commonest_label_is_that_of_the_train_split(tmp_path):
    rows = {"train": ["100", "101", "101"], "dev": ["100", "100", "101", "102", "100"]}
    for split, labels in rows.items():
        text = "".join('{{"sentence": "好", "label": "{}"}}\n'.format(label) for label in labels)
        (tmp_path / (split + ".json")).write_text(text, encoding="utf-8")
    assert commonest_label_accuracy(TNEWS, str(tmp_path)) == 0.2


def test_folders_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert parse_folders("wsc=~/wsc,lcqmc=./~") == {"wsc": "/home/me/wsc", "lcqmc": "./~"}
    with pytest.raises(UserError, match="--data_dirs: there is no home folder ~nobody.here/wsc"):
        parse_folders("wsc=~nobody.here/wsc")


def test_tasks_are_found_by_their_names_and_folders():
    assert [task.name for task in find_tasks(["TNEWS", "cluewsc2020", "wsc"])] == ["tnews", "wsc"]
    with pytest.raises(UserError, match="unknown task 'twens': the nearest known one is tnews"):
        find_tasks(["twens"])
    for task in find_tasks(CLUE):
        assert task.published in CLUE_TASKS and task.preset["num_train_epochs"] > 0
    assert find_tasks(["wsc"])[0].preset == {
        "max_seq_length": 128,
        "train_batch_size": 16,
        "learning_rate": 1e-5,
        "num_train_epochs": 10,
        "save_checkpoints_steps": 10,
    }
    assert len(set(known_names())) == len(known_names())


def test_a_model_is_found_by_name_folder_checkpoint_or_config(tmp_path):
    published = publish(tmp_path, families.GOOGLE)
    config = tiny_model.write_config(tmp_path, ln_type="postln")
    found = {
        name: find_model(str(name))
        for name in ("albert_small_zh_google", published, published / "albert_model.ckpt", config)
    }
    assert [model.family.name for model in found.values()] == ["google", "google", "google", "zh"]
    own = found[published]
    assert own.name == "published_google" and not own.published and not own.is_random
    assert model_flags(own) == {"init_checkpoint": str(published)}
    assert fingerprint(own) == fingerprint(found[published / "albert_model.ckpt"])
    assert model_flags(found[config])["bert_config_file"] == config
    with pytest.raises(UserError, match="the nearest one is albert_tiny_489k"):
        find_model("albert_tiny_48k")


def test_a_published_model_is_fetched_or_named(tmp_path, monkeypatch, mirrors):
    monkeypatch.chdir(tmp_path)
    model = find_model("albert_base_zh")
    assert model.published in MODELS
    mirrors(closed_port())
    with pytest.raises(UserError, match="cannot be reached"):
        bring_model(model)
    (line,) = missing_model_files(model)
    assert line.endswith("/albert_base_zh.zip into ./, or its files into ./albert_base_zh/")
    with serving(zip_of({"albert_base/albert_model.ckpt.index": "x", "albert_base/vocab.txt": "y"})) as site:
        mirrors(site.url)
        bring_model(model)
    assert names(tmp_path / "albert_base_zh") == ["albert_model.ckpt.index", "vocab.txt"]
    assert missing_model_files(model) == []
