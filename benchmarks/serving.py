"""Load test of the service: throughput with and without dynamic batching; latency at 70 % of it; errors; memory.

    python -m benchmarks.serving --model=albert_lcqmc_checkpoints --data_dir=lcqmc
    python -m benchmarks.serving --model=exported_int8 --seconds=10

Two servers, one of them with --max_batch_size=1, take turns under the same number of clients at full speed. Then the
first server gets requests at random moments, at --share of the throughput found. Latency is counted from the moment at
which a request was due. The clients run on the same processor cores as the servers. An int8 export is served row by row
by default: --serve_flags=--max_batch_size=64 lets the first server batch it. At last the same load meets bodies of 4 MB
that another client sends to stop the service: what they add to the latency of the good requests is measured in turns
with and without them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from typing import Counter, Iterator, List, NamedTuple, Optional

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.paths import ROOT, VOCABULARY
from albert.base.terminal import table
from albert.files.reading import text_lines
from benchmarks import hostile_bodies, http_clients, lcqmc_like
from benchmarks.http_clients import Load
from benchmarks.processes import median, median_ratio

_ADDRESS = re.compile(r" answers at http://127\.0\.0\.1:(\d+) ")
_WARM_UP_SECONDS = 2.0
_COLUMNS = ["", "answers/s", "p50", "p99", "longest", "errors", "peak memory"]


class Server(NamedTuple):
    """Running server."""

    process: subprocess.Popen
    port: int

    def peak_bytes(self) -> int:
        """Peak resident memory of the server (Linux)."""
        with open("/proc/{}/status".format(self.process.pid)) as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.location("model", None, "the model to serve: a folder that was fine-tuned on pairs, or an export of it")
    flags.location("data_dir", None, "the folder with LCQMC's dev.txt; without it pairs are made up")
    flags.location("vocab_file", VOCABULARY, "the vocabulary that made-up pairs are made from")
    flags.string("python", sys.executable, "a Python with requirements/serve.txt")
    flags.string("serve_flags", "", "further flags of both servers")
    flags.integer("clients", 16, "number of clients", minimum=1)
    flags.integer("pairs", 2000, "number of different pairs to send", minimum=1)
    flags.integer("turns", 3, "turns of each server at full speed", minimum=1)
    flags.float("turn_seconds", 5.0, "seconds per turn", minimum=0.1)
    flags.float("seconds", 300.0, "seconds at the share of the throughput", minimum=0.1)
    flags.float("share", 0.7, "share of the throughput found", minimum=0.01, maximum=1.0)
    flags.float("hostile_rate", 2.0, "hostile bodies per second", minimum=0.01)
    flags.float("hostile_seconds", 10.0, "seconds of a turn with hostile bodies, and of one without", minimum=0.1)
    return flags


def main(flags: Flags) -> None:
    """Measures and prints."""
    flags.require("model")
    bodies = read_bodies(flags)
    with serve(flags) as batched, serve(flags, "--max_batch_size=1") as single:
        runs: List[List[Load]] = [[], []]
        for server in (batched, single):
            put_load(server, bodies, flags, _WARM_UP_SECONDS)
        for _ in range(flags.turns):
            for results, server in zip(runs, (batched, single)):
                results.append(put_load(server, bodies, flags, flags.turn_seconds))
        rate = flags.share * median([run.per_second for run in runs[0]])
        paced = put_load(batched, bodies, flags, flags.seconds, rate)
        sys.stdout.write(report(flags, runs, paced, rate, batched, single))
        sys.stdout.write(report_on_hostile_bodies(flags, batched, bodies, rate))


def put_load(server: Server, bodies: List[bytes], flags: Flags, seconds: float, rate: Optional[float] = None) -> Load:
    """Sends requests to a server from --clients clients."""
    return http_clients.put_load(server.port, bodies, clients=flags.clients, seconds=seconds, rate=rate)


def report_on_hostile_bodies(flags: Flags, server: Server, bodies: List[bytes], rate: float) -> str:
    """Table of the load with and without hostile bodies, and lines on what they got and what they cost."""
    quiet: List[Load] = []
    disturbed: List[Load] = []
    statuses: Counter[int] = Counter()
    rows = []
    for _ in range(flags.turns):
        quiet.append(put_load(server, bodies, flags, flags.hostile_seconds, rate))
        rows = [row_of("without hostile bodies", quiet, server)]
        with hostile_bodies.sent_to(server.port, flags.hostile_rate) as got:
            disturbed.append(put_load(server, bodies, flags, flags.hostile_seconds, rate))
        statuses.update(got)
    rows.append(row_of("with hostile bodies", disturbed, server))
    ratio = median_ratio([run.percentile(0.99) for run in disturbed], [run.percentile(0.99) for run in quiet])
    got_text = ", ".join("{} times {}".format(count, status) for status, count in sorted(statuses.items()))
    summary = "p99 with hostile bodies, {:g} per second: {:.2f} times that without; they got {}.\n"
    return table(_COLUMNS, rows) + summary.format(flags.hostile_rate, ratio, got_text)


def read_bodies(flags: Flags) -> List[bytes]:
    """Bodies of the requests, a pair each."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(flags.data_dir or folder, "dev.txt")
        if not flags.data_dir:
            lcqmc_like.write_pairs(path, flags.pairs, flags.vocab_file, seed=1)
        pairs = [text.split("\t")[:2] for _, text in text_lines(path)][: flags.pairs]
    return [json.dumps(dict(zip(("text_a", "text_b"), pair)), ensure_ascii=False).encode("utf-8") for pair in pairs]


@contextlib.contextmanager
def serve(flags: Flags, *more: str) -> Iterator[Server]:
    """Runs serve.py on a free port.

    Raises:
      UserError: the server did not start.
    """
    command = [flags.python, os.path.join(ROOT, "serve.py"), "--model=" + flags.model, "--port=0"]
    process = subprocess.Popen(
        command + shlex.split(flags.serve_flags) + list(more),
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3"),
    )
    try:
        lines = []
        for line in process.stderr:
            found = _ADDRESS.search(line)
            if found:
                yield Server(process, int(found.group(1)))
                return
            lines.append(line)
        raise UserError("serve.py did not start: {}".format("".join(lines[-3:]).strip()))
    finally:
        process.terminate()
        process.communicate()


def report(flags: Flags, runs: List[List[Load]], paced: Load, rate: float, batched: Server, single: Server) -> str:
    """Table of the loads, and a line on the gain of batching."""
    rows = [
        row_of(name, results, server)
        for name, results, server in zip(("dynamic batching", "--max_batch_size=1"), runs, (batched, single))
    ]
    rows.append(row_of("{:.0%} of the throughput".format(flags.share), [paced], batched))
    ratio = median_ratio([run.per_second for run in runs[0]], [run.per_second for run in runs[1]])
    figures = table(_COLUMNS, rows)
    summary = "Throughput with dynamic batching: {:.2f} times; {} clients, at the end {:.0f} requests per second.\n"
    return figures + summary.format(ratio, flags.clients, rate)


def row_of(name: str, results: List[Load], server: Server) -> List[str]:
    """Row of the table: the medians of a server's runs."""
    return [
        name,
        "{:,.0f}".format(median([run.per_second for run in results])),
        *("{:.1f} ms".format(median([run.percentile(share) for run in results]) * 1e3) for share in (0.5, 0.99, 1.0)),
        str(sum(run.errors for run in results)),
        "{:.0f} MB".format(server.peak_bytes() / 1e6),
    ]


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
