"""Which devices a run computes on, and what is said where it cannot."""

import json

import pytest

from albert.base.errors import UserError
from albert.devices import batch_parts
from albert.devices import selection as devices
from albert.devices.cluster import alone, os, read_cluster
from albert.devices.selection import CPU, GPU, Devices

TWO = ["a:1", "b:2"]


def environment(cluster, task):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


@pytest.fixture
def gpus(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)

    def see(number):
        monkeypatch.setattr(devices, "count_gpus", lambda: number)

    see(0)
    return see


def test_one_device_is_left_to_tensorflow(gpus):
    assert devices.find_devices() == Devices()
    assert Devices().num_replicas == 1 and Devices().is_chief


def test_parts_of_the_cpu_stand_in_where_no_gpu_is(gpus):
    assert devices.find_devices(num_devices=3) == Devices(CPU, 3)
    gpus(4)
    assert devices.find_devices(num_devices=3) == Devices(GPU, 3)


def test_more_gpus_than_there_are(gpus):
    gpus(1)
    with pytest.raises(UserError, match="^--num_devices=2, but 1 GPU is visible here$"):
        devices.find_devices(num_devices=2)


def test_workers_take_all_their_gpus(gpus, monkeypatch):
    gpus(2)
    monkeypatch.setenv("TF_CONFIG", environment({"worker": TWO}, {"type": "worker", "index": 1})["TF_CONFIG"])
    found = devices.find_devices(is_number_given=False)
    assert (found.kind, found.num_replicas, found.first_part, found.is_chief) == (GPU, 4, 2, False)
    with pytest.raises(UserError, match="--num_devices=3 and TF_CONFIG: .* 2 GPUs are visible"):
        devices.find_devices(num_devices=3)


def test_tpus_have_flags_of_their_own(gpus):
    with pytest.raises(UserError, match="--num_tpu_cores"):
        devices.find_devices(use_tpu=True, num_devices=2)


@pytest.mark.parametrize(
    "found,slices,sentence",
    [
        (Devices(CPU, 2), 1, "a multiple of 2: it is divided among 2 devices"),
        (Devices(CPU, 2), 2, "a multiple of 4: it is divided among 2 devices times --gradient_accumulation_steps=2"),
        (Devices(), 4, "a multiple of 4: it is divided among --gradient_accumulation_steps=4"),
    ],
)
def test_uneven_batches(found, slices, sentence):
    devices.check_batch(found, 8 * found.num_replicas * slices, slices)
    with pytest.raises(UserError) as error:
        devices.check_batch(found, 6 if slices > 1 else 7, slices)
    assert sentence in str(error.value) and str(error.value).startswith("--train_batch_size=")


def test_xla_is_not_for_parts_of_a_cpu():
    with pytest.raises(UserError, match="--use_xla=True compiles for GPUs, or for one CPU"):
        devices.prepare_xla(Devices(CPU, 2))


def test_clusters():
    cluster = read_cluster(environment({"worker": TWO}, {"type": "worker", "index": 1}))
    assert cluster.addresses == ("a:1", "b:2") and cluster.index == 1 and not cluster.is_chief
    assert cluster.task(0) == ("worker", 0) and cluster.endpoint(1) == ("b", 2)
    cluster = read_cluster(environment({"worker": TWO, "chief": ["c:3"]}, {"type": "worker", "index": 0}))
    assert cluster.addresses == ("c:3", "a:1", "b:2") and cluster.index == 1
    assert [cluster.task(index) for index in range(3)] == [("chief", 0), ("worker", 0), ("worker", 1)]
    assert cluster.jobs == {"chief": ["c:3"], "worker": TWO}
    assert read_cluster(environment({"chief": ["c:3"], "worker": TWO}, {"type": "chief", "index": 0})).is_chief


@pytest.mark.parametrize("text", ["", "{}", '{"environment": "cloud"}'])
def test_no_cluster(text):
    assert read_cluster({"TF_CONFIG": text}) is None
    assert read_cluster({}) is None
    assert read_cluster(environment({"worker": ["a:1"]}, {"type": "worker", "index": 0})) is None


WORKER_0 = {"type": "worker", "index": 0}


@pytest.mark.parametrize(
    "text,sentence",
    [
        ("{'cluster': 1}", "is no JSON"),
        ("[1]", "must hold a cluster and a task"),
        (json.dumps({"cluster": {"worker": TWO}}), "lacks the task"),
        (json.dumps({"cluster": {"worker": TWO}, "task": {"type": "worker"}}), "lacks the task"),
        (json.dumps({"cluster": {"worker": TWO}, "task": {"type": "worker", "index": 2}}), "index is 2.* has 2 of"),
        (json.dumps({"cluster": {"worker": TWO}, "task": {"type": "worker", "index": "x"}}), "index is x"),
        (json.dumps({"cluster": {"worker": TWO}, "task": {"type": "chief", "index": 0}}), "type is 'chief'"),
        (json.dumps({"cluster": {"worker": TWO, "ps": ["c:3"]}, "task": WORKER_0}), "names the job 'ps'"),
        (json.dumps({"cluster": {"worker": ["a:1", "b"]}, "task": WORKER_0}), 'a list of "host:port"'),
        (json.dumps({"cluster": {"worker": "a:1"}, "task": WORKER_0}), 'a list of "host:port"'),
        (json.dumps({"cluster": {"worker": ["a:1", "a:1"]}, "task": WORKER_0}), "names a:1 twice"),
        (json.dumps({"cluster": {"chief": TWO}, "task": {"type": "chief", "index": 0}}), "names 2 chiefs"),
    ],
)
def test_a_bad_tf_config_is_one_sentence(text, sentence):
    with pytest.raises(UserError, match="^TF_CONFIG.*" + sentence) as error:
        read_cluster({"TF_CONFIG": text})
    assert "\n" not in str(error.value)


def test_tensorflow_does_not_see_the_cluster(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "x")
    with alone():
        assert "TF_CONFIG" not in os.environ
    assert os.environ["TF_CONFIG"] == "x"


def test_parts_of_batches():
    tf = batch_parts.tf

    def input_fn(params):
        numbers = tf.data.Dataset.range(12).map(lambda n: {"id": n, "row": tf.fill([n % 3 + 1], n)})
        shapes = {"id": [], "row": [None]}
        return numbers.padded_batch(params["batch_size"], shapes, drop_remainder=True)

    def taken(*arguments):
        with tf.Graph().as_default(), tf.Session() as session:
            divided = batch_parts.split_among(input_fn, *arguments)({"batch_size": 6})
            found = tf.data.make_one_shot_iterator(divided).get_next()
            assert found["id"].shape.as_list() == [6 // arguments[0]]
            parts = []
            while True:
                try:
                    parts.append(session.run(found))
                except tf.errors.OutOfRangeError:
                    return parts

    assert [part["id"].tolist() for part in taken(3, 1, 2)] == [[2, 3], [4, 5], [8, 9], [10, 11]]
    assert [part["id"].tolist() for part in taken(2, 0)] == [[0, 1, 2], [6, 7, 8]]
    assert taken(2, 0)[0]["row"].tolist() == [[0, 0, 0], [1, 1, 0], [2, 2, 2]]  # as long as in the whole batch
