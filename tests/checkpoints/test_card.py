"""Model cards: what a run's folder knows, and nothing else."""

import json

import pytest

from albert.checkpoints.card import export_card, next_command, read_card, run_card, section, write_card
from albert.checkpoints.description import ModelFolder
from albert.checkpoints.model import open_checkpoint
from tests.support import exports

FIGURES = [("dev accuracy", "69.3 % (the commonest label: 50.0 %)"), ("dev loss", "0.5821")]
DATA = {"file": "train.txt", "bytes": 12345, "sha256": "ab" * 32}
FLAGS = {
    "do_train": True, "init_checkpoint": "/home/me/models/albert_tiny_zh/", "learning_rate": 1e-4, "optimizer": "adamw",
    "num_train_epochs": 3.0, "seed": 7, "output_dir": "/home/me/out",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exports.write_classifier(tmp_path_factory.mktemp("model"))


def card_of(folder, run, config=None):
    run.mkdir(exist_ok=True)
    if config is not None:
        (run / "run_config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return run_card(str(run), open_checkpoint(folder), FIGURES)


def test_a_card_says_task_figures_data_training_model_and_tokenizer(folder, tmp_path):
    config = {"flags": FLAGS, "data": [DATA], "environment": {"tensorflow": "2.15.1", "code_sha256": "cd" * 32}}
    model = open_checkpoint(folder)
    lines = card_of(folder, tmp_path / "run", config).splitlines()
    assert lines[0] == "# {}: ALBERT ({}), step {:,}".format(model.description.task, model.family.name, model.step)
    for row in (
        "| task | {} |".format(model.description.task),
        "| labels | {} |".format(", ".join(model.description.labels)),
        "| dev accuracy | 69.3 % (the commonest label: 50.0 %) |",
        "| file | train.txt, 12,345 bytes, SHA-256 {} |".format("ab" * 32),
        "| started from | albert_tiny_zh |",
        "| learning_rate | 0.0001 |",
        "| num_train_epochs | 3 |",
        "| tensorflow | 2.15.1 |",
        "| hidden_size | {} |".format(model.config.hidden_size),
        "| parameters | {:,} |".format(model.num_parameters),
        "| kind | WordPiece |",
    ):
        assert row in lines
    assert "/home/me" not in "\n".join(lines)  # a card is shown to others
    assert lines[-2].startswith("python ") and lines[-2].endswith("FOLDER")


@pytest.mark.parametrize("config", [None, "{", "[]", {"flags": dict(FLAGS, do_train=False)}])
def test_what_is_not_known_is_left_out(folder, tmp_path, config):
    card = card_of(folder, tmp_path / "run", config)
    assert "## Training" not in card and "## Data" not in card and "## Evaluation" in card


def test_an_export_keeps_its_sources_card(folder, tmp_path):
    rows = [("format", "onnx")]
    alone = export_card(open_checkpoint(folder), rows, "python ask.py FOLDER")
    assert "## Model" in alone and "| format | onnx |" in alone
    model = open_checkpoint(folder)
    place = tmp_path / "copy"
    write_card(str(place), card_of(folder, tmp_path / "run"))
    card = export_card(model._replace(prefix=str(place / "model.ckpt-9")), rows, "python ask.py FOLDER")
    assert "| dev loss | 0.5821 |" in card and card.index("## Tokenizer") < card.index("## Export")
    assert card.count("## How to ask it") == 1 and card.endswith("```\npython ask.py FOLDER\n```\n")
    assert read_card(str(tmp_path / "none")) is None


@pytest.mark.parametrize(
    "task, similar_label, expected",
    [
        ("lcqmc_pair", "1", "python similarity.py --model_dir=out/best"),
        ("tnews", None, "python serve.py --model=out/best"),
        ("reviews", None, "python serve.py --model=out/best"),
        ("msra_ner", None, "python predict.py --model=out/best"),
        ("copa", None, "python run_classifier.py --do_predict=True --task_name=copa --data_dir=DATA --output_dir=out"),
        ("drcd", None, "python predict.py --model=out/best"),
    ],
)
def test_every_kind_of_task_has_a_command(task, similar_label, expected):
    description = ModelFolder(task, ("0", "1"), "zh", "c.json", "v.txt", True, 9, similar_label=similar_label)
    assert next_command(description, "out/best") == expected


def test_a_task_of_ones_own_is_not_taken_for_a_declared_one_of_its_name():
    own = ModelFolder("copa", ("left", "right"), "zh", "c.json", "v.txt", True, 9)
    assert next_command(own, "out/best") == "python serve.py --model=out/best"


@pytest.mark.parametrize("head", ["tags", "spans"])
def test_models_of_own_tags_and_spans_are_asked_by_predict(head):
    description = ModelFolder("mine", ("O", "B-人"), "zh", "c.json", "v.txt", True, 9, head=head)
    assert next_command(description, "out/best") == "python predict.py --model=out/best"


@pytest.mark.parametrize("task", ["lcqmc_pair", "some_vectors", "drcd"])
def test_a_model_of_sentence_vectors_is_asked_for_cosines(task):
    description = ModelFolder(task, (), "zh", "c.json", "v.txt", True, 9, pooling="mean")
    assert next_command(description, "out/best") == "python similarity.py --model_dir=out/best"


def test_a_card_says_pooling_map_and_norm(tmp_path):
    rows = run_card(str(tmp_path), open_checkpoint(exports.write_vectors(tmp_path / "m", "google_g1", "cls")), [])
    assert "| pooling | cls: the first token of the last layer |" in rows
    assert "| map | a linear map of 48 to 7 numbers |" in rows and "| norm | l2: each vector is divided by" in rows
    assert "labels" not in rows and rows.endswith("```\npython similarity.py --model_dir=FOLDER\n```\n")


def test_a_label_with_a_bar_stays_in_its_cell():
    assert section("Task", [("labels", "a|b")])[-2] == "| labels | a\\|b |"
    assert section("Task", []) == []
