"""What the guard refuses before the application is asked, over real connections."""

import contextlib
import json
import socket
import threading

import pytest

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from albert.serving.hosts import allowed_hosts
from tests.support import tiny_service
from tests.support.tiny_service import LIMITS, OPTIONS, until

PAIR = {"text_a": "喜欢苹果", "text_b": "香蕉"}
LARGE = 200_000  # bytes of a body


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module")
def client(folder):
    hosts = allowed_hosts("albert.example", "127.0.0.1", is_local=True)
    with tiny_service.serving(tiny_service.Model().served(folder), hosts=hosts) as client:
        yield client


@pytest.mark.parametrize(
    "headers,status,word",
    [
        ({"Content_Type": "application/json; charset=UTF-8"}, 200, ""),
        ({"Content_Type": 'Application/JSON;charset="utf8"'}, 200, ""),
        ({"Content_Encoding": "identity"}, 200, ""),
        ({"Content_Type": "application/json; charset=gbk"}, 415, "UTF-8"),
        ({"Content_Type": "application/json; charset=utf-16"}, 415, "UTF-8"),
        ({"Content_Type": "application/json; charset=iso-8859-1"}, 415, "UTF-8"),
        ({"Content_Type": "application/jsonp"}, 415, "application/json"),
        ({"Content_Type": "text/plain; charset=utf-8"}, 415, "application/json"),
        ({"Content_Encoding": "gzip"}, 415, "compressed"),
        ({"Content_Encoding": "br, identity"}, 415, "compressed"),
        ({"Host": "albert.example"}, 200, ""),
        ({"Host": "evil.example"}, 421, "'evil.example'"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421, "--allowed_hosts"),
        ({"Host": "localhost", "Origin": "http://localhost"}, 200, ""),
        ({"Origin": "https://albert.example"}, 200, ""),
        ({"Origin": "https://evil.example"}, 403, "'https://evil.example'"),
        ({"Origin": "null"}, 403, "'null'"),
    ],
)
def test_a_request_is_refused_by_its_headers(client, headers, status, word):
    answer = client.post("/similarity", PAIR, **headers)
    assert answer.status == status
    if status != 200:
        assert list(answer.json) == ["error"]
        assert word in answer.json["error"]


def test_no_address_is_served_by_another_name(client):
    for path in ("/", "/healthz", "/metrics", "/model", "/docs", "/openapi.json", "/nothing"):
        assert client.get(path, Host="evil.example").status == 421
        assert client.get(path, Host="localhost:1", Origin="http://evil.example").status == (
            404 if "noth" in path else 200
        )


def test_a_body_that_is_compressed_on_the_way_is_refused(client):
    head = head_of(5).replace(b"Content-Length: 5", b"Transfer-Encoding: gzip, chunked")
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.sendall(head + b"0\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 501")


def head_of(length):
    head = (
        "POST /similarity HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    )
    return head.format(length).encode("ascii")


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(client):
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.sendall(head_of(5001))
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_unfinished_bodies_share_one_room(folder):
    limits = LIMITS._replace(max_body_bytes=LARGE, body_seconds=20.0, max_text_length=LARGE)
    large = json.dumps(dict(PAIR, text_a="a" * (LARGE - 100))).encode("ascii")
    model = tiny_service.Model().served(folder)
    options = OPTIONS._replace(body_seconds=20.0)
    with tiny_service.serving(model, limits=limits, options=options) as client, contextlib.ExitStack() as open_:
        for _ in range(40):
            connection = open_.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=20))
            with contextlib.suppress(ConnectionError):
                connection.sendall(head_of(len(large)) + large[:-1])
        until(lambda: client.metric('albert_requests_total{path="/similarity",status="503"}') >= 10)
        assert client.post("/similarity", PAIR).status == 200  # small ones always have room
        answer = client.post("/similarity", large)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert "large bodies" in answer.json["error"]
        open_.close()
        until(lambda: client.post("/similarity", large).status == 200)


def test_the_end_refuses_in_words_what_it_has_no_time_for(folder):
    model = tiny_service.Model()
    answers = []
    with tiny_service.serving(model.served(folder), options=OPTIONS._replace(stop_seconds=0.3)) as client:
        with model.busy:
            asking = [
                threading.Thread(target=lambda: answers.append(client.post("/similarity", [PAIR] * 8)))
                for _ in range(4)
            ]
            for number, thread in enumerate(asking):
                thread.start()
                until(lambda: client.metric('albert_rows_waiting{model="pairs"}') == 8 * number)  # noqa: B023
            client.server.should_exit = True
            until(lambda: len(answers) == 3)
        for thread in asking:
            thread.join(20)
    assert sorted(answer.status for answer in answers) == [200, 503, 503, 503]
    for answer in answers:
        if answer.status == 503:
            assert answer.json == {"error": "the service is stopping: send it again in 10 s"}
            assert answer.headers["Retry-After"] == "10"
    assert client.server.num_refused == 3
