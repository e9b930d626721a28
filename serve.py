"""HTTP service of a model: similarity, labels, entities, answers, vectors and fill-mask, and a web page.

    python serve.py --model=albert_lcqmc_checkpoints
    curl -H 'Content-Type: application/json' -d '{"text_a": "明天会下雨吗", "text_b": "明天有雨吗"}' \\
        http://127.0.0.1:8000/similarity

The page is at /, the description of the interface at /docs. Needs requirements/serve.txt. Ctrl-C, SIGTERM or SIGHUP
ends it after it has answered the requests that it accepted; what still waits after 30 s is refused with status 503.
"""

from __future__ import annotations

import logging
import os
from typing import Optional

from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError, run_command
from albert.base.paths import STARTER_MODEL
from albert.inference.model_files import ENGINES
from albert.inference.text_batches import MAX_BATCH_TOKENS

_log = logging.getLogger(__name__)

_NEEDED = ("fastapi", "uvicorn", "httptools", "prometheus_client")
_BATCH_SIZE = 64
_TOKEN_VARIABLE = "ALBERT_SERVE_TOKEN"


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    flags = Flags()
    flags.group("Model")
    flags.model_location(
        "model",
        None,
        "a folder of fine-tuning or of sentence vectors, an export of it, or a pre-trained checkpoint (default: "
        "starter, the shipped model)",
    )
    flags.choice("engine", None, ENGINES, "the engine; by default the lightest that opens the folder")
    flags.location("config_file", None, "the JSON file of a pre-trained model, where it is not beside the checkpoint")
    flags.location("vocab_file", None, "its vocabulary, where it is not beside the checkpoint")
    flags.location("spm_model_file", None, "its sentencepiece model, where it is not beside the checkpoint")
    flags.group("Data")
    flags.location("index", None, "a folder that `search.py index` built: /search finds its lines", kind="FOLDER")
    flags.group("Network")
    flags.string("host", "127.0.0.1", "the address to listen on; 0.0.0.0 lets other machines in")
    flags.string(
        "allowed_hosts",
        None,
        "the names by which clients may address the service, beside localhost, --host and, where other machines are "
        "let in, IP addresses; separated by commas; * allows all",
    )
    flags.integer("port", 8000, "the port to listen on; 0 takes a free one", minimum=0)
    flags.string(
        "token", None, "clients must send it as 'Authorization: Bearer TOKEN' (default: ${})".format(_TOKEN_VARIABLE)
    )
    flags.group("Load and limits")
    flags.integer(
        "max_batch_size",
        None,
        "rows that the model answers at once; 1 turns batching off (default: {}; with the engine tflite 1, since "
        "batches gain nothing there and all cores answer in parallel)".format(_BATCH_SIZE),
        minimum=1,
    )
    flags.integer("max_batch_tokens", MAX_BATCH_TOKENS, "about the most tokens of a batch", minimum=1)
    flags.float("max_wait_ms", 0.0, "milliseconds that a batch waits for more rows while it is not full", minimum=0.0)
    flags.integer(
        "max_queue",
        4096,
        "rows that may wait, each part of a long text one; beyond them the response is 503 with Retry-After",
        minimum=1,
    )
    flags.integer("max_text_length", 4096, "the most characters of a text", minimum=1)
    flags.integer("max_rows", 1000, "the most rows of a list", minimum=1)
    flags.integer("max_body_bytes", 4 << 20, "the most bytes of a request", minimum=1)
    flags.float("body_seconds", 10.0, "seconds within which a request must have come", minimum=0.1)
    flags.integer(
        "max_connections",
        1000,
        "connections at a time; beyond them the one that has kept the service waiting longest is closed",
        minimum=1,
    )
    return flags


def main(flags: Flags) -> None:
    """Loads the model and serves until a signal ends it."""
    flags.set_default("model", STARTER_MODEL)
    if flags.max_rows > flags.max_queue:
        raise UsageError(
            "--max_queue={} has no room for a list of --max_rows={}: raise it".format(flags.max_queue, flags.max_rows)
        )
    token = _token_of(flags)
    try:
        from albert.serving.app import build_app
        from albert.serving.batches import Bounds
        from albert.serving.guard import Limits
        from albert.serving.hosts import allowed_hosts
        from albert.serving.model import open_served_model, with_search
        from albert.serving.server import ServerOptions, address_of, is_local, listen, serve_app
    except ImportError as error:
        if (error.name or "").split(".")[0] not in _NEEDED:
            raise
        raise UserError(
            "serve.py needs {}: `pip install -r requirements/serve.txt` brings it".format(error.name)
        ) from error
    bound = listen(flags.host, flags.port)
    hosts = allowed_hosts(flags.allowed_hosts, flags.host, is_local(bound))
    model = open_served_model(
        flags.model,
        engine=flags.engine,
        batch_size=flags.max_batch_size or _BATCH_SIZE,
        config_file=flags.config_file,
        vocab_file=flags.vocab_file,
        spm_model_file=flags.spm_model_file,
    )
    if flags.index:
        from albert.search.searcher import open_searcher  # needs TensorFlow, which an export may do without

        model = with_search(model, open_searcher(flags.index, batch_size=flags.max_batch_size or _BATCH_SIZE))
    batch_size = flags.max_batch_size or (_BATCH_SIZE if model.gains_from_batches else 1)
    app = build_app(
        model,
        Bounds(batch_size, flags.max_batch_tokens, flags.max_wait_ms / 1000.0, flags.max_queue),
        Limits(flags.max_text_length, flags.max_rows, flags.max_body_bytes, flags.body_seconds, token),
        hosts,
    )
    if not is_local(bound) and token is None:
        _log.warning("Anyone who reaches this machine can use the service: --token=… admits only those who know it.")
    _log.info("%s answers at %s (Ctrl-C ends it).", flags.model, address_of(bound))
    _log.info("Allowed hosts: %s (--allowed_hosts=NAME,NAME allows more).", hosts.described())
    refused = serve_app(
        app,
        bound,
        ServerOptions(flags.body_seconds, max_connections=flags.max_connections, body_seconds=flags.body_seconds),
    )
    model.close()
    if refused:
        _log.warning("Stopped; %d requests that would have waited too long were refused with status 503.", refused)
    else:
        _log.info("Stopped; all accepted requests are answered.")


def _token_of(flags: Flags) -> Optional[str]:
    token = flags.token if flags.token is not None else os.environ.get(_TOKEN_VARIABLE)
    if token is not None and not (token.isascii() and token.isprintable()):
        raise UsageError("the token must be of printable ASCII characters")
    if token == "":
        raise UsageError("the token is empty: give one, or leave it out")
    return token


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
