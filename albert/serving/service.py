"""Answers for the routes: from the model by way of its batchers, within the limits, while the client is connected."""

from __future__ import annotations

import asyncio
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from fastapi import Request
from starlette.exceptions import HTTPException

from albert.base.errors import UserError
from albert.base.sentences import Sentence
from albert.base.versions import VERSION
from albert.serving import schemas
from albert.serving.batches import Batcher, Job, QueueFull, Stopped, TooLarge
from albert.serving.chinese import in_language_of
from albert.serving.guard import CLIENT_GONE, Limits
from albert.serving.metrics import ServingMetrics
from albert.serving.model import MODELS, NumberedRow, ServedModel
from albert.text.arrays import has_lone_surrogate
from albert.text.sequences import join_ids

_TOO_LARGE = (
    "the rows make about {:,} sequences of the model, since it reads long texts in parts; at most {:,} may wait: send "
    "fewer rows or shorter texts"
)


class Service(NamedTuple):
    """Model, limits, metrics and batchers of the routes.

    Attributes:
      model: the loaded model.
      limits: of a request.
      metrics: of this server.
      batchers: by the values of MODELS.
    """

    model: ServedModel
    limits: Limits
    metrics: ServingMetrics
    batchers: Dict[str, Batcher]

    async def answer(self, question: str, rows: Sequence[Any], options: Any, request: Request) -> List[Any]:
        """Returns the model's answers to rows.

        Args:
          question: one of QUESTIONS.
          rows: pairs (text_a, text_b or None), questions (question, context), or texts.
          options: what all rows share: see `ServedModel`.
          request: watched, so that the rows of a client that hung up are dropped.

        Raises:
          HTTPException: the model cannot answer, there are too many rows, a text is too long, or the queue is full.
        """
        if question in self.model.refused:
            raise HTTPException(409, self.model.refused[question])
        self._check_rows(rows)
        if not rows:
            return []
        numbered = [NumberedRow(number, row) for number, row in enumerate(rows, start=1)]
        try:
            job = self.batchers[MODELS[question]].submit(numbered, options)
        except QueueFull as error:
            message = Sentence("the queue is full: try again in {} s", error.retry_after)
            raise HTTPException(503, message, {"Retry-After": str(error.retry_after)}) from None
        except TooLarge as error:
            raise HTTPException(413, Sentence(_TOO_LARGE, error.sequences, error.most)) from None
        except Stopped:
            raise _stopping() from None
        return await _unless_gone(job, request)

    def _check_rows(self, rows: Sequence[Any]) -> None:
        if len(rows) > self.limits.max_rows:
            raise HTTPException(
                413,
                Sentence(
                    "the list has {} rows, at most {:,} are answered at a time: send it in parts",
                    "{:,}".format(len(rows)),
                    self.limits.max_rows,
                ),
            )
        for number, row in enumerate(rows, start=1):
            self.check_texts((row,) if isinstance(row, str) else row, Sentence("row {}", number))

    def check_texts(self, texts: Sequence[Optional[str]], place: str) -> None:
        """Raises HTTPException where a text is too long, or has a character that no encoding has."""
        for text in texts:
            if text is None:
                continue
            if len(text) > self.limits.max_text_length:
                raise HTTPException(
                    422,
                    Sentence(
                        "a text of {} has {:,} characters, at most {:,} are allowed",
                        place,
                        len(text),
                        self.limits.max_text_length,
                    ),
                )
            if has_lone_surrogate(text):
                message = "a text of {} holds half of a surrogate pair, which is not a character"
                raise HTTPException(422, Sentence(message, place))

    def card(self, accept_language: Optional[str] = None) -> schemas.ModelCard:
        """Returns the questions that the model answers, what it is, its labels and its limits.

        Args:
          accept_language: the header with the languages of the client.
        """
        model, refused = self.model, self.model.refused
        about = dict(model.about._asdict(), dev=dict(model.about.dev))
        return schemas.ModelCard(
            answers=["/" + question for question in model.answered],
            refusals={"/" + question: in_language_of(why, accept_language) for question, why in refused.items()},
            labels=list(model.labels),
            thresholds=dict(zip(model.labels, model.thresholds)) if model.thresholds else None,
            types=list(model.types),
            score=model.score,
            vector=in_language_of(model.vector, accept_language),
            engine=model.engine,
            max_seq_length=model.max_seq_length,
            max_text_length=self.limits.max_text_length,
            max_rows=self.limits.max_rows,
            max_body_bytes=self.limits.max_body_bytes,
            version=VERSION,
            **about,
        )

    def tokens(self, pair: schemas.TextOrPair) -> schemas.Tokens:
        """Returns the tokens of a text or pair, as the model reads them."""
        texts = [pair.text_a] if pair.text_b is None else [pair.text_a, pair.text_b]
        self.check_texts(texts, Sentence("row {}", 1))
        tokenizer = self.model.tokenizer
        tokens = [tokenizer.tokenize_with_offsets(text) for text in texts]
        ids = [tokenizer.convert_tokens_to_ids(token.text for token in row) for row in tokens]
        row = join_ids(tokenizer, ids[0], ids[1] if len(ids) > 1 else None, self.model.max_seq_length)
        kept_b = sum(row.segment_ids)
        kept = [len(row.segment_ids) - kept_b - 2, kept_b - 1]  # without [CLS] and [SEP]
        shown: Dict[str, Any] = {}
        for name, text, found, count in zip("ab", texts, tokens, kept):
            shown["tokens_" + name] = [token.text for token in found]
            shown["pieces_" + name] = [text[token.start : token.end] for token in found]
            shown["kept_" + name] = count
        return schemas.Tokens(**shown)


async def _unless_gone(job: Job, request: Request) -> List[Any]:
    """Returns the answers of a job, which is cancelled when the client hangs up."""
    hang_up = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait([job.future, hang_up], return_when=asyncio.FIRST_COMPLETED)
    finally:
        hang_up.cancel()
        if not job.future.done():
            job.cancel()
    if job.future.cancelled():
        raise HTTPException(CLIENT_GONE, "the client hung up")
    try:
        return job.future.result()
    except UserError as error:
        raise HTTPException(422, error.args[0]) from None
    except Stopped:
        raise _stopping() from None


def _stopping() -> HTTPException:
    return HTTPException(503, "the service is stopping: send it again in 10 s", {"Retry-After": "10"})


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
