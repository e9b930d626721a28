"""Routes and what guards them, asked over real connections; skipped where requirements/serve.txt is not installed."""

import json
import os
import re
import socket
import threading
import time

import numpy as np
import pytest

from albert.base.paths import ROOT

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")


from albert.base.errors import UserError
from albert.inference.reader import FoundAnswer
from albert.inference.tagger import TaggedEntity
from albert.serving.batches import Size
from albert.serving.model import CLASSIFY, COSINE, PAIRS, SIMILARITY, SPANS, TAGS, with_search
from albert.serving.server import address_of, is_local, listen
from tests.support import tiny_service
from tests.support.tiny_service import BOUNDS, LIMITS, share_of, until

PAIR = {"text_a": "喜欢苹果", "text_b": "香蕉"}


@pytest.fixture(scope="module")
def model():
    return tiny_service.Model()


@pytest.fixture(scope="module")
def client(model, tmp_path_factory):
    with tiny_service.serving(model.served(tmp_path_factory.mktemp("model"))) as client:
        yield client


def check_it_still_answers(client):
    answer = client.post("/similarity", PAIR)
    assert (answer.status, answer.json) == (200, {"score": round(4 / 6, 6), "is_similar": True})


def test_one_is_answered_by_one_and_a_list_by_a_list_in_order(client):
    check_it_still_answers(client)
    pairs = [("我" * a, "你" * b) for a in range(1, 5) for b in range(1, 5)]
    answer = client.post("/similarity", [{"text_a": a, "text_b": b} for a, b in pairs])
    assert [row["score"] for row in answer.json] == pytest.approx([share_of(*pair) for pair in pairs], abs=1e-5)
    assert client.post("/similarity", []).json == []
    assert client.post("/similarity?symmetric=true", PAIR).json["score"] == 0.5
    answer = client.post("/classify", [{"text_a": "我"}, PAIR, {"text_a": "我😂\n\t", "text_b": None}])
    assert [row["label"] for row in answer.json] == ["yes"] * 3
    assert answer.json[1] == {
        "label": "yes",
        "score": round(4 / 6, 6),
        "probabilities": {"no": round(2 / 6, 6), "yes": round(4 / 6, 6)},
    }
    assert client.post("/embed", [{"text": "我"}, {"text": "我他"}]).json == [
        {"vector": [1.0, 0.123457]},
        {"vector": [2.0, 0.123457]},
    ]


def test_tokens_are_those_that_the_model_reads(client):
    answer = client.post("/tokens", {"text_a": "我喜欢吃香蕉", "text_b": "你😂"}).json
    assert answer == {
        "tokens_a": list("我喜欢吃香蕉"), "pieces_a": list("我喜欢吃香蕉"), "kept_a": 3,
        "tokens_b": ["你", "[UNK]"], "pieces_b": ["你", "😂"], "kept_b": 2,
    }  # fmt: skip
    answer = client.post("/tokens", {"text_a": "我喜欢吃"}).json
    assert (answer["tokens_a"], answer["kept_a"], answer["tokens_b"]) == (list("我喜欢吃"), 4, None)


@pytest.mark.parametrize(
    "body,status,sentence",
    [
        (b"", 400, "the body is empty: send JSON"),
        (b"{", 400, "the body is not JSON"),
        (b"\xff\xfe", 400, "the body is not JSON"),
        (b"[" * 4000, 400, "the body is not JSON"),
        (b"[" + b"1," * 2000 + b"1]", 422, "row 1 is not a JSON object"),
        (b"[" + b"{}," * 1000 + b"{}]", 422, "text_a of row 1 is missing"),
        (b'"text"', 422, "the body is not a JSON object"),
        (b"[[]]", 422, "row 1 is not a JSON object"),
        ({"text_a": "我"}, 422, "text_b is missing"),
        ([PAIR, {"text_a": "我"}], 422, "text_b of row 2 is missing"),
        ([PAIR, dict(PAIR, text_a=5)], 422, "text_a of row 2 must be a text"),
        (dict(PAIR, text_b=None), 422, "text_b must be a text"),
        (dict(PAIR, text_b=["我"]), 422, "text_b must be a text"),
        (dict(PAIR, tekst="我"), 422, "tekst is unknown"),
        (dict(PAIR, **{"a\n": 1}), 422, r"a\\n is unknown"),
        (dict(PAIR, **{"\ud800": 1}), 422, "the body holds half of a surrogate pair, which is not a character"),
        (
            dict(PAIR, text_a="好\ud800"),
            422,
            "a text of row 1 holds half of a surrogate pair, which is not a character",
        ),
        ([PAIR, dict(PAIR, text_b="我" * 31)], 422, "a text of row 2 has 31 characters, at most 30 are allowed"),
        ([PAIR] * 21, 413, "the list has 21 rows, at most 20 are answered at a time"),
        (b'"' + b"a" * 6000 + b'"', 413, "the body has more than 5,000 bytes"),
        ([PAIR, dict(PAIR, text_a="bad")], 422, "row 2 is bad"),
        (dict(PAIR, text_a="broken"), 500, "the service failed to answer this"),
    ],
    ids=lambda value: "body" if isinstance(value, (bytes, dict, list)) else str(value),
)
def test_a_bad_body_gets_its_status_and_one_sentence(client, body, status, sentence):
    answer = client.post("/similarity", body)
    assert answer.status == status
    assert list(answer.json) == ["error"]
    assert re.match(sentence, answer.json["error"])
    assert "\n" not in answer.json["error"] and "secret" not in answer.json["error"]
    check_it_still_answers(client)


