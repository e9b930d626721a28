import functools
import hashlib
import io
import os
import random
import re
import subprocess
import sys

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.text import segmentation
from albert.text.segmentation import MAX_HAN_RUN, UserDictionary, WordFinder, read_user_dictionary, unit_starts
from tests.support.jieba_oracle import jieba_lcut, jieba_spans, load_jieba
from tests.support.real_text import CORPORA, NEWS, read_lines, real_path
from tokenization import Token


def spans(word_finder, text):
    """The words of a text as (start, end), without blanks."""
    starts = word_finder.word_starts(text)
    assert (starts.dtype, starts.shape) == (bool, (len(text) + 1,))
    assert starts[0] and starts[-1]
    assert all(starts[i] and starts[i + 1] for i, char in enumerate(text) if char in " \t\n")
    edges = np.flatnonzero(starts).tolist()
    return [(start, end) for start, end in zip(edges, edges[1:]) if text[start:end].strip()]


find_words = functools.lru_cache(maxsize=None)(WordFinder)


def words(text, language="chinese", user_dictionary=None):
    return [text[start:end] for start, end in spans(find_words(language, user_dictionary), text)]


def units(tokenizer, text, language="chinese"):
    tokens = tokenizer.tokenize_with_offsets(text)
    starts = np.flatnonzero(starts_of(tokens, find_words(language).word_starts(text))).tolist()
    return [" ".join(t.text for t in tokens[a:b]) for a, b in zip(starts, starts[1:] + [len(tokens)])]


def starts_of(tokens, word_starts):
    """`unit_starts` of tokens with a start and an end."""
    token_starts, token_ends = (np.array([getattr(t, name) for t in tokens], np.int32) for name in ("start", "end"))
    starts = unit_starts(word_starts, token_starts, token_ends)
    assert starts.dtype == bool and starts[:1].all()
    return starts


# --- words ---


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
        ("well-known\tun\u200bbreakable \u200b \x00", ["well", "-", "known", "un\u200bbreakable", "\u200b", "\x00"]),
        ("中国 words", ["中", "国", "words"]),
        ("Привет, мир", ["Привет", ",", "мир"]),
    ],
)
def test_words_of_other_languages(text, expected):
    assert words(text, "other") == expected


def test_unknown_language():
    with pytest.raises(ValueError, match="'klingon'"):
        WordFinder("klingon")


def test_segmenter_sees_the_raw_line():
    # Lower-cased, jieba's dictionary no longer knows the word.
    assert words("他在AA制饭局") == ["他", "在", "AA制", "饭局"]


def test_one_finder_for_many_texts(monkeypatch):
    monkeypatch.setattr(segmentation, "_MAX_REMEMBERED", 2)
    finder = WordFinder()
    for text in ("AA制", "K歌", "卡拉OK", "他我你", "17%", "AA制饭局，K歌和卡拉OK", "常在他，你我他，人天地") * 2:
        assert spans(finder, text) == spans(WordFinder(), text)
        for cuts in (finder._blocks_by_jieba, finder._unknown_words):
            assert len(cuts._remembered) <= 2


def test_long_run_without_punctuation_is_cut():
    text = "，" + "龘" * 60000 + "a b"
    found = spans(WordFinder(), text)
    assert found[0] == (0, 1)
    assert found[-2:] == [(60001, 60002), (60003, 60004)]
    assert all(left[1] == right[0] for left, right in zip(found[:-2], found[1:-1]))
    assert words("国" * MAX_HAN_RUN + "，国家")[-2:] == ["，", "国家"]


# --- equality with jieba ---


def assert_equals_jieba(cut, lines, word_finder=None):
    """Compares the lines as one text; returns (cuts, cuts undone)."""
    word_finder = word_finder or find_words()
    expected = []
    offset = cuts = undone = 0
    for line in lines:
        line_spans, line_cuts, line_undone = jieba_spans(cut, line)
        expected.extend((start + offset, end + offset) for start, end in line_spans)
        cuts, undone, offset = cuts + line_cuts, undone + line_undone, offset + len(line) + 1
    text = "\n".join(lines)
    found = spans(word_finder, text)
    for wrong, right in zip(found, expected):
        assert wrong == right, text[right[0] - 20 : right[1] + 20]
    assert found == expected
    return cuts, undone


