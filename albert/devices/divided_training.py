"""Training on several devices and machines by TensorFlow's strategies; the model_fn is the one of one device."""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Optional, Sequence

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.devices.batch_parts import split_among
from albert.devices.cluster import WorkerCluster, alone
from albert.devices.selection import CPU, Devices, session_config
from albert.devices.watch import WorkerWatch


class DividedTraining:
    """Trains on several devices, with the interface of an Estimator."""

    def __init__(
        self,
        devices: Devices,
        model_fn: Callable[..., Any],
        *,
        output_dir: str,
        batch_size: int,
        seed: int,
        keep_checkpoint_max: int,
        save_checkpoints_steps: Optional[int],
        last_checkpoint: Callable[[], Optional[str]],
        use_xla: bool = False,
    ) -> None:
        """Creates the training.

        Args:
          devices: where it computes.
          model_fn: returns a TPUEstimatorSpec.
          output_dir: for checkpoints.
          batch_size: of the whole batch.
          seed: of initial weights.
          keep_checkpoint_max: checkpoints to keep.
          save_checkpoints_steps: steps between two checkpoints.
          last_checkpoint: the prefix of the last good checkpoint, if there is one.
          use_xla: whether the step is compiled.
        """
        self._devices = devices
        self._model_fn = model_fn
        self._output_dir = output_dir
        self._batch_size = batch_size
        self._seed = seed
        self._keep_checkpoint_max = keep_checkpoint_max
        self._save_checkpoints_steps = save_checkpoints_steps
        self._last_checkpoint = last_checkpoint
        self._use_xla = use_xla

    def train(
        self,
        input_fn: Callable[..., Any],
        hooks: Sequence[Any] = (),
        max_steps: Optional[int] = None,
        saving_listeners: Sequence[Any] = (),
    ) -> None:
        """Trains up to a step on the batches of `input_fn`; every process reads them and takes its part."""
        with tf.Graph().as_default():  # outside of any graph TensorFlow 2's strategies take eager devices and servers
            self._train(input_fn, hooks, max_steps=max_steps, saving_listeners=saving_listeners)

    def _train(self, input_fn: Callable[..., Any], hooks: Sequence[Any], **arguments: Any) -> None:
        devices = self._devices
        strategy = _strategy(devices)
        config = session_config(devices, self._use_xla)
        parts = split_among(input_fn, devices.num_replicas, devices.first_part, devices.num_local)
        if devices.cluster is None:
            self._estimator(strategy, config, None).train(parts, hooks=list(hooks), **arguments)
            return
        config = strategy.update_config_proto(config)
        target = start_server(devices.cluster, devices.kind).target
        with WorkerWatch(devices.cluster, self._last_checkpoint) as watch:
            self._estimator(strategy, config, target).train(parts, hooks=[watch, *hooks], **arguments)

    def _estimator(self, strategy: Any, session_config: Any, target: Optional[str]) -> Any:
        is_chief = self._devices.is_chief
        with alone():
            config = tf.estimator.tpu.RunConfig(
                master=target,
                model_dir=self._output_dir,
                tf_random_seed=self._seed,
                save_checkpoints_secs=None,
                save_checkpoints_steps=self._save_checkpoints_steps if is_chief else None,
                save_summary_steps=None,
                keep_checkpoint_max=self._keep_checkpoint_max,
                log_step_count_steps=None,
                train_distribute=strategy,
                session_config=session_config,
            )

        # Strategies would rewrite all code of the model for eager loops and branches, of which it has none.
        build = tf.autograph.experimental.do_not_convert(self._model_fn)

        def model_fn(features: Any, labels: Any, mode: str, params: Dict[str, Any]) -> Any:
            return build(features, labels, mode, params).as_estimator_spec()

        return tf.estimator.Estimator(model_fn, config=config, params={"batch_size": self._batch_size})


def _strategy(devices: Devices) -> Any:
    if devices.cluster:
        return tf.distribute.experimental.MultiWorkerMirroredStrategy()  # it reads TF_CONFIG
    names = ["/{}:{}".format(devices.kind.lower(), number) for number in range(devices.num_local)]
    return tf.distribute.MirroredStrategy(names)


@functools.lru_cache(maxsize=None)
def start_server(cluster: WorkerCluster, devices_kind: str = CPU) -> Any:
    """Starts TensorFlow's server of this worker for the others' collective ops; it runs as long as the process.

    Raises:
      UserError: it cannot be started.
    """
    config = session_config(Devices(devices_kind))
    config.experimental.collective_group_leader = "/job:{}/replica:0/task:{}".format(*cluster.task(0))
    job, task = cluster.task(cluster.index)
    try:
        return tf.train.Server(cluster.jobs, job, task, config=config)
    except tf.errors.OpError as error:
        raise UserError(
            "no server can be started for {}: is the port in use, or the address that of another machine? ({})".format(
                cluster.name(cluster.index), str(error.message).splitlines()[0]
            )
        ) from error
