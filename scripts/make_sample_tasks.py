#!/usr/bin/env python3
"""Writes a few rows of each task in its own file format, for `run_classifier_clue.sh --sample`.

The rows come from the templates and words below, with easy rules for the labels. They exercise all readers: rows
without agreement, languages to leave out, line breaks inside a text, ids that are strings. The same seed gives the same
files. Needs only the standard library:

    python3 scripts/make_sample_tasks.py [--output_dir=data/sample_tasks] [--seed=12345]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from typing import Any, Callable, Dict, List, Sequence, Tuple

COUNTS = {"train": 48, "dev": 24, "test": 12}  # rows of a split
TEST = "test"

THINGS = "手机 电脑 冰箱 雨伞 相机 台灯 书包 耳机 水壶 键盘".split()
PLACES = "图书馆 车站 医院 公园 学校 超市 邮局 海边".split()
PEOPLE = "小王 老李 小陈 老赵 小周 老孙".split()
FOODS = "面条 米饭 饺子 苹果 豆腐 鱼汤".split()
ASKED = ("{}坏了怎么修？", "在哪里可以买到{}？", "{}多少钱一个？", "怎么给{}换个颜色？")
ASKED_AGAIN = ("请问{}坏了要怎么修理？", "想买{}的话要去哪里？", "一个{}的价格是多少？", "我想换{}的颜色，怎么办？")
PREMISES = ("{0}今天一早去了{1}", "{0}昨天晚上在{1}等朋友", "{0}每个星期都去一次{1}")
HYPOTHESES = {"entailment": "{0}去过{1}", "contradiction": "{0}从来没有去过{1}", "neutral": "{0}打算下次带家人去{1}"}
INFERENCES = tuple(HYPOTHESES)
NEWS = {
    "100": "一个老木匠和他的{}的故事",
    "101": "{}里的书法展览今天开幕",
    "102": "歌手新专辑封面上出现了{}",
    "103": "球队赢下比赛，队长在{}庆祝",
    "104": "银行推出与{}有关的贷款",
    "106": "新楼盘离{}只有五百米，房价稳定",
    "107": "这款轿车可以放下三个{}",
    "108": "高考复习：老师用{}讲物理题",
    "109": "芯片公司发布会上的{}成了焦点",
    "110": "海军舰队演习时带上了{}",
    "112": "自驾旅游三天，{}值得一去",
    "113": "两国外长在{}会谈",
    "114": "做{}的公司股票今天涨停",
    "115": "玉米丰收，村民把{}开进了田里",
    "116": "游戏更新：新地图里藏着{}",
}
APPS = {
    "0": "打车软件，输入地点就能叫车，去{}很方便。",
    "11": "网上购物软件，{}等商品每天打折。",
    "29": "学英语的软件，每天十个单词，{}怎么说一查就知道。",
    "45": "天气软件，出门去{}之前看一看会不会下雨。",
    "77": "记账软件，买了{}花了多少钱都记得清清楚楚。",
    "118": "其他工具，可以给{}拍照并保存。",
}
LINE_BREAKS = ("\u2028", "\r\n", "")  # inside a description; only "\n" ends a line of the file
PRAISE = ("{}很好用，非常满意", "服务热情，{}也干净，下次还来", "{}物美价廉，推荐")
BLAME = ("{}用了一天就坏，太差了", "等了很久，{}又脏又旧，失望", "{}又贵又难用，不推荐")
SUBJECTS = {
    "电池": "本文研究电池材料的充电速度，给出了新的电解液配方，并测量了寿命",
    "水稻": "本文比较三种水稻在干旱条件下的产量，分析了根系的作用",
    "桥梁": "本文用传感器监测桥梁的振动，提出判断损伤的方法",
    "翻译": "本文提出一种神经网络翻译模型，在小语料上提高了译文质量",
}
CAUSES = {
    "{}忘了带雨伞": ("他全身都淋湿了", "他买了一张车票"),
    "{}整晚没有睡觉": ("他第二天很困", "他第二天换了手机"),
    "{}把水洒在键盘上": ("键盘坏了", "窗户打开了"),
}

Row = Dict[str, Any]
Maker = Callable[[random.Random, int], Row]


def similar_pair(rng: random.Random, number: int) -> Row:
    """Makes two questions, which mean the same if they ask about the same thing."""
    thing, other = rng.sample(THINGS, 2)
    kind = rng.randrange(len(ASKED))
    label = number % 2
    asked_again = ASKED_AGAIN[kind].format(thing if label else other)
    return {"a": ASKED[kind].format(thing), "b": asked_again, "label": str(label)}


def inference(rng: random.Random, number: int) -> Row:
    """Makes a premise and a hypothesis."""
    label = INFERENCES[number % len(INFERENCES)]
    person, place = rng.choice(PEOPLE), rng.choice(PLACES)
    return {
        "sentence1": rng.choice(PREMISES).format(person, place),
        "sentence2": HYPOTHESES[label].format(person, place),
        "label": label,
    }


def disputed_inference(rng: random.Random, number: int) -> Row:
    """Makes a row as `inference` does; on every eleventh the annotators did not agree."""
    row = inference(rng, number)
    return dict(row, label="-") if number % 11 == 10 else row


def afqmc(rng: random.Random, number: int) -> Row:
    """Makes a pair of questions with CLUE's names."""
    row = similar_pair(rng, number)
    return {"sentence1": row["a"], "sentence2": row["b"], "label": row["label"]}


