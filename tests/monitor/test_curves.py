"""The picture: what is drawn of which records, and what happens where it cannot be."""

import builtins

import pytest

import training_curves
from albert.base.errors import UserError
from albert.base.flags import run_command
from albert.monitor import curves
from albert.monitor.curves import Series, draw_curves, draw_curves_or_warn, panels_of, series_of, smoothed, titles
from albert.monitor.figures import append_record, read_records
from albert.monitor.goal import of_records

PNG = b"\x89PNG\r\n\x1a\n"


def write_run(folder, steps, **figures):
    path = str(folder / "metrics.jsonl")
    for step in steps:
        record = dict({"loss": 2.0 / step, "learning_rate": 1e-3 / step, "examples_per_second": 12.5}, **figures)
        append_record(path, "train", step, float(step), record)
    append_record(path, "eval", steps[-1], 0.0, {"eval_loss": 0.7, "loss": 9.0, "eval_accuracy": 0.5})
    return folder


def add_evaluations(folder, accuracies, figure="eval_accuracy", **goal):
    described = {"figure": figure, "is_higher_better": True, "lead": None, "baseline": ["the commonest label", 0.5]}
    for step, value in accuracies.items():
        marks = {"global_step": step, "data": "dev", "goal": dict(described, **goal)}
        append_record(str(folder / "metrics.jsonl"), "eval", step, 0.0, {figure: value, "eval_loss": 0.7, **marks})
    return read_records(str(folder / "metrics.jsonl"))


def size_of(png):
    return tuple(int.from_bytes(png[place : place + 4], "big") for place in (16, 20))


def test_a_png_is_drawn_with_and_without_accuracies_and_norms(tmp_path):
    heights = []
    for name, figures in (("a", {"accuracy": 0.5, "gradient_norm": 1.0}), ("b", {}), ("c", {"gradient_norm": 0.0})):
        (tmp_path / name).mkdir()
        path = draw_curves(str(write_run(tmp_path / name, range(1, 100), **figures)))
        with open(path, "rb") as file:
            content = file.read()
        assert path.endswith("training_curves.png") and content.startswith(PNG) and len(content) > 5000
        heights.append(size_of(content))
    assert heights[0][0] == 990
    assert heights[1][1] < heights[0][1] == heights[2][1]  # the norm has a panel of its own


def test_one_record_and_null_figures_are_drawn_too(tmp_path):
    append_record(str(tmp_path / "metrics.jsonl"), "train", 1, 0.0, {"loss": float("nan")})
    assert draw_curves(str(tmp_path))


def test_training_and_evaluation_of_a_figure_are_one_series(tmp_path):
    records = read_records(str(write_run(tmp_path, [1, 2], accuracy=0.25) / "metrics.jsonl"))
    train, evaluations = records[:2], records[2:]
    losses = series_of(train, evaluations, lambda key: key.endswith("loss"))
    assert losses == [Series("loss", ([1, 2], [2.0, 1.0]), ([2], [0.7]))]  # the mean over the rows
    (accuracy,) = series_of(train, evaluations, lambda key: key.endswith("accuracy"))
    assert accuracy.train == ([1, 2], [0.25, 0.25]) and accuracy.evaluation == ([2], [0.5])


def test_smoothing_keeps_straight_lines_and_means(tmp_path):
    assert smoothed([1.0, 2.0, 3.0, 4.0], 0) == [1.0, 2.0, 3.0, 4.0]
    assert smoothed([0.0, 3.0, 0.0, 3.0, 0.0], 1) == [0.0, 1.0, 2.0, 1.0, 1.5]


