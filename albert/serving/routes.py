"""Routes of the questions to the model, and of its description: what they take, and what they answer."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Type, Union

import numpy as np
from fastapi import FastAPI, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from albert.serving import schemas
from albert.serving.examples import examples_of
from albert.serving.guard import LANGUAGE_HEADER
from albert.serving.metrics import CONTENT_TYPE
from albert.serving.model import CLASSIFY, COSINE, EMBED, FILL_MASK, MRC, NER, SEARCH, SIMILARITY, TOKENS, ServedModel
from albert.serving.service import Service
from albert.tasks.multilabel_metrics import decisions

_DIGITS = 6  # of probabilities
_MOST_CANDIDATES = 100
_MISTAKES: Dict[Union[int, str], Dict[str, Any]] = {
    status: dict(schemas.chinese(chinese), model=schemas.Mistake, description=description)
    for status, description, chinese in (
        (400, "the body is not JSON", "请求体不是 JSON"),
        (401, "the token is missing or wrong", "没有令牌或令牌错误"),
        (403, "the page that asks is of another origin", "请求来自别的网站的网页"),
        (408, "the body did not arrive in time", "请求体没有在限时内到齐"),
        (409, "the model cannot answer this", "这个模型不能回答"),
        (413, "the body or the list is too large", "请求体或数组太大"),
        (
            415,
            "the Content-Type is not application/json in UTF-8, or the body is compressed",
            "Content-Type 不是 UTF-8 的 application/json，或请求体被压缩",
        ),
        (421, "the Host is none of the allowed names", "主机名不在允许的名字里"),
        (422, "a value is missing, unknown or not valid", "缺字段、字段不认识或值无效"),
        (
            503,
            "the queue is full, or the service is stopping: try again after Retry-After seconds",
            "排队已满，或服务正在停止：Retry-After 秒后重试",
        ),
    )
}


def _number(default: int, description: str, chinese: str) -> Any:
    return Query(
        default, ge=1, le=_MOST_CANDIDATES, description=description, json_schema_extra=schemas.chinese(chinese)
    )


_SYMMETRIC = Query(
    False,
    description="return the mean of both orders of a pair; takes twice the time",
    json_schema_extra=schemas.chinese("取句对两种顺序的平均；用时加倍"),
)
_CANDIDATES = _number(5, "the number of candidates for each mask", "每个 [MASK] 的候选个数")
_LINES = _number(5, "the number of lines", "给出的行数")
_ANSWERS = _number(1, "the number of answers", "给出的答案个数")


def add_questions(app: FastAPI, service: Service) -> None:
    """Adds the questions to the model; the description of the interface names only those that it answers."""
    examples = examples_of(service.model)

    def question(name: str, answer: Type[BaseModel], chinese: str) -> Callable[..., Any]:
        return app.post(
            "/" + name,
            response_model=Union[answer, List[answer]],  # type: ignore[valid-type]
            responses=_with_example(examples[name].answer),
            openapi_extra=dict(schemas.chinese(chinese), requestBody=_content(examples[name].body)),
            include_in_schema=name not in service.model.refused,
        )

    _add_questions_on_pairs(question, service)
    _add_questions_on_texts(question, service)


def _with_example(answer: Dict[str, Any]) -> Dict[Union[int, str], Dict[str, Any]]:
    return dict(_MISTAKES, **{"200": _content(answer)})


def _content(example: Dict[str, Any]) -> Dict[str, Any]:
    return {"content": {"application/json": {"example": example}}}


def _add_questions_on_pairs(question: Callable[..., Any], service: Service) -> None:
    @question(SIMILARITY, schemas.Similarity, "两段文本意思相同的概率，或句向量的余弦。")
    async def similarity(
        body: schemas.Pairs,
        request: Request,
        symmetric: bool = _SYMMETRIC,
    ) -> Response:
        """The probability that two texts have the same meaning, or the cosine of their sentence vectors."""
        answers = await service.answer(SIMILARITY, _pairs_of(body), symmetric, request)
        scores = [float(row[service.model.similar_id]) for row in answers]
        return _answered(body, [_similarity(score, service.model.score == COSINE) for score in scores])

    @question(CLASSIFY, schemas.Classification, "一段文本或一个句对的标签，以及全部标签的概率。")
    async def classify(
        body: schemas.TextsOrPairs,
        request: Request,
        symmetric: bool = _SYMMETRIC,
    ) -> Response:
        """The label or labels of a text or pair, and the probabilities of all labels."""
        answers = await service.answer(CLASSIFY, _pairs_of(body), symmetric, request)
        return _answered(body, [_classification(service.model, row) for row in answers])

    @question(MRC, schemas.Answers, "在一段文本里找出问题的答案。长文本分段读，用时随长度增加。")
    async def mrc(body: schemas.Questions, request: Request, top_k: int = _ANSWERS) -> Response:
        """The answer to a question, found in a text. A long text is read in windows, which take their time."""
        rows = [(row.question, row.context) for row in _rows_of(body)]
        answers = await service.answer(MRC, rows, top_k, request)
        return _answered(body, [{"answers": [_placed(found) for found in row]} for row in answers])


def _add_questions_on_texts(question: Callable[..., Any], service: Service) -> None:
    @question(NER, schemas.Entities, "一段文本里的实体。")
    async def ner(body: schemas.Texts, request: Request) -> Response:
        """The entities in a text."""
        answers = await service.answer(NER, _texts_of(body), None, request)
        return _answered(
            body, [{"entities": [dict(_placed(found), type=found.type) for found in row]} for row in answers]
        )

    @question(
        EMBED, schemas.Embedding, "文本的向量：模型自己的句向量；没有时是倒数第二层的输出（/model 说明是哪一种）。"
    )
    async def embed(body: schemas.Texts, request: Request) -> Response:
        """A text as a vector: the model's own sentence vector, else its last layer but one (/model says which)."""
        answers = await service.answer(EMBED, _texts_of(body), None, request)
        return _answered(body, [{"vector": [round(number, _DIGITS) for number in row.tolist()]} for row in answers])

    @question(FILL_MASK, schemas.FilledMasks, "文本中每个 [MASK] 处最可能的 token。")
    async def fill_mask(body: schemas.Texts, request: Request, top_k: int = _CANDIDATES) -> Response:
        """The most probable tokens for each [MASK] of a text."""
        answers = await service.answer(FILL_MASK, _texts_of(body), top_k, request)
        return _answered(body, [_filled(row) for row in answers])

    @question(SEARCH, schemas.Matches, "索引中与文本最相近的几行。")
    async def search(body: schemas.Texts, request: Request, top_k: int = _LINES) -> Response:
        """The lines of the index that are nearest to a text."""
        answers = await service.answer(SEARCH, _texts_of(body), top_k, request)
        return _answered(body, [_found(row) for row in answers])


