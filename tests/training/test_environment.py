"""What stands beside results: the code's hash, and where they were made."""

import sys

import numpy as np
import tensorflow.compat.v1 as tf

from albert.training.environment import code_hash, describe_environment


def test_the_hash_tells_changed_renamed_and_new_code(tmp_path):
    def written(**files):
        for path in tmp_path.iterdir():
            path.unlink()
        for name, text in files.items():
            (tmp_path / (name + ".py")).write_text(text)
        return code_hash(str(tmp_path))

    first = written(a="x = 1", b="")
    assert written(a="x = 1", b="") == first
    others = [written(a="x = 2", b=""), written(a="x = 1", c=""), written(a="x = 1"), written(a="", b="x = 1")]
    assert len({first, *others}) == 5
    (tmp_path / "notes.txt").write_text("no code")
    assert code_hash(str(tmp_path)) == others[-1]


def test_the_environment_names_versions_and_machine():
    found = describe_environment()
    assert found["python"] == sys.version.split()[0]
    assert (found["tensorflow"], found["numpy"]) == (tf.__version__, np.__version__)
    assert found["cpu"] and found["cpu_cores"] >= 1 and len(found["code_sha256"]) == 64
