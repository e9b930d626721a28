"""Predictor: a fine-tuned model, loaded once, that answers any number of texts or pairs.

    with predictor.open_predictor("albert_lcqmc_checkpoints") as model:
        model.classify([("明天北京会下雨吗", "北京明天有雨吗")])

The model is a folder that fine-tuning made, or an export of one. Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.inference.engines import EngineOptions, open_engine
from albert.inference.model_files import ModelFiles, find_model
from albert.inference.text_batches import MAX_BATCH_TOKENS, Pair, Place
from albert.inference.text_model import BATCH_SIZE, TextModel
from albert.model.outputs import CLASSIFIER


class Predictions(NamedTuple):
    """Answers of a model to n rows.

    Attributes:
      labels: the most probable label of each row.
      scores: float32 [n], its probability.
      probabilities: float32 [n, labels], of all labels.
    """

    labels: List[str]
    scores: np.ndarray
    probabilities: np.ndarray


class Predictor(TextModel):
    """Computes the probabilities of the labels. Safe to call from several threads.

    Attributes:
      labels: of the model, by id.
      engine_name: one of ENGINES.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        engine: Optional[str] = None,
        batch_size: int = BATCH_SIZE,
        max_batch_tokens: int = MAX_BATCH_TOKENS,
        graph_file: Optional[str] = None,
        gpu_memory_fraction: float = 1.0,
    ) -> None:
        """Loads the model.

        Args:
          files: see `ModelFiles`.
          engine, graph_file, gpu_memory_fraction: see `EngineOptions`.
          batch_size, max_batch_tokens: see `TextModel`.

        Raises:
          UserError: a file is missing or does not fit, the checkpoint holds no fine-tuned head, or the engine does not
            open such files or is not installed.
        """
        tokenizer = files.tokenizer()
        opened = open_engine(files, CLASSIFIER, tokenizer, EngineOptions(engine, graph_file, gpu_memory_fraction))
        super().__init__(
            opened.engine, tokenizer, opened.max_seq_length, batch_size=batch_size, max_batch_tokens=max_batch_tokens
        )
        self.labels = files.labels
        self.engine_name = opened.name

    def predict(self, pairs: Sequence[Pair], symmetric: bool = False, place: Place = "row {}".format) -> np.ndarray:
        """Returns the probabilities, float32 [n, labels], of n rows in their order.

        Args:
          pairs: (text_a, text_b), or (text_a, None) for a single text.
          symmetric: return the mean of both orders of a pair, since a model tells the first text from the second.
          place: what messages call a row, by its number from 1.

        Raises:
          UserError: a row is not a text or pair of texts, or holds nothing that can be read.
        """
        rows = self._encoder.encode(pairs, place)
        if not rows:
            return np.zeros([0, len(self.labels)], np.float32)
        turned = {number: (b, a) for number, (a, b) in enumerate(pairs) if symmetric and b is not None}
        swapped = list(turned)
        rows += self._encoder.encode(list(turned.values()))
        probabilities = self._answer(rows)
        if swapped:
            probabilities[swapped] = (probabilities[swapped] + probabilities[len(pairs) :]) / 2
        return probabilities[: len(pairs)]

    def classify(self, pairs: Sequence[Pair], symmetric: bool = False) -> Predictions:
        """Returns labels, scores and probabilities; arguments and errors are those of `predict`."""
        probabilities = self.predict(pairs, symmetric)
        return Predictions(
            labels=[self.labels[label_id] for label_id in probabilities.argmax(axis=1)],
            scores=probabilities.max(axis=1),
            probabilities=probabilities,
        )


def open_predictor(path: str, engine: Optional[str] = None, **options: Any) -> Predictor:
    """Opens the predictor of a fine-tuned folder or of an export.

    Args:
      path: the folder.
      engine: one of ENGINES; by default the one that opens it.
      **options: see `Predictor`.

    Raises:
      UserError: there is no fine-tuned model, or it cannot be loaded.
    """
    files = find_model(path)
    if files is None:
        from albert.checkpoints.model import open_checkpoint

        model = open_checkpoint(path)
        lack, runner = model.lack_of(CLASSIFIER), model.family.classification_runner
        reason = "no description of its labels is beside it: name a folder that {} filled".format(runner)
        if lack:
            reason = "its model has {}; fine-tune it with {} first".format(lack, runner)
        raise UserError("{} cannot answer: {}".format(path, reason))
    return Predictor(files, engine=engine, **options)
