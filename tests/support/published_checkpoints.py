"""Checkpoints in files, made of the fixtures, of random weights of a published size, or of anything else."""

import shutil

import numpy as np
import tensorflow.compat.v1 as tf

from albert.model import heads
from tests.support import model_fixtures


def save(prefix, values):
    """Writes arrays as a checkpoint and returns its prefix."""
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {
            name: tf.get_variable(
                name, shape=np.shape(value), dtype=tf.as_dtype(np.asarray(value).dtype), use_resource=False
            )
            for name, value in values.items()
        }
        # Fed rather than constants: a graph holds no more than 2 GB, and this is faster.
        session.run(
            tf.global_variables_initializer(),
            {variables[name].initializer.inputs[1]: np.asarray(value) for name, value in values.items()},
        )
        return tf.train.Saver(variables).save(session, str(prefix), write_meta_graph=False)


def published_values(name):
    """A published checkpoint: weights, optimizer slots of every name, the step and the powers of Adam."""
    values = model_fixtures.variables_of(model_fixtures.load(name))
    some = next(iter(values))
    for slot in ("lamb_m", "lamb_v", "adam_m", "adam_v", "Adam", "Adam_1", "Momentum", "LAMB/adam_m"):
        values["{}/{}".format(some, slot)] = np.zeros_like(values[some])
    for power in ("beta1_power", "beta2_power"):
        values[power] = np.float32(0.9)
    values["global_step"] = np.int64(17)
    return values


def model_values(family, config, num_labels=None):
    """Random weights of a model: with both pre-training heads, or with a fine-tuned one."""
    with tf.Graph().as_default(), tf.Session() as session:
        ids = tf.ones([1, 3], tf.int32)
        model = family.model_class(config, False, ids, scope="bert")
        if num_labels:
            heads.classifier(model, num_labels, False, None)
        else:
            heads.masked_lm(model, ids[:, :1], ids[:, :1], tf.ones([1, 1]))
            heads.sentence_order(model, ids[:, :1])
        session.run(tf.global_variables_initializer())
        return session.run({variable.op.name: variable for variable in tf.trainable_variables()})


def copy_files(prefix, folder, name="half.ckpt", leave_out=()):
    """Copies a checkpoint's files but some under another name; returns the new prefix."""
    for suffix in (".index", ".data-00000-of-00001"):
        if suffix not in leave_out:
            shutil.copy(prefix + suffix, str(folder / (name + suffix)))
    return str(folder / name)
