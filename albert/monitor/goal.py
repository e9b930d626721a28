"""Goal of a run: the figure by which its checkpoints are compared, its baseline, and figures in words."""

from __future__ import annotations

import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from albert.monitor.figures import plain

STEP = "global_step"
_EVAL_PREFIX = "eval_"
_SHARES = ("accuracy", "f1", "exact_match", "precision", "recall", "average")
_WORDS = (("masked_lm", "masked-LM"), ("sentence_order", "sentence-order"), ("f1", "F1"), ("mcc", "MCC"))

Results = Dict[str, Any]


class Baseline(NamedTuple):
    """Baseline of a figure: what is reached without any learning.

    Attributes:
      name: what reaches it ("the commonest label").
      value: the figure.
    """

    name: str
    value: float


class Goal(NamedTuple):
    """Goal of a run.

    Attributes:
      figure: by which checkpoints are compared.
      is_higher_better: whether a checkpoint is better where the figure is higher.
      lead: the figure that is shown first; None for the same.
    """

    figure: str
    is_higher_better: bool
    lead: Optional[str] = None

    @property
    def shown_first(self) -> str:
        """The figure that is shown first."""
        return self.lead or self.figure

    def rank(self, results: Results) -> Any:
        """Rank of results, greater for better ones; of equals, the later step is the better.

        Step 0 is untrained: it ranks below all that is trained, whatever it reached by chance.
        """
        value, step = results[self.figure], results[STEP]
        is_finite = value is not None and math.isfinite(value)
        score = 0.0 if not is_finite else value if self.is_higher_better else -value
        return (step > 0, is_finite, score, step)

    def is_better(self, results: Results, other: Results) -> bool:
        """Whether results are better than others, not only later."""
        return bool(self.rank(results)[:-1] > self.rank(other)[:-1])

    def best(self, all_results: Sequence[Results]) -> Optional[Results]:
        """The best of some results; None where there are none."""
        return max(all_results, key=self.rank) if all_results else None

    def lead_text(self, results: Results, baseline: Optional[Baseline] = None) -> str:
        """Words on the figure that is shown first: "accuracy 69.3 % (the commonest label: 50.0 %)"."""
        name = self.shown_first
        text = "{} {}".format(words(name), value_text(name, results.get(name)))
        if baseline:
            text += " ({}: {})".format(baseline.name, value_text(name, baseline.value))
        return text

    def text(self, results: Results, baseline: Optional[Baseline] = None) -> str:
        """Words on all figures of a checkpoint, in one line; the step is left out."""
        others = sorted(set(results) - {self.shown_first, STEP}, key=lambda name: (plain_name(name) != "loss", name))
        figures = ["{} {}".format(words(name), value_text(name, results[name])) for name in others]
        return ", ".join([self.lead_text(results, baseline)] + figures)


def plain_name(figure: str) -> str:
    """A figure's name in training: evaluations of a fine-tuning run call it eval_…"""
    return figure[len(_EVAL_PREFIX) :] if figure.startswith(_EVAL_PREFIX) else figure


def words(figure: str) -> str:
    """A figure's name as words: "masked-LM accuracy"."""
    name = plain_name(figure)
    for key, text in _WORDS:
        name = name.replace(key, text)
    return name.replace("_", " ")


def is_share(figure: str) -> bool:
    """Whether a figure is a share, 0 to 1, which is shown in percent."""
    return figure.endswith(_SHARES)


def value_text(figure: str, value: Any) -> str:
    """A figure as text: shares in percent, others with four digits."""
    value = plain(value)
    if not isinstance(value, float):
        return "not measured" if value is None else "{:,}".format(value)
    return "{:.1f} %".format(100.0 * value) if is_share(figure) else "{:.4f}".format(value)


def to_record(goal: Goal, baseline: Optional[Baseline]) -> Dict[str, Any]:
    """Describes goal and baseline for an evaluation record, as JSON values."""
    return dict(goal._asdict(), baseline=list(baseline) if baseline else None)


class GoalOfRecords(NamedTuple):
    """Goal of the evaluation records of a run.

    Attributes:
      goal: of the run.
      baseline: of the figure that is shown first, if it has one.
      results: the records of the data set that was evaluated last.
    """

    goal: Goal
    baseline: Optional[Baseline]
    results: List[Dict[str, Any]]

    @property
    def best(self) -> Optional[Results]:
        """The best of the results."""
        return self.goal.best(self.results)

    @property
    def best_step(self) -> Optional[int]:
        """The step of the best checkpoint."""
        best = self.best
        return int(best[STEP]) if best else None


def of_records(evaluations: Sequence[Dict[str, Any]]) -> Optional[GoalOfRecords]:
    """Reads goal, baseline and results of the last evaluated data set off evaluation records; None without a goal."""
    described = [record for record in evaluations if isinstance(record.get("goal"), dict)]
    if not described:
        return None
    last = described[-1]
    values = dict(last["goal"])
    baseline = values.pop("baseline", None)
    results = [record for record in described if record.get("data") == last.get("data") and STEP in record]
    return GoalOfRecords(Goal(**values), Baseline(*baseline) if baseline else None, results)
