"""Apache Beam pipeline that makes pre-training records, around the same functions that worker processes call."""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
import shlex
import tempfile
import time
from collections import Counter
from typing import Any, Dict, Iterator, List, Sequence, Set

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from albert.base.errors import UserError
from albert.files.reading import FileSystem
from albert.files.record_sets import sidecar_path
from albert.files.tfrecords import GZIP
from albert.pretraining_data.output import report_path, sidecar_values, total_counts
from albert.pretraining_data.plan import (
    DataSettings,
    Outputs,
    check_output_paths,
    describe_plan,
    plan_tasks,
)
from albert.pretraining_data.report import (
    OutputSummary,
    WorkDone,
    files_text,
    next_step,
    output_report,
    report_values,
)
from albert.pretraining_data.shards import (
    COUNTS,
    DROP_REASONS,
    BuildSettings,
    ShardBuilder,
    ShardResult,
    ShardTask,
    build_tokenizer,
)

_log = logging.getLogger(__name__)

_FILE_SETTINGS = ("vocab_file", "spm_model_file")


def _open(path: str) -> Any:
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def _stamp(path: str) -> Any:
    (result,) = FileSystems.match([path])
    if not result.metadata_list:
        raise FileNotFoundError(2, "No such file", path)
    return result.metadata_list[0].size_in_bytes


FILES = FileSystem(_open, _stamp)


