"""Sizes of rows for the queue: how many sequences of the model a row becomes, and how many tokens these have.

They are estimates from the number of characters: a token of Chinese text is one, and hardly ever less.
"""

from __future__ import annotations

from typing import Optional, Sequence

from albert.serving.batches import Size

_SPECIAL_TOKENS = 3  # of a pair
_CONTEXT_PART = 2  # of a part of a long sentence at least one half is new; the rest was read before


def pair_size(texts: Sequence[Optional[str]]) -> Size:
    """Returns the size of texts that become one sequence."""
    return Size(1, sum(len(text) for text in texts if text is not None) + _SPECIAL_TOKENS)


def tagged_size(text: str, max_seq_length: int) -> Size:
    """Returns the size of a text whose tokens are tagged: a long one becomes several parts that overlap."""
    room = max_seq_length - 2  # [CLS] and [SEP]
    if len(text) <= room:
        return Size(1, len(text) + 2)
    parts = -(-len(text) // max(1, room // _CONTEXT_PART))
    return Size(parts, parts * max_seq_length)


def windows_size(question: str, context: str, max_seq_length: int, doc_stride: int, max_query_length: int) -> Size:
    """Returns the size of a question on a context: a long context becomes windows that overlap."""
    query = min(len(question), max_query_length) + _SPECIAL_TOKENS
    room = max(1, max_seq_length - query)
    if len(context) <= room:
        return Size(1, len(context) + query)
    windows = 1 + -(-(len(context) - room) // max(1, min(doc_stride, room)))
    return Size(windows, windows * max_seq_length)


def long_size(texts: Sequence[Optional[str]], max_seq_length: int) -> Size:
    """Returns the size of texts of which a long one becomes windows: three quarters of each are new."""
    whole = pair_size(texts)
    if whole.tokens <= max_seq_length:
        return whole
    room = max_seq_length - _SPECIAL_TOKENS
    long_text = texts[-1] or texts[0] or ""
    if len(texts) > 1 and texts[1] is not None:  # each window begins with the first text, or with its beginning
        room -= min(len(texts[0] or ""), room // 2)
    windows = -(-len(long_text) // max(1, 3 * room // 4))
    return Size(windows, windows * max_seq_length)
