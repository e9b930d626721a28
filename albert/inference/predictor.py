"""Predictor: a fine-tuned model, loaded once, that answers any number of texts or pairs.

    with predictor.open_predictor("albert_lcqmc_checkpoints") as model:
        model.classify([("明天北京会下雨吗", "北京明天有雨吗")])

The model is a folder that fine-tuning made, or an export of one. Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from albert.base.errors import UserError
from albert.inference.fine_tuned_model import FineTunedModel
from albert.inference.model_files import ModelFiles, find_model
from albert.inference.text_batches import Pair, Place
from albert.model.outputs import CLASSIFIER
from albert.tasks.multilabel_metrics import decisions
from albert.text.long_texts import CUT, merge_probabilities

Answer = Union[str, Tuple[str, ...]]


class Predictions(NamedTuple):
    """Answers of a model to n rows.

    Attributes:
      labels: the most probable label of each row; of a model of several labels a row all labels whose probability
        reaches their threshold, by their ids: a tuple, perhaps an empty one.
      scores: float32 [n], the highest probability of each row.
      probabilities: float32 [n, labels], of all labels. They sum to 1 where a row has one label.
    """

    labels: List[Answer]
    scores: np.ndarray
    probabilities: np.ndarray


class Predictor(FineTunedModel):
    """Computes the probabilities of the labels. Safe to call from several threads.

    Attributes:
      labels: of the model, by id.
      thresholds: of a model of several labels a row the least probability of each label; None for others.
      long_text: how long texts are read (`long_texts`).
      engine_name: one of ENGINES.
    """

    head = CLASSIFIER

    def __init__(self, files: ModelFiles, **options: Any) -> None:
        """Loads the model; arguments and errors are those of `FineTunedModel`."""
        super().__init__(files, **options)
        self.thresholds = files.thresholds
        self.long_text = files.long_text or CUT

    def predict(self, pairs: Sequence[Pair], symmetric: bool = False, place: Place = "row {}".format) -> np.ndarray:
        """Returns the probabilities, float32 [n, labels], of n rows in their order.

        Args:
          pairs: (text_a, text_b), or (text_a, None) for a single text.
          symmetric: return the mean of both orders of a pair, since a model tells the first text from the second.
          place: what messages call a row, by its number from 1.

        Raises:
          UserError: a row is not a text or pair of texts, or holds nothing that can be read.
        """
        rows, counts = self._encoder.encode_long(pairs, place, self.long_text)
        if not rows:
            return np.zeros([0, len(self.labels)], np.float32)
        turned = {number: (b, a) for number, (a, b) in enumerate(pairs) if symmetric and b is not None}
        swapped = list(turned)
        turned_rows, turned_counts = self._encoder.encode_long(list(turned.values()), long_text=self.long_text)
        probabilities = merge_probabilities(
            self._answer(rows + turned_rows),
            counts + turned_counts,
            self.long_text,
            is_multilabel=self.thresholds is not None,
        )
        if swapped:
            probabilities[swapped] = (probabilities[swapped] + probabilities[len(pairs) :]) / 2
        return probabilities[: len(pairs)]

    def classify(self, pairs: Sequence[Pair], symmetric: bool = False, place: Place = "row {}".format) -> Predictions:
        """Returns labels, scores and probabilities; arguments and errors are those of `predict`."""
        probabilities = self.predict(pairs, symmetric, place)
        return Predictions(
            labels=[self.decide(row) for row in probabilities],
            scores=probabilities.max(axis=1),
            probabilities=probabilities,
        )

    def decide(self, probabilities: np.ndarray) -> Answer:
        """Decides on the label or the labels of a row by its probabilities [labels]."""
        if self.thresholds is None:
            return self.labels[int(probabilities.argmax())]
        decided = decisions(probabilities, self.thresholds)
        return tuple(label for label, is_given in zip(self.labels, decided) if is_given)


def open_predictor(path: str, engine: Optional[str] = None, **options: Any) -> Predictor:
    """Opens the predictor of a fine-tuned folder or of an export.

    Args:
      path: the folder.
      engine: one of ENGINES; by default the one that opens it.
      **options: see `FineTunedModel`.

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
