"""What the driver of a data set does by itself, before and after the shards: CPU seconds by shards and by text.

    python -m benchmarks.data_driver --corpus=articles.txt --megabytes=100

The driver divides the text (a seek for each shard), reads all of it once for its SHA-256 (`describe_files`), packs the
tasks for an engine, adds each finished shard to the journal, and writes the sidecar, which readers parse. Times are CPU
seconds of this process, so that other work on the machine changes them little.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from typing import Any, Callable, List, Tuple

from albert.base.flags import Flags, run_command
from albert.base.paths import DATA
from albert.files.features import TRAINING
from albert.files.json_reading import read_description
from albert.files.reading import describe_files
from albert.files.record_sets import shard_paths, sidecar_path
from albert.pretraining_data import output
from albert.pretraining_data.plan import Outputs, plan_tasks
from albert.pretraining_data.shards import COUNTS, DROP_REASONS, ShardResult
from albert.pretraining_data.shipping import pack_tasks
from benchmarks.pretraining_data import write_mixture
from benchmarks.processes import row


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.locations("corpus", os.path.join(DATA, "news_zh_1.txt"), "text files; short ones are repeated")
    flags.float("megabytes", 100.0, "size of the text, in 10^6 bytes", minimum=0.1)
    flags.string("num_shards", "1024,16384", "numbers of shards to measure")
    return flags


def main(flags: Flags) -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        text = os.path.join(folder, "text.txt")
        paths = flags.corpus.split(",")
        size = write_mixture(paths, [1.0 / len(paths)] * len(paths), flags.megabytes * 1e6, text)
        _, seconds = _timed(lambda: describe_files([text]))
        sys.stdout.write("SHA-256 of the text: {:.0f} MB/s\n".format(size / 1e6 / seconds))
        sys.stdout.write(row(["shards", "plan", "pack", "journal", "sidecar", "its bytes", "read it"]))
        for num_shards in map(int, flags.num_shards.split(",")):
            sys.stdout.write(row(_measure(folder, text, num_shards)))


def _measure(folder: str, text: str, num_shards: int) -> List[str]:
    """The cells of a row."""
    name = os.path.join(folder, "zh.tfrecord")
    tasks, planned = _timed(lambda: plan_tasks([text], Outputs(name), num_shards))
    _, packed = _timed(lambda: pack_tasks(tasks))
    counts = dict.fromkeys(COUNTS + DROP_REASONS, 123456)
    shards = [ShardResult(path, 123456789, counts) for path in shard_paths(name, num_shards)]
    description = {"format_version": output.FORMAT_VERSION, "settings": {}}
    output.claim_output([name], [shard.path for shard in shards], description, overwrite=True)
    _, kept = _timed(lambda: [output.add_to_journal(name, shard) for shard in shards])
    output.finish_output(name)
    _, written = _timed(lambda: output.write_sidecar(name, TRAINING, description, shards))
    num_bytes = os.path.getsize(sidecar_path(name))
    _, read = _timed(lambda: read_description(sidecar_path(name), "a sidecar of records"))
    os.remove(sidecar_path(name))
    seconds = ["{:.2f} s".format(value) for value in (planned, packed, kept, written)]
    return [str(len(tasks)), *seconds, "{:.1f} MB".format(num_bytes / 1e6), "{:.2f} s".format(read)]


def _timed(work: Callable[[], Any]) -> Tuple[Any, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
