"""The service's routes: questions to a model, in batches, and the pages around them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Any, AsyncIterator, Callable, Dict, List, Sequence, Union

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from albert.serving import schemas
from albert.serving.batches import Batcher, Bounds
from albert.serving.guard import Guard, Limits, refusal
from albert.serving.metrics import CONTENT_TYPE, ServingMetrics
from albert.serving.model import CLASSIFY, EMBED, FILL_MASK, QUESTIONS, SIMILAR_ID, SIMILARITY, ServedModel, tokens_of
from albert.serving.service import Service

_PAGE_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
# What is shown to a browser, and what it is.
_PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
# Nothing but the page's own files may be loaded or run.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_SCHEMA_PATH = "/openapi.json"
_SYMMETRIC = Query(False, description="give the mean of both orders of a pair")
_DIGITS = 6  # of probabilities
_MOST_CANDIDATES = 100
_MISTAKES: Dict[Any, Dict[str, Any]] = {
    status: {"model": schemas.Mistake, "description": description}
    for status, description in (
        (400, "no JSON"),
        (401, "no or a wrong token"),
        (408, "the body took too long to come"),
        (409, "the model cannot answer this"),
        (413, "the body or the list is too large"),
        (415, "the body is not declared as JSON"),
        (422, "what is asked does not fit"),
        (503, "too much waits: ask again after Retry-After seconds"),
    )
}


def build_app(model: ServedModel, bounds: Bounds, limits: Limits = Limits()) -> Guard:  # noqa: B008 (never changed)
    """The service as an ASGI application.

    Args:
      model: what answers.
      bounds: of the batches, and of what waits for them.
      limits: of a request.
    """
    metrics = ServingMetrics()
    batchers = {
        name: Batcher(
            answer, bounds, num_threads=model.concurrency, tokens_of=tokens_of, observe=metrics.batch_observer(name)
        )
        for name, answer in model.answers.items()
    }
    for name, batcher in batchers.items():
        metrics.watch_queue(name, lambda batcher=batcher: batcher.rows_waiting)
    service = Service(model, limits, metrics, batchers)
    app = FastAPI(
        title="ALBERT",
        description="Answers of an ALBERT model. A body is one row, or a list of rows; a list is answered in order.",
        docs_url=None,
        redoc_url=None,
        openapi_url=_SCHEMA_PATH,
        lifespan=_lifespan_of(batchers),
    )
    _add_questions(app, service)
    _add_rest(app, service)
    _add_pages(app)
    _add_refusals(app)
    questions = ["/" + question for question in QUESTIONS]
    return Guard(
        app,
        limits,
        metrics,
        open_paths=["/healthz", _SCHEMA_PATH, *_PAGES],
        other_paths=["/metrics", "/model", "/tokens", *questions],
    )


def _lifespan_of(batchers: Dict[str, Batcher]) -> Callable[[FastAPI], Any]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        for batcher in batchers.values():
            await asyncio.get_event_loop().run_in_executor(None, batcher.stop)

    return lifespan


def _add_questions(app: FastAPI, service: Service) -> None:
    def question(name: str, answer: Any) -> Any:
        return app.post("/" + name, response_model=Union[answer, List[answer]], responses=_MISTAKES)

    @question(SIMILARITY, schemas.Similarity)
    async def similarity(
        body: schemas.Pairs,
        request: Request,
        symmetric: bool = _SYMMETRIC,
    ) -> Response:
        """The probability that two texts say the same."""
        answers = await service.answer(SIMILARITY, _pairs_of(body), symmetric, request)
        return _answered(body, [_similarity(row) for row in answers])

    @question(CLASSIFY, schemas.Classification)
    async def classify(
        body: schemas.TextsOrPairs,
        request: Request,
        symmetric: bool = _SYMMETRIC,
    ) -> Response:
        """The labels of texts or pairs."""
        answers = await service.answer(CLASSIFY, _pairs_of(body), symmetric, request)
        return _answered(body, [_classification(service.model.labels, row) for row in answers])

    @question(EMBED, schemas.Embedding)
    async def embed(body: schemas.Texts, request: Request) -> Response:
        """Texts as vectors: the mean of the last layer but one over the tokens."""
        answers = await service.answer(EMBED, _texts_of(body), None, request)
        return _answered(body, [{"vector": [round(number, _DIGITS) for number in row.tolist()]} for row in answers])

    @question(FILL_MASK, schemas.FilledMasks)
    async def fill_mask(
        body: schemas.Texts,
        request: Request,
        top_k: int = Query(5, ge=1, le=_MOST_CANDIDATES, description="candidates of a mask"),
    ) -> Response:
        """What may stand in place of each [MASK] of a text."""
        answers = await service.answer(FILL_MASK, _texts_of(body), top_k, request)
        return _answered(body, [_filled(row) for row in answers])


def _add_rest(app: FastAPI, service: Service) -> None:
    @app.post("/tokens", response_model=schemas.Tokens, responses=_MISTAKES)
    async def tokens(body: schemas.TextOrPair) -> Any:
        """A text or pair as the model reads it."""
        return service.tokens(body)

    @app.get("/model", response_model=schemas.ModelCard)
    async def model() -> Any:
        """What the model can be asked."""
        return service.card()

    @app.get("/healthz", response_model=schemas.Health)
    async def healthz() -> Any:
        """Whether the service answers."""
        return schemas.Health(status="ok")

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """The service's own figures, as Prometheus reads them."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)


