"""TensorBoard's events, read back."""

import contextlib
import glob
import os

import tensorflow.compat.v1 as tf


def events_in(folder):
    """The events of a folder's files, in the order in which TensorBoard reads them."""
    return [event for path in paths_in(folder) for event in _written(path)]


def _written(path):
    """The events of a file, as TensorBoard takes them: up to one that a writer of this process has in memory yet."""
    events = tf.train.summary_iterator(path)
    with contextlib.suppress(tf.errors.DataLossError):
        yield from events


def paths_in(folder):
    return sorted(glob.glob(os.path.join(str(folder), "events.out.tfevents.*")))


def scalars_in(folder):
    """Pairs (step, {tag: value}) of the folder's summaries, in order."""
    found = []
    for event in events_in(folder):
        if event.HasField("summary"):
            found.append((event.step, {value.tag: value.simple_value for value in event.summary.value}))
    return found