def csl(rng: random.Random, number: int) -> Row:
    """Makes an abstract and keywords, its own or those of another."""
    own, other = rng.sample(sorted(SUBJECTS), 2)
    label = number % 2
    keywords = [own if label else other, rng.choice(["方法", "测量", "模型"])]
    return {"id": number, "abst": SUBJECTS[own] + "。", "keyword": keywords, "label": str(label)}


def tnews(rng: random.Random, number: int) -> Row:
    """Makes a headline of each category in turn."""
    label = sorted(NEWS)[number % len(NEWS)]
    return {"label": label, "sentence": NEWS[label].format(rng.choice(THINGS + PLACES)), "keywords": ""}


def iflytek(rng: random.Random, number: int) -> Row:
    """Makes a description of an app, some with line breaks of Unicode."""
    label = sorted(APPS)[number % len(APPS)]
    text = APPS[label].format(rng.choice(THINGS + PLACES))
    return {"label": label, "sentence": text + LINE_BREAKS[number % len(LINE_BREAKS)] + "欢迎下载。"}


def wsc(rng: random.Random, number: int) -> Row:
    """Makes a text with a pronoun, and a noun that it refers to or not."""
    owner, other = rng.sample(PEOPLE, 2)
    text = "{}把{}借给了{}，因为他不用了。".format(owner, rng.choice(THINGS), other)
    noun = owner if number % 2 else other
    target = {
        "span1_text": noun,
        "span1_index": text.index(noun),
        "span2_text": "他",
        "span2_index": text.index("他"),
    }
    return {"target": target, "idx": number, "label": "true" if number % 2 else "false", "text": text}


def copa(rng: random.Random, number: int) -> Row:
    """Makes a question about an effect or a cause."""
    cause = rng.choice(sorted(CAUSES))
    effect, unrelated = CAUSES[cause]
    person = rng.choice(PEOPLE)
    label = number % 2
    asks_for_effect = rng.random() < 0.5
    premise, right = (cause.format(person), effect) if asks_for_effect else (effect, cause.format(person))
    choices = (unrelated, right) if label else (right, unrelated)
    question = "effect" if asks_for_effect else "cause"
    row = {"premise": premise + "。", "choice0": choices[0] + "。", "choice1": choices[1] + "。"}
    return dict(row, question=question, label=label, idx=number)


def review(rng: random.Random, number: int) -> Row:
    """Makes a review: praise or blame."""
    label = number % 2
    return {"label": str(label), "text_a": rng.choice(PRAISE if label else BLAME).format(rng.choice(THINGS + FOODS))}


