"""The service under load: throughput with and without dynamic batching, then latency at 70 % of it, errors, memory.

    python -m benchmarks.serving --model=albert_lcqmc_checkpoints --data_dir=lcqmc
    python -m benchmarks.serving --model=exported_int8 --seconds=10

Two servers, one with --max_batch_size=1, are asked in turns by as many clients at full speed; then the first is asked
at random moments at the given share of the throughput found, and latency is counted from the moment when a question
was due. The clients run on the same processor cores as the servers. An int8 export is served row by row anyway: there
--serve_flags=--max_batch_size=64 makes the first server batch.
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
from typing import Iterator, List, NamedTuple, Optional

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.terminal import table
from albert.files.reading import text_lines
from benchmarks import http_clients, lcqmc_like
from benchmarks.http_clients import Asked
from benchmarks.processes import ROOT, median, median_ratio

_ADDRESS = re.compile(r" answers at http://127\.0\.0\.1:(\d+) ")
_WARM_UP_SECONDS = 2.0


class Server(NamedTuple):
    """A running server."""

    process: subprocess.Popen
    port: int

    def peak_bytes(self) -> int:
        """The most resident memory that it had (Linux)."""
        with open("/proc/{}/status".format(self.process.pid)) as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    flags.string("model", None, "what is served: a folder of fine-tuning on pairs, or an export of it")
    flags.string("data_dir", None, "the folder with LCQMC's dev.txt; without it pairs are made up")
    flags.string("vocab_file", os.path.join(ROOT, "albert_config", "vocab.txt"), "what made-up pairs are made of")
    flags.string("python", sys.executable, "a Python with requirements/serve.txt")
    flags.string("serve_flags", "", "further flags of both servers")
    flags.integer("clients", 16, "clients at a time", minimum=1)
    flags.integer("pairs", 2000, "different pairs that are asked", minimum=1)
    flags.integer("turns", 3, "turns of each server at full speed", minimum=1)
    flags.float("turn_seconds", 5.0, "of a turn", minimum=0.1)
    flags.float("seconds", 300.0, "at the share of the throughput", minimum=0.1)
    flags.float("share", 0.7, "of the throughput found", minimum=0.01, maximum=1.0)
    return flags


def main(flags: Flags) -> None:
    """Measures and prints."""
    flags.require("model")
    bodies = read_bodies(flags)
    with serve(flags) as batched, serve(flags, "--max_batch_size=1") as single:
        runs: List[List[Asked]] = [[], []]
        for server in (batched, single):
            ask(server, bodies, flags, _WARM_UP_SECONDS)
        for _ in range(flags.turns):
            for results, server in zip(runs, (batched, single)):
                results.append(ask(server, bodies, flags, flags.turn_seconds))
        rate = flags.share * median([run.per_second for run in runs[0]])
        paced = ask(batched, bodies, flags, flags.seconds, rate)
        sys.stdout.write(report(flags, runs, paced, rate, batched, single))


def ask(server: Server, bodies: List[bytes], flags: Flags, seconds: float, rate: Optional[float] = None) -> Asked:
    """Asks a server as the flags say."""
    return http_clients.ask(server.port, bodies, clients=flags.clients, seconds=seconds, rate=rate)


def read_bodies(flags: Flags) -> List[bytes]:
    """What is asked: a pair each."""
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
      UserError: it did not start.
    """
    command = [flags.python, os.path.join(ROOT, "serve.py"), "--model=" + flags.model, "--port=0"]
    process = subprocess.Popen(
        command + shlex.split(flags.serve_flags) + list(more),
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3"),
    )
    try:
        said = []
        for line in process.stderr:
            found = _ADDRESS.search(line)
            if found:
                yield Server(process, int(found.group(1)))
                return
            said.append(line)
        raise UserError("serve.py did not start: {}".format("".join(said[-3:]).strip()))
    finally:
        process.terminate()
        process.communicate()


def report(flags: Flags, runs: List[List[Asked]], paced: Asked, rate: float, batched: Server, single: Server) -> str:
    """The tables."""
    rows = [
        row_of(name, results, server)
        for name, results, server in zip(("dynamic batching", "--max_batch_size=1"), runs, (batched, single))
    ]
    rows.append(row_of("{:.0%} of the throughput".format(flags.share), [paced], batched))
    ratio = median_ratio([run.per_second for run in runs[0]], [run.per_second for run in runs[1]])
    figures = table(["", "answers/s", "p50", "p99", "longest", "errors", "peak memory"], rows)
    said = "Dynamic batching answers {:.2f} times as much; {} clients, at last {:.0f} questions a second.\n"
    return figures + said.format(ratio, flags.clients, rate)


def row_of(name: str, results: List[Asked], server: Server) -> List[str]:
    """The medians of a server's runs."""
    return [
        name,
        "{:,.0f}".format(median([run.per_second for run in results])),
        *("{:.1f} ms".format(median([run.percentile(share) for run in results]) * 1e3) for share in (0.5, 0.99, 1.0)),
        str(sum(run.errors for run in results)),
        "{:.0f} MB".format(server.peak_bytes() / 1e6),
    ]


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
