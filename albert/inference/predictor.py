"""Predictor: a fine-tuned model, loaded once, that answers any number of texts or pairs.

    with predictor.open_predictor("albert_lcqmc_checkpoints") as model:
        model.classify([("明天北京会下雨吗", "北京明天有雨吗")])

The model is a folder that fine-tuning made, or an export of one. Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

import os
from typing import Any, List, NamedTuple, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.inference.model_files import EXPORT_DESCRIPTION_FILE, TFLITE, ModelFiles, find_model
from albert.inference.text_batches import MAX_BATCH_TOKENS, Pair, PairEncoder, Place, answer_in_batches
from albert.model.outputs import CLASSIFIER
from albert.text.sequences import EncodedPair, pad_batch
from tokenization import FullTokenizer, check_vocab_size

BATCH_SIZE = 128


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


class Predictor:
    """Computes the probabilities of the labels. Safe to call from several threads."""

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
          engine: one of ENGINES; by default the one that opens the files.
          batch_size: the most rows in one pass.
          max_batch_tokens: the most tokens in one pass, padding included.
          graph_file: where the engine "tensorflow" keeps a checkpoint's frozen graph for the next start.
          gpu_memory_fraction: the share of a GPU's memory that may be used.

        Raises:
          UserError: a file is missing or does not fit, the checkpoint holds no fine-tuned head, or the engine does not
            open such files or is not installed.
        """
        self.labels = files.labels
        self._batch_size = batch_size
        self._max_batch_tokens = max_batch_tokens
        tokenizer = files.tokenizer()
        self.tokenizer = tokenizer
        self.engine_name = engine or files.engine
        opened = _open(files, tokenizer, self.engine_name, graph_file, gpu_memory_fraction)
        self._engine = opened.engine
        self.max_seq_length = min(
            files.max_seq_length, opened.max_positions, self._engine.seq_length or files.max_seq_length
        )
        self._encoder = PairEncoder(tokenizer, self.max_seq_length)
        self._pad_id = tokenizer.pad_id

    @property
    def concurrency(self) -> int:
        """The number of threads that get answers faster together than one alone."""
        return self._engine.concurrency

    @property
    def gains_from_batches(self) -> bool:
        """Whether many rows at once take less time than one by one."""
        return self._engine.gains_from_batches

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

    def _answer(self, rows: List[EncodedPair]) -> np.ndarray:
        return answer_in_batches(
            [len(row.input_ids) for row in rows],
            lambda batch: self._engine.answer(
                pad_batch([rows[row] for row in batch], self._pad_id, self._engine.seq_length)
            ),
            max_rows=self._batch_size,
            max_tokens=self._max_batch_tokens,
        )

    def close(self) -> None:
        """Frees the model."""
        self._engine.close()

    def __enter__(self) -> Predictor:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


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


class _Opened(NamedTuple):
    engine: Any
    max_positions: int


def _open(
    files: ModelFiles, tokenizer: FullTokenizer, engine: str, graph_file: Optional[str], gpu_memory_fraction: float
) -> _Opened:
    if engine != files.engine:
        raise UserError(
            "the engine {} does not open {}, which is {}: `python export_model.py --checkpoint=FOLDER --format={} "
            "--output_dir=OUT` makes an export that it opens".format(
                engine,
                files.checkpoint,
                "an export as {}".format(files.export_format) if files.export_format else "a checkpoint",
                "tflite --tflite_type=int8 --max_seq_length=0" if engine == TFLITE else "savedmodel",
            )
        )
    if files.export_format is None:
        return _open_checkpoint(files, tokenizer, graph_file, gpu_memory_fraction)
    config = files.model_config or {}
    check_vocab_size(tokenizer, config["vocab_size"], os.path.join(files.checkpoint, EXPORT_DESCRIPTION_FILE))
    opened = _open_export(files, engine, gpu_memory_fraction)
    if opened.width not in (None, len(files.labels)):
        opened.close()
        raise UserError(
            "the export {} answers with {} probabilities, but its {} names {} labels: export the model again".format(
                files.checkpoint, opened.width, EXPORT_DESCRIPTION_FILE, len(files.labels)
            )
        )
    return _Opened(opened, config["max_position_embeddings"])


def _open_export(files: ModelFiles, engine: str, gpu_memory_fraction: float) -> Any:
    if engine == TFLITE:
        from albert.inference import engine_tflite

        return engine_tflite.TfliteEngine(files.checkpoint)
    from albert.inference import engine_tensorflow

    return engine_tensorflow.export_engine(
        files.checkpoint, files.export_format or "", gpu_memory_fraction=gpu_memory_fraction
    )


def _open_checkpoint(
    files: ModelFiles, tokenizer: FullTokenizer, graph_file: Optional[str], gpu_memory_fraction: float
) -> _Opened:
    from albert.checkpoints.model import open_checkpoint
    from albert.inference import engine_tensorflow

    model = open_checkpoint(files.checkpoint, files.config_file)
    check_vocab_size(tokenizer, model.config.vocab_size, files.config_file or "the config")
    engine = engine_tensorflow.checkpoint_engine(
        model, len(files.labels), graph_file=graph_file, gpu_memory_fraction=gpu_memory_fraction
    )
    return _Opened(engine, model.config.max_position_embeddings)
