"""The closing lines."""

import pytest

from albert.monitor.figures import append_record
from albert.monitor.goal import Baseline, Goal
from albert.monitor.log import Rate
from albert.monitor.summary import best_lines, file_lines, training_lines


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


class Evaluator:
    """Knows the figures of some checkpoints."""

    def __init__(self, name, goal, baseline, known):
        self.name, self.goal, self.baseline, self._known = name, goal, baseline, known

    def known(self):
        return self._known

    def best(self):
        return self.goal.best(self._known)


def dev(accuracies):
    known = [{"global_step": s, "eval_accuracy": value, "eval_loss": 0.5} for s, value in accuracies.items()]
    return Evaluator("dev", Goal("eval_accuracy", is_higher_better=True), Baseline("the commonest label", 0.5), known)


@pytest.mark.parametrize(
    "accuracies, expected",
    [
        ({}, []),
        ({0: 0.5}, ["dev accuracy 50.0 % (the commonest label: 50.0 %), step 0, untrained"]),
        ({0: 0.9, 60: 0.693}, ["dev accuracy 69.3 % (the commonest label: 50.0 %), step 60"]),
        (
            {0: 0.5, 20: 0.5, 40: 0.5, 60: 0.25, 80: 0.5},
            ["dev accuracy 50.0 % (the commonest label: 50.0 %), best of 4 checkpoints (3 are alike), step 80"],
        ),
        (
            {0: 0.5, 1000: 0.6, 3731: 0.693, 5000: 0.65},
            [
                "dev accuracy 69.3 % (the commonest label: 50.0 %), best of 3 checkpoints, step 3,731",
                "Last checkpoint, step 5,000: accuracy 65.0 %, loss 0.5000",
            ],
        ),
    ],
)
def test_the_summary_leads_with_the_best_figure_beside_its_baseline(accuracies, expected):
    assert best_lines(dev(accuracies)) == expected


def test_pretraining_leads_with_the_masked_words_though_the_loss_decides():
    known = [
        {"global_step": 1, "loss": 6.0, "masked_lm_accuracy": 0.126},
        {"global_step": 2, "loss": 6.5, "masked_lm_accuracy": 0.2},
    ]
    goal = Goal("loss", is_higher_better=False, lead="masked_lm_accuracy")
    first, _ = best_lines(Evaluator("held-out", goal, Baseline("the commonest token", 0.061), known))
    assert first == (
        "held-out masked-LM accuracy 12.6 % (the commonest token: 6.1 %), loss 6.0000, best of 2 checkpoints, step 1"
    )
