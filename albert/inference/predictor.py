"""A fine-tuned model, loaded once, that answers for any number of texts or pairs.

    with predictor.open_predictor("albert_lcqmc_checkpoints") as model:
        model.classify([("明天北京会下雨吗", "北京明天有雨吗")])

The model is a folder that fine-tuning made, or an export of one. Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.files.export_marks import EXPORT_DESCRIPTION_FILE
from albert.inference.text_batches import MAX_BATCH_TOKENS, Pair, PairEncoder, Place, answer_in_batches
from albert.text.sequences import EncodedPair, pad_batch
from tokenization import FullTokenizer, check_vocab_size

TENSORFLOW, TFLITE = ENGINES = ("tensorflow", "tflite")
BATCH_SIZE = 128
_CHECKPOINT = "tensorflow"  # the format of an export that is a model folder, as fine-tuning makes it
# The formats of the other exports, by the engine that opens them.
_EXPORTS = {"tflite": TFLITE, "frozen": TENSORFLOW, "savedmodel": TENSORFLOW}
_VOCABULARY = "vocab.txt"


class ModelFiles(NamedTuple):
    """Where a fine-tuned model stands.

    Attributes:
      checkpoint: prefix of the weights; of an export its folder.
      vocab_file: path of the vocabulary.
      labels: label strings in the order of their ids.
      config_file: path of the model's configuration; None in an export, which has it inside.
      do_lower_case: whether text is lower-cased.
      max_seq_length: longer rows are cut.
      is_sentencepiece: whether vocab_file is a sentencepiece model.
      export_format: the format of an export; None for a checkpoint.
      model_config: the configuration of an export's model.
    """

    checkpoint: str
    vocab_file: str
    labels: Tuple[str, ...]
    config_file: Optional[str] = None
    do_lower_case: bool = True
    max_seq_length: int = 128
    is_sentencepiece: bool = False
    export_format: Optional[str] = None
    model_config: Optional[Dict[str, Any]] = None

    def tokenizer(self) -> FullTokenizer:
        """What makes the model's tokens."""
        is_model = self.is_sentencepiece
        return FullTokenizer(
            None if is_model else self.vocab_file, self.do_lower_case, self.vocab_file if is_model else None
        )


class Predictions(NamedTuple):
    """What a model says of n rows.

    Attributes:
      labels: the most probable label of each row.
      scores: float32 [n], its probability.
      probabilities: float32 [n, labels], of all labels.
    """

    labels: List[str]
    scores: np.ndarray
    probabilities: np.ndarray


def find_model(folder: str) -> Optional[ModelFiles]:
    """The model of an export, or of a folder that fine-tuning made: its best one, else its last.

    Returns:
      None where nothing describes a model.

    Raises:
      UserError: what is described is no model that can answer, or holds no weights.
    """
    if os.path.exists(os.path.join(folder, EXPORT_DESCRIPTION_FILE)):
        export = _read_export(folder)
        if export["format"] != _CHECKPOINT:
            return _find_export(folder, export)
    from albert.checkpoints.description import BEST_FOLDER, read_description
    from albert.checkpoints.files import find_checkpoint

    for place in (os.path.join(folder, BEST_FOLDER), folder):
        description = read_description(place)
        if description is not None:
            return ModelFiles(
                checkpoint=find_checkpoint(place),
                config_file=os.path.join(place, description.config_file),
                vocab_file=os.path.join(place, description.vocab_file),
                labels=description.labels,
                do_lower_case=description.do_lower_case,
                max_seq_length=description.max_seq_length,
                is_sentencepiece=description.is_sentencepiece,
            )
    return None


