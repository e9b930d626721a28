"""Schemas of requests and responses, and sentences for requests that do not fit them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Type, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag
from typing_extensions import Annotated

from albert.serving.bodies import RowFields

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

    score: float = Field(
        description="the probability that both have the same meaning; of a model of sentence vectors the cosine of "
        "both vectors (/model says which)"
    )
    is_similar: Optional[bool] = Field(None, description="whether the probability is over 0.5; a cosine has none")


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


class Match(BaseModel):
    """A line of the index."""

    line: int = Field(description="its number in the file that the index was built from")
    text: str
    score: float = Field(description="the cosine of its vector and that of the text")


class Matches(BaseModel):
    """The lines of the index that are nearest to a text."""

    matches: List[Match] = Field(description="the nearest first")


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
    score: str = Field(description="what the score of /similarity is: probability or cosine")
    vector: str = Field(description="what the vector of /embed is")
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


def row_fields(model: Type[BaseModel]) -> RowFields:
    """Returns the fields of a row."""
    names: Dict[bool, List[str]] = {True: [], False: []}
    for name, field in model.model_fields.items():
        names[field.is_required()].append(name)
    return RowFields(required=tuple(names[True]), optional=tuple(names[False]))


def describe_misfit(errors: Sequence[Dict[str, Any]]) -> str:
    """Returns the first of pydantic's errors in the parameters of a request as a sentence."""
    error = errors[0]
    return _SENTENCES.get(error["type"], "{name} does not fit: {message}").format(
        name=error["loc"][-1], message=error["msg"]
    )


_SENTENCES = {
    "bool_parsing": "{name} must be true or false",
    "int_parsing": "{name} must be a whole number",
}