def make_data_set(settings: DataSettings, beam_options: str) -> None:
    """Makes the record files, describes them beside them, and reports what was done.

    Args:
      settings: text, files and records.
      beam_options: Beam's own options, as one string.

    Raises:
      UserError: text or vocabulary cannot be used, or other files stand in the way.
    """
    start = time.monotonic()
    paths = _expand(settings.input_file)
    if settings.build.user_dictionary:
        raise UserError("--user_dictionary is not carried to the workers of an engine: use create_pretraining_data.py")
    tokenizer = build_tokenizer(settings.build)
    outputs = settings.outputs
    for name in outputs.names():
        _check_no_pattern(name)
    tasks = plan_tasks(paths, outputs, settings.num_shards, FILES)
    check_output_paths(paths, outputs, tasks)
    _make_room(outputs, len(tasks), settings.overwrite)
    description = describe_plan(settings.build, tokenizer, paths, tasks, FILES)
    counts = _run_pipeline(tasks, outputs, settings.build, beam_options)
    num_bytes = sum(part.end - part.start for task in tasks for part in task.ranges)
    done = WorkDone(num_bytes // len(outputs.names()), time.monotonic() - start, "Apache Beam")
    num_shards = len(tasks) // len(outputs.names())
    for name in outputs.names():
        totals = _totals(name, counts[name])
        _write_json(sidecar_path(name), sidecar_values(outputs.content(name), description, totals))
        size = _total_size(files_text(name, num_shards))
        _report(OutputSummary(name, num_shards, size, totals), done, settings.build)
    _log.info("%s", next_step(outputs.training, outputs.heldout, num_shards, settings.build))


def _totals(name: str, counts: Counter) -> Dict[str, Any]:
    if not counts["examples"]:
        raise UserError("no example could be made for {}: is it the right vocabulary?".format(name))
    return total_counts([ShardResult(name, 0, {key: counts[key] for key in COUNTS + DROP_REASONS})])


def _report(summary: OutputSummary, done: WorkDone, settings: BuildSettings) -> None:
    _write_json(report_path(summary.output_file), report_values(summary, done))
    for level, line in output_report(summary, done, settings):
        _log.log(level, "%s", line)


class MakeRecords(beam.DoFn):
    """Beam function from a shard of text to its records: the work of a worker process, on a worker of the engine."""

    def __init__(self, settings: BuildSettings, counter_prefix: str) -> None:
        self._settings = settings
        self._counter_prefix = counter_prefix
        # Carried along, so that a worker needs no file of the machine that started it.
        self._contents = {name: _content(getattr(settings, name)) for name in _FILE_SETTINGS if getattr(settings, name)}

    def setup(self) -> None:
        """Builds what all shards of a worker share."""
        with tempfile.TemporaryDirectory() as folder:
            paths: Dict[str, Any] = {name: os.path.join(folder, name) for name in self._contents}
            for name, path in paths.items():
                with open(path, "wb") as file:
                    file.write(self._contents[name])
            self._builder = ShardBuilder(self._settings._replace(**paths), FILES)

    def process(self, task: ShardTask) -> Iterator[bytes]:
        """Yields the records of one shard."""
        counts: Counter = Counter()
        yield from self._builder.records(task, counts)
        for name, number in counts.items():
            beam.metrics.Metrics.counter(self._counter_prefix, name).inc(int(number))


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _expand(patterns: str) -> List[str]:
    """Returns the files that names and globs, separated by commas, stand for, wherever Beam can read them."""
    paths: Set[str] = set()
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        if os.path.exists(pattern):
            _check_no_pattern(pattern)
        (result,) = FileSystems.match([pattern])
        if not result.metadata_list:
            raise UserError("no file matches {}".format(pattern))
        paths.update(metadata.path for metadata in result.metadata_list)
    for path in sorted(paths):
        _check_no_pattern(path)
    return sorted(paths)


def _check_no_pattern(path: str) -> None:
    if glob.escape(path) != path:
        raise UserError(
            "Beam takes [ * ? in {} for a pattern: rename it, or use create_pretraining_data.py".format(path)
        )


def _make_room(outputs: Outputs, num_tasks: int, overwrite: bool) -> None:
    """Removes files in the place of the outputs, or raises `UserError` unless they may be overwritten."""
    num_shards = num_tasks // len(outputs.names())
    for name in outputs.names():
        for pattern in (files_text(name, num_shards), sidecar_path(name)):
            (result,) = FileSystems.match([pattern])
            found = [metadata.path for metadata in result.metadata_list]
            if found and not overwrite:
                raise UserError("{} exists: name another --output_file or give --overwrite".format(found[0]))
            if found:
                FileSystems.delete(found)


def _run_pipeline(
    tasks: Sequence[ShardTask], outputs: Outputs, settings: BuildSettings, beam_options: str
) -> Dict[str, Counter]:
    """Runs the pipeline and returns the counts of each output."""
    pipeline = beam.Pipeline(options=PipelineOptions(shlex.split(beam_options)))
    for name in outputs.names():
        content = outputs.content(name)
        own_tasks = outputs.tasks_of(name, tasks)
        stem, extension = os.path.splitext(name)
        is_one = len(own_tasks) == 1
        _ = (
            pipeline
            | content + ": shards" >> beam.Create(own_tasks)
            | content + ": spread" >> beam.Reshuffle()
            | content + ": records" >> beam.ParDo(MakeRecords(settings, content))
            | content + ": shuffle" >> beam.Reshuffle()
            | content + ": write"
            >> beam.io.WriteToTFRecord(
                stem,
                file_name_suffix=extension,
                num_shards=len(own_tasks),
                shard_name_template="" if is_one else "-SSSSS-of-NNNNN",
                compression_type=CompressionTypes.GZIP
                if settings.compression == GZIP
                else CompressionTypes.UNCOMPRESSED,
            )
        )
    with _quiet(), _without_leftovers(outputs):
        result = pipeline.run()
        result.wait_until_finish()
    counts: Dict[str, Counter] = {name: Counter() for name in outputs.names()}
    for counter in result.metrics().query()["counters"]:
        for name in outputs.names():
            if counter.key.metric.namespace == outputs.content(name):
                counts[name][counter.key.metric.name] += counter.result
    return counts


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences what Beam logs through the root logger while it works."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextlib.contextmanager
def _without_leftovers(outputs: Outputs) -> Iterator[None]:
    """Removes Beam's unfinished files where the pipeline fails."""
    try:
        yield
    except Exception as error:
        for name in outputs.names():
            folder, stem = os.path.split(os.path.splitext(name)[0])
            left = FileSystems.join(folder, "beam-temp-{}-".format(stem))
            (result,) = FileSystems.match([left + "*/*"])
            folders = {os.path.dirname(metadata.path) for metadata in result.metadata_list}
            folders.update(glob.glob(glob.escape(left) + "*"))  # an empty folder exists only on a local disk
            FileSystems.delete(sorted(folders))
        if isinstance(error, UserError):  # Beam adds words of its own on the place
            raise UserError(str(error).partition(" [while running")[0]) from error
        raise


def _total_size(pattern: str) -> int:
    """Returns the size in bytes of the files that a glob stands for."""
    (result,) = FileSystems.match([pattern])
    return sum(metadata.size_in_bytes for metadata in result.metadata_list)


def _write_json(path: str, values: Dict[str, Any]) -> None:
    """Writes JSON wherever Beam can write."""
    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write((json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8"))
