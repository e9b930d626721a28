"""What people read of a model, from the files beside it."""

import json

from albert.base.paths import STARTER_MODEL
from albert.serving.about import About, read_about


def test_the_card_of_a_model_is_read():
    about = read_about(STARTER_MODEL, STARTER_MODEL)
    assert about._replace(parameters=None, date=None, dev=()) == About(
        "starter_model", family="zh", size="tiny", layers=4, hidden_size=312, task="sentence_vectors"
    )
    assert about.parameters > 4e6 and about.date.startswith("20")
    assert about.dev[0][0] == "auc" and dict(about.dev)["threshold"]


def test_what_is_missing_or_damaged_says_nothing(tmp_path):
    folder = tmp_path / "run" / "best"
    folder.mkdir(parents=True)
    assert read_about(str(folder), str(folder)) == About("run")
    (folder / "task.json").write_text("[")
    (folder / "MODEL_CARD.md").write_bytes(b"\xff| a | b |")
    assert read_about(str(folder), str(folder)) == About("run")
    (folder / "task.json").write_text(json.dumps({"task": "a", "family": "google", "config_file": "c.json"}))
    (folder / "c.json").write_text(json.dumps({"hidden_size": 100, "num_hidden_layers": 2}))
    (folder / "MODEL_CARD.md").write_text("## Evaluation\n\n| | |\n|---|---|\n| dev f1 | a \\| b |\n| loss | 1 |\n")
    assert read_about(str(folder / "x"), str(folder)) == About(
        "x", family="google", layers=2, hidden_size=100, task="a", dev=(("f1", "a | b"),)
    )
