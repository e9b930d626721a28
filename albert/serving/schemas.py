"""Schemas of requests and responses, and sentences for requests that do not fit them."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag
from typing_extensions import Annotated

ONE, LIST = "one", "list"  # the forms of a body


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Pair(_Asked):
    """A pair of texts to compare."""

    text_a: str = Field(description="the first text")
    text_b: str = Field(description="the second text")


class TextOrPair(_Asked):
    """A text, or a pair of texts."""

    text_a: str = Field(description="the text, or the first one")
    text_b: Optional[str] = Field(None, description="the second text of a pair")


class Text(_Asked):
    """A text."""

    text: str = Field(description="the text")


def _form(body: Any) -> str:
    return LIST if isinstance(body, list) else ONE


class Pairs(RootModel):
    """A pair, or a list of pairs."""

    root: Annotated[Union[Annotated[Pair, Tag(ONE)], Annotated[List[Pair], Tag(LIST)]], Discriminator(_form)]


class TextsOrPairs(RootModel):
    """A text or pair, or a list of them."""

    root: Annotated[
        Union[Annotated[TextOrPair, Tag(ONE)], Annotated[List[TextOrPair], Tag(LIST)]], Discriminator(_form)
    ]


class Texts(RootModel):
    """A text, or a list of texts."""

    root: Annotated[Union[Annotated[Text, Tag(ONE)], Annotated[List[Text], Tag(LIST)]], Discriminator(_form)]


class Similarity(BaseModel):
    """The similarity of two texts."""

    score: float = Field(description="the probability that both have the same meaning")
    is_similar: bool = Field(description="whether the score is over 0.5")


class Classification(BaseModel):
    """The label of a text or pair."""

    label: str = Field(description="the most probable label")
    score: float = Field(description="its probability")
    probabilities: Dict[str, float] = Field(description="the probability of each label")


class Embedding(BaseModel):
    """A text as a vector."""

    vector: List[float]


class Candidate(BaseModel):
    """A token for a [MASK]."""

    token: str
    probability: float


class FilledMasks(BaseModel):
    """Candidates for the masks of a text."""

    masks: List[List[Candidate]] = Field(description="for each [MASK] in turn its candidates, the most probable first")


class Tokens(BaseModel):
    """The tokens of a text or pair, as the model reads them."""

    tokens_a: List[str] = Field(description="the tokens of the first text, without special tokens")
    kept_a: int = Field(description="how many of them the model reads; the rest is cut off")
    tokens_b: Optional[List[str]] = Field(None, description="the tokens of the second text")
    kept_b: Optional[int] = Field(None, description="how many of them the model reads")


class ModelCard(BaseModel):
    """The questions that the model answers, its labels and its limits."""

    answers: List[str] = Field(description="the paths of the questions that it answers")
    refusals: Dict[str, str] = Field(description="the reason for each path that it does not answer")
    labels: List[str] = Field(description="the labels of a fine-tuned model")
    engine: str
    max_seq_length: int = Field(description="tokens of a row; longer rows are cut")
    max_text_length: int = Field(description="the most characters of a text")
    max_rows: int = Field(description="the most rows of a list")


class Health(BaseModel):
    """The state of the service."""

    status: str


class Mistake(BaseModel):
    """The reason why a request was not answered."""

    error: str = Field(description="the reason in one sentence")


class Misfit(NamedTuple):
    """Reason why a request cannot be read.

    Attributes:
      status: of the response.
      sentence: what is wrong and where.
    """

    status: int
    sentence: str


def describe_misfit(errors: Sequence[Dict[str, Any]]) -> Misfit:
    """Returns the first of pydantic's errors as a status and a sentence."""
    error = errors[0]
    kind, where = error["type"], _Where(error["loc"])
    if kind == "json_invalid":
        reason = error.get("ctx", {}).get("error", "it cannot be read")
        return Misfit(400, "the body is not JSON: {}".format(reason))
    if error["loc"] == ("body",) and kind == "missing":
        return Misfit(400, "the body is empty: send JSON as shown in /docs")
    return Misfit(422, _SENTENCES.get(kind, _other).format(where=where, message=error["msg"]))


_other = "{where} does not fit: {message}"
_NO_OBJECT = "{where} is not a JSON object as shown in /docs"
_SENTENCES = {
    "missing": "{where} is missing",
    "extra_forbidden": "{where} is unknown: /docs lists the known names",
    "string_type": "{where} must be a text",
    "string_unicode": "{where} holds half of a surrogate pair, which is not a character",
    "bool_parsing": "{where} must be true or false",
    "int_parsing": "{where} must be a whole number",
    "model_type": _NO_OBJECT,
    "model_attributes_type": _NO_OBJECT,
    "dict_type": _NO_OBJECT,
}


class _Where:
    """Place in a request, as a message names it."""

    def __init__(self, location: Sequence[Any]) -> None:
        names = [part for part in location[1:] if isinstance(part, str) and part not in (ONE, LIST)]
        rows = [part for part in location if isinstance(part, int)]
        self._names = [_printable(name) for name in names]
        self._row = "row {}".format(rows[0] + 1) if rows else None

    def __str__(self) -> str:
        name = ".".join(self._names)
        if name and self._row:
            return "{} of {}".format(name, self._row)
        return name or self._row or "the body"


def _printable(name: str) -> str:
    return name[:40].encode("unicode_escape").decode("ascii") if not name[:40].isprintable() else name[:40]