def test_other_mistakes_get_their_status(client):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert client.post("/similarity", PAIR, Content_Type=content_type).status == 415
    assert client.post("/similarity", PAIR, Content_Type="Application/JSON; charset=utf-8").status == 200
    answer = client.get("/similarity")
    assert (answer.status, answer.json, answer.headers["Allow"]) == (
        405,
        {"error": "this address accepts POST"},
        "POST",
    )
    answer = client.get("/nothing")
    assert (answer.status, answer.json["error"][:32]) == (404, "there is nothing at this address")
    answer = client.post("/fill-mask", {"text": "[MASK]"})
    assert (answer.status, answer.json) == (409, {"error": "it has no such head"})
    answer = client.post("/similarity?symmetric=perhaps", PAIR)
    assert (answer.status, answer.json) == (422, {"error": "symmetric must be true or false"})


@pytest.mark.parametrize(
    "path,body,sentence",
    [
        ("/similarity", dict(PAIR, text_b="我" * 31), "第 1 行的一段文本有 31 个字符，最多 30 个"),
        ("/similarity", [PAIR, {"text_a": "我"}], "第 2 行的 text_b 缺失"),
        ("/similarity", [PAIR] * 21, "数组有 21 行，一次最多 20 行：请分几次发送"),
        ("/similarity", b'"' + b"a" * 6000 + b'"', "请求体超过 5,000 字节：请分几次发送"),
        ("/similarity", b"{", "请求体不是 JSON：第 2 个字符处应为双引号里的名字"),
        ("/similarity?symmetric=perhaps", PAIR, "symmetric 必须是 true 或 false"),
        ("/search", {"text": "我"}, "没有加载索引：`python search.py index` 建立索引，`serve.py --index=目录` 加载它"),
        ("/nothing", {}, "没有这个地址：/docs 列出了所有地址"),
        ("/similarity", [PAIR, dict(PAIR, text_a="bad")], "row 2 is bad"),
    ],
    ids=lambda value: "body" if isinstance(value, (bytes, dict, list)) else None,
)
def test_a_client_that_names_chinese_first_is_refused_in_chinese(client, path, body, sentence):
    answer = client.post(path, body, Accept_Language="zh-CN,zh;q=0.9,en;q=0.8")
    assert answer.json == {"error": sentence} and answer.status >= 400
    reasons = client.get("/model", **{"Accept-Language": "zh"}).json["refusals"]
    assert reasons["/search"].startswith("没有加载索引") and reasons["/fill-mask"] == "it has no such head"


def test_a_full_queue_says_when_to_come_again(model, client):
    waiting = []
    with model.busy:
        threads = [
            threading.Thread(target=lambda: waiting.append(client.post("/similarity", [PAIR] * 18))) for _ in range(3)
        ]
        for number, thread in enumerate(threads):  # the first has a batch of 8 taken from it
            thread.start()
            until(lambda: client.metric('albert_rows_waiting{model="pairs"}') == 10 + number * 18)  # noqa: B023
        answer = client.post("/similarity", [PAIR] * 18)
        assert (answer.status, list(answer.json)) == (503, ["error"])
        assert int(answer.headers["Retry-After"]) >= 1
    for thread in threads:
        thread.join(20)
    assert [(answer.status, len(answer.json)) for answer in waiting] == [(200, 18)] * 3
    check_it_still_answers(client)