def test_shipped_news_equals_jieba():
    cuts, undone = assert_equals_jieba(jieba_lcut(), read_lines(NEWS))
    assert cuts > 10000
    assert undone < cuts / 1000


@pytest.mark.parametrize("name", CORPORA)
def test_real_lines_equal_jieba(name):
    lines = read_lines(real_path(name))
    # SEGMENTATION_ALL_LINES=1 compares every line: some minutes.
    step = 1 if os.environ.get("SEGMENTATION_ALL_LINES") else len(lines) // 2000
    cuts, undone = assert_equals_jieba(jieba_lcut(), lines[::step])
    assert cuts > 10000
    assert undone < cuts / 1000


def test_random_text_equals_jieba():
    rng = random.Random(17)
    news = "".join(read_lines(NEWS))
    rare = [chr(code) for code in (0x4E00, 0x9FA5, 0x9FA6, 0x9FD5, 0x9FD6, 0x3400, 0x20BB7, 0x3007, 0xF900)]
    others = "abXY01.%#&+-_ ，。\t\u3000éПя\u0301１Ａかカ한\u200b·😂"
    lines = []
    for number in range(1000):
        pools = (news, news, news[:50], rare, [chr(rng.randrange(0x4E00, 0x9FD6)), "的"], others)[: 2 + number % 5]
        lines.append("".join(rng.choice(rng.choice(pools)) for _ in range(rng.randrange(40))))
    assert_equals_jieba(jieba_lcut(), lines)


def test_runs_of_any_length_equal_jieba():
    han = re.sub("[^\u4e00-\u9fd5]", "", "".join(read_lines(NEWS)))
    for length in (1, 2, MAX_HAN_RUN - 1, MAX_HAN_RUN):
        assert_equals_jieba(jieba_lcut(), ["，" + han[:length] + "a"[: length % 2], han[-length:]])
    for before, expected in ((MAX_HAN_RUN - 2, ["中国"]), (MAX_HAN_RUN - 1, ["中", "国"])):
        assert words("的" * before + "中国")[before:] == expected
    cut_twice = [han[:MAX_HAN_RUN], han[MAX_HAN_RUN : 2 * MAX_HAN_RUN], han[2 * MAX_HAN_RUN : 2 * MAX_HAN_RUN + 7]]
    expected = [word for part in cut_twice for word in jieba_lcut()(part)]
    assert words("".join(cut_twice)) == expected


# --- a user dictionary ---

USER_WORDS = "统计局负责人\n软件和信息服务业 100\n云原生 7 n\n凱特琳 nz\nC++标准\n好的吧 3\n"


def user_dictionary(folder, content=USER_WORDS):
    path = folder / "words.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_user_dictionary(str(path))


@pytest.fixture
def jieba_with_words(tmp_path):
    oracle = load_jieba(tmp_path)
    oracle.load_userdict(io.StringIO(USER_WORDS))
    return oracle.lcut


def test_added_words_are_found(tmp_path):
    added = user_dictionary(tmp_path)
    text = "云原生的C++标准，凱特琳看软件和信息服务业"
    expected = ["云原生", "的", "C++标准", "，", "凱特琳", "看", "软件和信息服务业"]
    assert words(text, user_dictionary=added) == expected
    assert words(text) != expected
    assert "云原生" not in words(text)  # another finder's dictionary


def test_added_words_equal_jieba(tmp_path, jieba_with_words):
    finder = WordFinder(user_dictionary=user_dictionary(tmp_path))
    news = read_lines(NEWS)[:300]
    lines = news + USER_WORDS.split() + ["好的吧好的", "凱特琳Catelyn和云原生K8s"]
    assert_equals_jieba(jieba_with_words, lines, finder)
    assert any(jieba_with_words(line) != jieba_lcut()(line) for line in news)
    assert_equals_jieba(jieba_lcut(), lines)


def test_forms_of_a_user_dictionary(tmp_path):
    content = "\ufeff云原生 5\r\n\r\n凱特琳 nz\r\n  好的吧 2 v  "
    added = user_dictionary(tmp_path, content)
    assert added == UserDictionary(str(tmp_path / "words.txt"), hashlib.sha256(content.encode("utf-8")).hexdigest())
    assert words("凱特琳云原生", user_dictionary=added) == ["凱特琳", "云原生"]


