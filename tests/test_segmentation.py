import os
import random
import re
import subprocess
import sys

import pytest
from conftest import REPOSITORY

import segmentation
from segmentation import unit_spans, unit_starts
from tokenization import FullTokenizer, Token

REAL_DATA = os.path.join(os.path.dirname(REPOSITORY), "shared", "data")
# Where jieba's cut may be undone: between letters with case, digits and accents (written down apart from the code).
INSIDE_WORD = re.compile("[0-9A-Za-zµÀ-ÖØ-öø-ɏͰ-ϿЀ-ӿḀ-ỿＡ-Ｚａ-ｚ０-９\u0300-\u036f\ufe0f]")


@pytest.fixture(scope="module")
def tokenizer(vocab_file):
    return FullTokenizer(vocab_file)


@pytest.fixture(scope="module")
def jieba_lcut(tmp_path_factory):
    """jieba as it comes, but for the place of its cache."""
    import jieba

    jieba.setLogLevel("WARNING")
    oracle = jieba.Tokenizer()
    oracle.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    return oracle.lcut


def words(text, language="chinese"):
    return [text[start:end] for start, end in unit_spans(text, language=language)]


def units(tokenizer, text, language="chinese"):
    tokens = tokenizer.tokenize_with_offsets(text)
    starts = unit_starts(tokens, unit_spans(text, language=language))
    assert not tokens or starts[0] == 0
    return [" ".join(t.text for t in tokens[a:b]) for a, b in zip(starts, starts[1:] + [len(tokens)])]


# --- spans ---


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),
        (" \t\u3000\n", []),
        ("中华人民共和国成立了", ["中华人民共和国", "成立", "了"]),
        ("iPhone 14 Pro售价5999元", ["iPhone", "14", "Pro", "售价", "5999", "元"]),
        ("涨了50%，约3.14倍", ["涨", "了", "50%", "，", "约", "3.14", "倍"]),
        ("“你好”……——", ["“", "你好", "”", "…", "…", "—", "—"]),
        ("café是Привет！", ["café", "是", "Привет", "！"]),
        ("cafe\u0301是", ["cafe\u0301", "是"]),
        ("１２３Ａｂ", ["１２３Ａｂ"]),
        ("HTPC机", ["HTPC机"]),
        ("5.3p1版", ["5.3p1", "版"]),
        ("17000-18000", ["17000", "-", "18000"]),
        ("한국 カナ", ["한", "국", "カ", "ナ"]),
        ("北京  上海\r\n", ["北京", "上海"]),
    ],
)
def test_chinese_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),
        ("Don't stop, café №5!", ["Don", "'", "t", "stop", ",", "café", "№5", "!"]),
        ("well-known\tun\u200bbreakable \u200b \x00", ["well", "-", "known", "un\u200bbreakable"]),
        ("中国 words", ["中", "国", "words"]),
        ("Привет, мир", ["Привет", ",", "мир"]),
    ],
)
def test_words_of_other_languages(text, expected):
    assert words(text, "other") == expected


def test_unknown_language():
    with pytest.raises(ValueError, match="'klingon'"):
        unit_spans("x", language="klingon")


def test_segmenter_sees_the_raw_line():
    # Lower-cased, jieba's dictionary no longer knows the word.
    assert words("他在AA制饭局") == ["他", "在", "AA制", "饭局"]


def test_long_run_without_punctuation_is_cut():
    text = "，" + "龘" * 60000 + "a b"
    spans = unit_spans(text)
    assert spans[0] == (0, 1)
    assert spans[-2:] == [(60001, 60002), (60003, 60004)]
    assert all(left[1] == right[0] for left, right in zip(spans[:-2], spans[1:-1]))
    assert words("国" * segmentation.MAX_HAN_RUN + "，国家")[-2:] == ["，", "国家"]


# --- equality with jieba ---


def assert_equals_jieba(jieba_lcut, lines):
    """The spans are jieba's words, but for cuts within letters and digits; returns (cuts, cuts undone)."""
    cuts = 0
    undone = 0
    for line in lines:
        expected = []
        position = 0
        for word in jieba_lcut(line):
            start, position = position, position + len(word)
            if not word.strip():
                continue
            cuts += 1
            inside = expected and expected[-1][1] == start
            if inside and INSIDE_WORD.match(line[start - 1]) and INSIDE_WORD.match(line[start]):
                undone += 1
                expected[-1] = (expected[-1][0], position)
            else:
                expected.append((start, position))
        assert unit_spans(line) == expected, line
    return cuts, undone


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [line.rstrip("\n") for line in lines]


def test_shipped_news_equals_jieba(jieba_lcut):
    lines = read_lines(os.path.join(REPOSITORY, "data", "news_zh_1.txt"))
    cuts, undone = assert_equals_jieba(jieba_lcut, lines)
    assert cuts > 10000
    assert undone < cuts / 1000


