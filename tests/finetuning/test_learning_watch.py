"""Training that does not learn: the signs, in the words of each kind of task, and what is said once."""

import math

import numpy as np
import pytest

from albert.finetuning.classification.guessing import commonest_label_baseline, one_label_for_all
from albert.finetuning.classification.labelling import OneLabel
from albert.finetuning.classification.losses import LabelLoss
from albert.finetuning.learning_watch import LearningWatch, Schedule, guessing_sign
from albert.finetuning.mrc.answers import one_place_for_all
from albert.finetuning.ner.answers import no_entity_predicted
from albert.finetuning.settings import FineTuningSettings
from albert.inference.span_reading import Span
from albert.monitor.figures import append_record
from albert.monitor.goal import Baseline, Goal
from albert.tasks.entities import Entity
from albert.tasks.ner_rows import Sentence
from albert.tasks.registry import get_task
from albert.tasks.rows import Row

TASK = get_task("lcqmc_pair")
SCHEDULE = Schedule(total_steps=1000, warmup_steps=100)  # late from step 400 on


def rows_of(*counts):
    labels = [label for label, count in zip(TASK.labels, counts) for _ in range(count)]
    return [Row(place, "a", "b", label, 1) for place, label in enumerate(labels)]


def answers_of(*counts):
    """Answers that give each label to a number of rows."""
    label_ids = np.repeat(np.arange(len(counts)), counts)
    return np.log(np.where(np.arange(2) == label_ids[:, None], 0.75, 0.25))


@pytest.mark.parametrize(
    "rows, answers, is_sign",
    [
        ((50, 50), (0, 100), True),
        ((50, 50), (1, 99), True),
        ((50, 50), (3, 97), False),
        ((5, 95), (0, 100), False),  # so they are
        ((4, 4), (0, 8), False),  # may be chance
    ],
)
def test_one_label_for_all_rows(rows, answers, is_sign):
    found = one_label_for_all(TASK, rows_of(*rows), answers_of(*answers))
    assert (found is not None) == is_sign
    if is_sign:
        count = "{} of {} rows, and {} have it".format(answers[1], sum(rows), rows[1])
        assert found == "the label 1 is predicted for " + count


@pytest.mark.parametrize(
    "spans, expected",
    [
        ([(0, 0)] * 20, "the answers to 20 of 20 questions are empty"),
        ([(7, 9)] * 20, "the answers to 20 of 20 questions begin at character 7 of their context"),
        ([(start, start + 2) for start in range(20)], None),
        ([(0, 0)] * 5, None),
        ([], None),
    ],
)
def test_one_answer_for_all_questions(spans, expected):
    assert one_place_for_all([Span(0.0, *span) for span in spans]) == expected


@pytest.mark.parametrize(
    "found, expected",
    [
        (0, "no entity is predicted in 10 sentences, which have 100"),
        (2, "only 2 entities are predicted in 10 sentences, which have 100"),
        (3, None),
    ],
)
def test_no_entities(found, expected):
    entity = Entity(0, 1, "PER")
    sentences = [Sentence(0, "王", ((0, 1),), (entity,) * 10, 1)] * 10
    predicted = [[entity] if place < found else [] for place in range(10)]
    assert no_entity_predicted(sentences, predicted) == expected


@pytest.mark.parametrize("metric, value", [("accuracy", 0.75), ("macro_f1", 3 / 7), ("mcc", 0.0)])
def test_the_baseline_is_the_metric_of_the_commonest_label(metric, value):
    baseline = commonest_label_baseline(TASK._replace(metric=metric), rows_of(1, 3))
    assert baseline.name == "the commonest label" and baseline.value == pytest.approx(value)


@pytest.mark.parametrize(
    "counts, entropy", [((2, 2), math.log(2)), ((4, 0), 0.0), ((1, 3), 2 * math.log(2) - 0.75 * math.log(3))]
)
def test_who_guesses_by_the_shares_has_the_labels_entropy(counts, entropy):
    assert OneLabel(TASK).guessing_loss(rows_of(*counts), LabelLoss()) == pytest.approx(entropy)


