"""Exact match and character F1 of answers, as CMRC 2018 defines them (Cui et al., arXiv 1810.07366, section 4).

An answer is compared without punctuation and blanks, in lower case, by units: a Chinese character, or a word of other
letters and digits. Exact match needs the same units. F1 is that of the longest run of units that both have in common,
as in the evaluation script of CMRC 2018, which is also used for DRCD. Of several right answers the best counts.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Sequence

from tokenization import is_chinese_character, is_punctuation, is_whitespace

_MORE_PUNCTUATION = "～"  # U+FF5E, which Unicode calls a symbol
_CHARACTER, _WORD, _GAP = "c", "w", " "
_UNIT = re.compile("c|w+")


class AnswerScore(NamedTuple):
    """Score of an answer: exact match 0 or 1, F1 0 to 1."""

    exact_match: float
    f1: float


def answer_score(predicted: str, gold: Sequence[str]) -> AnswerScore:
    """Returns the scores of an answer against the right ones, at least one."""
    units = answer_units(predicted)
    references = [answer_units(text) for text in gold]
    return AnswerScore(
        float(units in references),
        max(run_f1(units, reference) for reference in references),
    )


def answer_units(text: str) -> List[str]:
    """Returns the units of an answer: Chinese characters, and words of other letters and digits."""
    kinds = "".join(map(_kind, text))
    return [text[match.start() : match.end()].lower() for match in _UNIT.finditer(kinds)]


def _kind(char: str) -> str:
    if is_chinese_character(char):
        return _CHARACTER
    return _GAP if is_whitespace(char) or is_punctuation(char) or char in _MORE_PUNCTUATION else _WORD


def run_f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Returns the F1, 0 to 1, that counts the longest common run of units as right; 0 where there is none."""
    common = longest_common_run(predicted, gold)
    return 2.0 * common / (len(predicted) + len(gold)) if common else 0.0


def longest_common_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Returns the length of the longest sequence of neighbours that both contain."""
    longest = 0
    ending = [0] * (len(second) + 1)  # of the runs that end at the unit before, by their end in `second`
    for unit in first:
        ending = [0] + [1 + before if unit == other else 0 for before, other in zip(ending, second)]
        longest = max(longest, max(ending))
    return longest