@pytest.mark.parametrize("name", ["corpus/lctt_linux_articles.txt", "corpus/classics_modern.txt"])
def test_real_lines_equal_jieba(jieba_lcut, name):
    path = os.path.join(REAL_DATA, name)
    if not os.path.exists(path):
        pytest.skip("the real corpora are not part of the product")
    lines = read_lines(path)
    cuts, undone = assert_equals_jieba(jieba_lcut, lines[:: len(lines) // 3000])
    assert cuts > 10000
    assert undone < cuts / 1000


# --- units of tokens ---


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),
        ("中华人民共和国成立", ["中 华 人 民 共 和 国", "成 立"]),
        ("iPhone 14 Pro售价5999元", ["iphone", "14", "pro", "售 价", "599 ##9", "元"]),
        ("“您好”，", ["[UNK]", "您 好", "[UNK]", "，"]),
        ("𠮷野家真好吃", ["[UNK]", "野 家", "真", "好 吃"]),
        ("Kubernetes 和 café", ["k ##ube ##rn ##et ##es", "和", "cafe"]),
        ("涨了3.14%", ["涨", "了", "3 . 14 %"]),
        ("HTPC机好", ["h ##tp ##c 机", "好"]),
        ("5.3p1版", ["5 . 3p ##1", "版"]),
        ("a\u200bb C", ["ab", "c"]),
        ("[MASK]", ["[", "ma ##sk", "]"]),
    ],
)
def test_units_of_chinese_text(tokenizer, text, expected):
    assert units(tokenizer, text) == expected


def test_units_of_other_text(tokenizer):
    expected = ["k ##ube ##rn ##et ##es", ",", "is ##n", "'", "t", "中", "国", "!"]
    assert units(tokenizer, "Kubernetes, isn't 中国!", "other") == expected


def tokens_at(*spans):
    return [Token("x", start, end) for start, end in spans]


@pytest.mark.parametrize(
    "tokens, spans, expected",
    [
        ([], [], []),
        ([], [(0, 3)], []),
        ([(0, 1), (1, 2), (2, 3)], [(0, 2), (2, 3)], [0, 2]),
        ([(0, 1), (1, 2), (2, 3)], [(0, 1), (1, 3)], [0, 1]),
        ([(0, 3), (3, 4), (4, 5)], [(0, 1), (1, 2), (2, 4), (4, 5)], [0, 2]),  # one token over two words and a half
        ([(0, 1), (1, 3), (3, 4)], [(0, 2), (2, 4)], [0]),  # a piece across the boundary: no word in part
        ([(0, 1), (1, 2), (2, 3)], [], [0, 1, 2]),  # outside of all spans
        ([(0, 1), (2, 3), (4, 5), (6, 7)], [(2, 3), (4, 6)], [0, 1, 2, 3]),
        ([(0, 0), (0, 2), (3, 3), (3, 4)], [(0, 2), (3, 4)], [0, 2]),  # blank signs of sentencepiece
        ([(0, 1), (0, 1), (0, 1), (1, 2)], [(0, 1), (1, 2)], [0, 3]),  # one hangul syllable, three pieces
        ([(5, 6), (6, 7), (7, 8)], [(0, 2), (2, 6), (6, 8)], [0, 1]),  # the tokens of a later part of the line
    ],
)
def test_unit_starts(tokens, spans, expected):
    assert unit_starts(tokens_at(*tokens), spans) == expected


def connected_starts(tokens, spans, length):
    """The same by brute force: words and tokens join their characters; a unit is what hangs together."""
    group = list(range(length))
    for start, end in list(spans) + [(token.start, token.end) for token in tokens]:
        joined = {group[position] for position in range(start, end)}
        group = [min(joined) if label in joined else label for label in group]
    labels = [group[token.start] for token in tokens]
    return [i for i in range(len(tokens)) if i == 0 or labels[i] != labels[i - 1]]


def test_random_tokens_and_spans_equal_brute_force():
    rng = random.Random(7)

    def random_spans(length, gap):
        spans = []
        position = 0
        while True:
            start = position + (rng.randint(1, 2) if rng.random() < gap else 0)
            position = start + rng.randint(1, 4)
            if position > length:
                return spans
            spans.append((start, position))

    for _ in range(2000):
        length = rng.randint(1, 23)
        spans = random_spans(length, 0.2)
        tokens = tokens_at(*random_spans(length, 0.2))
        assert unit_starts(tokens, spans) == connected_starts(tokens, spans, length), (tokens, spans)


# --- loading jieba ---


def test_loading_is_silent_and_shares_no_file(tmp_path):
    environment = dict(os.environ, TMPDIR=str(tmp_path), PYTHONPATH=REPOSITORY)
    code = "import sys, segmentation; assert 'jieba' not in sys.modules; print(segmentation.unit_spans('我们'))"
    run = subprocess.run(
        [sys.executable, "-W", "default", "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert (run.returncode, run.stdout.decode(), run.stderr.decode()) == (0, "[(0, 2)]\n", "")
    assert os.listdir(str(tmp_path)) == []