def _add_pages(app: FastAPI) -> None:
    for path, (name, media_type) in _PAGES.items():
        with open(os.path.join(_PAGE_FOLDER, name), "rb") as file:
            page = Response(file.read(), media_type=media_type, headers=_PAGE_HEADERS)
        app.add_api_route(path, _giver_of(page), include_in_schema=False)


def _giver_of(page: Response) -> Callable[[], Any]:
    async def give() -> Response:
        return page

    return give


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # of what the JSON reader does not name: its depth, its encoding
            error = HTTPException(400, "the body is no JSON that can be read")
        elif error.status_code == 404:
            error = HTTPException(404, "there is nothing at this address: /docs shows what there is")
        elif error.status_code == 405:
            error = HTTPException(405, "this address takes {}".format(error.headers["Allow"]), error.headers)
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def refuse_misfit(request: Request, error: RequestValidationError) -> Response:
        return refusal(HTTPException(*schemas.describe_misfit(error.errors())))

    @app.exception_handler(Exception)
    async def apologise(request: Request, error: Exception) -> Response:
        return refusal(HTTPException(500, "the service failed to answer this; its log says more"))


def _rows_of(body: Any) -> List[Any]:
    return body.root if isinstance(body.root, list) else [body.root]


def _pairs_of(body: Any) -> List[Any]:
    return [(row.text_a, row.text_b) for row in _rows_of(body)]


def _texts_of(body: Any) -> List[str]:
    return [row.text for row in _rows_of(body)]


def _answered(body: Any, answers: List[Any]) -> Response:
    """A list for a list, one for one."""
    return JSONResponse(answers if isinstance(body.root, list) else answers[0])


def _similarity(probabilities: Any) -> Dict[str, Any]:
    score = float(probabilities[SIMILAR_ID])
    return {"score": round(score, _DIGITS), "is_similar": score > 0.5}


def _classification(labels: Sequence[str], probabilities: Any) -> Dict[str, Any]:
    by_label = {label: round(value, _DIGITS) for label, value in zip(labels, probabilities.tolist())}
    best = labels[int(probabilities.argmax())]
    return {"label": best, "score": by_label[best], "probabilities": by_label}


def _filled(masks: Any) -> Dict[str, Any]:
    return {
        "masks": [
            [{"token": token, "probability": round(probability, _DIGITS)} for token, probability in candidates]
            for candidates in masks
        ]
    }
