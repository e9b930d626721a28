"""Exact match and F1 on cases worked out by hand."""

import pytest

from albert.tasks.mrc_metrics import answer_score, answer_units, longest_common_run


@pytest.mark.parametrize(
    "text,units",
    [
        ("《北京》，2008年！", ["北", "京", "2008", "年"]),
        ("iPhone 4S～", ["iphone", "4s"]),
        ("3.5%", ["3", "5"]),
        ("…—“”·、", []),
        ("ÉTÉ", ["été"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
    ],
)
def test_units(text, units):
    assert answer_units(text) == units


@pytest.mark.parametrize(
    "predicted,gold,exact_match,f1",
    [
        ("踢爆", ["踢爆"], 1, 1),
        ("“踢爆”。", ["踢爆"], 1, 1),
        ("4分钟", ["４分钟"], 0, 2 * 2 / 6),
        ("北京市海淀区", ["北京海淀区"], 0, 2 * 3 / 11),  # the run 海淀区; all five characters would give 10 / 11
        ("海淀区", ["北京市海淀区"], 0, 2 * 3 / 9),
        ("上海", ["北京"], 0, 0),
        ("", ["北京"], 0, 0),
        ("。", ["北京"], 0, 0),
        ("NBA 球队", ["nba球队"], 1, 1),
        ("NB", ["NBA"], 0, 0),  # words are whole units
        ("北京", ["上海", "在北京", "北京"], 1, 1),
        ("京沪", ["北京", "京沪线"], 0, 2 * 2 / 5),
    ],
)
def test_scores(predicted, gold, exact_match, f1):
    assert answer_score(predicted, gold) == pytest.approx((exact_match, f1))


@pytest.mark.parametrize(
    "first,second,length", [("abcd", "xbcy", 2), ("", "a", 0), ("aaa", "aa", 2), ("abab", "baba", 3), ("abc", "cba", 1)]
)
def test_longest_common_run(first, second, length):
    assert longest_common_run(first, second) == length == longest_common_run(second, first)
