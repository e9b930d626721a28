#!/usr/bin/env python3
"""Writes a few rows of each task of run_mrc.py and run_ner.py in its own file format, beside those of other tasks.

Texts come from the templates and words below; all people, places and companies in them are invented. The same seed
gives the same files. Needs only the standard library:

    python3 scripts/make_sample_token_tasks.py [--output_dir=data/sample_tasks] [--seed=12345]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

SENTENCES = {"train": 48, "dev": 16, "test": 12}
CONTEXTS = {"train": 12, "dev": 5, "test": 4}
SPLITS = ("train", "dev", "test")

SURNAMES = "林 苏 程 顾 沈 陆 白 韩 方 叶 秦 贺".split()
GIVEN_NAMES = "子安 晓雨 明远 若兰 思齐 文博 雨桐 嘉木 清扬 知夏 景行 云舟".split()
CITIES = "青溪市 柳岸市 云门市 松江镇 石桥县 月湾市 枫林市 白沙县 东岭市".split()
PLACES = "望月山 明镜湖 长桥码头 南山公园 老城墙 听雨楼 星河广场 竹海".split()
COMPANIES = "蓝鲸科技 远山机械 清泉饮料 北斗星电子 金麦食品 晨光软件 海风航运 ABC2公司".split()
SCHOOLS = "青溪大学 东岭师范学院 云门理工大学 月湾医学院".split()
OFFICES = "青溪市教育局 柳岸市气象台 东岭市法院 石桥县税务局".split()
CLUBS = "飞鹰队 SK战队 星火足球俱乐部 海浪排球队".split()
TITLES = "经理 工程师 校长 队长 记者 董事长 教练 研究员".split()
ROLES = "妈妈 老师 朋友 医生 邻居 司机 同学".split()
GAMES = "《龙与灯塔》 CSGO2 《星际农场》 《跳跳棋》".split()
BOOKS = "《山中来信》 《算术趣谈》 《海的那边》 《老街》".split()
MOVIES = "《夏夜列车》 《最后一盏灯》 《风筝》 《渡口》".split()
STREETS = "长安路18号 和平街3号 滨江大道 学府路".split()
DEGREES = "本科学历 硕士研究生 大专学历 博士学位".split()
SUBJECTS = "机械工程 会计学 临床医学 计算机应用".split()
PRODUCTS = "自行车 望远镜 茶叶 雨伞 陶瓷 风力发电机 羽绒服 小提琴".split()

NAMES = [surname + given for surname in SURNAMES for given in GIVEN_NAMES]
WORDS = {
    "name": NAMES, "city": CITIES, "place": PLACES, "company": COMPANIES, "school": SCHOOLS, "office": OFFICES,
    "club": CLUBS, "title": TITLES, "role": ROLES, "game": GAMES, "book": BOOKS, "movie": MOVIES, "street": STREETS,
    "degree": DEGREES, "subject": SUBJECTS, "nation": ["中国国籍"], "people": ["汉族", "回族", "满族"],
    "where": "河边 楼下 路口 学校门口".split(), "group": "公司 学校 医院".split(), "country": "国内 本市 全省".split(),
}  # fmt: skip

# {kind:TYPE} is an entity of this type.
PARTS = re.compile(r"([^{]+)|\{(\w+):([\w.]+)\}")
SENTENCES_OF = {
    "weibo_ner": (
        "{name:PER.NAM}今天在{place:LOC.NAM}遇到了{role:PER.NOM}，聊了2个小时",
        "转发：{company:ORG.NAM}在{city:GPE.NAM}招人啦，{role:PER.NOM}们快来",
        "{where:LOC.NOM}又堵车了，{group:ORG.NOM}还不让迟到",
        "听说{country:GPE.NOM}明天都有雨，{name:PER.NAM}还要去{city:GPE.NAM}",
        "早上好，新的一天加油！",
    ),
    "msra_ner": (
        "{company:ORG}昨天在{city:LOC}宣布，{name:PER}将于2008年出任新职。",
        "{name:PER}说，从{city:LOC}到{place:LOC}只要30分钟。",
        "{school:ORG}的学生参观了{office:ORG}。",
        "今年的收成比去年多了一成。",
    ),
    "resume_ner": (
        "{name:NAME}先生，{nation:CONT}，{people:RACE}，{degree:EDU}。",
        "曾任{company:ORG}{title:TITLE}，现任{school:ORG}{title:TITLE}。",
        "毕业于{school:ORG}{subject:PRO}专业，籍贯{city:LOC}。",
        "无境外永久居留权。",
    ),
    "cluener": (
        "{name:name}是{company:company}的{title:position}，住在{street:address}",
        "{club:organization}在{city:address}赢了比赛，{title:position}{name:name}最高兴",
        "{office:government}提醒：去{place:scene}请走南门",
        "昨晚看了{movie:movie}，又读了{book:book}，没有时间玩{game:game}",
        "天气转凉，请多穿衣服",
    ),
}

FACTS = (
    ("{company}由{name}于{year}年在{city}创办。", "{company}是谁创办的？", "{name}"),
    ("公司最早只生产{product}，后来才有了别的产品。", "{company}最早生产什么？", "{product}"),
    ("{year2}年，公司搬到了{place}旁边的新厂房。", "公司哪一年搬到新厂房？", "{year2}年"),
    ("如今公司有{count}名员工，其中三成是工程师，每年夏天都请大家去{place2}游玩。", "公司有多少员工？", "{count}名"),
    ("新厂房的屋顶上装着太阳能板，阴天时不够用，要从电网买电。", "阴天时从哪里买电？", "电网"),
)
FACTS_IN_TRADITIONAL = (
    ("{company}由{name}於{year}年在{city}創辦。", "{company}是誰創辦的？", "{name}"),
    ("公司最早只生產{product}，後來才有了別的產品。", "{company}最早生產什麼？", "{product}"),
    ("{year2}年，公司搬到了{place}旁邊的新廠房。", "公司哪一年搬到新廠房？", "{year2}年"),
    ("如今公司有{count}名員工，每年夏天都請大家去{place2}遊玩。", "公司有多少員工？", "{count}名"),
)
TRADITIONAL = {
    "name": "林曉雨 蘇明遠 程若蘭 顧思齊 陸雲舟 葉知夏".split(),
    "company": "藍鯨科技 遠山機械 清泉飲料 晨光軟體".split(),
    "city": "青溪市 柳岸市 雲門市 東嶺市".split(),
    "product": "自行車 望遠鏡 茶葉 雨傘".split(),
    "place": "望月山 明鏡湖 聽雨樓 竹海".split(),
}


class Entity(NamedTuple):
    """Part of a sentence: its text, and its type; "" outside of entities."""

    text: str
    type: str


def fill(template: str, rng: random.Random) -> List[Entity]:
    """Puts words into a template."""
    parts = []
    for text, kind, entity_type in PARTS.findall(template):
        parts.append(Entity(rng.choice(WORDS[kind]), entity_type) if kind else Entity(text, ""))
    return parts


def sentences(task: str, split: str, seed: str) -> Iterator[List[Entity]]:
    """Yields the sentences of a split; templates take turns, so that every type is in each split."""
    rng = random.Random("{} {} {}".format(seed, task, split))
    templates = SENTENCES_OF[task]
    for number in range(SENTENCES[split]):
        yield fill(templates[number % len(templates)], rng)


def tagged(parts: Sequence[Entity], prefixes: str) -> Iterator[Tuple[str, str]]:
    """Yields characters with their tags; `prefixes` for the first, an inner, the last and the only one of an entity."""
    first, inner, last, only = prefixes
    for text, kind in parts:
        for place, char in enumerate(text):
            prefix = inner if 0 < place < len(text) - 1 else last if place else first
            yield char, "{}-{}".format(only if len(text) == 1 else prefix, kind) if kind else "O"


def weibo_lines(parts: Sequence[Entity]) -> str:
    """Returns lines of a character with its place in a word (here: in its part of the sentence), and a tag in BIO."""
    places = [str(min(place, 2)) for text, _ in parts for place in range(len(text))]
    pairs = zip(tagged(parts, "BIIB"), places)
    return "".join("{}{}\t{}\n".format(char, place, tag) for (char, tag), place in pairs) + "\n"


def msra_lines(parts: Sequence[Entity]) -> str:
    """Returns lines of a character and a tag in BIO."""
    return "".join("{}\t{}\n".format(*pair) for pair in tagged(parts, "BIIB")) + "\n"


def resume_lines(parts: Sequence[Entity]) -> str:
    """Returns lines of a character and a tag in BMES."""
    return "".join("{} {}\n".format(*pair) for pair in tagged(parts, "BMES")) + "\n"


def cluener_line(parts: Sequence[Entity], own_id: int, is_test: bool) -> str:
    """Returns a JSON object with its entities; in a test file with an id instead."""
    label: Dict[str, Dict[str, List[List[int]]]] = {}
    start = 0
    for text, kind in parts:
        if kind:
            label.setdefault(kind, {}).setdefault(text, []).append([start, start + len(text) - 1])
        start += len(text)
    values: Dict[str, Any] = {"text": "".join(text for text, _ in parts)}
    values = dict(values, id=own_id) if is_test else dict(values, label=label)
    return json.dumps(values, ensure_ascii=False) + "\n"


def questions(task: str, split: str, seed: str) -> Dict[str, Any]:
    """Returns a split in the form of SQuAD; the test file has no answers in CMRC 2018, but has them in DRCD."""
    rng = random.Random("{} {} {}".format(seed, task, split))
    is_traditional = task == "drcd"
    paragraphs = []
    for number in range(CONTEXTS[split]):
        facts = FACTS_IN_TRADITIONAL if is_traditional else FACTS
        words = _words(TRADITIONAL if is_traditional else dict(WORDS, product=PRODUCTS), rng)
        own_id = "{}_{}_{}".format(task.upper(), split.upper(), number)
        has_answers = is_traditional or split != "test"
        paragraphs.append(_paragraph(own_id, facts, words, has_answers))
    return {
        "version": "v1.0",
        "data": [{"title": "", "id": str(n), "paragraphs": [p]} for n, p in enumerate(paragraphs)],
    }


def _words(tables: Dict[str, Sequence[str]], rng: random.Random) -> Dict[str, Any]:
    words: Dict[str, Any] = {kind: rng.choice(tables[kind]) for kind in ("name", "company", "city", "product")}
    words["place"], words["place2"] = rng.sample(list(tables["place"]), 2)
    words["year"] = rng.randint(1950, 1990)
    return dict(words, year2=words["year"] + rng.randint(3, 25), count=rng.randint(20, 900))


def _paragraph(
    own_id: str, facts: Sequence[Tuple[str, ...]], words: Dict[str, Any], has_answers: bool
) -> Dict[str, Any]:
    context = "".join(sentence.format(**words) for sentence, _, _ in facts)
    qas = []
    for number, (sentence, question, answer) in enumerate(facts):
        text = answer.format(**words)
        start = context.index(sentence.format(**words)) + sentence.format(**words).index(text)
        answers = [{"text": text, "answer_start": start}] if has_answers else []
        found = {"id": "{}_QUERY_{}".format(own_id, number), "question": question.format(**words)}
        qas.append(dict(found, answers=answers))
    return {"id": own_id, "context": context, "qas": qas}


def as_json(value: Any) -> str:
    """Returns the text of a JSON file."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def cluener_file(split: str, seed: str) -> str:
    """Returns the text of a file of JSON lines."""
    rows = enumerate(sentences("cluener", split, seed))
    return "".join(cluener_line(parts, number, split == "test") for number, parts in rows)


