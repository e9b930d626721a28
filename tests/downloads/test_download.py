"""download.py and http_transfer.py against a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import urllib.request
import zipfile

import pytest

from albert.base.errors import UserError
from albert.base.flags import run_command
from albert.downloads import download, http_transfer
from albert.downloads.download import download_file
from albert.downloads.published_files import known_names
from tests.support.local_server import closed_port, serving

CONTENT = bytes(range(251)) * 3000


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def site():
    with serving(CONTENT) as running:
        yield running


@pytest.fixture
def target(tmp_path):
    return tmp_path / "made" / "file.bin"


def fetch(site, target, sha256=None, **kwargs):
    kwargs = {"timeout": 2.0, "retries": 1, "pause": 0.01, **kwargs}
    download_file(site.url, str(target), sha256, **kwargs)


def names(target):
    return sorted(os.listdir(str(target.parent))) if target.parent.exists() else []


def test_whole_file(site, target):
    seen = []
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    fetch(site, target, sha256, progress=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert names(target) == ["file.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_file_that_is_there_is_not_asked_for(site, target):
    target.parent.mkdir()
    target.write_bytes(b"mine")
    fetch(site, target)
    assert target.read_bytes() == b"mine"
    assert site.asked == []


def test_other_file_that_is_there_is_not_overwritten(site, target):
    target.parent.mkdir()
    target.write_bytes(b"mine")
    with pytest.raises(UserError, match="move it away"):
        fetch(site, target, "0" * 64)
    assert target.read_bytes() == b"mine"


def test_cut_connection_is_taken_up_where_it_broke(site, target):
    site.cuts = [100000, 200000]
    fetch(site, target)
    assert target.read_bytes() == CONTENT
    assert site.asked == [None, "bytes=100000-", "bytes=300000-"]


def test_next_call_goes_on_from_the_part(site, target):
    site.cuts = [100000]
    with pytest.raises(UserError, match="100000 of 753000"):
        fetch(site, target, retries=0)
    assert names(target) == ["file.bin.part", "file.bin.part.json"]
    fetch(site, target)
    assert target.read_bytes() == CONTENT
    assert site.asked[1] == "bytes=100000-"
    assert names(target) == ["file.bin"]


def test_call_after_the_last_byte_needs_no_server(site, target):
    target.parent.mkdir()
    part = os.path.join(str(target.parent), "file.bin.part")
    with open(part, "wb") as stream:
        stream.write(CONTENT)
    with open(part + ".json", "w") as stream:
        stream.write('{"url": "%s", "validator": "x", "total": %d}' % (site.url, len(CONTENT)))
    fetch(site, target)
    assert target.read_bytes() == CONTENT
    assert site.asked == []


def test_server_that_ignores_ranges_starts_again(site, target):
    site.ranges = False
    site.cuts = [100000]
    fetch(site, target)
    assert target.read_bytes() == CONTENT


def test_server_without_a_version_starts_again(site, target):
    site.etag = None
    site.cuts = [100000]
    fetch(site, target)
    assert target.read_bytes() == CONTENT
    assert site.asked == [None, None]


def test_changed_file_is_not_spliced(site, target):
    site.cuts = [100000]
    with pytest.raises(UserError):
        fetch(site, target, retries=0)
    site.content, site.etag = b"new" * 200000, '"two"'
    fetch(site, target)
    assert target.read_bytes() == site.content


def test_changed_file_from_a_server_that_ignores_if_range(site, target):
    site.cuts = [100000]
    with pytest.raises(UserError):
        fetch(site, target, retries=0)
    note = target.parent / "file.bin.part.json"
    # As if the part were of an older version, whose tag this server takes all the same.
    note.write_text(note.read_text().replace("753000", "700000"))
    fetch(site, target)
    assert target.read_bytes() == CONTENT
    assert site.asked[1:] == ["bytes=100000-", None]


@pytest.mark.parametrize("names_version", [True, False])
def test_a_part_of_another_version_of_the_same_length_is_not_joined_to_ours(site, target, names_version):
    """The server looks at no If-Range, and may name no version with its partial answers."""
    site.cuts = [100000]
    with pytest.raises(UserError):
        fetch(site, target, retries=0)
    site.heeds_version = False
    site.content, site.etag = bytes(reversed(CONTENT)), '"two"' if names_version else None
    if not names_version:  # the length alone must tell
        site.content += b"more"
    fetch(site, target)
    assert target.read_bytes() == site.content


def test_a_partial_answer_that_names_neither_version_nor_length_is_not_joined(site, target):
    site.cuts = [100000]
    with pytest.raises(UserError):
        fetch(site, target, retries=0)
    site.etag, site.heeds_version = None, False
    site.headers = {"Content-Range": "bytes 100000-752999/*"}
    fetch(site, target)
    assert target.read_bytes() == CONTENT
    assert site.asked[1:] == ["bytes=100000-", None]


def test_a_partial_answer_that_ends_early_is_no_whole_file(site, target):
    site.cuts = [100000]
    site.longest_part = 200000  # whole answers, each shorter than the rest of the file
    fetch(site, target, retries=5)
    assert target.read_bytes() == CONTENT
    assert site.asked == [None] + [f"bytes={100000 + n * 200000}-" for n in range(4)]


def test_a_partial_answer_that_ends_early_again_and_again_is_refused(site, target):
    site.cuts = [100000]
    site.longest_part = 0
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch(site, target)
    assert not target.exists()


def test_more_bytes_than_were_named(site, target, tmp_path):
    site.cuts = [100000]
    with pytest.raises(UserError):
        fetch(site, target, retries=0)
    site.headers = {"Content-Range": "bytes 100000-299999/300000"}
    note = target.parent / "file.bin.part.json"
    note.write_text(note.read_text().replace("753000", "null"))
    site.heeds_version = False
    with pytest.raises(UserError, match="more than the 300000 bytes"):
        fetch(site, target, retries=0)
    assert not target.exists()


@pytest.mark.parametrize(
    "content, headers, message",
    [
        (b"", {}, "is empty on the server"),
        pytest.param(  # its header holds the time, which is no name of a test
            gzip.compress(CONTENT),
            {"Content-Encoding": "gzip"},
            r"is sent packed \(gzip\), which was not asked for",
            id="gzip",
        ),
        (b"x", {"Content-Encoding": "br"}, "is sent packed"),
        (b"please log in", {"Content-Type": "text/html; charset=utf-8"}, r"answers with a page \(text/html\)"),
        (b"please log in", {"Content-Type": "application/xhtml+xml"}, "answers with a page"),
        (b"\n <!DOCTYPE html><title>Log in</title>", {}, "it is a page, not the file"),
        (b"<html><body>Log in</body></html>", {"Content-Type": "application/octet-stream"}, "it is a page, not"),
    ],
)
def test_what_is_no_file_is_not_kept(site, target, content, headers, message):
    site.content, site.headers = content, headers
    with pytest.raises(UserError, match=message):
        fetch(site, target)
    assert names(target) == []
    assert len(site.asked) == 1


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_bodies_that_are_not_packed_are_taken(site, target, encoding):
    site.headers = {"Content-Encoding": encoding, "Content-Type": "text/plain"}
    fetch(site, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_a_part_that_leads_elsewhere_is_not_written_through(site, target, tmp_path, kind):
    target.parent.mkdir()
    (tmp_path / "mine").write_bytes(b"mine")
    part = str(target) + ".part"
    if kind == "pipe":
        os.mkfifo(part)
        reader = os.open(part, os.O_RDONLY | os.O_NONBLOCK)
    else:
        (os.symlink if kind == "link" else os.link)(str(tmp_path / "mine"), part)
    with pytest.raises(UserError, match="file.bin.part is (a link|no file of its own), .*: remove it"):
        fetch(site, target)
    if kind == "pipe":
        os.close(reader)
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert not target.exists() and site.asked == []


@pytest.mark.parametrize(
    "source, target, is_refused",
    [
        ("https://a.example/x", "http://a.example/x", True),
        ("HTTPS://a.example/x", "ftp://a.example/x", True),
        ("https://a.example/x", "https://b.example/x", False),
        ("http://a.example/x", "http://b.example/x", False),
        ("http://a.example/x", "https://b.example/x", False),
    ],
)
def test_redirects_to_addresses_that_are_not_encrypted(source, target, is_refused):
    request = urllib.request.Request(source)
    handler = http_transfer._Redirects()
    if is_refused:
        with pytest.raises(UserError, match="which is not encrypted: anyone on the way could change the file"):
            handler.redirect_request(request, None, 302, "Found", {}, target)
    else:
        assert handler.redirect_request(request, None, 302, "Found", {}, target).full_url == target


def test_part_of_another_address_is_not_used(site, target):
    site.cuts = [100000]
    with pytest.raises(UserError):
        fetch(site, target, retries=0)
    download_file(site.url + "?other", str(target), timeout=2.0)
    assert site.asked == [None, None]


def test_missing_file(site, target):
    site.status = 404
    with pytest.raises(UserError, match="404"):
        fetch(site, target)
    assert len(site.asked) == 1
    assert names(target) == []


def test_overloaded_server_is_asked_again(site, target):
    site.status = 503
    with pytest.raises(UserError, match="503"):
        fetch(site, target, retries=2)
    assert len(site.asked) == 3


def test_stalling_server(site, target):
    site.stall_at = 1000
    with pytest.raises(UserError, match="no byte arrived for 0.2 seconds"):
        fetch(site, target, timeout=0.2, retries=0)
    assert not target.exists()


def test_wrong_length(site, target):
    site.cuts = [10, 0, 0]
    with pytest.raises(UserError, match="10 of 753000"):
        fetch(site, target, retries=1)
    assert not target.exists()


def test_wrong_checksum_keeps_nothing(site, target):
    with pytest.raises(UserError, match="SHA-256"):
        fetch(site, target, "0" * 64)
    assert names(target) == []


def test_second_download_of_the_same_file_is_refused(site, target):
    fcntl = pytest.importorskip("fcntl")
    target.parent.mkdir()
    with open(str(target) + ".part", "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process"):
            fetch(site, target)


def test_unreachable_port_is_told_at_once(target):
    address = closed_port() + "/file"
    with pytest.raises(UserError, match="cannot be reached") as caught:
        download_file(address, str(target), pause=60.0)
    assert address in str(caught.value)
    assert not target.parent.exists()


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x", "nothing"])
def test_only_http(address, target):
    with pytest.raises(UserError, match="http or https"):
        download_file(address, str(target))


def test_folder_that_cannot_be_made(site, tmp_path):
    (tmp_path / "made").write_text("a file")
    with pytest.raises(UserError, match="cannot be written"):
        fetch(site, tmp_path / "made" / "file.bin")


def model_zip(path, top="albert_tiny/"):
    with zipfile.ZipFile(str(path), "w") as archive:
        for name in ("albert_model.ckpt.index", "albert_config_tiny.json"):
            archive.writestr(top + name, "content of " + name)


def test_model_is_brought_and_unpacked(tmp_path, monkeypatch, capsys):
    model_zip(tmp_path / "model.zip")
    folder = tmp_path / "tiny"
    with serving((tmp_path / "model.zip").read_bytes()) as site:
        monkeypatch.setenv("ALBERT_ZH_MIRROR", site.url + "/")
        run("albert_tiny_489k", f"--to={folder}")
        run("albert_tiny_489k", f"--to={folder}")
        assert len(site.asked) == 1
    assert sorted(os.listdir(str(folder))) == ["albert_config_tiny.json", "albert_model.ckpt.index"]
    assert not (tmp_path / "tiny.zip").exists()


@pytest.mark.parametrize(
    "spoil", [lambda c: c[:-30], lambda c: c.replace(b"content", b"c0ntent"), lambda c: b"PK" * 99]
)
def test_an_archive_that_is_not_whole_gets_no_name(tmp_path, monkeypatch, spoil):
    model_zip(tmp_path / "model.zip")
    with serving(spoil((tmp_path / "model.zip").read_bytes())) as site:
        monkeypatch.setenv("ALBERT_ZH_MIRROR", site.url + "/")
        with pytest.raises(UserError, match="albert_tiny.zip was not kept: .* is not a complete zip archive"):
            download.download("albert_tiny", str(tmp_path / "made" / "tiny"), io.StringIO())
    assert not (tmp_path / "made").exists() or os.listdir(str(tmp_path / "made")) == []


def test_archive_put_there_by_hand_is_used_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("ALBERT_ZH_MIRROR", closed_port())
    model_zip(tmp_path / "tiny.zip")
    run("albert_tiny_489k", f"--to={tmp_path / 'tiny'}")
    assert (tmp_path / "tiny.zip").exists()


def test_lcqmc(tmp_path, monkeypatch):
    with serving(b"a\tb\t1\n") as site:
        monkeypatch.setenv("LCQMC_MIRROR", site.url)
        run("lcqmc", f"--to={tmp_path / 'lcqmc'}")
    assert sorted(os.listdir(str(tmp_path / "lcqmc"))) == ["dev.txt", "test.txt", "train.txt"]


@pytest.mark.parametrize("missing, weights", [((), "model.safetensors"), (("s",), "pytorch_model.bin")])
def test_model_on_the_hub(tmp_path, monkeypatch, capsys, missing, weights):
    with serving(b"content") as site:
        site.missing = missing
        monkeypatch.setenv("HF_ENDPOINT", site.url)
        for _ in range(2):
            run("albert_chinese_tiny", f"--to={tmp_path / 'hub'}")
        assert len(site.asked) == 3 + len(missing)
    assert sorted(os.listdir(str(tmp_path / "hub"))) == ["config.json", weights, "vocab.txt"]
    assert (
        "python export_model.py --format=tensorflow --checkpoint={}".format(tmp_path / "hub") in capsys.readouterr().out
    )


def run(*arguments):
    """Runs the command in this process."""
    run_command(download.__doc__, download.declare_flags(), download.main, list(arguments))


def run_as_typed(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "albert.downloads.download", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env={**os.environ, "LCQMC_MIRROR": closed_port()},
    )


def test_command_names_the_nearest_name():
    done = run_as_typed("albert_tiny_489")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: there is nothing called 'albert_tiny_489': the nearest known name is albert_tiny_489k"
    )
    assert done.stderr.count("\n") == 1


def test_command_names_the_nearest_flag():
    done = run_as_typed("lcqmc", "--too=x")
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown flag --too: the nearest known one is --to (")


def test_command_without_a_network_is_one_sentence(tmp_path):
    done = run_as_typed("lcqmc", f"--to={tmp_path / 'lcqmc'}")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be reached" in done.stderr
    assert not (tmp_path / "lcqmc").exists()


@pytest.mark.parametrize("arguments", [("--to", "FOLDER", "lcqmc"), ("--to=FOLDER", "--name=lcqmc")])
def test_other_orders_and_forms_of_the_same_words(tmp_path, monkeypatch, arguments):
    folder = str(tmp_path / "data")
    with serving(b"a\tb\t1\n") as site:
        monkeypatch.setenv("LCQMC_MIRROR", site.url)
        run(*[argument.replace("FOLDER", folder) for argument in arguments])
    assert sorted(os.listdir(folder)) == ["dev.txt", "test.txt", "train.txt"]


def test_all_names_are_listed(capsys):
    run("--list")
    names = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == known_names()


def test_command_without_a_name(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--to=x")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: name what to download (--list lists all names)\n"


def test_progress_is_one_line_on_a_terminal_and_its_end_elsewhere(monkeypatch):
    screens = []
    for is_terminal in (True, False):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda is_terminal=is_terminal: is_terminal)
        progress = download.DownloadProgress("model.zip", stream)
        for done in (1000000, 1100000, 4000000):  # the second follows too soon to be shown
            progress(done, 4000000)
        screens.append(stream.getvalue())
    first, last = "model.zip: 1.0 of 4.0 MB (25 %)", "model.zip: 4.0 of 4.0 MB (100 %)"
    assert screens == ["\r" + first + "\r" + last + "\n", last + "\n"]