# Task -> maker of its rows.
JSON_TASKS: Dict[str, Maker] = {
    "afqmc": afqmc,
    "cmnli": disputed_inference,
    "copa": copa,
    "csl": csl,
    "iflytek": iflytek,
    "ocnli": disputed_inference,
    "tnews": tnews,
    "wsc": wsc,
}
# The key of a row's own id; in the test files of other tasks it is "id".
_IDS = {"csl": "id", "copa": "idx", "wsc": "idx"}


def rows_of(task: str, maker: Maker, seed: str) -> Dict[str, List[Row]]:
    """Returns all rows of a task by split, in mixed order."""
    splits = {}
    for split, count in COUNTS.items():
        rng = random.Random("{} {} {}".format(seed, task, split))
        rows = [maker(rng, number) for number in range(count)]
        rng.shuffle(rows)
        splits[split] = rows
    return splits


def write_lines(folder: str, name: str, lines: Sequence[str]) -> None:
    """Writes a file: UTF-8, LF."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def json_lines(task: str, split: str, rows: Sequence[Row]) -> List[str]:
    """Returns CLUE's lines: an object each; test rows have an id and no label."""
    lines = []
    for number, row in enumerate(rows):
        if split == TEST:
            row = {key: value for key, value in row.items() if not key.startswith("label")}
            row[_IDS.get(task, "id")] = number
        lines.append(json.dumps(row, ensure_ascii=False))
    return lines


def write_json_tasks(folder: str, seed: str) -> None:
    """Writes the tasks in JSON lines."""
    for task, maker in JSON_TASKS.items():
        for split, rows in rows_of(task, maker, seed).items():
            write_lines(os.path.join(folder, task), split + ".json", json_lines(task, split, rows))


def write_tables(folder: str, seed: str) -> None:
    """Writes the tasks in tab-separated columns, with and without a header; their test files have labels."""
    for task, ending, header, columns, maker in TABLES:
        for split, rows in rows_of(task, maker, seed).items():
            lines = [header] if header else []
            lines += ["\t".join(row[column] for column in columns) for row in rows]
            write_lines(os.path.join(folder, task), split + ending, lines)


TABLES: Tuple[Tuple[str, str, str, Tuple[str, ...], Maker], ...] = (
    ("lcqmc", ".txt", "", ("a", "b", "label"), similar_pair),
    ("sentence_pair", ".tsv", "", ("label", "a", "b"), similar_pair),
    ("chnsenticorp", ".tsv", "label\ttext_a", ("label", "text_a"), review),
)


def write_xnli(folder: str, seed: str) -> None:
    """Writes XNLI as it is published: three columns for training, more columns and other languages elsewhere."""
    for split, rows in rows_of("xnli", inference, seed).items():
        if split == "train":
            lines = ["premise\thypo\tlabel"]
            lines += ["\t".join(cells) for cells in map(_training_cells, rows)]
            write_lines(os.path.join(folder, "xnli"), "multinli/multinli.train.zh.tsv", lines)
        else:
            lines = ["language\tgold_label\tsentence1\tsentence2"]
            for number, row in enumerate(rows):
                if number % 8 == 0:
                    lines.append("en\tneutral\tHe went to the park.\tHe likes it.")
                lines.append("zh\t{label}\t{sentence1}\t{sentence2}".format(**row))
            write_lines(os.path.join(folder, "xnli"), "xnli.{}.tsv".format(split), lines)


def _training_cells(row: Row) -> Tuple[str, str, str]:
    label = "contradictory" if row["label"] == "contradiction" else row["label"]
    return row["sentence1"], row["sentence2"], label


def write_all(folder: str, seed: str) -> None:
    """Writes all sample tasks, a folder each."""
    write_json_tasks(folder, seed)
    write_tables(folder, seed)
    write_xnli(folder, seed)


def main(argv: Sequence[str]) -> int:
    """Writes the files, and one line about them."""
    parser = argparse.ArgumentParser(description="Write a few rows of each task in its own file format.")
    parser.add_argument("--output_dir", default="data/sample_tasks", help="folder to write to")
    parser.add_argument("--seed", default="12345", help="any text; the same seed, the same files")
    args = parser.parse_args(argv)
    write_all(args.output_dir, args.seed)
    print("wrote {} to {}".format(", ".join(sorted(os.listdir(args.output_dir))), args.output_dir))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
