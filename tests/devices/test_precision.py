"""What each precision asks of the devices."""

import pytest

from albert.base.errors import UserError
from albert.devices import precision


@pytest.fixture
def machine(monkeypatch):
    def describe(*, gpus=0, cpu=True, version="2.15.1"):
        monkeypatch.setattr(precision, "gpus", lambda: ["gpu"] * gpus)
        monkeypatch.setattr(precision, "_cpu_multiplies_bfloat16", lambda: cpu)
        monkeypatch.setattr(precision, "_tensorflow_version", lambda: version)

    return describe


def test_what_the_devices_can_do_is_accepted(machine):
    machine()
    precision.check_precision("float32")
    precision.check_precision("bfloat16")
    machine(cpu=False)
    precision.check_precision("bfloat16", use_tpu=True)
    machine(gpus=1, cpu=False)
    precision.check_precision("float16")
    precision.check_precision("bfloat16")


def test_what_they_cannot_do_is_refused_in_a_sentence(machine):
    machine(gpus=0)
    with pytest.raises(UserError, match="float16 is for GPUs"):
        precision.check_precision("float16")
    machine(cpu=False)
    with pytest.raises(UserError, match="needs a CPU with avx512_bf16 or amx_bf16"):
        precision.check_precision("bfloat16")
    machine(version="1.15.5")
    with pytest.raises(UserError, match=r"needs TensorFlow 2's kernels, this is 1\.15\.5"):
        precision.check_precision("bfloat16")
