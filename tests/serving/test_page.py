"""The page in a real browser; skipped where there is no Chromium."""

import functools
import threading
import time

import numpy as np
import pytest

from tests.support import browser

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from albert.inference.reader import FoundAnswer
from albert.inference.tagger import TaggedEntity
from albert.serving.about import About
from albert.serving.model import CLASSIFY, COSINE, EMBED, FILL_MASK, PAIRS, SIMILARITY, SPANS, TAGS, with_search
from albert.serving.protocol import ServerOptions
from tests.support import tiny_service
from tests.support.tiny_service import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.find_chromium() is None, reason="needs Chromium (Debian: apt-get install chromium)"),
]

# A browser keeps connections open on which it asks nothing yet.
LIMITS = tiny_service.LIMITS._replace(body_seconds=10.0)
serving = functools.partial(tiny_service.serving, limits=LIMITS, options=ServerOptions(stop_seconds=2.0))
SCREENS = [(1280, "zh"), (390, "en")]
on_screens = pytest.mark.parametrize("width,language", SCREENS)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser.open_page(tmp_path_factory.mktemp("browser")) as page:
        yield page


def show(page, client, section, width=1280, language="zh"):
    """Opens the page anew in a language, once it knows its model."""
    address = "http://127.0.0.1:{}/".format(client.port)
    page.open(address, width)
    page.wait("location.href == '{}' && document.readyState == 'complete'".format(address))
    page.run("localStorage.setItem('language', '{}'); sessionStorage.clear(); window.isOld = true".format(language))
    page.run("location.reload()")
    page.wait(
        "!window.isOld && document.documentElement.lang.startsWith('{}') && {}".format(language, is_shown(section))
    )


def is_shown(name):
    return "!document.getElementById('{}').hidden".format(name)


def text_of(name):
    return "document.getElementById('{}').textContent".format(name)


def submit(page, form, **values):
    for name, value in values.items():
        field = "document.getElementById('{}')".format(name.replace("_", "-"))
        page.run("{0}.value = {1!r}; {0}.dispatchEvent(new Event('input', {{bubbles: true}}))".format(field, value))
    page.run("document.getElementById('{}').requestSubmit()".format(form))


def texts_of(selector):
    return "[...document.querySelectorAll('{}')].map((place) => place.textContent)".format(selector)


def is_done(name):
    """Whether an answer is there, and is that to what stands in the fields."""
    return "{} && !document.getElementById('{}').classList.contains('stale')".format(is_shown(name), name)


def check_page(page):
    """Nothing went wrong, nothing came from elsewhere, nothing is wider than the screen."""
    assert page.complaints == []
    assert all(address.startswith("http://127.0.0.1:") for address in page.asked)
    assert page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@on_screens
def test_two_sentences_are_scored(page, tmp_path, width, language):
    about = About("my_model", family="zh", size="tiny", date="2026-12-01", dev=(("accuracy", "76.8 %"),))
    with serving(tiny_service.Model().served(tmp_path, about=about)) as client:
        show(page, client, "ask", width, language)
        assert page.run("document.title") == "my_model · ALBERT" and page.run(text_of("name")) == "my_model"
        about = page.run(text_of("about")).replace("\u00a0", " ")
        assert "ALBERT tiny (zh) · " in about and about.endswith("accuracy 76.8 %")
        submit(page, "ask-form", text_a="我喜欢吃苹果😂", text_b="你'")
        assert page.wait("{} && {}".format(is_done("answer"), text_of("score"))) == "77.8%"
        similar, different = ("意思相同", "意思不同") if language == "zh" else ("same meaning", "different meaning")
        assert page.run(text_of("verdict")) == similar
        assert page.run("document.querySelector('#bars i').style.width").startswith("77.7")
        classes = page.run("[...document.querySelectorAll('#tokens-a span')].map((token) => token.className)")
        assert classes == ["", "", ""] + ["cut"] * 3 + ["unknown cut"]
        assert page.run(text_of("tokens-a")) == "我喜欢吃苹果😂" and page.run(text_of("tokens-b")) == "你'"
        command = page.run("document.querySelector('#ask-snippets code').textContent")
        assert '\'{"text_a":"我喜欢吃苹果😂","text_b":"你\'\\\'\'"}\'' in command
        assert command.endswith(" 'http://127.0.0.1:{}/similarity'".format(client.port))
        page.run("const slider = document.querySelector('#ask-threshold input'); slider.value = 0.9; "
                 "slider.dispatchEvent(new Event('input'))")  # fmt: skip
        assert page.run(text_of("verdict")) == different
        page.run("document.getElementById('swap').click()")
        assert page.run("document.getElementById('text-a').value") == "你'" and not page.run(is_done("answer"))
        submit(page, "ask-form", text_a="我" * 31, text_b="你")
        said = page.wait("{} && {}".format(is_shown("ask-error"), text_of("ask-error")))
        english = "a text of row 1 has 31 characters, at most 30 are allowed"
        assert said == ("第 1 行的一段文本有 31 个字符，最多 30 个" if language == "zh" else english)
        assert page.wait("!" + is_shown("answer"))  # it answered something else
        page.complaints[:] = [text for text in page.complaints if "422" not in text]
        check_page(page)