def lines_file(task: str, lines: Callable[[Sequence[Entity]], str]) -> Callable[[str, str], str]:
    """Makes the function that returns the file of a split, with a token and its tag per line."""
    return lambda split, seed: "".join(map(lines, sentences(task, split, seed)))


# Task -> the name of a split's file, and the function from split and seed to its text.
FILES: Dict[str, Tuple[str, Callable[[str, str], str]]] = {
    "cmrc2018": ("{}.json", lambda split, seed: as_json(questions("cmrc2018", split, seed))),
    "drcd": ("{}.json", lambda split, seed: as_json(questions("drcd", split, seed))),
    "weibo_ner": ("weiboNER_2nd_conll.{}", lines_file("weibo_ner", weibo_lines)),
    "msra_ner": ("{}.txt", lines_file("msra_ner", msra_lines)),
    "resume_ner": ("{}.char.bmes", lines_file("resume_ner", resume_lines)),
    "cluener": ("{}.json", cluener_file),
}


def main(argv: Sequence[str]) -> int:
    """Writes the files, and one line about them."""
    parser = argparse.ArgumentParser(description="Write small data sets of questions and of tagged sentences.")
    parser.add_argument(
        "--output_dir", default="data/sample_tasks", help="folder to write to, one folder per task in it"
    )
    parser.add_argument("--seed", default="12345", help="any text; the same seed, the same files")
    args = parser.parse_args(argv)
    for task, (name, content) in FILES.items():
        os.makedirs(os.path.join(args.output_dir, task), exist_ok=True)
        for split in SPLITS:
            path = os.path.join(args.output_dir, task, name.format(split))
            with open(path, "w", encoding="utf-8", newline="\n") as handle:
                handle.write(content(split, args.seed))
    print("wrote {} to {}".format(", ".join(FILES), args.output_dir))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
