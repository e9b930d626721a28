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
    List,
    Optional,
    Sequence,
    Tuple,
    Type,
    Union,
)

import numpy as np
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from albert.serving import schemas
from albert.serving.batches import Batcher, Bounds
from albert.serving.bodies import BodyReader
from albert.serving.guard import READ_BODY, Guard, Limits, refusal
from albert.serving.hosts import AllowedHosts
from albert.serving.metrics import CONTENT_TYPE, ServingMetrics
from albert.serving.model import CLASSIFY, COSINE, EMBED, FILL_MASK, SEARCH, SIMILARITY, ServedModel, tokens_of
from albert.serving.service import Service

_PAGE_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
# Files of the web page by path, with their media types.
_PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
# Nothing but the page's own files may be loaded or run.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_SCHEMA_PATH = "/openapi.json"
_TOKENS_PATH = "/tokens"
_SYMMETRIC = Query(False, description="return the mean of both orders of a pair")
_DIGITS = 6  # of probabilities
_MOST_CANDIDATES = 100
_MISTAKES: Dict[Union[int, str], Dict[str, Any]] = {
    status: {"model": schemas.Mistake, "description": description}
    for status, description in (
        (400, "the body is not JSON"),
        (401, "the token is missing or wrong"),
        (403, "the page that asks is of another origin"),
        (408, "the body did not arrive in time"),
        (409, "the model cannot answer this"),
        (413, "the body or the list is too large"),
        (415, "the Content-Type is not application/json in UTF-8, or the body is compressed"),
        (421, "the Host is none of the allowed names"),
        (422, "a value is missing, unknown or not valid"),
        (503, "the queue is full, or the service is stopping: try again after Retry-After seconds"),
    )
}


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
            answer, bounds, num_threads=model.concurrency, tokens_of=tokens_of, observe=metrics.batch_observer(name)
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
    _add_questions(app, service)
    _add_rest(app, service)
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


def _readers(max_rows: int) -> Dict[str, BodyReader]:
    """Readers of the bodies by path."""
    rows: Dict[str, Type[BaseModel]] = {
        SIMILARITY: schemas.Pair,
        CLASSIFY: schemas.TextOrPair,
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


def _add_questions(app: FastAPI, service: Service) -> None:
    def question(name: str, answer: Type[BaseModel]) -> Callable[..., Any]:
        return app.post("/" + name, response_model=Union[answer, List[answer]], responses=_MISTAKES)  # type: ignore[valid-type]

    @question(SIMILARITY, schemas.Similarity)
    async def similarity(
        body: schemas.Pairs,
        request: Request,
        symmetric: bool = _SYMMETRIC,
    ) -> Response:
        """The probability that two texts have the same meaning, or the cosine of their sentence vectors."""
        answers = await service.answer(SIMILARITY, _pairs_of(body), symmetric, request)
        scores = [float(row[service.model.similar_id]) for row in answers]
        return _answered(body, [_similarity(score, service.model.score == COSINE) for score in scores])

    @question(CLASSIFY, schemas.Classification)
    async def classify(
        body: schemas.TextsOrPairs,
        request: Request,
        symmetric: bool = _SYMMETRIC,
    ) -> Response:
        """The label of a text or pair, and the probabilities of all labels."""
        answers = await service.answer(CLASSIFY, _pairs_of(body), symmetric, request)
        return _answered(body, [_classification(service.model.labels, row) for row in answers])

    @question(EMBED, schemas.Embedding)
    async def embed(body: schemas.Texts, request: Request) -> Response:
        """A text as a vector: the model's own sentence vector, else its last layer but one (/model says which)."""
        answers = await service.answer(EMBED, _texts_of(body), None, request)
        return _answered(body, [{"vector": [round(number, _DIGITS) for number in row.tolist()]} for row in answers])

    @question(FILL_MASK, schemas.FilledMasks)
    async def fill_mask(
        body: schemas.Texts,
        request: Request,
        top_k: int = Query(5, ge=1, le=_MOST_CANDIDATES, description="the number of candidates for each mask"),
    ) -> Response:
        """The most probable tokens for each [MASK] of a text."""
        answers = await service.answer(FILL_MASK, _texts_of(body), top_k, request)
        return _answered(body, [_filled(row) for row in answers])

    @question(SEARCH, schemas.Matches)
    async def search(
        body: schemas.Texts,
        request: Request,
        top_k: int = Query(5, ge=1, le=_MOST_CANDIDATES, description="the number of lines"),
    ) -> Response:
        """The lines of the index that are nearest to a text."""
        answers = await service.answer(SEARCH, _texts_of(body), top_k, request)
        return _answered(body, [_found(row) for row in answers])


def _add_rest(app: FastAPI, service: Service) -> None:
    @app.post(_TOKENS_PATH, response_model=schemas.Tokens, responses=_MISTAKES)
    async def tokens(body: schemas.TextOrPair) -> schemas.Tokens:
        """The tokens of a text or pair, as the model reads them."""
        return service.tokens(body)

    @app.get("/model", response_model=schemas.ModelCard)
    async def model() -> schemas.ModelCard:
        """The questions that the model answers, its labels and its limits."""
        return service.card()

    @app.get("/healthz", response_model=schemas.Health)
    async def healthz() -> schemas.Health:
        """Whether the service is running."""
        return schemas.Health(status="ok")

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Metrics of the service in Prometheus's text format."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)


def _add_pages(app: FastAPI) -> None:
    for path, (name, media_type) in _PAGES.items():
        with open(os.path.join(_PAGE_FOLDER, name), "rb") as file:
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
            error = HTTPException(405, "this address accepts {}".format((error.headers or {})["Allow"]), error.headers)
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def refuse_misfit(request: Request, error: RequestValidationError) -> Response:
        return refusal(HTTPException(422, schemas.describe_misfit(error.errors())))

    @app.exception_handler(Exception)
    async def apologise(request: Request, error: Exception) -> Response:
        return refusal(HTTPException(500, "the service failed to answer this; its log says more"))


def _rows_of(body: Any) -> List[Any]:
    return body.root if isinstance(body.root, list) else [body.root]


def _pairs_of(body: Any) -> List[Tuple[str, Optional[str]]]:
    return [(row.text_a, row.text_b) for row in _rows_of(body)]


def _texts_of(body: Any) -> List[str]:
    return [row.text for row in _rows_of(body)]


def _answered(body: Any, answers: List[Any]) -> Response:
    """Answers a list with a list, and one row with one answer."""
    return JSONResponse(answers if isinstance(body.root, list) else answers[0])


def _similarity(score: float, is_cosine: bool) -> Dict[str, Any]:
    answer = {"score": round(score, _DIGITS)}
    return answer if is_cosine else dict(answer, is_similar=score > 0.5)


def _classification(labels: Sequence[str], probabilities: np.ndarray) -> Dict[str, Any]:
    by_label = {label: round(value, _DIGITS) for label, value in zip(labels, probabilities.tolist())}
    best = labels[int(probabilities.argmax())]
    return {"label": best, "score": by_label[best], "probabilities": by_label}


def _found(matches: Sequence[Tuple[int, str, float]]) -> Dict[str, Any]:
    return {
        "matches": [{"line": line, "text": found, "score": round(score, _DIGITS)} for line, found, score in matches]
    }


def _filled(masks: Sequence[Sequence[Tuple[str, float]]]) -> Dict[str, Any]:
    return {
        "masks": [
            [{"token": token, "probability": round(probability, _DIGITS)} for token, probability in candidates]
            for candidates in masks
        ]
    }