def test_long_token_lists_are_folded(page, tmp_path):
    limits = LIMITS._replace(max_text_length=300)
    with serving(tiny_service.Model().served(tmp_path), limits=limits) as client:
        show(page, client, "ask", 390)
        submit(page, "ask-form", text_a="我喜欢" * 80, text_b="你")
        page.wait(is_done("answer"))
        more = page.run("document.querySelector('#tokens-a .more').textContent")
        hidden = page.run("document.querySelectorAll('#tokens-a span[hidden]').length")
        assert hidden > 200 and more == "还有 {0} 个，其中 {0} 个未被读取".format(hidden)
        page.run("document.querySelector('#tokens-a .more').click()")
        assert page.run("document.querySelectorAll('#tokens-a span[hidden], #tokens-a .more').length") == 0
        check_page(page)


@on_screens
def test_a_cosine_is_shown_as_one(page, tmp_path, width, language):
    def cosines(rows, options):
        return np.array([[0.912] if row.content[0] == "我们" else [-0.25] for row in rows], np.float32)

    about = About("vectors", dev=(("auc", "0.8"), ("threshold", "0.9200")))
    model = tiny_service.Model().served(tmp_path, score=COSINE, similar_id=0, labels=(), about=about)
    model = model._replace(answers={PAIRS: cosines}, refusals={CLASSIFY: "no", EMBED: "no", FILL_MASK: "no"})
    with serving(model) as client:
        show(page, client, "ask", width, language)
        submit(page, "ask-form", text_a="我们", text_b="你")
        assert page.wait("{} && {}".format(is_done("answer"), text_of("score"))) == "0.912"
        verdict = (
            "句向量的余弦 · 意思不同" if language == "zh" else "cosine of the sentence vectors · different meaning"
        )
        assert page.run(text_of("verdict")) == verdict  # by the threshold of the model's card
        assert not page.run(is_shown("symmetric-row")) and not page.run(is_shown("search"))
        submit(page, "list-form", lines="我们\t你\n我\t你")
        page.wait(is_done("scored"))
        assert page.run(texts_of("#rows .share")) == ["0.912", "-0.250"]
        check_page(page)


