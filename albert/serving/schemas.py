"""What the service is asked and what it answers, and a sentence for what does not fit."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag
from typing_extensions import Annotated

ONE, LIST = "one", "list"  # the forms of a body


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Pair(_Asked):
    """Two texts that are compared."""

    text_a: str = Field(description="the first text")
    text_b: str = Field(description="the second text")


class TextOrPair(_Asked):
    """A text, or two."""

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
    """How alike two texts are."""

    score: float = Field(description="the probability that both say the same")
    is_similar: bool = Field(description="whether that is more probable than not")


class Classification(BaseModel):
    """The label of a text or pair."""

    label: str = Field(description="the most probable label")
    score: float = Field(description="its probability")
    probabilities: Dict[str, float] = Field(description="of all labels")


class Embedding(BaseModel):
    """A text as a vector."""

    vector: List[float]


class Candidate(BaseModel):
    """A token that may stand in place of a [MASK]."""

    token: str
    probability: float


class FilledMasks(BaseModel):
    """What may stand in place of the masks of a text."""

    masks: List[List[Candidate]] = Field(description="for each [MASK] in turn, the best candidates first")


class Tokens(BaseModel):
    """A text or pair as the model reads it."""

    tokens_a: List[str] = Field(description="of the first text, without special tokens")
    kept_a: int = Field(description="so many of them are read; the rest is cut, since the row is too long")
    tokens_b: Optional[List[str]] = Field(None, description="of the second text")
    kept_b: Optional[int] = None


class ModelCard(BaseModel):
    """What the model can be asked."""

    answers: List[str] = Field(description="the paths that it answers")
    refusals: Dict[str, str] = Field(description="why it does not answer the others")
    labels: List[str] = Field(description="of a fine-tuned model")
    engine: str
    max_seq_length: int = Field(description="tokens of a row; what is longer is cut")
    max_text_length: int = Field(description="characters of a text")
    max_rows: int = Field(description="rows of a list")


class Health(BaseModel):
    """That the service answers."""

    status: str


class Mistake(BaseModel):
    """Why a request is not answered."""

    error: str = Field(description="one sentence")


class Misfit(NamedTuple):
    """Why a request cannot be read.

    Attributes:
      status: of the answer.
      sentence: what is wrong and where.
    """

    status: int
    sentence: str


def describe_misfit(errors: Sequence[Dict[str, Any]]) -> Misfit:
    """The first of pydantic's errors as a status and a sentence."""
    error = errors[0]
    kind, where = error["type"], _Where(error["loc"])
    if kind == "json_invalid":
        reason = error.get("ctx", {}).get("error", "it cannot be read")
        return Misfit(400, "the body is no JSON: {}".format(reason))
    if error["loc"] == ("body",) and kind == "missing":
        return Misfit(400, "the body is empty: send JSON, such as /docs shows")
    return Misfit(422, _SENTENCES.get(kind, _other).format(where=where, message=error["msg"]))


_other = "{where} does not fit: {message}"
_NO_OBJECT = "{where} is no JSON object, such as /docs shows"
_SENTENCES = {
    "missing": "{where} is missing",
    "extra_forbidden": "{where} is unknown: /docs shows what there is",
    "string_type": "{where} is no text",
    "string_unicode": "{where} holds half of a surrogate pair, which is no character",
    "bool_parsing": "{where} must be true or false",
    "int_parsing": "{where} must be a whole number",
    "model_type": _NO_OBJECT,
    "model_attributes_type": _NO_OBJECT,
    "dict_type": _NO_OBJECT,
}


class _Where:
    """A place in a request, as a message names it."""

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
