"""Answers of search.py on the screen: the nearest lines to one question, or to each line that is typed or piped."""

from __future__ import annotations

import logging
from typing import List, NamedTuple, Optional

from albert.base.console import typed_line
from albert.base.errors import UserError
from albert.base.terminal import say
from albert.files.plain_text import is_blank
from albert.inference.similarity_command import PROBABILITY, found_line
from albert.search.rerank import Reranker
from albert.search.searcher import Searcher

_log = logging.getLogger(__name__)


class Question(NamedTuple):
    """How questions are answered.

    Attributes:
      searcher: finds the nearest lines.
      top_k: the number of lines in an answer.
      reranker: orders more of them; None for their order by cosine.
      rerank_top: how many.
    """

    searcher: Searcher
    top_k: int
    reranker: Optional[Reranker] = None
    rerank_top: int = 0

    def answer(self, text: str) -> List[str]:
        """Returns the lines to show for a text.

        Raises:
          UserError: it holds nothing that can be read.
        """
        count = self.rerank_top if self.reranker else self.top_k
        matches = self.searcher.search([text], count, lambda number: "the question")[0]
        if self.reranker is None:
            return [found_line("{:6.4f}".format(match.score), match.line, match.text) for match in matches]
        ordered = self.reranker.rerank(text, matches)[: self.top_k]
        return [found_line(PROBABILITY.text(match.score), match.line, match.text) for match in ordered]


def prompt(question: Question) -> None:
    """Reads questions line by line and answers them until an empty line or the end; a bad one costs a message."""
    while True:
        text = typed_line("question: ")
        if is_blank(text):
            return
        try:
            say(question.answer(text))
        except UserError as error:
            _log.info("error: %s", error)
