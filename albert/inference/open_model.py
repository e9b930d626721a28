"""Model of any kind, opened by its folder: it classifies, compares, tags, answers, embeds or fills masks, as it can.

    with open_model("weibo_ner_checkpoints") as model:
        model.abilities                       # ("tag", "embed")
        model.tag(["我在北京大学读书"])

The model is a folder that fine-tuning filled, a pre-trained checkpoint, or an export of either.
"""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.inference.engines import EngineOptions
from albert.inference.model_files import TENSORFLOW, ModelFiles, find_model
from albert.inference.predictor import Predictions, Predictor
from albert.inference.reader import AskedQuestion, FoundAnswer, Reader
from albert.inference.tagger import TaggedEntity, Tagger
from albert.inference.text_batches import MAX_BATCH_TOKENS, Pair, Place
from albert.inference.text_model import BATCH_SIZE
from albert.inference.vector_model import load_vectors
from albert.model.outputs import CLASSIFIER, MASKED_LM, SENTENCE_VECTOR, SPANS, TAGS

CLASSIFY, SIMILARITY, TAG, ANSWER, EMBED, FILL_MASK = ABILITIES = (
    "classify", "similarity", "tag", "answer", "embed", "fill_mask"
)  # fmt: skip
# What a model does by each ability, and where one that does comes from.
_DOES = {
    CLASSIFY: ("classify texts", "run_classifier.py trains models that do"),
    SIMILARITY: ("score pairs", "models of pairs and of sentence vectors do"),
    TAG: ("tag texts", "run_ner.py trains models that do"),
    ANSWER: ("answer questions on a text", "run_mrc.py trains models that do"),
    EMBED: ("turn texts into vectors", "the folder of a checkpoint does"),
    FILL_MASK: ("fill masks", "pre-trained checkpoints do"),
}
_OF_HEAD = {CLASSIFIER: CLASSIFY, SENTENCE_VECTOR: EMBED, TAGS: TAG, SPANS: ANSWER}


class _Options(NamedTuple):
    engine: Optional[str]
    batch_size: int
    max_batch_tokens: int
    gpu_memory_fraction: float


