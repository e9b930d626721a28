"""An export that a program asks for, without a command line."""

import json

from albert.export.run import export_model
from albert.export.settings import ExportSettings
from albert.inference.predictor import open_predictor
from tests.support import exports


def test_settings_alone_make_an_export(tmp_path):
    folder = exports.write_classifier(tmp_path / "model")
    out = tmp_path / "out"
    export_model(ExportSettings(folder, "frozen", str(out), max_seq_length=9))
    description = json.loads((out / "export.json").read_text(encoding="utf-8"))
    assert description["max_seq_length"] == 9 and description["head"] == "classifier"
    with open_predictor(str(out)) as exported, open_predictor(folder) as source:
        pairs = [("我喜欢", "你喜欢")]
        assert abs(exported.predict(pairs) - source.predict(pairs)).max() < 1e-6
    card = (out / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| format | frozen |" in card and "| compared with its source | largest difference " in card
    assert "| tokens of a row, at most | 9 |" in card and "\npython serve.py --model=FOLDER\n" in card
