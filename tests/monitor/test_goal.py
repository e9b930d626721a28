"""Goals: which checkpoint is the best, and figures in words."""

import pytest

from albert.monitor.goal import Baseline, Goal, of_records, to_record, value_text, words

ACCURACY = Goal("eval_accuracy", is_higher_better=True)
LOSS = Goal("loss", is_higher_better=False, lead="masked_lm_accuracy")


def results(step, value, figure="eval_accuracy"):
    return {"global_step": step, figure: value}


@pytest.mark.parametrize(
    "goal, values, best",
    [
        (ACCURACY, {1: 0.5, 2: 0.75, 3: 0.25}, 2),
        (ACCURACY, {1: 0.75, 2: 0.75}, 2),  # of equals the later
        (ACCURACY, {0: 0.5, 1: 0.5, 2: 0.25}, 1),  # no tie of the untrained counts
        (ACCURACY, {0: 0.9, 1: 0.5}, 1),  # nor does its luck
        (ACCURACY, {0: 0.9, 1: float("nan")}, 1),
        (ACCURACY, {0: 0.9, 1: None, 2: 0.1}, 2),
        (ACCURACY, {0: 0.9}, 0),
        (LOSS, {0: 0.1, 1: 2.0, 2: 1.0, 3: float("nan")}, 2),
    ],
)
def test_the_best(goal, values, best):
    found = goal.best([results(step, value, goal.figure) for step, value in values.items()])
    assert found["global_step"] == best


def test_nothing_is_the_best_of_nothing():
    assert ACCURACY.best([]) is None


@pytest.mark.parametrize(
    "other, is_better", [(results(1, 0.5), False), (results(1, 0.4), True), (results(0, 0.9), True)]
)
def test_a_later_step_alone_is_nothing_better(other, is_better):
    assert ACCURACY.is_better(results(2, 0.5), other) is is_better


def test_figures_in_words_lead_with_the_goal_beside_its_baseline():
    found = {"eval_accuracy": 0.693, "eval_loss": 0.5821, "eval_macro_f1": 0.5, "global_step": 3731}
    assert ACCURACY.text(found, Baseline("the commonest label", 0.5)) == (
        "accuracy 69.3 % (the commonest label: 50.0 %), loss 0.5821, macro F1 50.0 %"
    )
    assert LOSS.text({"loss": 6.11, "masked_lm_accuracy": 0.126, "global_step": 3}) == (
        "masked-LM accuracy 12.6 %, loss 6.1100"
    )


@pytest.mark.parametrize(
    "figure, value, expected",
    [("eval_f1", 0.337, "33.7 %"), ("mcc", 0.1234, "0.1234"), ("loss", None, "not measured"), ("rows", 1200, "1,200")],
)
def test_values_have_their_unit(figure, value, expected):
    assert value_text(figure, value) == expected


def test_names_are_words():
    assert [words(name) for name in ("eval_exact_match", "sentence_order_loss", "eval_f1", "eval_mcc")] == [
        "exact match", "sentence-order loss", "F1", "MCC"
    ]  # fmt: skip


def test_a_record_holds_goal_and_baseline():
    def record(step, value, data):
        goal = to_record(ACCURACY, Baseline("the commonest label", 0.5))
        return {"kind": "eval", "step": step, "data": data, "goal": goal, "eval_accuracy": value, "global_step": step}

    found = of_records([record(1, 0.9, "old"), record(2, 0.6, "new"), record(3, 0.5, "new"), {"step": 4}])
    assert (found.goal, found.baseline, found.best_step) == (ACCURACY, Baseline("the commonest label", 0.5), 2)
    assert of_records([{"kind": "eval", "step": 1, "loss": 1.0}]) is None  # of an earlier release
