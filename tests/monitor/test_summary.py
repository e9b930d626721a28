"""The closing lines."""

from albert.monitor.figures import append_record
from albert.monitor.log import Rate
from albert.monitor.summary import file_lines, training_lines


def test_lines_say_steps_time_rates_and_losses(tmp_path):
    for step, loss in ((1, 3.0), (40, 1.5), (60, 2.0)):
        append_record(str(tmp_path / "metrics.jsonl"), "train", step, 0.0, {"loss": loss})
    append_record(str(tmp_path / "metrics.jsonl"), "eval", 60, 0.0, {"loss": 0.1})
    rate = Rate(steps=59, seconds=118.0, tokens=11800.0)
    lines = training_lines(str(tmp_path), rate=rate, batch_size=8, wall_seconds=3723.0)
    assert lines == [
        "Trained to step 60 in 1:02:03 (0:01:58 of it in steps): 4.0 examples/s, 100 tokens/s",
        "Loss: first 3.0000, last 2.0000, best 1.5000 (step 40)",
    ]


def test_only_what_exists_is_listed(tmp_path):
    lines = file_lines(str(tmp_path), checkpoint=None, curves=None)
    assert lines == ["TensorBoard: tensorboard --logdir={}".format(tmp_path)]
    (tmp_path / "best").mkdir()
    (tmp_path / "metrics.jsonl").write_text("")
    lines = file_lines(str(tmp_path), checkpoint="c", curves="p")
    assert [line.split(":")[0] for line in lines] == ["Last checkpoint", "Best", "Curves", "Figures", "TensorBoard"]