def _read_export(folder: str) -> Dict[str, Any]:
    """What an export says of itself, its format and head among it."""
    path = os.path.join(folder, EXPORT_DESCRIPTION_FILE)
    try:
        with open(path, encoding="utf-8") as file:
            description = json.load(file)
        return dict(description, format=description["format"], head=description["head"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("{} is no description of an export: {}".format(path, error)) from error


def _find_export(folder: str, description: Dict[str, Any]) -> ModelFiles:
    export_format, head = description["format"], description["head"]
    if export_format not in _EXPORTS:
        raise UserError(
            "{} is an export as {}, which no engine here opens: export as {}".format(
                folder, export_format, ", ".join(sorted(_EXPORTS))
            )
        )
    if head != "classifier":
        raise UserError("the export {} cannot answer: it has the head {}, no fine-tuned one".format(folder, head))
    vocabulary = os.path.join(folder, _VOCABULARY)
    models = [name for name in sorted(os.listdir(folder)) if name.endswith(".model")]
    is_sentencepiece = not os.path.exists(vocabulary) and len(models) == 1
    return ModelFiles(
        checkpoint=folder,
        vocab_file=os.path.join(folder, models[0]) if is_sentencepiece else vocabulary,
        labels=tuple(description["labels"]),
        do_lower_case=description["do_lower_case"],
        max_seq_length=description["max_seq_length"],
        is_sentencepiece=is_sentencepiece,
        export_format=export_format,
        model_config=description["model_config"],
    )


class Predictor:
    """Answers with the probabilities of the labels. Safe to call from several threads."""

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
          gpu_memory_fraction: the share of a GPU's memory that may be taken.

        Raises:
          UserError: a file is missing or does not fit, the checkpoint holds no fine-tuned head, or the engine does not
            open such files or is not installed.
        """
        self.labels = files.labels
        self._batch_size = batch_size
        self._max_batch_tokens = max_batch_tokens
        tokenizer = files.tokenizer()
        self.tokenizer = tokenizer
        self.engine_name = engine or _engine_of(files)
        opened = _open(files, tokenizer, self.engine_name, graph_file, gpu_memory_fraction)
        self._engine = opened.engine
        self.max_seq_length = min(
            files.max_seq_length, opened.max_positions, self._engine.seq_length or files.max_seq_length
        )
        self._encoder = PairEncoder(tokenizer, self.max_seq_length)
        self._pad_id = tokenizer.pad_id

    @property
    def concurrency(self) -> int:
        """The number of threads from which it is asked with profit."""
        return self._engine.concurrency

    @property
    def gains_from_batches(self) -> bool:
        """Whether many rows at once take less than one by one."""
        return self._engine.gains_from_batches

    def predict(self, pairs: Sequence[Pair], symmetric: bool = False, place: Place = "row {}".format) -> np.ndarray:
        """The probabilities, float32 [n, labels], of n rows in their order.

        Args:
          pairs: (text_a, text_b), or (text_a, None) for a single text.
          symmetric: give the mean of both orders of a pair: a model tells the first text from the second.
          place: what messages call a row, by its number from 1.

        Raises:
          UserError: a row that is no text or pair of texts, or holds nothing that can be read.
        """
        rows = self._encoder.encode(pairs, place)
        if not rows:
            return np.zeros([0, len(self.labels)], np.float32)
        swapped = [number for number, pair in enumerate(pairs) if symmetric and pair[1] is not None]
        rows += self._encoder.encode([(pairs[number][1], pairs[number][0]) for number in swapped])
        probabilities = self._answer(rows)
        if swapped:
            probabilities[swapped] = (probabilities[swapped] + probabilities[len(pairs) :]) / 2
        return probabilities[: len(pairs)]

    def classify(self, pairs: Sequence[Pair], symmetric: bool = False) -> Predictions:
        """Labels, scores and probabilities; arguments and errors are those of `predict`."""
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
    """The predictor of a fine-tuned folder or of an export.

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
        raise UserError(
            "{} cannot answer: {}".format(
                path,
                "nothing says what its labels mean: name a folder that {} filled".format(
                    model.family.classification_runner
                )
                if model.num_labels
                else "its model has no fine-tuned head; fine-tune it with {} first".format(
                    model.family.classification_runner
                ),
            )
        )
    return Predictor(files, engine=engine, **options)


def _engine_of(files: ModelFiles) -> str:
    return _EXPORTS[files.export_format] if files.export_format else TENSORFLOW


class _Opened(NamedTuple):
    engine: Any
    max_positions: int


def _open(
    files: ModelFiles, tokenizer: FullTokenizer, engine: str, graph_file: Optional[str], gpu_memory_fraction: float
) -> _Opened:
    if engine != _engine_of(files):
        raise UserError(
            "the engine {} does not open {}, which is {}: `python export_model.py --checkpoint=FOLDER --format={} "
            "--output_dir=OUT` makes what it opens".format(
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
    if engine == TFLITE:
        from albert.inference import engine_tflite

        return _Opened(engine_tflite.TfliteEngine(files.checkpoint), config["max_position_embeddings"])
    from albert.inference import engine_tensorflow

    opened = engine_tensorflow.open_export(
        files.checkpoint, files.export_format, gpu_memory_fraction=gpu_memory_fraction
    )
    return _Opened(opened, config["max_position_embeddings"])


def _open_checkpoint(
    files: ModelFiles, tokenizer: FullTokenizer, graph_file: Optional[str], gpu_memory_fraction: float
) -> _Opened:
    from albert.checkpoints.model import open_checkpoint
    from albert.inference import engine_tensorflow

    model = open_checkpoint(files.checkpoint, files.config_file)
    check_vocab_size(tokenizer, model.config.vocab_size, files.config_file or "the config")
    engine = engine_tensorflow.open_checkpoint(
        model, len(files.labels), graph_file=graph_file, gpu_memory_fraction=gpu_memory_fraction
    )
    return _Opened(engine, model.config.max_position_embeddings)
