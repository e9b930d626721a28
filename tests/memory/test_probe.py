"""What training steps take: the law against steps of other batches, recomputation, accumulation, precision."""

import os

import pytest
import tensorflow.compat.v1 as tf

from albert.base.paths import ROOT
from albert.checkpoints import families
from albert.memory.phases import DEFAULT_OPTIMIZERS, PRE_TRAINING
from albert.memory.probe import Training, TrainingProbe
from tests.support import tiny_model

# Long and of little vocabulary, so that activations count; of an odd width.
SIZES = dict(
    tiny_model.SIZES,
    hidden_size=22,
    num_hidden_layers=4,
    intermediate_size=90,
    max_position_embeddings=96,
    hidden_dropout_prob=0.1,
    attention_probs_dropout_prob=0.1,
)


def training(family=families.ZH, **changes):
    return Training(family, family.config_class.from_dict(SIZES), 96, **changes)


def measured_peak(probe, batch):
    """The most that is there at a time in a step of this batch, by its own buffers."""
    metadata = tf.RunMetadata()
    probe.run(batch, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
    events = []
    for device in metadata.step_stats.dev_stats:
        for node in device.node_stats:
            for memory in node.memory:
                events += [(record.alloc_micros, record.alloc_bytes) for record in memory.allocation_records]
    peak = there = 0
    for _, num_bytes in sorted(events):
        there += num_bytes
        peak = max(peak, there)
    return probe.resident_bytes + peak


@pytest.fixture(scope="module")
def measured():
    """By whether layers are recomputed: the law of a step's memory, and the peak of a step of 40 examples."""
    found = {}
    for recompute in (False, True):
        with TrainingProbe(training(recompute=recompute)) as probe:
            found[recompute] = probe.measure(), measured_peak(probe, 40)
    return found


@pytest.mark.parametrize("recompute", [False, True])
def test_steps_of_one_and_two_examples_tell_of_a_larger_batch(recompute, measured):
    memory, peak = measured[recompute]
    assert memory.peak_bytes(40) == pytest.approx(peak, rel=0.2)
    assert peak > 5 * memory.peak_bytes(1)


def test_recomputation_at_least_halves_what_an_example_needs(measured):
    assert measured[True][0].bytes_per_example(64) < 0.5 * measured[False][0].bytes_per_example(64)


@pytest.mark.slow
def test_a_batch_in_slices_needs_what_a_slice_needs(measured):
    memory, peak = measured[False]
    with TrainingProbe(training(gradient_accumulation_steps=8)) as probe:
        in_slices = measured_peak(probe, 40)
    assert in_slices < 1.3 * memory.peak_bytes(5) < 0.4 * peak


@pytest.mark.slow
def test_an_update_of_4096_examples_in_slices():
    config = families.GOOGLE.config_class.from_dict(tiny_model.SIZES)
    one = Training(families.GOOGLE, config, tiny_model.SEQ_LENGTH, PRE_TRAINING, "lamb", recompute=True)
    with TrainingProbe(one._replace(gradient_accumulation_steps=64)) as probe:
        probe.run(4096)


def test_resident_are_weights_and_slots():
    config = families.ZH.config_class.from_dict(tiny_model.SIZES)
    with TrainingProbe(Training(families.ZH, config, tiny_model.SEQ_LENGTH)) as probe, tf.Graph().as_default():
        model = families.ZH.model_class(config, False, tf.zeros([1, 2], tf.int32), scope="bert")
        weights = sum(v.shape.num_elements() for v in tf.trainable_variables())
        head = model.get_pooled_output().shape.as_list()[-1] * 2 + 2
        assert probe.resident_bytes == 3 * 4 * (weights + head) + 8  # the step is an int64


@pytest.mark.slow
def test_recomputation_at_least_halves_the_activations_of_base_at_512():
    path = os.path.join(ROOT, "albert_config", "albert_config_base.json")
    config = families.ZH.config_class.from_json_file(path)
    for phase, optimizer in sorted(DEFAULT_OPTIMIZERS.items()):
        of_example = {}
        for recompute in (False, True):
            one = Training(families.ZH, config, 512, phase, optimizer, recompute=recompute)
            with TrainingProbe(one) as probe:
                of_example[recompute] = probe.measure().bytes_per_example(8)
        assert of_example[True] < 0.5 * of_example[False]