def add_rest(app: FastAPI, service: Service) -> None:
    """Adds what needs no model, or describes it."""
    example = examples_of(service.model)[TOKENS]

    @app.post(
        "/" + TOKENS,
        response_model=schemas.Tokens,
        responses=_with_example(example.answer),
        openapi_extra=dict(schemas.chinese("模型读到的 token。"), requestBody=_content(example.body)),
    )
    async def tokens(body: schemas.TextOrPair) -> schemas.Tokens:
        """The tokens of a text or pair, as the model reads them."""
        return service.tokens(body)

    @app.get(
        "/model",
        response_model=schemas.ModelCard,
        openapi_extra=schemas.chinese("模型是什么，能回答什么，标签和限制。"),
    )
    async def model(request: Request) -> schemas.ModelCard:
        """What the model is, the questions that it answers, its labels and its limits."""
        return service.card(request.headers.get(LANGUAGE_HEADER))

    @app.get("/healthz", response_model=schemas.Health, openapi_extra=schemas.chinese("服务是否在运行。"))
    async def healthz() -> schemas.Health:
        """Whether the service is running."""
        return schemas.Health(status="ok")

    @app.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
        openapi_extra=schemas.chinese("服务的指标，Prometheus 文本格式。"),
    )
    async def metrics() -> Response:
        """Metrics of the service in Prometheus's text format."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)


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


def _classification(model: ServedModel, probabilities: np.ndarray) -> Dict[str, Any]:
    labels = model.labels
    by_label = {label: round(value, _DIGITS) for label, value in zip(labels, probabilities.tolist())}
    if model.thresholds is not None:
        decided = decisions(probabilities, model.thresholds)
        over = [place for place in (-probabilities).argsort() if decided[place]]
        return {"labels": [labels[place] for place in over], "probabilities": by_label}
    best = labels[int(probabilities.argmax())]
    return {"label": best, "score": by_label[best], "probabilities": by_label}


def _placed(found: Any) -> Dict[str, Any]:
    """An entity or an answer with its place in the text."""
    return {"start": found.start, "end": found.end, "text": found.text, "score": round(float(found.score), _DIGITS)}


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
