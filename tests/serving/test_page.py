"""The page in a real browser; skipped where there is no Chromium."""

import threading

import numpy as np
import pytest

from tests.support import browser

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from albert.serving.model import CLASSIFY, COSINE, EMBED, FILL_MASK, PAIRS, SIMILARITY, with_search
from tests.support import tiny_service
from tests.support.tiny_service import LIMITS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.find_chromium() is None, reason="needs Chromium (Debian: apt-get install chromium)"),
]

WIDTHS = [1280, 390]


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
        page.run("{0}.value = {1!r}; {0}.dispatchEvent(new Event('input'))".format(field, value))
    page.run("document.getElementById('{}').requestSubmit()".format(form))


def check_page(page):
    """Nothing went wrong, nothing came from elsewhere, nothing is wider than the screen."""
    assert page.complaints == []
    assert all(address.startswith("http://127.0.0.1:") for address in page.asked)
    assert page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language,verdict", [("zh", "意思相同"), ("en", "same meaning")])
def test_two_sentences_are_scored(page, tmp_path, width, language, verdict):
    with tiny_service.serving(tiny_service.Model().served(tmp_path)) as client:
        show(page, client, "ask", width, language)
        submit(page, "ask-form", text_a="我喜欢吃苹果😂", text_b="你'")
        assert page.wait("{} && {}".format(is_shown("answer"), text_of("score"))) == "77.8%"
        assert page.run(text_of("verdict")) == verdict
        assert page.run("document.querySelector('#bars i').style.width").startswith("77.7")
        classes = page.run("[...document.querySelectorAll('#tokens-a span')].map((token) => token.className)")
        assert classes == ["", "", ""] + ["cut"] * 3 + ["unknown cut"]
        assert page.run(text_of("tokens-b")) == "你[UNK]"
        command = page.run(text_of("curl"))
        assert '\'{"text_a":"我喜欢吃苹果😂","text_b":"你\'\\\'\'"}\'' in command
        assert command.endswith(" 'http://127.0.0.1:{}/similarity'".format(client.port))
        check_page(page)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language,verdict", [("zh", "句向量的余弦"), ("en", "cosine of the sentence vectors")])
def test_a_cosine_is_shown_as_one(page, tmp_path, width, language, verdict):
    def cosines(rows, options):
        return np.array([[0.912] if row.content[0] == "我们" else [-0.25] for row in rows], np.float32)

    model = tiny_service.Model().served(tmp_path, score=COSINE, similar_id=0, labels=())
    model = model._replace(answers={PAIRS: cosines}, refusals={CLASSIFY: "no", EMBED: "no", FILL_MASK: "no"})
    with tiny_service.serving(model) as client:
        show(page, client, "ask", width, language)
        submit(page, "ask-form", text_a="我们", text_b="你")
        assert page.wait("{} && {}".format(is_shown("answer"), text_of("score"))) == "0.912"
        assert page.run(text_of("verdict")) == verdict
        assert page.run("document.querySelector('#bars i').style.width").startswith("91.")
        assert page.run("document.getElementById('symmetric').parentElement.hidden")
        submit(page, "list-form", lines="我们\t你\n我\t你")
        page.wait(is_shown("scored"))
        shares = page.run("[...document.querySelectorAll('#rows .share')].map((place) => place.textContent)")
        assert shares == ["0.912", "-0.250"]
        check_page(page)


def test_a_list_is_scored_and_a_mistake_is_told(page, tmp_path):
    with tiny_service.serving(tiny_service.Model().served(tmp_path)) as client:
        show(page, client, "list")
        submit(page, "list-form", lines="我\t你你你\n\n" + "我们\t你\r\n" * 30)
        page.wait(is_shown("scored"))
        shares = page.run("[...document.querySelectorAll('#rows .share')].map((place) => place.textContent)")
        assert shares == ["25.0%"] + ["66.7%"] * 30  # more than the service takes at a time
        submit(page, "list-form", lines="我\t你\n我你")
        assert page.wait("{} && {}".format(is_shown("list-error"), text_of("list-error"))).startswith("第 2 行")
        submit(page, "ask-form", text_a="我" * 31, text_b="你")
        said = page.wait("{} && {}".format(is_shown("ask-error"), text_of("ask-error")))
        assert said == "a text of row 1 has 31 characters, at most 30 are allowed"
        page.complaints[:] = [text for text in page.complaints if "422" not in text]
        check_page(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_labels_and_masks_have_their_places(page, tmp_path, width):
    def classify(rows, options):
        return np.array([[0.2, 0.7, 0.1]] * len(rows), np.float32)

    def fill(rows, top_k):
        return [[[("天", 0.5), ("气", 0.25)]] for _ in rows]

    model = tiny_service.Model().served(tmp_path, labels=("否", "是", "不知道"))
    model = model._replace(answers={PAIRS: classify, FILL_MASK: fill}, refusals={SIMILARITY: "no", EMBED: "no"})
    with tiny_service.serving(model) as client:
        show(page, client, "ask", width)
        submit(page, "ask-form", text_a="我", text_b="")
        page.wait(is_shown("answer"))
        assert page.run(text_of("verdict")) == "是"
        assert page.run(text_of("bars")) == "是70.0%否20.0%不知道10.0%"
        submit(page, "fill-form", masked="今[MASK]")
        page.wait("document.querySelectorAll('#candidates .labelled').length == 2")
        assert page.run(text_of("candidates")) == "第 1 个 [MASK]天50.0%气25.0%"
        check_page(page)
    only_masks = model._replace(refusals={SIMILARITY: "no", EMBED: "no", CLASSIFY: "no"}, labels=())
    with tiny_service.serving(only_masks) as client:
        show(page, client, "fill", width)
        assert not page.run(is_shown("ask")) and not page.run(is_shown("list"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language,place", [("zh", "第 2 行"), ("en", "line 2")])
def test_lines_are_found_while_one_types(page, tmp_path, width, language, place):
    searcher = tiny_service.LineSearcher()
    with tiny_service.serving(with_search(tiny_service.Model().served(tmp_path), searcher)) as client:
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
    with tiny_service.serving(model) as client:
        show(page, client, "search")
        page.run("window.late = (query.value = '慢', search()); (query.value = '快', search())")
        page.wait("document.querySelectorAll('#found li').length == 5")
        slow.set()
        page.run("window.late")
        assert page.run("document.querySelector('#found p').textContent") == "快1"


def test_the_token_is_asked_for(page, tmp_path):
    limits = LIMITS._replace(token="abc")
    with tiny_service.serving(tiny_service.Model().served(tmp_path), limits=limits) as client:
        show(page, client, "access")
        submit(page, "access", token="abc")
        page.wait(is_shown("ask"))
        assert "Bearer $TOKEN" in page.run(text_of("curl"))
        page.complaints[:] = [text for text in page.complaints if "401" not in text]
        check_page(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_interface_is_shown(page, tmp_path, width):
    with tiny_service.serving(tiny_service.Model().served(tmp_path)) as client:
        page.open("http://127.0.0.1:{}/docs".format(client.port), width)
        shown = page.wait(
            "document.querySelectorAll('.endpoint').length == 10 && document.getElementById('endpoints').textContent"
        )
        for text in ("/similarity", "text_a", "symmetric", "Retry-After", "curl"):
            assert text in shown
        check_page(page)
