"""Windows of questions on contexts: sequences for the model that slide over the context. Pure.

    [CLS] question [SEP] window of the context [SEP]

As in BERT's run_squad: windows begin `doc_stride` tokens apart, and a token that stands in several of them may begin an
answer only in that where it has the most text on both sides. A window without the answer points at [CLS].
"""

from __future__ import annotations

import bisect
from typing import Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from albert.tasks.mrc_rows import Answer, Question
from albert.text.sequences import EncodedPair, join_ids, text_ids
from tokenization import FullTokenizer

NUM_SPECIAL = 3  # [CLS] and two [SEP]
NO_ANSWER_POSITION = 0  # of [CLS]
_LENGTH_WEIGHT = 0.01  # of a window's length against the text beside a token, as in run_squad


class WindowSettings(NamedTuple):
    """Settings of windows.

    Attributes:
      max_seq_length: the most tokens of a sequence.
      doc_stride: tokens of the context from one window's beginning to that of the next.
      max_query_length: the most tokens of a question; what is longer loses its end.
    """

    max_seq_length: int
    doc_stride: int
    max_query_length: int

    @property
    def shortest(self) -> int:
        """The fewest tokens of a sequence that leave room for a context beside the longest question."""
        return self.max_query_length + NUM_SPECIAL + 1


class Window(NamedTuple):
    """Window: a sequence in which an answer is searched.

    Attributes:
      question: the number of the question.
      encoded: the sequence.
      offset: the place in it of the window's first token.
      spans: [start, end) in the context, in characters, of each token of the window.
      may_begin: whether an answer may begin at each of them.
      answer: places in the sequence of the answer's first and last token, or `NO_ANSWER_POSITION` twice.
    """

    question: int
    encoded: EncodedPair
    offset: int
    spans: List[Tuple[int, int]]
    may_begin: List[bool]
    answer: Tuple[int, int]


def windows_of(questions: Sequence[Question], tokenizer: FullTokenizer, settings: WindowSettings) -> Iterator[Window]:
    """Cuts questions into windows, in their order, at least one of each.

    Args:
      questions: those on the same context stand together: then it is tokenized once.
      tokenizer: the model's.
      settings: `max_seq_length` is at least `shortest`.
    """
    context = _Context("", tokenizer)
    for number, question in enumerate(questions):
        if question.context != context.text:
            context = _Context(question.context, tokenizer)
        yield from _windows(number, question, context, tokenizer, settings)


class _Context:
    """The tokens of a context."""

    def __init__(self, text: str, tokenizer: FullTokenizer) -> None:
        tokens = tokenizer.tokenize_with_offsets(text)
        self.text = text
        self.ids = tokenizer.convert_tokens_to_ids(token.text for token in tokens)
        self.spans = [(token.start, token.end) for token in tokens]

    def tokens_of(self, answer: Answer) -> Tuple[int, int]:
        """The numbers of the first token that ends in or after the answer, and of the one after its last."""
        begin = bisect.bisect_right([end for _, end in self.spans], answer.start)
        return begin, bisect.bisect_left([start for start, _ in self.spans], answer.start + len(answer.text))


def _windows(
    number: int, question: Question, context: _Context, tokenizer: FullTokenizer, settings: WindowSettings
) -> Iterator[Window]:
    query_ids = text_ids(tokenizer, question.question)
    was_truncated = len(query_ids) > settings.max_query_length
    query_ids = query_ids[: settings.max_query_length]
    room = settings.max_seq_length - len(query_ids) - NUM_SPECIAL
    reaches = window_reaches(len(context.ids), room, settings.doc_stride)
    answer = context.tokens_of(question.answers[0]) if question.answers else (0, 0)
    offset = len(query_ids) + 2
    best = best_windows(len(context.ids), reaches)
    for place, (begin, end) in enumerate(reaches):
        encoded = join_ids(tokenizer, query_ids, context.ids[begin:end], settings.max_seq_length)
        has_answer = begin <= answer[0] < answer[1] <= end
        position = (answer[0] - begin + offset, answer[1] - 1 - begin + offset)
        yield Window(
            question=number,
            encoded=encoded._replace(was_truncated=was_truncated),
            offset=offset,
            spans=context.spans[begin:end],
            may_begin=(best[begin:end] == place).tolist(),
            answer=position if has_answer else (NO_ANSWER_POSITION, NO_ANSWER_POSITION),
        )


def window_reaches(num_tokens: int, room: int, stride: int) -> List[Tuple[int, int]]:
    """Places windows of at most `room` tokens over a context; returns the [begin, end) of each.

    A stride over the room would leave tokens out, so windows are at most `room` apart.
    """
    begins = range(0, max(1, num_tokens - room + min(stride, room)), min(stride, room))
    return [(begin, min(begin + room, num_tokens)) for begin in begins]


def best_windows(num_tokens: int, reaches: Sequence[Tuple[int, int]]) -> np.ndarray:
    """For each token the number of the window where it has the most text on its poorer side: int [tokens].

    Of equals the longer window counts, then the earlier one.
    """
    most, best = np.full(num_tokens, -np.inf), np.zeros(num_tokens, np.int64)
    for number, (begin, end) in enumerate(reaches):
        tokens = np.arange(begin, end)
        text = np.minimum(tokens - begin, end - 1 - tokens) + _LENGTH_WEIGHT * (end - begin)
        is_better = text > most[begin:end]
        most[begin:end][is_better] = text[is_better]
        best[begin:end][is_better] = number
    return best
