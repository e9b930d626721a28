"""unpack.py: an archive is unpacked as a whole, within its folder, or not at all."""

from __future__ import annotations

import os
import stat
import zipfile

import pytest

from albert.base.errors import UserError
from albert.downloads import unpack
from albert.downloads.unpack import check_zip, unpack_zip


def make_zip(path, members):
    """Writes an archive; a member is a name, or a ZipInfo."""
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, "" if member == "top/" else "content")
    return str(path)


def member_of_kind(name, kind):
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = (kind | 0o777) << 16
    return member


def test_unpacks_and_leaves_out_the_one_folder(tmp_path):
    archive = make_zip(tmp_path / "a.zip", ["top/", "top/b.txt", "top/sub/c.txt", "__MACOSX/top/._b.txt"])
    assert unpack_zip(archive, str(tmp_path / "made" / "model")) == ["b.txt", "sub/c.txt"]
    assert (tmp_path / "made" / "model" / "sub" / "c.txt").read_text() == "content"
    assert os.listdir(str(tmp_path / "made")) == ["model"]


def test_several_tops_stay(tmp_path):
    archive = make_zip(tmp_path / "a.zip", ["x/b.txt", "c.txt"])
    assert unpack_zip(archive, str(tmp_path / "model")) == ["c.txt", "x/b.txt"]


def test_empty_folder_is_filled(tmp_path):
    (tmp_path / "model").mkdir()
    unpack_zip(make_zip(tmp_path / "a.zip", ["b.txt"]), str(tmp_path / "model"))
    assert (tmp_path / "model" / "b.txt").exists()


def test_folder_with_content_is_not_touched(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="move it away"):
        unpack_zip(make_zip(tmp_path / "a.zip", ["b.txt"]), str(tmp_path / "model"))
    assert os.listdir(str(tmp_path / "model")) == ["mine.txt"]


@pytest.mark.parametrize(
    "bad",
    [
        "../outside.txt",
        "sub/../../outside.txt",
        "/outside.txt",
        "C:/outside.txt",
        "..\\outside.txt",
        "a\nb",
        "a\x7fb",
        "a\x9bb",
        "model\u202etxt.exe",
        "a\u200bb",
        "a\u2066b",
        "a\u2028b",
        ".",
        "good.txt",
        "GOOD.txt",
        "./good.txt",
        member_of_kind("link", stat.S_IFLNK),
        member_of_kind("pipe", stat.S_IFIFO),
    ],
    ids=lambda bad: getattr(bad, "filename", bad).encode("unicode_escape").decode(),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_bad_member_refuses_all(tmp_path, bad):
    archive = make_zip(tmp_path / "a.zip", ["good.txt", bad])
    with pytest.raises(UserError, match="nothing of it was unpacked"):
        unpack_zip(archive, str(tmp_path / "made" / "model"))
    assert os.listdir(str(tmp_path)) == ["a.zip"]


@pytest.mark.parametrize(
    "names", [("Straße", "STRASSE"), ("\u00e9", "e\u0301"), ("a/\uac00", "a/\u1100\u1161"), ("x", "X")]
)
def test_names_that_one_disk_takes_for_one(tmp_path, names):
    with pytest.raises(UserError, match="has the name of another, but for case or the form of its characters"):
        unpack_zip(make_zip(tmp_path / "a.zip", names), str(tmp_path / "model"))
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_names_in_chinese_are_kept(tmp_path):
    archive = make_zip(tmp_path / "a.zip", ["模型/词表 [1].txt", "模型/é.txt"])
    assert unpack_zip(archive, str(tmp_path / "model")) == ["é.txt", "词表 [1].txt"]


def test_permissions_of_the_archive_are_not_taken_over(tmp_path):
    unpack_zip(make_zip(tmp_path / "a.zip", [member_of_kind("run", stat.S_IFREG | 0o7000)]), str(tmp_path / "model"))
    assert not os.stat(str(tmp_path / "model" / "run")).st_mode & 0o7111


def zeros(path, megabytes):
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(megabytes << 20))
    return str(path)


def test_few_bytes_that_unpack_to_many(tmp_path):
    bomb = zeros(tmp_path / "a.zip", 80)
    for read in (lambda: unpack_zip(bomb, str(tmp_path / "model")), lambda: check_zip(bomb)):
        with pytest.raises(UserError, match="would unpack to 83.9 MB from .* KB, over 100 times its size, so nothing"):
            read()
    assert os.listdir(str(tmp_path)) == ["a.zip"]
    assert unpack_zip(zeros(tmp_path / "b.zip", 2), str(tmp_path / "model")) == ["zeros"]


def test_very_many_files(tmp_path):
    archive = make_zip(tmp_path / "a.zip", map(str, range(10001)))
    with pytest.raises(UserError, match="holds 10,001 files, over 10,000, so nothing of it was unpacked"):
        unpack_zip(archive, str(tmp_path / "model"))
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_disk_without_room_is_named_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "free_bytes", lambda path: 5)
    archive = make_zip(tmp_path / "a.zip", ["b.txt"])
    with pytest.raises(
        UserError, match="a.zip unpacks to 7 bytes, and the disk of .*model has 5 bytes free: make room"
    ):
        unpack_zip(archive, str(tmp_path / "made" / "model"))
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_the_check_of_a_whole_archive_writes_nothing(tmp_path):
    check_zip(make_zip(tmp_path / "a.zip", ["top/", "top/b.txt"]))
    with pytest.raises(UserError, match="nothing of it was unpacked"):
        check_zip(make_zip(tmp_path / "bad.zip", ["../b.txt"]))
    assert sorted(os.listdir(str(tmp_path))) == ["a.zip", "bad.zip"]


def test_no_archive_and_a_cut_one(tmp_path):
    whole = make_zip(tmp_path / "a.zip", ["b.txt"])
    with open(whole, "rb") as stream:
        content = stream.read()
    for bad in (b"", b"<html>no</html>", content[: len(content) // 2]):
        (tmp_path / "bad.zip").write_bytes(bad)
        with pytest.raises(UserError, match="not a complete zip"):
            unpack_zip(str(tmp_path / "bad.zip"), str(tmp_path / "model"))
    assert sorted(os.listdir(str(tmp_path))) == ["a.zip", "bad.zip"]


def test_damaged_content_leaves_nothing(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("b.txt", "content")
        archive.writestr("c.txt", "sound")
    path.write_bytes(path.read_bytes().replace(b"sound", b"soumd"))
    with pytest.raises(UserError, match="not a complete zip"):
        unpack_zip(str(path), str(tmp_path / "model"))
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_missing_archive(tmp_path):
    with pytest.raises(UserError, match="cannot be unpacked"):
        unpack_zip(str(tmp_path / "no.zip"), str(tmp_path / "model"))
