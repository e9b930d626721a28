"""Routes of the service: questions to the model, its description, metrics and the web page."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from typing import (
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Dict,
    Type,
)

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from albert.base.sentences import Sentence
from albert.serving import schemas
from albert.serving.batches import Batcher, Bounds
from albert.serving.bodies import BodyReader
from albert.serving.guard import READ_BODY, Guard, Limits, refusal
from albert.serving.hosts import AllowedHosts
from albert.serving.metrics import ServingMetrics
from albert.serving.model import (
    CLASSIFY,
    EMBED,
    FILL_MASK,
    MRC,
    NER,
    SEARCH,
    SIMILARITY,
    TOKENS,
    ServedModel,
)
from albert.serving.routes import add_questions, add_rest
from albert.serving.service import Service

_PAGE_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Files of the web page by path.
_PAGES = {"/" + name: name for name in sorted(os.listdir(_PAGE_FOLDER)) if not name.endswith(".html")}
_PAGES.update({"/": "index.html", "/docs": "docs.html"})
# Nothing but the page's own files may be loaded or run.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_SCHEMA_PATH = "/openapi.json"
_TOKENS_PATH = "/" + TOKENS


class _ReadRequest(Request):
    """Request whose body the guard has read."""

    async def json(self) -> Any:
        """Returns what the body holds."""
        return self.scope[READ_BODY]


class _ReadRoute(APIRoute):
    """Route that checks what the guard has read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Returns the function that answers a request."""
        answer = super().get_route_handler()

        async def answer_read(request: Request) -> Response:
            return await answer(_ReadRequest(request.scope, request.receive))

        return answer_read


def build_app(
    model: ServedModel,
    bounds: Bounds,
    limits: Limits = Limits(),  # noqa: B008 (never changed)
    hosts: AllowedHosts = AllowedHosts(),  # noqa: B008 (never changed)
) -> Guard:
    """Builds the service as an ASGI application.

    Args:
      model: the loaded model.
      bounds: of the batches and of the queue.
      limits: of a request.
      hosts: the names by which clients may address it.
    """
    metrics = ServingMetrics()
    batchers = {
        name: Batcher(
            answer,
            bounds,
            num_threads=model.concurrency,
            size_of=model.size_of(name),
            observe=metrics.batch_observer(name),
        )
        for name, answer in model.answers.items()
    }
    for name, batcher in batchers.items():
        metrics.watch_queue(name, functools.partial(_rows_waiting, batcher))
    service = Service(model, limits, metrics, batchers)
    app = FastAPI(
        title="ALBERT",
        description="Answers of an ALBERT model. A body is one row or a list of rows; a list is answered in order.",
        docs_url=None,
        redoc_url=None,
        openapi_url=_SCHEMA_PATH,
        lifespan=_lifespan_of(batchers),
    )
    app.router.route_class = _ReadRoute
    if limits.token is not None:
        _describe_token(app)
    add_questions(app, service)
    add_rest(app, service)
    _add_pages(app)
    _add_refusals(app)
    return Guard(
        app,
        limits,
        metrics,
        hosts=hosts,
        readers=_readers(limits.max_rows),
        open_paths=["/healthz", _SCHEMA_PATH, *_PAGES],
        other_paths=["/metrics", "/model"],
        refuse_waiting=lambda: sum(batcher.refuse_waiting() for batcher in batchers.values()),
    )


def _describe_token(app: FastAPI) -> None:
    """Says in the description of the interface that a token is needed."""
    describe = app.openapi

    def openapi() -> Dict[str, Any]:
        schema = describe()
        schema["security"] = [{"token": []}]
        schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _readers(max_rows: int) -> Dict[str, BodyReader]:
    """Readers of the bodies by path."""
    rows: Dict[str, Type[BaseModel]] = {
        SIMILARITY: schemas.Pair,
        CLASSIFY: schemas.TextOrPair,
        NER: schemas.Text,
        MRC: schemas.Question,
        EMBED: schemas.Text,
        FILL_MASK: schemas.Text,
        SEARCH: schemas.Text,
    }
    readers = {"/" + question: BodyReader(schemas.row_fields(row), max_rows) for question, row in rows.items()}
    return dict(readers, **{_TOKENS_PATH: BodyReader(schemas.row_fields(schemas.TextOrPair), None)})


def _lifespan_of(batchers: Dict[str, Batcher]) -> Callable[[FastAPI], Any]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        for batcher in batchers.values():
            await asyncio.get_event_loop().run_in_executor(None, batcher.stop)

    return lifespan


def _rows_waiting(batcher: Batcher) -> int:
    return batcher.rows_waiting


def _add_pages(app: FastAPI) -> None:
    for path, name in _PAGES.items():
        with open(os.path.join(_PAGE_FOLDER, name), "rb") as file:
            media_type = _MEDIA_TYPES[os.path.splitext(name)[1]]
            page = Response(file.read(), media_type=media_type, headers=_PAGE_HEADERS)
        app.add_api_route(path, _giver_of(page), include_in_schema=False)


def _giver_of(page: Response) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return page

    return give


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            error = HTTPException(404, "there is nothing at this address: /docs lists all addresses")
        elif error.status_code == 405:
            allowed = error.headers or {}
            error = HTTPException(405, Sentence("this address accepts {}", allowed["Allow"]), allowed)
        return refusal(error, request.headers)

    @app.exception_handler(RequestValidationError)
    async def refuse_misfit(request: Request, error: RequestValidationError) -> Response:
        return refusal(HTTPException(422, schemas.describe_misfit(error.errors())), request.headers)

    @app.exception_handler(Exception)
    async def apologise(request: Request, error: Exception) -> Response:
        return refusal(HTTPException(500, "the service failed to answer this; its log says more"), request.headers)