def test_a_list_is_scored_sorted_filtered_and_a_mistake_is_told(page, tmp_path):
    with serving(tiny_service.Model().served(tmp_path)) as client:
        show(page, client, "list")
        submit(page, "list-form", lines="我\t你你你\n\n" + "我们\t你\r\n" * 30)
        page.wait(is_done("scored"))
        assert page.run(texts_of("#rows .share")) == ["25.0%"] + ["66.7%"] * 30  # more than are answered at a time
        assert page.run(text_of("summary")) == "31 对，其中 30 对意思相同"
        choose = "{{const f = document.getElementById('{}'); f.value = '{}'; f.dispatchEvent(new Event('change'))}}"
        page.run(choose.format("order", "falling"))
        assert page.run(texts_of("#rows .share"))[-1] == "25.0%"
        page.run(choose.format("filter", "different"))
        assert page.run(texts_of("#rows .number")) == ["1"]
        submit(page, "list-form", lines="我\t你\n我你")
        assert page.wait("{} && {}".format(is_shown("list-error"), text_of("list-error"))).startswith("第 2 行")
        assert not page.run(is_shown("scored"))
        for line, sentence in (
            ("bad\t你", "row 26 is bad"),
            ("我" * 31 + "\t你", "第 26 行的一段文本有 31 个字符，最多 30 个"),
        ):
            submit(page, "list-form", lines="我\t你\n" * 25 + line)
            page.wait("{} == {!r}".format(text_of("list-error"), sentence))
        page.run("document.getElementById('language').click()")
        page.wait("{}.includes('no index is served')".format(text_of("details")))
        page.run("document.getElementById('language').click()")
        page.wait("{}.includes('没有加载索引')".format(text_of("details")))
        page.complaints[:] = [text for text in page.complaints if "422" not in text]
        check_page(page)


def test_tables_are_read_and_written(page, tmp_path):
    with serving(tiny_service.Model().served(tmp_path)) as client:
        show(page, client, "list")
        page.run("import('/csv.js').then((csv) => { window.csv = csv; })")
        page.wait("window.csv !== undefined")
        read = "csv.readTable({!r}, {!r}, {})"
        table = page.run(read.format("a.csv", 'id,sentence2,sentence1\r\n1,"b, ""c""\nd",a\r\n', 2))
        assert table == {"columns": ["sentence1", "sentence2"], "rows": [["a", 'b, "c"\nd']]}
        assert page.run(read.format("a.tsv", "a\tb\nc", 2)) == {"columns": [], "rows": [["a", "b"], ["c", ""]]}
        assert page.run(read.format("a.csv", "label,text\n1,好\n", 1)) == {"columns": ["text"], "rows": [["好"]]}
        assert page.run("csv.decode(new Uint8Array([0xc4, 0xe3]).buffer)") == "你"  # GB18030
        assert page.run("csv.writeCsv([['a,b', 'c\"', 1]])") == '"a,b","c""",1\r\n'
        data = "const data = new DataTransfer(); data.items.add(new File(['\ufeff问题,上下文\\n我,你\\n'], 'q.csv'));"
        page.run("{" + data + "const field = document.getElementById('file'); field.files = data.files;"
                 "field.dispatchEvent(new Event('change'));}")  # fmt: skip
        assert page.wait(text_of("file-note")) == "q.csv：1 行，取 问题、上下文 列"
        assert page.run("document.getElementById('lines').value") == "我\t你"
        check_page(page)


@on_screens
def test_labels_and_masks_have_their_places(page, tmp_path, width, language):
    def classify(rows, options):
        return np.array([[0.2, 0.7, 0.1]] * len(rows), np.float32)

    def fill(rows, top_k):
        return [[[("天", 0.02), ("气", 0.01)]] for _ in rows]

    model = tiny_service.Model().served(tmp_path, labels=("否", "是", "不知道"))
    model = model._replace(answers={PAIRS: classify, FILL_MASK: fill}, refusals={SIMILARITY: "no", EMBED: "no"})
    with serving(model) as client:
        show(page, client, "ask", width, language)
        submit(page, "ask-form", text_a="我", text_b="")
        page.wait(is_done("answer"))
        assert page.run(text_of("score")) == "是"
        assert page.run(text_of("bars")) == "是70.0%否20.0%不知道10.0%"
        submit(page, "fill-form", masked="今[MASK]")
        page.wait(is_done("filled"))
        assert page.run(texts_of("#candidates .labelled")) == ["天2.0%", "气1.0%"]
        widths = page.run("[...document.querySelectorAll('#candidates i')].map((bar) => bar.style.width)")
        assert widths == ["100%", "50%"] and page.run(text_of("completed")) == "今天"
        page.run("document.querySelectorAll('#candidates button')[1].click()")
        assert page.run(text_of("completed")) == "今气"
        check_page(page)
    several = model._replace(thresholds=(0.1, 0.65, 0.2))
    with serving(several) as client:
        show(page, client, "ask", width, language)
        submit(page, "ask-form", text_a="我", text_b="")
        page.wait(is_done("answer"))
        assert [page.run(text_of(name)) for name in ("score", "verdict")] == ["是", "否"]
        assert len(page.run("[...document.querySelectorAll('#bars .yes')]")) == 2
        check_page(page)


