"""Engine on Apache Beam: each shard is an element of a pipeline, and what it counted comes back in a file."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shlex
import shutil
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from albert.base.errors import UserError
from albert.files.complete import remove_unfinished, write_json
from albert.pretraining_data.engine import Engine
from albert.pretraining_data.on_worker import make_shard
from albert.pretraining_data.shards import BuildSettings, ShardTask
from albert.pretraining_data.shipping import pack_tasks, pack_work, result_of
from albert.pretraining_data.workers import OnFinished, OnProgress


def beam_engine(options: str) -> Engine:
    """Makes the engine; `options` are Beam's own, as one string."""

    def build(
        tasks: Sequence[ShardTask], settings: BuildSettings, *, on_finished: OnFinished, on_progress: OnProgress
    ) -> None:
        del on_progress  # a pipeline tells nothing before its end
        work = pack_work(tasks, settings)
        folder = os.path.abspath("{}.outcomes".format(tasks[0].path))
        _remove_left(tasks, folder)
        try:
            os.makedirs(folder)
            error = _run_pipeline(list(enumerate(pack_tasks(tasks))), MakeShard(work, folder), options)
            outcomes = _outcomes(folder)
        finally:
            _remove_left(tasks, folder)
        for number, (made, _) in sorted(outcomes.items()):
            if made:
                on_finished(result_of(tasks[number], made))
        sentences = [sentence for _, sentence in outcomes.values() if sentence]
        if sentences or error or len(outcomes) < len(tasks):
            raise UserError(sentences[0] if sentences else "Beam gave up ({})".format(error or "shards are missing"))

    return Engine(build, lambda _: "Apache Beam")


class MakeShard(beam.DoFn):
    """Beam function that makes a shard, and writes into a folder what it counted or why it failed."""

    def __init__(self, work: bytes, folder: str) -> None:
        self._work = work
        self._folder = folder

    def process(self, numbered: Tuple[int, bytes]) -> None:
        """Makes one shard.

        Raises:
          RuntimeError: it cannot be made: the pipeline ends.
        """
        number, task = numbered
        outcome = make_shard(self._work, task)
        write_json(os.path.join(self._folder, "{}.json".format(number)), outcome)
        if outcome[1]:
            raise RuntimeError(outcome[1])


def _run_pipeline(numbered: List[Tuple[int, bytes]], make: MakeShard, options: str) -> str:
    """Runs the pipeline; returns the first line of its error, or an empty text."""
    pipeline = beam.Pipeline(options=PipelineOptions(shlex.split(options)))
    _ = pipeline | "shards" >> beam.Create(numbered) | beam.Reshuffle() | "records" >> beam.ParDo(make)
    with _quiet():
        try:
            pipeline.run().wait_until_finish()
        except Exception as error:  # of any runner
            return (str(error).strip() or type(error).__name__).splitlines()[0]
    return ""


def _outcomes(folder: str) -> Dict[int, Any]:
    """What `make_shard` returned for each task that was tried."""
    outcomes = {}
    for name in os.listdir(folder):
        number, extension = os.path.splitext(name)
        if extension == ".json":
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                outcomes[int(number)] = json.load(file)
    return outcomes


def _remove_left(tasks: Sequence[ShardTask], folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for task in tasks:
        remove_unfinished(task.path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences what Beam logs through the root logger while it works."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
