import os
import subprocess
import sys

import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.files.complete import CompleteFile, remove_unfinished


def test_complete_file_appears_at_the_end(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    with CompleteFile(str(path)) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" whole")
    assert path.read_bytes() == b"half whole"
    assert os.listdir(str(path.parent)) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, UserError])
def test_complete_file_leaves_nothing_after_an_error(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), CompleteFile(str(path)) as file:
        file.write(b"new")
        raise error()
    assert path.read_bytes() == b"old"
    assert os.listdir(str(tmp_path)) == ["file"]


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "below", tmp_path):
        with pytest.raises(UserError, match="cannot write"), CompleteFile(str(path)) as file:
            file.write(b"x")
    assert os.listdir(str(tmp_path)) == ["file"]


def test_a_killed_process_leaves_no_file_under_the_final_name(tmp_path):
    path = tmp_path / "[1].tfrecord"
    code = (
        "import os, sys\nfrom albert.files.complete import CompleteFile\n"
        "with CompleteFile(sys.argv[1]) as f:\n f.write(b'x')\n os._exit(9)"
    )
    assert subprocess.call([sys.executable, "-c", code, str(path)], cwd=ROOT) == 9
    (left,) = os.listdir(str(tmp_path))
    assert left != path.name
    (tmp_path / "other").write_bytes(b"")
    remove_unfinished(str(path))
    assert os.listdir(str(tmp_path)) == ["other"]