@on_screens
def test_entities_are_marked_in_their_text(page, tmp_path, width, language):
    def tag(rows, options):
        found = [TaggedEntity(1, 3, "PER", "林夏", 0.9), TaggedEntity(4, 6, "LOC", "东岭", 0.8)]
        return [found if row.content.startswith("😂") else [] for row in rows]

    refusals = dict.fromkeys((SIMILARITY, CLASSIFY, EMBED, FILL_MASK), "no")
    model = tiny_service.Model().served(tmp_path, labels=(), types=("PER", "LOC"), refusals=refusals)
    with serving(model._replace(answers={TAGS: tag})) as client:
        show(page, client, "tag", width, language)
        assert not page.run(is_shown("ask")) and not page.run(is_shown("search"))
        submit(page, "tag-form", tagged="😂林夏在东岭")
        page.wait(is_done("entities"))
        assert page.run(texts_of("#entity-text mark")) == ["林夏", "东岭"]
        assert page.run(text_of("entity-text")) == "😂林夏在东岭"
        names = ["人名 PER × 1", "地点 LOC × 1"] if language == "zh" else ["PER × 1", "LOC × 1"]
        assert page.run(texts_of("#legend li")) == names
        submit(page, "list-form", lines="好\n😂林夏在东岭")
        page.wait(is_done("scored"))
        assert page.run(texts_of("#rows mark")) == ["林夏", "东岭"]
        check_page(page)


@on_screens
def test_an_answer_is_marked_in_its_context(page, tmp_path, width, language):
    def read(rows, n_best):
        return [[FoundAnswer("林夏", 1, 3, 0.75), FoundAnswer("东岭", 4, 6, 0.25)][:n_best] for _ in rows]

    refusals = dict.fromkeys((SIMILARITY, CLASSIFY, EMBED, FILL_MASK), "no")
    model = tiny_service.Model().served(tmp_path, labels=(), refusals=refusals, answers={SPANS: read})
    with serving(model) as client:
        show(page, client, "read", width, language)
        submit(page, "read-form", question="谁", context="😂林夏在东岭")
        page.wait(is_done("read-answer"))
        assert page.run(text_of("best-answer")) == "林夏" and page.run(texts_of("#marked-context mark")) == ["林夏"]
        assert page.run(texts_of("#candidates-found button")) == ["林夏 75.0%", "东岭 25.0%"]
        page.run("document.querySelectorAll('#candidates-found button')[1].click()")
        assert page.run(texts_of("#marked-context mark")) == ["东岭"]
        submit(page, "list-form", lines="谁\t😂林夏在东岭")
        page.wait(is_done("scored"))
        assert page.run(texts_of("#rows .share")) == ["林夏 75.0%"] and page.run(texts_of("#rows mark")) == ["林夏"]
        check_page(page)


@on_screens
def test_lines_are_found_while_one_types(page, tmp_path, width, language):
    place = "第 2 行" if language == "zh" else "line 2"
    searcher = tiny_service.LineSearcher()
    with serving(with_search(tiny_service.Model().served(tmp_path), searcher)) as client:
        show(page, client, "search", width, language)
        field = "document.getElementById('query')"
        for text in ("我", "我喜", "我喜欢"):  # faster than the pause
            page.run("{0}.value = '{1}'; {0}.dispatchEvent(new Event('input'))".format(field, text))
        page.wait("document.querySelectorAll('#found li').length == 5")
        assert searcher.asked[1:] == [["我喜欢"]]
        lines = page.run("[...document.querySelectorAll('#found li')].map((place) => place.innerText.split('\\n'))")
        assert [part for part in lines[1] if part] == ["我喜欢2", place, "0.494"]
        page.run("{0}.value = 'bad'; {0}.dispatchEvent(new Event('input'))".format(field))
        page.wait(is_shown("search-error"))
        assert page.run(text_of("search-error")) == "row 1 is bad" and page.run(text_of("found")) == ""
        page.run("{0}.value = ''; {0}.dispatchEvent(new Event('input'))".format(field))
        page.wait("!" + is_shown("search-error"))
        page.complaints[:] = [text for text in page.complaints if "422" not in text]
        check_page(page)


