"""Similar label: which of a pair task's two labels says that both texts mean the same, by its name or by a setting."""

from __future__ import annotations

from typing import Optional, Sequence

from albert.base.errors import UserError
from albert.base.sentences import Sentence

SETTING = "similar_label"  # the key in task files, task.json and export.json

# A label that means "similar" -> the labels that may stand opposite to it. Names are folded (see `_folded`).
_OPPOSITES = {
    "1": ("0", "-1"),
    "1.0": ("0.0", "-1.0"),
    "label1": ("label0",),  # the names that the library transformers gives to numbers
    "yes": ("no",),
    "y": ("n",),
    "true": ("false",),
    "t": ("f",),
    "positive": ("negative",),
    "pos": ("neg",),
    "similar": ("different", "dissimilar", "unrelated"),
    "same": ("different", "other"),
    "identical": ("different",),
    "equal": ("different", "unequal"),
    "equivalent": ("different", "inequivalent"),
    "duplicate": ("different", "unique", "original"),
    "paraphrase": ("different", "unrelated"),
    "eq": ("neq",),
    "match": ("mismatch",),
    "matched": ("mismatched", "unmatched"),
    "related": ("unrelated",),
    "entailment": ("contradiction", "neutral"),
    "相似": ("不同", "相异", "无关"),
    "相同": ("不同", "相异"),
    "同义": ("异义",),
    "一致": ("不同",),
    "是": ("否",),
    "对": ("错",),
    "真": ("假",),
    "正": ("负",),
    "正例": ("负例",),
    "同": ("异",),
    "匹配": ("失配",),
    "等价": ("不同",),
    "相关": ("无关",),
    "重复": ("独立",),
}
_NEGATIONS = ("not", "non", "no", "un", "dis", "不", "非", "不是", "无", "未")
_AFFIRMATIONS = ("", "is", "是")


def find_similar_label(labels: Sequence[str], chosen: Optional[str] = None, where: str = "") -> str:
    """Finds the label that means "similar"; its place among the labels says nothing.

    Args:
      labels: of the model.
      chosen: the label that its description names; None where it names none.
      where: the file that may name it ("out/task.json"), for the message.

    Raises:
      UserError: there are not two labels, or nothing says which of them it is.
    """
    if len(labels) != 2:
        raise UserError(Sentence("the model has {} labels, not the two of different and similar", len(labels)))
    if chosen is not None:
        return checked_similar_label(labels, chosen)
    first, second = labels
    found = [label for label, other in ((first, second), (second, first)) if _is_opposite(label, other)]
    if len(found) != 1:
        raise UserError(
            Sentence(
                "which of the model's labels '{}' and '{}' means similar is not known: name it under the key '{}'{}",
                first,
                second,
                SETTING,
                Sentence(" in {}", where) if where else "",
            )
        )
    return found[0]


def checked_similar_label(labels: Sequence[str], chosen: str) -> str:
    """Returns the chosen label; raises `UserError` where it is none of a task's two."""
    if len(labels) != 2 or chosen not in labels:
        raise UserError(
            "'{}' must be one of a task's two labels, not '{}': the labels are {}".format(
                SETTING, chosen, ", ".join(labels)
            )
        )
    return chosen


def _is_opposite(label: str, other: str) -> bool:
    """Whether a label is known to mean "similar", and the other one the opposite."""
    for affirmation in _AFFIRMATIONS:
        word = _folded(label)
        if not word.startswith(affirmation) or word[len(affirmation) :] not in _OPPOSITES:
            continue
        word = word[len(affirmation) :]
        negated = {before + negation + word for negation in _NEGATIONS for before in _AFFIRMATIONS}
        return _folded(other) in negated.union(_OPPOSITES[word])
    return False


def _folded(label: str) -> str:
    """A label in lower case without the marks that join its words."""
    return "".join(label.lower().replace("_", " ").replace("-", " ").split()) if not label.startswith("-") else label
