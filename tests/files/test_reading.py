import gzip
import hashlib

from albert.files.reading import describe_files
from tests.support.tiny_corpus import write_text


def test_files_are_described_by_their_content(tmp_path):
    path = write_text(tmp_path, "字\n")
    digest = hashlib.sha256("字\n".encode("utf-8")).hexdigest()
    assert describe_files([path]) == [{"file": "text.txt", "bytes": 4, "sha256": digest}]


def test_gzip_files_are_described_as_they_stand(tmp_path):
    path = tmp_path / "text.txt.gz"
    content = gzip.compress("字\n".encode("utf-8"))
    path.write_bytes(content)
    assert describe_files([str(path)]) == [
        {"file": "text.txt.gz", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    ]
