"""Schemas of requests and responses in both languages of /docs, and sentences for requests that do not fit them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Type, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag
from typing_extensions import Annotated

from albert.base.sentences import Sentence
from albert.serving.bodies import RowFields

ONE, LIST = "one", "list"  # the forms of a body
CHINESE = "x-zh"  # the key of a description in Chinese, beside the English one


def chinese(text: str) -> Dict[str, Any]:
    """Returns what a schema or an operation adds for its description in Chinese."""
    return {CHINESE: text}


def _field(english: str, chinese_text: str, default: Any = ...) -> Any:
    return Field(default, description=english, json_schema_extra=chinese(chinese_text))


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Pair(_Asked):
    """A pair of texts to compare."""

    text_a: str = _field("the first text", "第一段文本")
    text_b: str = _field("the second text", "第二段文本")


class TextOrPair(_Asked):
    """A text, or a pair of texts."""

    text_a: str = _field("the text, or the first one", "文本；句对的第一段")
    text_b: Optional[str] = _field("the second text of a pair", "句对的第二段", None)


class Text(_Asked):
    """A text."""

    text: str = _field("the text", "文本")


class Question(_Asked):
    """A question on a text that may hold its answer."""

    question: str = _field("the question", "问题")
    context: str = _field("the text in which the answer is looked for", "在其中寻找答案的文本")


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


class Questions(RootModel):
    """A question, or a list of questions."""

    root: Annotated[Union[Annotated[Question, Tag(ONE)], Annotated[List[Question], Tag(LIST)]], Discriminator(_form)]


class Similarity(BaseModel):
    """The similarity of two texts."""

    score: float = _field(
        "the probability that both have the same meaning; of a model of sentence vectors the cosine of both vectors "
        "(/model says which)",
        "两段文本意思相同的概率；句向量模型则是两个向量的余弦（/model 说明是哪一种）",
    )
    is_similar: Optional[bool] = _field(
        "whether the probability is over 0.5; a cosine has none", "概率是否超过 0.5；余弦没有这一项", None
    )


class Classification(BaseModel):
    """The label of a text or pair; of a model of several labels a row all its labels."""

    label: Optional[str] = _field("the most probable label", "概率最高的标签", None)
    score: Optional[float] = _field("its probability", "它的概率", None)
    labels: Optional[List[str]] = _field(
        "only of a model of several labels a row: those over their thresholds, the most probable first; perhaps none",
        "仅多标签模型：概率超过各自阈值的标签，从高到低；可能一个也没有",
        None,
    )
    probabilities: Dict[str, float] = _field("the probability of each label", "每个标签的概率")


class Entity(BaseModel):
    """An entity in a text."""

    start: int = _field(
        "the number of its first character in the text, from 0", "它的第一个字在文本中的位置，从 0 数起"
    )
    end: int = _field("the number of the character after its last one", "它的最后一个字之后的位置")
    type: str = _field("its type", "类型")
    text: str = _field("its characters", "它的文字")
    score: float = _field("the mean probability of its tags", "各标注的平均概率")


class Entities(BaseModel):
    """The entities in a text."""

    entities: List[Entity] = _field("in the order of the text; perhaps none", "按文本中的顺序；可能一个也没有")


class FoundAnswer(BaseModel):
    """An answer in the context."""

    text: str = _field("its characters", "答案的文字")
    start: int = _field(
        "the number of its first character in the context, from 0", "它的第一个字在 context 中的位置，从 0 数起"
    )
    end: int = _field("the number of the character after its last one", "它的最后一个字之后的位置")
    score: float = _field("its probability among the candidates", "它在各候选中的概率")


class Answers(BaseModel):
    """The answers to a question."""

    answers: List[FoundAnswer] = _field("the most probable first", "概率高的在前")


class Embedding(BaseModel):
    """A text as a vector."""

    vector: List[float] = _field("its numbers", "向量的各个数")


class Candidate(BaseModel):
    """A token for a [MASK]."""

    token: str = _field("the token", "token")
    probability: float = _field("its probability", "它的概率")


class FilledMasks(BaseModel):
    """Candidates for the masks of a text."""

    masks: List[List[Candidate]] = _field(
        "for each [MASK] in turn its candidates, the most probable first", "依次对每个 [MASK]：候选，概率高的在前"
    )


class Match(BaseModel):
    """A line of the index."""

    line: int = _field("its number in the file that the index was built from", "它在建立索引的文件中的行号")
    text: str = _field("the line", "这一行")
    score: float = _field("the cosine of its vector and that of the text", "它与所查文本的向量余弦")


class Matches(BaseModel):
    """The lines of the index that are nearest to a text."""

    matches: List[Match] = _field("the nearest first", "最相近的在前")


class Tokens(BaseModel):
    """The tokens of a text or pair, as the model reads them."""

    tokens_a: List[str] = _field(
        "the tokens of the first text, without special tokens", "第一段文本的 token，不含特殊 token"
    )
    pieces_a: List[str] = _field(
        "the characters of the text that each of them stands for, which [UNK] does not show",
        "每个 token 在原文中的文字；[UNK] 本身看不出来",
    )
    kept_a: int = _field("how many of them the model reads; the rest is cut off", "模型读到其中的多少个；其余被截去")
    tokens_b: Optional[List[str]] = _field("the tokens of the second text", "第二段文本的 token", None)
    pieces_b: Optional[List[str]] = _field("the characters of each of them", "每个 token 在原文中的文字", None)
    kept_b: Optional[int] = _field("how many of them the model reads", "模型读到其中的多少个", None)


class ModelCard(BaseModel):
    """The questions that the model answers, its labels and its limits."""

    name: str = _field("the name of the model's folder", "模型目录的名字")
    family: Optional[str] = _field("the family of the model: zh or google", "模型系列：zh 或 google", None)
    size: Optional[str] = _field("its size, such as tiny", "大小，例如 tiny", None)
    layers: Optional[int] = _field("the number of its layers", "层数", None)
    hidden_size: Optional[int] = _field("numbers of a token's vector", "隐藏层维度", None)
    parameters: Optional[int] = _field("the number of its parameters", "参数个数", None)
    task: Optional[str] = _field("the task that it was fine-tuned on", "微调的任务", None)
    date: Optional[str] = _field("the date of its training", "训练日期", None)
    dev: Dict[str, str] = _field(
        "its scores on the dev split, the most important one first", "验证集上的分数，最重要的在前"
    )
    answers: List[str] = _field("the paths of the questions that it answers", "可用的路径")
    refusals: Dict[str, str] = _field("the reason for each path that it does not answer", "每个不可用路径的原因")
    labels: List[str] = _field("the labels of a fine-tuned model", "微调模型的标签")
    thresholds: Optional[Dict[str, float]] = _field(
        "of a model of several labels a row: the least probability of each label that is given",
        "多标签模型：给出某个标签所需的最低概率",
        None,
    )
    types: List[str] = _field("the types of the entities that a model finds", "模型能找出的实体类型")
    score: str = _field(
        "what the score of /similarity is: probability or cosine",
        "/similarity 的 score 是什么：probability（概率）或 cosine（余弦）",
    )
    vector: str = _field("what the vector of /embed is", "/embed 的 vector 是什么")
    engine: str = _field("the engine that computes the answers", "计算所用的引擎")
    max_seq_length: int = _field(
        "tokens of a row; longer rows are cut, or read in parts", "一行的 token 数；更长的截断，或分段读"
    )
    max_text_length: int = _field("the most characters of a text", "一段文本最多的字符数")
    max_rows: int = _field("the most rows of a list", "一个数组最多的行数")
    max_body_bytes: int = _field("the most bytes of a request", "一个请求最多的字节数")
    version: str = _field("the version of ALBERT-zh", "ALBERT-zh 的版本")


class Health(BaseModel):
    """The state of the service."""

    status: str = _field("always ok", "总是 ok")


class Mistake(BaseModel):
    """The reason why a request was not answered."""

    error: str = _field("the reason in one sentence", "一句话的原因")


def row_fields(model: Type[BaseModel]) -> RowFields:
    """Returns the fields of a row."""
    names: Dict[bool, List[str]] = {True: [], False: []}
    for name, field in model.model_fields.items():
        names[field.is_required()].append(name)
    return RowFields(required=tuple(names[True]), optional=tuple(names[False]))


def describe_misfit(errors: Sequence[Dict[str, Any]]) -> str:
    """Returns the first of pydantic's errors in the parameters of a request as a sentence."""
    error = errors[0]
    return Sentence(_SENTENCES.get(error["type"], "{} does not fit: {}"), error["loc"][-1], error["msg"])


_SENTENCES = {
    "bool_parsing": "{} must be true or false",
    "int_parsing": "{} must be a whole number",
}