def test_a_model_that_can_answers_side_by_side(tmp_path):
    together = threading.Barrier(2)

    def answer(rows, symmetric):
        together.wait(20)
        return np.array([[0.5, 0.5]], np.float32)

    model = tiny_service.Model().served(tmp_path, answers={PAIRS: answer}, concurrency=2)
    with tiny_service.serving(model, BOUNDS._replace(max_rows=1)) as client:
        waiting = threading.Thread(target=client.post, args=("/similarity", PAIR))
        waiting.start()
        assert client.post("/similarity", PAIR).status == 200
        waiting.join(20)


def request_bytes(path, body):
    head = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    return head.format(path, len(body)).encode("ascii") + body


def connect(client):
    return socket.create_connection(("127.0.0.1", client.port), timeout=20)


def test_who_hangs_up_is_not_waited_for(model, client):
    gone = 'albert_requests_total{path="/similarity",status="499"}'
    before = client.metric(gone)
    body = json.dumps({"text_a": "hung up", "text_b": "我"}).encode("ascii")
    calls = model.calls
    with model.busy:
        busy = threading.Thread(target=client.post, args=("/similarity", PAIR))
        busy.start()
        until(lambda: model.calls == calls + 1)
        with connect(client) as connection:
            connection.sendall(request_bytes("/similarity", body))
            until(lambda: client.metric('albert_rows_waiting{model="pairs"}') == 1)
        until(lambda: client.metric(gone) == before + 1)
    busy.join(20)
    with connect(client) as connection:  # in the middle of the body
        connection.sendall(request_bytes("/similarity", body)[:-5])
    until(lambda: client.metric(gone) == before + 2)
    check_it_still_answers(client)
    assert ("hung up", "我") not in model.rows


def test_a_slow_client_is_not_waited_for(client):
    content = request_bytes("/similarity", b'{"text_a": "')
    with connect(client) as head, connect(client) as body, connect(client) as silent, connect(client) as endless:
        head.sendall(b"POST /similarity HTT")
        body.sendall(content.replace(b"Length: 12", b"Length: 99"))
        endless.sendall(b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 20000)
        check_it_still_answers(client)
        answer = body.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"the body did not arrive within 0.5 seconds" in answer
        for connection in (head, silent, endless):
            assert closed(connection)
    check_it_still_answers(client)


def closed(connection):
    try:
        return connection.recv(4096) == b""
    except ConnectionResetError:
        return True


def test_slow_heads_are_not_waited_for_on_kept_connections(client):
    with connect(client) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        time.sleep(0.6)  # longer than a head may take: an idle connection is kept
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /heal")
        assert closed(connection)


def test_a_token_is_asked_for_where_there_is_one(tmp_path):
    model = tiny_service.Model().served(tmp_path)
    with tiny_service.serving(model, limits=LIMITS._replace(token="s3cret")) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"}):
            answer = client.post("/similarity", PAIR, **headers)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert "Authorization" in answer.json["error"]
        assert client.post("/similarity", PAIR, Authorization="Bearer s3cret").status == 200
        assert client.get("/metrics").status == client.get("/model").status == client.get("/nothing").status == 401
        for path in ("/", "/docs", "/healthz", "/openapi.json", "/page.js", "/texts.js", "/icon.svg"):
            assert client.get(path).status == 200


def test_figures_are_counted(model, client):
    answered = 'albert_requests_total{path="/similarity",status="200"}'
    before = client.metric(answered), client.metric("albert_batch_rows_sum")
    client.post("/similarity", [PAIR] * 5)
    assert client.metric(answered) == before[0] + 1
    assert client.metric("albert_batch_rows_sum") == before[1] + 5
    assert client.metric("process_resident_memory_bytes") > 1e7
    for number in range(5):
        client.get("/nothing/{}".format(number))
    text = client.get("/metrics").body.decode("utf-8")
    assert "nothing" not in text and re.search(r'albert_requests_total\{path="other",status="404"\} \d', text)