def test_rows_without_labels_have_neither():
    rows = [Row(0, "a", "b", None, 1)]
    assert commonest_label_baseline(TASK, rows) is None and OneLabel(TASK).guessing_loss(rows, LabelLoss()) is None


def losses(*values):
    return [{"step": 120 + 20 * place, "loss": value} for place, value in enumerate(values)]


@pytest.mark.parametrize(
    "records, guessing_loss, schedule, is_sign",
    [
        (losses(0.70, 0.69, 0.70, 0.69, 0.70, 0.69), math.log(2), SCHEDULE, True),
        (losses(0.70, 0.69, 0.70, 0.67, 0.66, 0.65), math.log(2), SCHEDULE, False),
        (losses(0.70, 0.70), math.log(2), SCHEDULE, False),  # too few
        ([{"step": 20, "loss": 0.7}] * 6, math.log(2), SCHEDULE, False),  # of the warm-up
        (losses(0.7, 0.7, 0.7, 0.7, 0.7, 0.7), None, SCHEDULE, False),
        (losses(0.7, 0.7, 0.7, 0.7, 0.7, 0.7), math.log(2), None, False),
    ],
)
def test_a_loss_as_of_guessing(records, guessing_loss, schedule, is_sign):
    assert (guessing_sign(records, guessing_loss, schedule) is not None) == is_sign


@pytest.fixture
def watch(tmp_path):
    found = LearningWatch(FineTuningSettings(str(tmp_path)), guessing_loss=math.log(2))
    found.begin(SCHEDULE)
    return found


def test_it_is_said_once_and_late_enough_with_what_to_try(watch, tmp_path, caplog):
    for step in range(20, 501, 20):
        append_record(str(tmp_path / "metrics.jsonl"), "train", step, 0.0, {"loss": 0.6931})
    for step in (0, 100, 399):
        watch.look(step, lambda: "all answers are alike")
    assert not caplog.text
    for step in (400, 500):
        watch.look(step, lambda: "all answers are alike")
    said, tries = [record.message for record in caplog.records]
    assert said == (
        "It does not learn (step 400): all answers are alike; the training loss is 0.693 since step 320, and who "
        "guesses by the labels' shares has 0.693."
    )
    assert tries.startswith("What to try next: a smaller or larger --learning_rate (now 5e-05); more warm-up")


def test_who_learns_is_left_in_peace(watch, tmp_path, caplog):
    append_record(str(tmp_path / "metrics.jsonl"), "train", 300, 0.0, {"loss": 0.3})
    watch.look(500, lambda: None)
    assert not caplog.text


class Evaluator:
    """Knows one evaluation."""

    name, goal = "dev", Goal("eval_accuracy", is_higher_better=True)

    def __init__(self, value, baseline):
        self._value, self.baseline = value, baseline and Baseline("the commonest label", baseline)

    def best(self):
        return {"eval_accuracy": self._value, "global_step": 1000}


@pytest.mark.parametrize("value, baseline, num_lines", [(0.5, 0.5, 2), (0.4, 0.5, 2), (0.51, 0.5, 0), (0.5, None, 0)])
def test_a_run_that_ends_at_its_baseline_is_told_so(watch, caplog, value, baseline, num_lines):
    watch.conclude(Evaluator(value, baseline))
    assert len(caplog.records) == num_lines
    if num_lines:
        expected = "It did not learn: dev accuracy {:.1%} is no better than the commonest label, 50.0 %."
        assert caplog.records[0].message == expected.format(value).replace("%", " %", 1)


def test_the_end_repeats_no_advice(watch, caplog):
    watch.look(500, lambda: "all answers are alike")
    watch.conclude(Evaluator(0.5, 0.5))
    assert caplog.text.count("What to try next") == 1


def test_what_only_evaluates_has_not_failed_to_learn(tmp_path, caplog):
    LearningWatch(FineTuningSettings(str(tmp_path))).conclude(Evaluator(0.5, 0.5))
    assert not caplog.text
