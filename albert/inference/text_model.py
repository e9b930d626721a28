"""Model of texts behind an engine: makes rows of texts, answers them in batches, and puts the answers into order."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from albert.inference.text_batches import MAX_BATCH_TOKENS, PairEncoder, answer_in_batches, batches_by_length
from albert.text.sequences import EncodedPair, pad_batch
from tokenization import FullTokenizer

BATCH_SIZE = 128


class TextModel:
    """Base of models that answer a row with an array. Safe to call from several threads.

    Attributes:
      tokenizer: the model's.
      max_seq_length: tokens of a row; longer rows are cut.
    """

    def __init__(
        self,
        engine: Any,
        tokenizer: FullTokenizer,
        max_seq_length: int,
        *,
        batch_size: int = BATCH_SIZE,
        max_batch_tokens: int = MAX_BATCH_TOKENS,
    ) -> None:
        """Creates the model.

        Args:
          engine: see engine_tensorflow; the model closes it.
          tokenizer: the model's.
          max_seq_length: tokens of a row; longer rows are cut.
          batch_size: the most rows in one pass.
          max_batch_tokens: the most tokens in one pass, padding included.
        """
        self.tokenizer = tokenizer
        self.max_seq_length = max_seq_length
        self._engine = engine
        self._encoder = PairEncoder(tokenizer, max_seq_length)
        self._pad_id = tokenizer.pad_id
        self._batch_size = batch_size
        self._max_batch_tokens = max_batch_tokens

    @property
    def concurrency(self) -> int:
        """The number of threads that get answers faster together than one alone."""
        return self._engine.concurrency

    @property
    def gains_from_batches(self) -> bool:
        """Whether many rows at once take less time than one by one."""
        return self._engine.gains_from_batches

    def _answer(self, rows: List[EncodedPair]) -> np.ndarray:
        """Returns the answers to rows, of which there is at least one, in their order."""
        return answer_in_batches(
            [len(row.input_ids) for row in rows],
            lambda batch: self._answer_batch([rows[row] for row in batch]),
            max_rows=self._batch_size,
            max_tokens=self._max_batch_tokens,
        )

    def _answer_tokens(self, rows: List[EncodedPair]) -> List[np.ndarray]:
        """Returns the answers to rows of a model that answers for each token: each as long as its batch was padded."""
        answers: List[Any] = [None] * len(rows)
        lengths = [len(row.input_ids) for row in rows]
        for batch in batches_by_length(lengths, max_rows=self._batch_size, max_tokens=self._max_batch_tokens):
            for row, answer in zip(batch, self._answer_batch([rows[row] for row in batch])):
                answers[row] = answer
        return answers

    def _answer_batch(self, rows: List[EncodedPair]) -> np.ndarray:
        answers: np.ndarray = self._engine.answer(pad_batch(rows, self._pad_id, self._engine.seq_length))
        return answers

    def close(self) -> None:
        """Frees the model."""
        self._engine.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
