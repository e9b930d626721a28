"""Time and memory of create_pretraining_data.py, against one pass of jieba.lcut over the same lines.

    python -m benchmarks.pretraining_data --corpus=articles.txt,classics.txt --megabytes=10 --runs=3
    python -m benchmarks.pretraining_data --corpus=articles.txt,classics.txt --shares=0.6,0.4 --megabytes=5,10,50

Settings: max_seq_length 128, 20 predictions, whole words, dupe_factor 10 and 1. The text consists of whole documents
from the start of each file of the corpus, up to the file's share of the megabytes. The baseline runs on one core, in
the same run.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Dict, List, Sequence

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.paths import DATA, ROOT, VOCABULARY
from benchmarks.processes import Measured, measure, median, row

_BASELINE = """
import logging, sys, time
import jieba
jieba.setLogLevel(logging.ERROR)
jieba.initialize()
with open(sys.argv[1], encoding="utf-8", newline="\\n") as file:
    lines = file.read().split("\\n")
start = time.monotonic()
for line in lines:
    jieba.lcut(line)
print(time.monotonic() - start)
"""


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.locations("corpus", os.path.join(DATA, "news_zh_1.txt"), "text files; short ones are repeated")
    flags.string("shares", None, "share of each file; by default the same for all")
    flags.string("megabytes", "10", "sizes of the text to measure, in 10^6 bytes")
    flags.string("dupe_factors", "10,1", "values of --dupe_factor to measure")
    flags.integer("num_workers", 2, "processes", minimum=1)
    flags.integer("runs", 3, "runs of each; the table shows the medians", minimum=1)
    flags.location("vocab_file", VOCABULARY, "the vocabulary")
    return flags


def main(flags: Flags) -> None:
    """Measures and prints a table."""
    paths = flags.corpus.split(",")
    shares = [float(share) for share in flags.shares.split(",")] if flags.shares else [1.0 / len(paths)] * len(paths)
    if len(shares) != len(paths):
        raise UserError("--shares must hold one number for each file of --corpus")
    sys.stdout.write(row(["text", "dupe", "seconds", "jieba.lcut", "ratio", "CPU seconds", "s/MB", "peak", "files"]))
    for megabytes in map(float, flags.megabytes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            text = os.path.join(folder, "text.txt")
            size = write_mixture(paths, shares, megabytes * 1e6, text)
            measure_size(text, size, folder, flags)


def measure_size(text: str, size: int, folder: str, flags: Flags) -> None:
    """Measures one text, the baseline and every dupe_factor in turns; prints a row for each dupe_factor."""
    dupe_factors = flags.dupe_factors.split(",")
    baselines: List[float] = []
    runs: Dict[str, List[Measured]] = {dupe_factor: [] for dupe_factor in dupe_factors}
    output_sizes: Dict[str, int] = {}
    for _ in range(flags.runs):
        baselines.append(float(measure([sys.executable, "-W", "ignore", "-c", _BASELINE, text]).output.split()[-1]))
        for dupe_factor in dupe_factors:
            output = os.path.join(folder, "output")
            runs[dupe_factor].append(measure(_command(text, output, dupe_factor, flags)))
            output_sizes[dupe_factor] = sum(entry.stat().st_size for entry in os.scandir(output))
            shutil.rmtree(output)
    for dupe_factor, measured in runs.items():
        seconds = median([run.seconds for run in measured])
        ratios = [run.seconds / baseline for run, baseline in zip(measured, baselines)]
        cells = [
            "{:.1f} MB".format(size / 1e6),
            dupe_factor,
            "{:.1f}".format(seconds),
            "{:.1f}".format(median(baselines)),
            "{:.2f}".format(median(ratios)),
            "{:.1f}".format(median([run.cpu_seconds for run in measured])),
            "{:.3f}".format(seconds * 1e6 / size),
            "{:.0f} MB".format(max(run.peak_bytes for run in measured) / 1e6),
            "{:.0f} MB".format(output_sizes[dupe_factor] / 1e6),
        ]
        sys.stdout.write(row(cells))
        sys.stdout.flush()


def _command(text: str, output: str, dupe_factor: str, flags: Flags) -> List[str]:
    return [
        sys.executable,
        os.path.join(ROOT, "create_pretraining_data.py"),
        "--input_file=" + text,
        "--output_file=" + os.path.join(output, "records.tfrecord"),
        "--vocab_file=" + flags.vocab_file,
        "--do_whole_word_mask=True",
        "--dupe_factor=" + dupe_factor,
        "--num_workers={}".format(flags.num_workers),
    ]


def write_mixture(paths: Sequence[str], shares: Sequence[float], num_bytes: float, target: str) -> int:
    """Writes whole documents from the start of each file; returns their size in bytes."""
    with open(target, "wb") as output:
        for path, share in zip(paths, shares):
            end = output.tell() + share * num_bytes
            while output.tell() < end:
                with open(path, "rb") as text:
                    for line in text:
                        output.write(line)
                        if not line.strip() and output.tell() >= end:
                            break
                output.write(b"\n")
        return output.tell()


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
