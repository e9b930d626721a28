"""Client of TensorFlow Serving against a stub that checks the request and answers with the exported SavedModel."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.inference import predictor
from tests.support import exports

PAIRS = [("我喜欢吃苹果", "你喜欢吃香蕉吗"), ("明天下雨吗", None), ("北京" * 9, "上海" * 9)]


@pytest.fixture(scope="module")
def example():
    from examples import serving_client

    return serving_client


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A fine-tuned folder and its SavedModel."""
    folder = tmp_path_factory.mktemp("model")
    source = exports.write_classifier(folder / "source")
    exports.run(checkpoint=source, format="savedmodel", output_dir=folder / "out")
    return source, str(folder / "out")


def answer_of_savedmodel(folder, request):
    """TensorFlow Serving's answer to rows: lists per row, where the signature has one output."""
    assert sorted(request) == ["instances", "signature_name"]
    with tf.Graph().as_default(), tf.Session() as session:
        meta_graph = tf.saved_model.loader.load(session, ["serve"], folder + "/1")
        signature = meta_graph.signature_def[request["signature_name"]]
        assert all(sorted(row) == sorted(signature.inputs) for row in request["instances"])
        feed = {}
        for name, tensor in signature.inputs.items():
            feed[tensor.name] = np.array([row[name] for row in request["instances"]], np.int32)
            assert feed[tensor.name].ndim == 2
        (output,) = signature.outputs.values()
        return {"predictions": session.run(output.name, feed).tolist()}


@contextlib.contextmanager
def serving(answer, status=200):
    """The address of a model on a stub; `answer` turns the JSON of a request into bytes or JSON."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
            is_right = self.path == "/v1/models/lcqmc:predict" and self.headers["Content-Type"] == "application/json"
            value = answer(json.loads(body)) if is_right else {"error": "wrong request"}
            content = value if isinstance(value, bytes) else json.dumps(value).encode("utf-8")
            self.send_response(status if is_right else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "http://127.0.0.1:{}/v1/models/lcqmc".format(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_answers_as_the_fine_tuned_model(example, model):
    source, out = model
    with predictor.open_predictor(source) as loaded:
        expected = loaded.predict(PAIRS)
    with serving(lambda request: answer_of_savedmodel(out, request)) as url:
        answers = example.ServingClient(out, url).classify(PAIRS)
    assert all(list(answer) == list(exports.LABELS) for answer in answers)
    np.testing.assert_allclose([list(answer.values()) for answer in answers], expected, atol=1e-5)


@pytest.mark.parametrize(
    "answer,status,message",
    [
        ({"error": "Servable not found for request"}, 404, "refused: Servable not found for request$"),
        (b"oops", 500, "refused: status 500"),
        (b"<html>", 200, "answered no JSON"),
        ({"predictions": [[0.5, 0.5]]}, 200, "answered no predictions for 3 rows"),
    ],
)
def test_what_the_server_does_wrong_is_one_sentence(example, model, answer, status, message):
    with serving(lambda request: answer, status) as url, pytest.raises(UserError, match=message):
        example.ServingClient(model[1], url).classify(PAIRS)


def test_it_runs_from_any_folder_and_reports_a_missing_server(model, tmp_path):
    program = os.path.join(ROOT, "examples", "serving_client.py")
    command = [sys.executable, program, model[1], "http://127.0.0.1:1/v1/models/x", "好"]
    process = subprocess.Popen(command, cwd=str(tmp_path), stderr=subprocess.PIPE, universal_newlines=True)
    _, errors = process.communicate()
    assert process.returncode == 1 and errors.startswith("error: http://127.0.0.1:1") and len(errors.splitlines()) == 1
