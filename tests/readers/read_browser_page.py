"""The browser example in Chromium: its cosines are those of the same 8-bit export in Python.

Run by scripts/test_readers.sh. EXPORTS names what make_exports.py wrote, ORT_WEB the files of onnxruntime-web.
"""

import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import urllib.parse

import numpy as np
import pytest

from examples.browser.make_page import make_page

FOLDER = pathlib.Path(os.environ["EXPORTS"])
RUNTIME = pathlib.Path(os.environ.get("ORT_WEB", ""))
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
REASONS = [
    (not os.environ.get("ORT_WEB"), "npm brought no onnxruntime-web"),
    (not CHROMIUM, "there is no Chromium here"),
]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    for is_missing, reason in REASONS:
        if is_missing:
            pytest.skip(reason)
    folder = tmp_path_factory.mktemp("page") / "page"
    make_page(FOLDER / "starter_onnx_int8", folder, RUNTIME)
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:{}".format(server.server_port), folder
    server.shutdown()


def opened(url):
    """The page after it has answered, as text."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", "--dump-dom"]
    page = subprocess.run([CHROMIUM, *flags, url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
    return page.stdout.decode("utf-8")


@pytest.mark.parametrize("number", range(3))
def test_a_pair_has_the_cosine_that_python_gives(address, number):
    pair = json.loads((FOLDER / "starter_pairs.json").read_text("utf-8"))[number]
    page = opened("{}/?{}".format(address[0], urllib.parse.urlencode({"a": pair[0], "b": pair[1], "lang": "en"})))
    found = float(re.search(r'data-score="([-0-9.e]+)"', page).group(1))
    np.testing.assert_allclose(found, np.load(str(FOLDER / "starter_cosines.npy"))[number], atol=1e-4)


def test_the_nearest_lines_stand_first(address):
    found = re.findall(r"<li>\S+\s+(\S+)</li>", opened(address[0] + "/?lang=zh"))
    assert found[0] == "手机号码怎么更换" and len(found) == 4


def test_a_damaged_model_is_said(address):
    model = address[1] / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:1000])
    assert "The model does not answer (" in opened(address[0] + "/?lang=en")
    model.write_bytes(whole)


def test_a_missing_file_is_named(address):
    (address[1] / "vocab.txt").unlink()
    assert "The model does not open: vocab.txt is missing." in opened(address[0] + "/?lang=en")
