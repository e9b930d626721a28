"""The picture: what is drawn of which records, and what happens where it cannot be."""

import builtins

import pytest

import training_curves
from albert.base.errors import UserError
from albert.base.flags import run_command
from albert.monitor.curves import Series, draw_curves, draw_curves_or_warn, series_of, smoothed, title
from albert.monitor.figures import append_record, read_records

PNG = b"\x89PNG\r\n\x1a\n"


def write_run(folder, steps, **figures):
    path = str(folder / "metrics.jsonl")
    for step in steps:
        record = dict({"loss": 2.0 / step, "learning_rate": 1e-3 / step, "examples_per_second": 12.5}, **figures)
        append_record(path, "train", step, float(step), record)
    append_record(path, "eval", steps[-1], 0.0, {"eval_loss": 0.7, "loss": 9.0, "eval_accuracy": 0.5})
    return folder


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
    assert heights[0] == heights[1] and heights[0][0] == 990


def test_one_record_and_null_figures_are_drawn_too(tmp_path):
    append_record(str(tmp_path / "metrics.jsonl"), "train", 1, 0.0, {"loss": float("nan")})
    assert draw_curves(str(tmp_path))


def test_training_and_evaluation_of_a_figure_are_one_series(tmp_path):
    records = read_records(str(write_run(tmp_path, [1, 2], accuracy=0.25) / "metrics.jsonl"))
    train, evaluations = records[:2], records[2:]
    losses = series_of(train, evaluations, "loss")
    assert losses == [Series("loss", ([1, 2], [2.0, 1.0]), ([2], [0.7]))]  # the mean over the rows
    (accuracy,) = series_of(train, evaluations, "accuracy")
    assert accuracy.train == ([1, 2], [0.25, 0.25]) and accuracy.evaluation == ([2], [0.5])


def test_smoothing_keeps_straight_lines_and_means(tmp_path):
    assert smoothed([1.0, 2.0, 3.0, 4.0], 0) == [1.0, 2.0, 3.0, 4.0]
    assert smoothed([0.0, 3.0, 0.0, 3.0, 0.0], 1) == [0.0, 1.0, 2.0, 1.0, 1.5]


def test_the_title_says_steps_loss_and_rates(tmp_path):
    records = read_records(str(write_run(tmp_path, [1000, 2000], tokens_per_second=3400.0) / "metrics.jsonl"))
    assert title("run", records) == "run: 2,000 steps, loss 0.001, 12.5 examples/s, 3,400 tokens/s"


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
