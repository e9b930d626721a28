"""Clients of benchmarks.serving against the service around a model that needs no TensorFlow."""

import json

import pytest

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from benchmarks import hostile_bodies, http_clients
from tests.support import tiny_service


def body(text):
    return json.dumps({"text_a": text, "text_b": "你"}).encode("ascii")


def test_answers_and_errors_are_counted_at_the_rate(tmp_path):
    model = tiny_service.Model()
    with tiny_service.serving(model.served(tmp_path)) as client:
        full = http_clients.put_load(client.port, [body("我"), body("我我")], clients=4, seconds=1.0)
        assert full.errors == 0 and len(full.seconds) == len(model.rows) > 20
        assert {len(first) for first, _ in model.rows} == {1, 2}
        assert full.per_second == pytest.approx(len(full.seconds) / full.duration)
        answered = len(model.rows)
        paced = http_clients.put_load(client.port, [body("我")], clients=4, seconds=1.0, rate=50)
        assert 20 < len(paced.seconds) < 90 and len(model.rows) == answered + len(paced.seconds)
        bad = http_clients.put_load(client.port, [body("我" * 99)], clients=2, seconds=0.1)
        assert bad.errors == len(bad.seconds) > 0 and bad.per_second == 0


def test_hostile_bodies_are_refused_while_good_ones_are_answered(tmp_path):
    limits = tiny_service.LIMITS._replace(max_body_bytes=4 << 20, body_seconds=20.0)
    options = tiny_service.OPTIONS._replace(body_seconds=20.0)
    with tiny_service.serving(tiny_service.Model().served(tmp_path), limits=limits, options=options) as client:
        for name, content in hostile_bodies.hostile_bodies(50_000).items():
            assert 40_000 < len(content) <= 50_000, name
            assert client.post("/similarity", content).status in (400, 413, 422), name
        with hostile_bodies.sent_to(client.port, per_second=50.0) as statuses:
            good = http_clients.put_load(client.port, [body("我")], clients=2, seconds=1.0, rate=50)
        assert good.errors == 0 and len(good.seconds) > 10
        assert statuses and set(statuses) <= {400, 413, 422}


def test_percentiles():
    load = http_clients.Load([0.001 * number for number in range(100, 0, -1)], 0, 1.0)
    assert [round(load.percentile(share) * 1e3) for share in (0.5, 0.99, 1.0)] == [51, 100, 100]