def test_the_title_leads_with_the_best_evaluation(tmp_path):
    records = read_records(str(write_run(tmp_path, [1000, 2000], tokens_per_second=3400.0) / "metrics.jsonl"))
    facts = "2,000 steps, loss 0.001, 12.5 examples/s, 3,400 tokens/s"
    assert titles("run", records, None) == ["run: " + facts]
    assert titles("微调", records, None) == [facts]  # the font lacks these characters
    goal = of_records(add_evaluations(tmp_path, {0: 0.9, 1000: 0.75, 2000: 0.5}))
    assert titles("run", records, goal) == [
        "best: accuracy 75.0 % (the commonest label: 50.0 %), step 1,000", "run: " + facts
    ]  # fmt: skip


def test_every_quantity_has_a_panel_of_its_own(tmp_path):
    pretraining = {
        "masked_lm_loss": 1.5, "masked_lm_accuracy": 0.1, "sentence_order_loss": 0.7, "sentence_order_accuracy": 0.5,
        "gradient_norm": 1.0, "token_spread": 0.6,
    }  # fmt: skip
    path = str(tmp_path / "metrics.jsonl")
    append_record(path, "train", 1, 0.0, dict(pretraining, loss=2.2, learning_rate=0.0))
    panels = panels_of(read_records(path), None)
    assert [(panel.label, len(panel.series)) for panel in panels] == [
        ("loss (nats)", 2),
        ("masked-LM accuracy (%)", 1),
        ("sentence-order loss (nats)", 1),
        ("sentence-order accuracy (%)", 1),
        ("learning rate", 1),
        ("gradient norm", 1),
        ("spread of token vectors", 1),
    ]


@pytest.mark.parametrize(
    "figure, label", [("eval_accuracy", "accuracy (%)"), ("eval_f1", "share (%)"), ("eval_mcc", "MCC")]
)
def test_the_figure_that_decides_is_drawn_with_its_baseline(tmp_path, figure, label):
    write_run(tmp_path, [1, 2], accuracy=0.25)
    records = add_evaluations(tmp_path, {1: 0.75, 2: 0.5}, figure)
    (panel,) = [panel for panel in panels_of(records, of_records(records)) if panel.baseline]
    assert panel.label == label and panel.baseline == ("the commonest label", 0.5)
    assert draw_curves(str(tmp_path))


def test_the_best_checkpoint_is_marked_and_no_marker_is_cut_off(tmp_path):
    write_run(tmp_path, [1, 2, 3], accuracy=0.25)
    records = add_evaluations(tmp_path, {1: 0.5, 2: 1.0, 3: 0.5})
    figure = curves._figure(records, "run")
    assert len(figure.axes) == 3  # no second axis at the right
    for axis in figure.axes:
        assert [line.get_xdata()[0] for line in axis.get_lines() if line.get_color() == "#2ca02c"] == [2]
        low, high = axis.get_ylim()
        for line in axis.get_lines():
            assert all(low < value < high for value in line.get_ydata()) or line.get_color() == "#2ca02c"


def test_the_command_names_the_picture_or_what_is_wrong(tmp_path, capsys):
    def command(*words):
        run_command(training_curves.__doc__, training_curves.declare_flags(), training_curves.main, list(words))

    command(str(write_run(tmp_path, [1, 2])))
    assert capsys.readouterr().out == str(tmp_path / "training_curves.png") + "\n"
    for words, status, message in (
        ([str(tmp_path / "none")], 1, "holds no metrics.jsonl to draw"),
        ([], 2, "error: RUN_DIR is missing: the --output_dir of a run (--help lists all flags)\n"),
    ):
        with pytest.raises(SystemExit) as ended:
            command(*words)
        assert ended.value.code == status and message in capsys.readouterr().err


def test_without_matplotlib_a_run_goes_on_with_a_warning(tmp_path, monkeypatch, caplog):
    imported = builtins.__import__

    def without_matplotlib(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    write_run(tmp_path, [1, 2])
    assert draw_curves_or_warn(str(tmp_path)) is None
    assert "were not drawn: matplotlib is missing: pip install" in caplog.text
    assert not (tmp_path / "training_curves.png").exists()
    with pytest.raises(UserError, match="matplotlib is missing"):
        draw_curves(str(tmp_path))
