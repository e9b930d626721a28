"""Search in a large file of lines by sentence vectors: an index that is built once, and queries of it.

    python search.py index questions.txt --index=questions_index --checkpoint=MODEL
    python search.py query 怎么修改手机号 --index=questions_index --top_k=5
    python search.py query 怎么修改手机号 --index=questions_index --rerank=PAIR_MODEL
    python search.py query --index=questions_index            questions from the keyboard, one in each line

Below 100,000 lines every query is compared with all of them; from there on, requirements/search.txt makes it quick.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from albert.base.flags import Flags, run_command
from albert.base.late_imports import find_late
from albert.base.terminal import say, time_text
from albert.search.build import build_index, check_folder
from albert.search.description import IndexModel
from albert.search.flags import (
    INDEX,
    absolute_arguments,
    check_flags,
    declare_search_flags,
    index_request,
    model_arguments,
)
from albert.search.index import Match, SearchIndex

if TYPE_CHECKING:
    from albert.search.searcher import Searcher, open_searcher

__all__ = ["Match", "SearchIndex", "Searcher", "open_searcher"]

_log = logging.getLogger(__name__)


def __getattr__(name: str) -> Any:
    """Finds the names that programs import from here and that need TensorFlow."""
    return find_late(name, __name__, dict.fromkeys(("Searcher", "open_searcher"), "albert.search.searcher"))


def declare_flags() -> Flags:
    """Declares the words and flags of the command."""
    flags = Flags()
    declare_search_flags(flags)
    return flags


def main(flags: Flags) -> None:
    """Builds an index, or asks one."""
    check_flags(flags)
    if flags.action == INDEX:
        _build(flags)
    else:
        _ask(flags)


def _build(flags: Flags) -> None:
    request, start = index_request(flags), time.monotonic()
    check_folder(request.folder)
    from albert.search.searcher import open_source

    arguments = absolute_arguments(flags)
    source = open_source(arguments, flags.batch_size)
    built = build_index(request, source.embedder, IndexModel(flags.checkpoint, arguments, source.mark))
    _log.info(
        "%s holds %s lines, vectors of %s numbers, %s search by %s (%s).",
        request.folder,
        "{:,}".format(built.num_lines),
        built.width,
        "approximate" if built.has_graph else "exact",
        built.library,
        time_text(time.monotonic() - start),
    )


def _ask(flags: Flags) -> None:
    from albert.search.command import Question, prompt
    from albert.search.rerank import open_reranker
    from albert.search.searcher import open_searcher

    reranker = open_reranker(flags.rerank) if flags.rerank else None
    searcher = open_searcher(flags.index, model_arguments(flags), batch_size=flags.batch_size)
    question = Question(searcher, flags.top_k, reranker, flags.rerank_top)
    if flags.subject is None:
        prompt(question)
    else:
        say(question.answer(flags.subject))


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