@pytest.mark.parametrize("encoding, newline", [("utf-16", "\r\n"), ("utf-8", "\r"), ("utf-16", "\r")])
def test_user_dictionaries_of_other_programs(tmp_path, encoding, newline):
    path = tmp_path / "words.txt"
    path.write_bytes(newline.join(["云原生 5", "\u200b", "凱特琳 nz", ""]).encode(encoding))
    added = read_user_dictionary(str(path))
    assert words("凱特琳云原生", user_dictionary=added) == ["凱特琳", "云原生"]


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "words.txt is empty"),
        ("\u200b\n\u3000\n", "words.txt is empty"),
        ("\n \r\n", "words.txt is empty"),
        ("\ufeff", "words.txt is empty"),
        ("云原生\n\n两 个\n", "words.txt line 3 must hold a word, with an optional .* of speech: '两 个'"),
        ("云原生 5 N\n", "words.txt line 1 must hold"),
        ("云原生 0\n", "words.txt line 1 must hold"),  # jieba would never find it again
        ("云原生\t5\n", "words.txt line 1 must hold"),
        ("云原生 5 n x\n", "words.txt line 1 must hold"),
        ("云原生\n你好，世界 3\n", "words.txt line 2: '你好，世界' holds a character at which text is always cut"),
        ("😂\n", "words.txt line 1: '😂' holds a character"),
        ("云原生\n".encode("utf-8") + b"\xd6\xd0\n", "words.txt line 2 is not UTF-8"),
        (b"\xff\xfe\n", "words.txt is not in the encoding that its byte order mark names"),
    ],
)
def test_bad_user_dictionaries(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        user_dictionary(tmp_path, content)


def test_a_user_dictionary_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(UserError, match="cannot read the user dictionary .*: "):
            read_user_dictionary(str(path))


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


def word_starts_at(word_spans, length):
    """Characters that are in no span are words by themselves."""
    starts = np.ones(length + 1, dtype=bool)
    for start, end in word_spans:
        starts[start + 1 : end] = False
    return starts


def tokens_at(token_spans):
    return [Token("x", start, end) for start, end in token_spans]


@pytest.mark.parametrize(
    "token_spans, word_spans, expected",
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
def test_unit_starts(token_spans, word_spans, expected):
    starts = starts_of(tokens_at(token_spans), word_starts_at(word_spans, 8))
    assert np.flatnonzero(starts).tolist() == expected


def connected_starts(token_spans, word_spans, length):
    """The same by brute force: words and tokens join their characters; a unit is what hangs together."""
    group = list(range(length + 1))
    for start, end in word_spans + token_spans:
        joined = {group[position] for position in range(start, end)}
        group = [min(joined) if label in joined else label for label in group]
    labels = [group[start] for start, _ in token_spans]
    return [i == 0 or labels[i] != labels[i - 1] for i in range(len(labels))]


def test_random_tokens_and_spans_equal_brute_force():
    rng = random.Random(7)

    def random_spans(length, gap, shortest):
        found = []
        position = 0
        while True:
            start = position + (rng.randint(1, 2) if rng.random() < gap else 0)
            position = start + rng.randint(shortest, 4)
            if position > length:
                return found
            found.append((start, position))

    for _ in range(2000):
        length = rng.randint(1, 23)
        word_spans, token_spans = random_spans(length, 0.2, 1), random_spans(length, 0.2, 0)
        starts = starts_of(tokens_at(token_spans), word_starts_at(word_spans, length))
        assert starts.tolist() == connected_starts(token_spans, word_spans, length), (token_spans, word_spans)


# --- loading jieba ---


def test_loading_is_silent_and_shares_no_file(tmp_path):
    environment = dict(os.environ, TMPDIR=str(tmp_path), PYTHONPATH=ROOT)
    code = (
        "import sys; from albert.text.segmentation import WordFinder; "
        "print('jieba' in sys.modules, WordFinder().word_starts('我们a'))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "default", "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert (run.returncode, run.stdout.decode(), run.stderr.decode()) == (0, "False [ True False  True  True]\n", "")
    assert os.listdir(str(tmp_path)) == []