def test_an_answer_that_a_later_question_has_overtaken_is_dropped(page, tmp_path):
    searcher, slow = tiny_service.LineSearcher(), threading.Event()
    find_lines = searcher.search

    def search(texts, top_k, place):
        if texts == ["慢"]:
            slow.wait(20)
        return find_lines(texts, top_k, place)

    searcher.search = search
    model = with_search(tiny_service.Model().served(tmp_path), searcher)._replace(concurrency=2)
    with serving(model) as client:
        show(page, client, "search")
        for text in ("慢", "快"):
            page.run("document.getElementById('query').value = '{}'".format(text))
            page.run("document.getElementById('in-index').dispatchEvent(new Event('change'))")
        page.wait("document.querySelectorAll('#found li').length == 5")
        slow.set()
        until(lambda: client.metric('albert_requests_total{path="/search",status="200"}') == 2)
        time.sleep(0.2)  # the page has the late answer
        assert page.run("document.querySelector('#found p').textContent") == "快1"


def test_sentences_of_ones_own_are_searched_by_their_vectors(page, tmp_path):
    with serving(tiny_service.Model().served(tmp_path)) as client:
        show(page, client, "search")
        assert page.run(is_shown("own")) and page.run(is_shown("vector-note")) and not page.run(is_shown("sources"))
        for name, value in (("own-lines", "我们都喜欢\\n\\n我"), ("query", "他")):
            field = "document.getElementById('{}')".format(name)
            page.run("{0}.value = '{1}'; {0}.dispatchEvent(new Event('input'))".format(field, value))
        page.wait("document.querySelectorAll('#found li').length == 2")
        assert page.run(texts_of("#found .share")) == ["1.000", "0.995"]  # the fake vectors are lengths
        assert page.run(texts_of("#found .small")) == ["第 3 行", "第 1 行"]
        check_page(page)


def test_the_token_is_asked_for(page, tmp_path):
    limits = LIMITS._replace(token="abc")
    with serving(tiny_service.Model().served(tmp_path), limits=limits) as client:
        show(page, client, "access")
        submit(page, "access", token="abc")
        page.wait(is_shown("ask"))
        assert "Bearer $TOKEN" in page.run("document.querySelector('#ask-snippets code').textContent")
        page.complaints[:] = [text for text in page.complaints if "401" not in text]
        check_page(page)


@on_screens
def test_the_interface_is_shown(page, tmp_path, width, language):
    with serving(tiny_service.Model().served(tmp_path)) as client:
        show(page, client, "foot", width, language)
        page.open("http://127.0.0.1:{}/docs".format(client.port), width)
        shown = page.wait("document.querySelectorAll('.endpoint').length == 9 && {}".format(text_of("endpoints")))
        for text in ("/similarity", "text_a", "symmetric", "Retry-After", "curl", "it has no such head"):
            assert text in shown
        assert ("第一段文本" if language == "zh" else "the first text") in shown
        assert page.run(texts_of("#contents a")) == [
            "/similarity", "/classify", "/embed", "/tokens", "/model", "/healthz", "/metrics"
        ]  # fmt: skip
        page.run("document.querySelector('#similarity .tabs button:last-child').click()")
        assert "urllib.request" in page.run("document.querySelector('#similarity code').textContent")
        page.run("[...document.querySelectorAll('#similarity .command-head > button')].pop().click()")
        page.wait("document.getElementById('similarity').textContent.includes('0.545455')")
        check_page(page)
