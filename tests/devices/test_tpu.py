"""A TPU that is not there: one sentence, at once."""

import socket
import threading

import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.devices import tpu


@pytest.fixture
def listener():
    """A socket at which somebody listens, and its address."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server, "127.0.0.1:{}".format(server.getsockname()[1])


@pytest.fixture
def closed_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.mark.parametrize("form", ["grpc://127.0.0.1:{}", "127.0.0.1:{}"])
def test_an_address_at_which_nothing_listens_is_named(closed_port, form):
    address = form.format(closed_port)
    with pytest.raises(UserError, match="the TPU .* does not answer .*refused.*leave out --use_tpu") as error:
        tpu.check_tpu(address, None)
    assert address in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(UserError, match="does not answer"):
        tpu.check_tpu(None, address)


def test_a_grpc_server_and_a_name_are_left_to_tensorflow():
    tpu.check_tpu(tf.train.Server.create_local_server().target, None)
    tpu.check_tpu("my-tpu", None)


def test_one_who_takes_connections_and_is_silent_does_not_answer(listener):
    with pytest.raises(UserError, match=r"does not answer \(.*timed out\)"):
        tpu.check_tpu(listener[1], None, patience_seconds=0.2)


@pytest.mark.parametrize("answer, reason", [(b"HTTP/1.1 400 Bad", "is no gRPC server"), (b"", "connection was closed")])
def test_another_server_is_no_tpu(listener, answer, reason):
    def serve():
        connection, _ = listener[0].accept()
        connection.recv(100)
        connection.sendall(answer)
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(UserError, match=reason):
        tpu.check_tpu(listener[1], None, patience_seconds=5.0)
    thread.join()


@pytest.mark.parametrize("address", ["grpc://127.0.0.1:99999", "no.such.host.invalid:8470"])
def test_addresses_that_cannot_be_are_named(address):
    with pytest.raises(UserError, match="does not answer"):
        tpu.check_tpu(address, None, patience_seconds=2.0)


def test_a_tpu_must_be_named():
    with pytest.raises(UserError, match="--use_tpu=True needs the TPU: --tpu_name="):
        tpu.check_tpu(None, "")


def test_what_the_libraries_of_the_cloud_say_becomes_a_sentence(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("Could not look up my-tpu\nTraceback")

    monkeypatch.setattr(tpu.tf.distribute.cluster_resolver, "TPUClusterResolver", fail)
    with pytest.raises(UserError, match=r"the TPU my-tpu is not found \(RuntimeError: Could not look up my-tpu\): is"):
        tpu.find_tpu("my-tpu", None, None)