class OpenModel:
    """Model with the abilities that its weights have. Safe to call from several threads.

    What an ability needs is loaded when it is first used.

    Attributes:
      path: of the model.
      abilities: names among ABILITIES, that of its own head first; each is a method.
      files: of a fine-tuned model or an export; None for a pre-trained checkpoint.
    """

    def __init__(self, path: str, options: _Options) -> None:
        self.path = path
        self.files = find_model(path)
        self._options = options
        self._lock = threading.RLock()
        self._loaded: Dict[str, Any] = {}
        self._reasons: Dict[str, str] = {}
        if self.files:
            self.abilities = self._fine_tuned_abilities(self.files)
        else:
            self.abilities = self._pre_trained_abilities()

    def _fine_tuned_abilities(self, files: ModelFiles) -> Tuple[str, ...]:
        own = _OF_HEAD[files.head]
        found = [own]
        if files.head == SENTENCE_VECTOR:
            found = [SIMILARITY, EMBED]
        elif files.head == CLASSIFIER:
            try:
                files.similar_id()
                found.append(SIMILARITY)
            except UserError as error:
                self._reasons[SIMILARITY] = str(error)
        return tuple(found + [EMBED] if files.export_format is None and EMBED not in found else found)

    def _pre_trained_abilities(self) -> Tuple[str, ...]:
        if self._options.engine not in (None, TENSORFLOW):
            raise UserError(
                "the engine {} opens no pre-trained checkpoint such as {}: leave it out".format(
                    self._options.engine, self.path
                )
            )
        lack = self._encoder().model.lack_of(MASKED_LM)
        if lack:
            self._reasons[FILL_MASK] = "it has " + lack
        return (EMBED,) if lack else (FILL_MASK, EMBED)

    def classify(self, rows: Sequence[Any], symmetric: bool = False, place: Place = "row {}".format) -> Predictions:
        """Returns labels, scores and probabilities of texts or pairs of texts (see `Predictor.classify`).

        Args:
          rows: a text each, or a pair (text_a, text_b).
          symmetric: return the mean of both orders of each pair.
          place: what messages call a row, by its number from 1.

        Raises:
          UserError: the model does not classify, or a row is none.
        """
        model: Predictor = self._model(CLASSIFY)
        return model.classify(list(map(_pair, rows)), symmetric, place)

    def similarity(self, pairs: Sequence[Pair], symmetric: bool = False, place: Place = "row {}".format) -> np.ndarray:
        """Returns how similar both texts of each pair are, float32 [n]: a probability, or a cosine (`has_cosines`).

        Args:
          pairs: (text_a, text_b).
          symmetric: return the mean of both orders of each pair; a cosine has no order.
          place: what messages call a pair, by its number from 1.

        Raises:
          UserError: the model does not score pairs, or a value is no pair.
        """
        if self.has_cosines:
            return self._model(SIMILARITY).cosines(pairs, place)
        self.check(SIMILARITY)
        model: Predictor = self._model(CLASSIFY)
        return model.predict(pairs, symmetric, place)[:, self.files.similar_id() if self.files else 0]

    @property
    def has_cosines(self) -> bool:
        """Whether `similarity` is the cosine of sentence vectors, not a probability."""
        return bool(self.files and self.files.head == SENTENCE_VECTOR)

    def tag(self, texts: Sequence[str], place: Place = "row {}".format) -> List[List[TaggedEntity]]:
        """Returns the entities of each text; see `Tagger.tag`."""
        model: Tagger = self._model(TAG)
        return model.tag(texts, place)

    def answer(
        self, questions: Sequence[AskedQuestion], n_best: int = 1, place: Place = "row {}".format
    ) -> List[List[FoundAnswer]]:
        """Returns the best answers to each question (question, context); see `Reader.answer`."""
        model: Reader = self._model(ANSWER)
        return model.answer(questions, n_best, place)

    def embed(self, texts: Sequence[str], place: Place = "row {}".format) -> np.ndarray:
        """Returns the vectors of texts, float32 [n, width]: the model's own, else the mean of a layer's tokens."""
        vectors: np.ndarray = self._model(EMBED).embed(texts, place)
        return vectors

    def fill_mask(self, texts: Sequence[str], top_k: int = 5, place: Place = "row {}".format) -> List[List[List[Any]]]:
        """Returns the most probable tokens for each [MASK] of each text; see `FillMask.fill`."""
        filled: List[List[List[Any]]] = self._model(FILL_MASK).fill(texts, top_k, place)
        return filled

    def check(self, ability: str) -> None:
        """Raises `UserError` where the model lacks an ability; the sentence says what it has."""
        if ability in self.abilities:
            return
        does, others = _DOES[ability]
        raise UserError(
            "the model {} does not {}: {}; it can {}".format(
                self.path, does, self._reasons.get(ability, others), ", ".join(_DOES[own][0] for own in self.abilities)
            )
        )

    def _model(self, ability: str) -> Any:
        """The loaded model of an ability."""
        self.check(ability)
        name = EMBED if ability == SIMILARITY and self.has_cosines else ability
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = _LOADERS[name](self)
            return self._loaded[name]

    def _encoder(self) -> Any:
        from albert.inference.encoder_model import open_encoder

        with self._lock:
            if "encoder" not in self._loaded:
                self._loaded["encoder"] = open_encoder(self.path)
            return self._loaded["encoder"]

    def _fine_tuned(self, kind: Callable[..., Any]) -> Any:
        return kind(self.files, **self._options._asdict())

    def _vectors(self) -> Any:
        options = self._options
        if self.files and self.files.head == SENTENCE_VECTOR:
            engine = EngineOptions(options.engine, None, options.gpu_memory_fraction)
            sizes = {"batch_size": options.batch_size, "max_batch_tokens": options.max_batch_tokens}
            return load_vectors(self.files, engine, **sizes)
        from albert.inference.embeddings import Embedder

        return Embedder(self._encoder(), batch_size=options.batch_size)

    def _mask_filler(self) -> Any:
        from albert.inference.fill_mask import FillMask

        return FillMask(self._encoder(), batch_size=self._options.batch_size)

    def close(self) -> None:
        """Frees what was loaded."""
        with self._lock:
            for model in self._loaded.values():
                getattr(model, "close", lambda: None)()
            self._loaded = {}

    def __enter__(self) -> OpenModel:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


_LOADERS: Dict[str, Callable[[OpenModel], Any]] = {
    CLASSIFY: lambda model: model._fine_tuned(Predictor),
    TAG: lambda model: model._fine_tuned(Tagger),
    ANSWER: lambda model: model._fine_tuned(Reader),
    EMBED: lambda model: model._vectors(),
    FILL_MASK: lambda model: model._mask_filler(),
}


def _pair(row: Any) -> Any:
    return (row, None) if isinstance(row, str) else row


def open_model(
    path: str,
    engine: Optional[str] = None,
    *,
    batch_size: int = BATCH_SIZE,
    max_batch_tokens: int = MAX_BATCH_TOKENS,
    gpu_memory_fraction: float = 1.0,
) -> OpenModel:
    """Opens a model of any kind.

    Args:
      path: a folder that fine-tuning filled, an export, or a pre-trained checkpoint.
      engine: one of ENGINES; by default the one that opens it.
      batch_size, max_batch_tokens: the most rows and tokens in one pass.
      gpu_memory_fraction: the share of a GPU's memory that may be used.

    Raises:
      UserError: there is no model, or its files do not fit.
    """
    return OpenModel(path, _Options(engine, batch_size, max_batch_tokens, gpu_memory_fraction))
