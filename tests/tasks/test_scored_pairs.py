"""Scored pairs: every form of file, and lines that are none."""

import pytest

from albert.base.errors import UserError
from albert.tasks.registry import get_task
from albert.tasks.scored_pairs import ScoredPair, are_labels, read_scored_pairs, read_task_pairs

PAIRS = [ScoredPair("怎么换手机号码", "手机号码怎么换", 4.5), ScoredPair("今天下雨", "股票大跌", 0.0)]


def written(folder, name, *lines):
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "name, lines",
    [
        ("a.txt", ["怎么换手机号码\t手机号码怎么换\t4.5", "今天下雨\t股票大跌\t0"]),
        ("a.tsv", ["4.5\t怎么换手机号码\t手机号码怎么换", "0\t今天下雨\t股票大跌"]),
        ("a.tsv", ["sentence1\tsentence2\tscore", "怎么换手机号码\t手机号码怎么换\t4.5", "今天下雨\t股票大跌\t0"]),
        ("a.tsv", ["id\tscore\ttext_a\ttext_b", "1\t4.5\t怎么换手机号码\t手机号码怎么换", "2\t0\t今天下雨\t股票大跌"]),
        ("a.csv", ["sentence1,sentence2,similarity", "怎么换手机号码,手机号码怎么换,4.5", "今天下雨,股票大跌,0.0"]),
        (
            "a.jsonl",
            [
                '{"sentence1": "怎么换手机号码", "sentence2": "手机号码怎么换", "score": 4.5}',
                '{"sentence1": "今天下雨", "sentence2": "股票大跌", "score": "0"}',
            ],
        ),
    ],
)
def test_forms_of_files(tmp_path, name, lines):
    assert read_scored_pairs(written(tmp_path, name, *lines)) == PAIRS


@pytest.mark.parametrize(
    "name, lines, words",
    [
        ("a.txt", ["甲\t乙\t1", "甲\t乙\t高"], "line 2 has the score '高'"),
        ("a.txt", ["甲\t乙\t1", "甲\t乙\tnan"], "line 2 has the score 'nan'"),
        ("a.txt", ["甲\t乙\t1", "甲\t \t1"], "line 2 has an empty second text"),
        ("a.txt", ["甲\t乙\t1", "甲\t1"], "line 2 has 2 columns"),
        ("a.txt", ["甲\t乙"], "line 1 has 2 columns"),
        ("a.txt", ["甲\t乙\t丙\t1"], "line 1 has 4 columns"),
        ("a.txt", ["sentence1\tsentence2\tscore"], "has no pairs"),
        ("a.txt", [""], "has no pairs"),
        ("a.json", ['{"sentence1": "甲", "sentence2": "乙"}'], "line 1 has no score"),
        ("a.json", ['{"sentence1": "甲", "score": 1}'], "no two keys for the sentences"),
        ("a.json", ['{"sentence1": "甲", "sentence2": 3, "score": 1}'], "has no text under 'sentence2'"),
        ("a.json", ["甲\t乙\t1"], "is not JSON"),
    ],
)
def test_lines_that_cannot_be_used(tmp_path, name, lines, words):
    with pytest.raises(UserError, match=words):
        read_scored_pairs(written(tmp_path, name, *lines))


def test_pairs_of_a_task_have_scores_of_its_label(tmp_path):
    written(tmp_path, "dev.txt", "甲\t乙\t1", "丙\t丁\t0")
    pairs = read_task_pairs(get_task("lcqmc"), str(tmp_path), "dev")
    assert pairs == [ScoredPair("甲", "乙", 1.0), ScoredPair("丙", "丁", 0.0)]
    assert are_labels(pairs)
    assert not are_labels(pairs[:1]) and not are_labels(PAIRS)


def test_a_task_of_other_labels_has_no_scores(tmp_path):
    with pytest.raises(UserError, match="ocnli has no label that says"):
        read_task_pairs(get_task("ocnli"), str(tmp_path), "dev")