def test_the_model_says_what_it_answers(tmp_path, client):
    card = client.get("/model").json
    assert card["answers"] == ["/similarity", "/classify", "/embed"]
    assert card["refusals"] == {
        "/ner": "the model does not tag texts: serve a folder that run_ner.py filled, or an export of one",
        "/mrc": "the model does not answer questions on a text: serve a folder that run_mrc.py filled, or an export of "
        "one",
        "/fill-mask": "it has no such head",
        "/search": "no index is served: `python search.py index` builds one, and `serve.py --index=FOLDER` serves it",
    }
    assert client.post("/search", {"text": "我"}).json == {"error": card["refusals"]["/search"]}
    assert (card["labels"], card["engine"], card["max_seq_length"]) == (["no", "yes"], "tensorflow", 8)
    assert client.get("/healthz").json == {"status": "ok"}


def test_lines_are_found_where_an_index_is_served(tmp_path):
    searcher = tiny_service.LineSearcher()
    model = with_search(tiny_service.Model().served(tmp_path), searcher)
    with tiny_service.serving(model) as client:
        answer = client.post("/search?top_k=2", {"text": "我"})
        assert answer.json == {
            "matches": [{"line": 1, "text": "我1", "score": 0.987654}, {"line": 2, "text": "我2", "score": 0.493827}]
        }
        both = client.post("/search", [{"text": "一"}, {"text": "丁"}]).json
        assert [(len(found["matches"]), found["matches"][0]["text"]) for found in both] == [(5, "一1"), (5, "丁1")]
        assert searcher.asked[-1] == ["一", "丁"]
        assert client.metric('albert_batch_rows_sum{model="search"}') == 3
        for body, query, status in (({"text_a": "我"}, "", 422), ({"text": "我"}, "?top_k=0", 422), ([], "", 200)):
            assert client.post("/search" + query, body).status == status
        answer = client.post("/search", [{"text": "一"}, {"text": "bad"}])
        assert (answer.status, answer.json) == (422, {"error": "row 2 is bad"})
        assert client.get("/model").json["answers"][-1] == "/search"
    model.close()
    assert searcher.is_closed


