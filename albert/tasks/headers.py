"""Headers of tables: the names that columns of texts, labels and ids have in published files."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

_LABELS = frozenset("label labels labelid goldlabel class 标签 类别 标注".split())
_OTHERS = frozenset(
    "id ids idx qid qid1 qid2 uid guid pid index no number line split source target isduplicate similarity score "
    "similar 序号 编号 行号 来源 是否相似 相似度".split()
)
_STEMS = tuple("sentence sent s text txt query question q string title doc content".split())
_STEMS_ZH = tuple("句子 句 文本 问题 问句 语句 标题".split())
_NUMBERS = (("1", "2"), ("a", "b"), ("一", "二"), ("left", "right"))
# Names that are words of texts too: they name columns only where no other cell speaks against it.
_WORDS = (
    ("a", "b"),
    *(("query", second) for second in "title candidate doc document passage question answer text reply".split()),
    *(("question", second) for second in ("answer", "sentence")),
    *(("premise", second) for second in ("hypothesis", "hypo")),
    ("source", "target"),
    ("anchor", "positive"),
    ("问题", "回答"),
    ("问题", "答案"),
    ("原句", "改写"),
)
_NUMBERED = tuple((stem + a, stem + b) for stem in _STEMS + _STEMS_ZH for a, b in _NUMBERS)
_SINGLE = frozenset(_STEMS + _STEMS_ZH + ("review", "comment", "sentences", "texts", "内容", "评论")) - {"s", "q", "句"}
_TEXTS = _SINGLE.union(*_NUMBERED, *_WORDS)
_NAMES = _TEXTS | _LABELS | _OTHERS

_Known = Tuple[Tuple[str, ...], ...]


def folded(name: str) -> str:
    """A column's name in lower case, without blanks and the marks that join words."""
    return "".join(name.lower().replace("_", " ").replace("-", " ").split())


def is_label_name(word: str) -> bool:
    """Whether a cell is a common name of the label's column, such as "gold_label" or "标签"."""
    return folded(word) in _LABELS


def are_names(cells: Sequence[str]) -> bool:
    """Whether all cells are common names of columns."""
    return all(folded(cell) in _NAMES for cell in cells)


def are_names_of_texts(cells: Sequence[str]) -> bool:
    """Whether all cells are common names of text columns, such as "sentence_a" or "句子1"."""
    return all(folded(cell) in _TEXTS for cell in cells)


def find_texts(cells: Sequence[str], count: int, *, is_strict: bool) -> Optional[Tuple[int, ...]]:
    """Finds the places of the text columns that a first line names.

    Args:
      cells: of the first line.
      count: one text, or the two of a pair.
      is_strict: whether all other cells must be common names too; else it is enough that none is a number.

    Returns:
      None where the line names none, or more of them than are wanted.
    """
    places: Dict[str, List[int]] = {}
    for place, cell in enumerate(cells):
        places.setdefault(folded(cell), []).append(place)
    if count == 1:
        known, ordinary = (), tuple((name,) for name in _TEXTS - _LABELS - _OTHERS)  # type: _Known, _Known
    else:
        known, ordinary = _NUMBERED, _WORDS
    found = _named(known, places) or _named(ordinary, places)
    if len(found) != 1 or any(len(places[name]) > 1 for name in found[0]):
        return None
    others = [name for name in places if name not in found[0]]
    may_be_row = not are_names(others) if is_strict else any(map(_is_number, others))
    if may_be_row and found[0] not in known:
        return None
    return tuple(places[name][0] for name in found[0])


def _named(known: _Known, places: Dict[str, List[int]]) -> List[Tuple[str, ...]]:
    return [names for names in known if all(name in places for name in names)]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
