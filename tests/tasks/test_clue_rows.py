import json

import pytest

from albert.base.errors import UserError
from albert.tasks.clue_rows import xnli_rows
from albert.tasks.registry import get_task
from albert.tasks.splits import read_split

TEXT = "树叶落了，它黄了"
TARGET = {"span1_text": "树叶", "span1_index": 0, "span2_text": "它", "span2_index": 5}


def write_json(folder, *objects, split="train"):
    text = "".join(json.dumps(values, ensure_ascii=False) + "\n" for values in objects)
    (folder / (split + ".json")).write_text(text, encoding="utf-8")
    return str(folder)


def wsc(target, text=TEXT):
    return {"text": text, "target": target, "label": "true"}


def wsc_text(folder, target, text=TEXT):
    return read_split(get_task("wsc"), write_json(folder, wsc(target, text)), "train")[0].text_a


def spans(first, start, second, place):
    return {"span1_text": first, "span1_index": start, "span2_text": second, "span2_index": place}


@pytest.mark.parametrize(
    "target, text, marked",
    [
        (TARGET, TEXT, "_树叶_落了，[它]黄了"),
        (spans("黄", 6, "它", 5), TEXT, "树叶落了，[它]_黄_了"),
        (spans("它", 5, "黄", 6), TEXT, "树叶落了，_它_[黄]了"),
        (spans("张三", 2, "他", 0), "他说张三", "[他]说_张三_"),
        (spans("他哥", 0, "他", 0), "他哥来了", "_[他]哥_来了"),
        (spans("哥", 1, "他哥", 0), "他哥来了", "[他_哥_]来了"),
        (spans("甲", 0, "它", 2), "甲\U0001f600它", "_甲_\U0001f600[它]"),
    ],
)
def test_noun_and_pronoun_are_marked(tmp_path, target, text, marked):
    assert wsc_text(tmp_path, target, text) == marked


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"span1_index": 1}, "says that the text has '树叶' at character 1 (span1), but the text has '叶落' there"),
        ({"span2_index": -3}, "says that the text has '它' at character -3 (span2), but the text has '' there"),
        ({"span2_index": 99}, "says that the text has '它' at character 99 (span2), but the text has '' there"),
        ({"span1_text": ""}, "says that the text has '' at character 0 (span1), but the text has '' there"),
        ({"span1_index": "0"}, "has no whole number under 'span1_index' but \"0\""),
        ({"span2_text": None}, "has no text under 'span2_text' but null"),
    ],
)
def test_spans_that_do_not_match_are_named(tmp_path, change, expected):
    folder = write_json(tmp_path, wsc(TARGET), wsc(dict(TARGET, **change)))
    with pytest.raises(UserError) as error:
        read_split(get_task("wsc"), folder, "train")
    assert str(error.value) == "{} line 2 {}".format(tmp_path / "train.json", expected)


def test_missing_spans_are_named(tmp_path):
    folder = write_json(tmp_path, {"text": TEXT, "target": "它", "label": "true"})
    with pytest.raises(UserError, match="line 1 has no object under 'target' but \"它\""):
        read_split(get_task("wsc"), folder, "train")


COPA = {"premise": "他摔倒了。", "choice0": "地滑。", "choice1": "天晴。", "question": "cause", "label": 1}


def test_a_question_is_one_row_with_two_choices(tmp_path):
    rows = read_split(get_task("copa"), write_json(tmp_path, COPA, dict(COPA, label="0")), "train")
    assert [(row.row_id, row.label, row.choices) for row in rows] == [
        (0, "1", ("地滑。", "天晴。")),
        (1, "0", ("地滑。", "天晴。")),
    ]


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"question": "why"}, "asks for 'why', not for one of cause, effect"),
        ({"choice1": " "}, "has an empty choice 1 text: fill it in or remove the row"),
        ({"label": 2}, "has the unknown label '2': the labels of the task copa are 0, 1"),
    ],
)
def test_a_bad_question_is_named(tmp_path, change, expected):
    folder = write_json(tmp_path, COPA, dict(COPA, **change))
    with pytest.raises(UserError) as error:
        read_split(get_task("copa"), folder, "train")
    assert str(error.value) == "{} line 2 {}".format(tmp_path / "train.json", expected)


def test_keywords_must_be_a_list(tmp_path):
    folder = write_json(tmp_path, {"keyword": "甲 乙", "abst": "丙", "label": "0"})
    with pytest.raises(UserError, match="line 1 has no list of texts under 'keyword' but \"甲 乙\""):
        read_split(get_task("csl"), folder, "train")


XNLI_HEADER = (
    "language\tgold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1"
    "\tsentence2\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tlabel\tmatch\n"
)


def xnli_line(language, label, first, second):
    return "\t".join([language, label, "", "", "", "", first, second] + ["x"] * 10) + "\n"


def test_xnli_as_it_is_published(tmp_path, caplog):
    caplog.set_level("INFO")
    (tmp_path / "multinli").mkdir()
    (tmp_path / "multinli" / "multinli.train.zh.tsv").write_text(
        'premise\thypo\tlabel\n甲\t"乙\tcontradictory\n丙\t丁\tneutral\n', encoding="utf-8"
    )
    dev = xnli_line("ar", "neutral", "x", "y") + xnli_line("zh", "contradiction", "戊", "己")
    (tmp_path / "xnli.dev.tsv").write_text(XNLI_HEADER + dev, encoding="utf-8")
    task = get_task("xnli")
    rows = read_split(task, str(tmp_path), "train")
    assert [row[:4] for row in rows] == [(0, "甲", '"乙', "contradiction"), (1, "丙", "丁", "neutral")]
    assert [row[:5] for row in read_split(task, str(tmp_path), "dev")] == [(0, "戊", "己", "contradiction", 3)]
    assert "xnli.dev.tsv: 1 row with a language other than 'zh' left out." in caplog.text


@pytest.mark.parametrize(
    "name, content",
    [
        ("dev.tsv", "甲\t乙\tneutral\n"),
        ("dev.tsv", "premise\thypo\tlabel\n甲\t乙\tneutral\n"),
        ("dev.tsv", "label\tpremise\thypo\nneutral\t甲\t乙\n"),
        ("dev.json", '{"premise": "甲", "hypo": "乙", "label": "neutral"}\n'),
    ],
)
def test_xnli_in_other_files(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    (row,) = read_split(get_task("xnli"), str(tmp_path), "dev")
    assert row[:4] == (0, "甲", "乙", "neutral")


def test_xnli_without_known_columns(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\tb\tc\td\n", encoding="utf-8")
    with pytest.raises(UserError, match="x.tsv line 1 names neither premise and hypo nor sentence1 and sentence2"):
        list(xnli_rows(str(path)))