def test_the_interface_is_described(client):
    api = client.get("/openapi.json").json
    assert set(api["paths"]) == {
        *("/similarity", "/classify", "/embed"),  # what this model answers
        *("/tokens", "/model", "/healthz", "/metrics"),
    }
    body = api["paths"]["/similarity"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    forms = api["components"]["schemas"][body["$ref"].split("/")[-1]]["oneOf"]
    assert forms[1] == {"type": "array", "items": forms[0]}
    assert "503" in api["paths"]["/similarity"]["post"]["responses"]


def test_pages_load_nothing_from_elsewhere(client):
    for path in ("/", "/docs"):
        answer = client.get(path)
        assert answer.headers["Content-Type"].startswith("text/html")
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'self'", "frame-ancestors 'none'", "form-action 'none'"} <= set(policy)
        names = re.findall(r'(?:src|href)="([^"]+)"', answer.body.decode("utf-8"))
        assert len(names) > 3
        for name in names:
            assert name == "data:," or client.get("/" + name.replace("./", "")).status == 200
    for name in os.listdir(os.path.join(ROOT, "albert", "serving", "page")):
        with open(os.path.join(ROOT, "albert", "serving", "page", name), encoding="utf-8") as file:
            content = file.read().replace('xmlns="http://www.w3.org/2000/svg"', "")  # a name, which nothing loads
            assert not re.search(r"https?:|url\(|[\"'`]//|@import", content)


def test_addresses():
    with listen("127.0.0.1", 0) as bound:
        assert is_local(bound)
        port = bound.getsockname()[1]
        assert address_of(bound) == "http://127.0.0.1:{}".format(port)
        with pytest.raises(UserError, match="cannot listen on 127.0.0.1 port {}: Address already".format(port)):
            listen("127.0.0.1", port)
    with listen("0.0.0.0", 0) as bound:
        assert not is_local(bound)
    with pytest.raises(UserError, match="cannot listen on no.such.host.invalid port 0: .*; name another one"):
        listen("no.such.host.invalid", 0)
    with pytest.raises(UserError, match="there is no port 70000: the last one is 65535"):
        listen("127.0.0.1", 70000)


@pytest.mark.parametrize("similar_id, score", [(1, 0.75), (0, 0.25)])
def test_the_score_is_that_of_the_similar_label(tmp_path, similar_id, score):
    model = tiny_service.Model().served(tmp_path, similar_id=similar_id)
    with tiny_service.serving(model, BOUNDS) as client:
        answer = client.post("/similarity", {"text_a": "我们好", "text_b": "你"}).json
        assert answer == {"score": score, "is_similar": score > 0.5}


def test_a_cosine_says_of_no_pair_that_it_is_similar(tmp_path):
    model = tiny_service.Model().served(tmp_path, score=COSINE, vector="a mean", labels=(), refusals={CLASSIFY: "no"})
    with tiny_service.serving(model, BOUNDS) as client:
        assert client.post("/similarity", [PAIR]).json == [{"score": round(4 / 6, 6)}]
        assert client.post("/classify", PAIR).json == {"error": "no"}
        card = client.get("/model").json
        assert (card["score"], card["vector"], card["labels"]) == ("cosine", "a mean", [])


def test_a_model_may_refuse_similarity(tmp_path):
    model = tiny_service.Model().served(tmp_path, refusals={SIMILARITY: "three labels"}, labels=("a", "b"))
    with tiny_service.serving(model, BOUNDS) as client:
        assert client.post("/similarity", PAIR).json == {"error": "three labels"}
        assert client.post("/classify", PAIR).status == 200


def test_entities_and_answers_stand_with_their_places(tmp_path):
    def tag(rows, options):
        return [[TaggedEntity(0, 1, "PER", row.content[0], 0.98765432)] if len(row.content) > 1 else [] for row in rows]

    def read(rows, n_best):
        return [[FoundAnswer(row.content[1][0], 0, 1, 0.75), FoundAnswer("b", 2, 3, 0.25)][:n_best] for row in rows]

    model = tiny_service.Model().served(tmp_path, answers={TAGS: tag, SPANS: read}, types=("PER",), refusals={})
    model = model._replace(sizes={SPANS: lambda row: Size(len(row.content[1]), 8)})
    with tiny_service.serving(model, BOUNDS) as client:
        found = {"start": 0, "end": 1, "type": "PER", "text": "我", "score": 0.987654}
        assert client.post("/ner", {"text": "我们"}).json == {"entities": [found]}
        assert client.post("/ner", [{"text": "好"}, {"text": "我们"}]).json == [{"entities": []}, {"entities": [found]}]
        question = {"question": "谁", "context": "我们"}
        best = {"text": "我", "start": 0, "end": 1, "score": 0.75}
        assert client.post("/mrc", question).json == {"answers": [best]}
        assert [len(row["answers"]) for row in client.post("/mrc?top_k=2", [question, question]).json] == [2, 2]
        assert client.metric('albert_batch_rows_sum{model="spans"}') == 6  # sequences of the model
        for path, body, message in (
            ("/ner", {"text": "我" * 31}, "a text of row 1 has 31 characters"),
            ("/mrc", {"question": "谁"}, "context is missing"),
            ("/mrc", [question, dict(question, text="")], "text of row 2 is unknown"),
            ("/mrc?top_k=0", question, "top_k does not fit"),
            ("/mrc", dict(question, context="我" * 31), "a text of row 1 has 31 characters"),
        ):
            answer = client.post(path, body)
            assert answer.status == 422 and answer.json["error"].startswith(message)
        answer = client.post("/mrc", [dict(question, context="我" * 26)] * 2)
        assert answer.status == 413 and answer.json["error"].startswith("the rows make about 52 sequences of the model")
        card = client.get("/model").json
        assert (card["answers"], card["types"]) == (["/ner", "/mrc"], ["PER"])
        assert set(client.get("/openapi.json").json["paths"]) >= {"/ner", "/mrc", "/tokens"}


def test_a_row_of_several_labels_gets_all_that_reach_their_thresholds(tmp_path):
    model = tiny_service.Model().served(tmp_path, refusals={SIMILARITY: "no"}, thresholds=(0.25, 0.7))
    with tiny_service.serving(model, BOUNDS) as client:
        rows = [{"text_a": "我们好", "text_b": "你"}, {"text_a": "我", "text_b": "你们好呀"}, {"text_a": "我"}]
        answers = client.post("/classify", rows).json
        assert [answer["labels"] for answer in answers] == [["yes", "no"], ["no"], ["yes"]]
        assert answers[0] == {"labels": ["yes", "no"], "probabilities": {"no": 0.25, "yes": 0.75}}
        assert client.get("/model").json["thresholds"] == {"no": 0.25, "yes": 0.7}


def test_the_description_says_whether_a_token_is_needed(tmp_path, client):
    assert "security" not in client.get("/openapi.json").json
    model = tiny_service.Model().served(tmp_path)
    with tiny_service.serving(model, limits=LIMITS._replace(token="s3cret")) as closed:
        assert closed.get("/openapi.json").json["security"] == [{"token": []}]
