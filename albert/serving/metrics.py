"""Metrics of the service, for Prometheus at /metrics."""

from __future__ import annotations

from typing import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class ServingMetrics:
    """Metrics of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "albert_requests", "Requests that were answered.", ["path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "albert_request_seconds",
            "From the first byte of a request's body to the answer.",
            ["path"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._rows = Histogram(
            "albert_batch_rows",
            "Rows that the model answered at once.",
            ["model"],
            buckets=_ROWS,
            registry=self._registry,
        )
        self._waiting = Gauge("albert_rows_waiting", "Rows in the queue.", ["model"], registry=self._registry)

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Counts a response; `path` must be one of few."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def batch_observer(self, model: str) -> Callable[[int], None]:
        """Returns the function that a batcher calls with the number of rows of each batch."""
        return self._rows.labels(model).observe

    def watch_queue(self, model: str, rows_waiting: Callable[[], int]) -> None:
        """Reads the length of a queue whenever the metrics are read."""
        self._waiting.labels(model).set_function(rows_waiting)

    def text(self) -> bytes:
        """Returns all metrics in Prometheus's text format."""
        return generate_latest(self._registry)
