"""Loaded model of the service: the questions that it answers, and why it refuses the others."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.inference.engines import EngineOptions, check_engine
from albert.inference.model_files import TENSORFLOW, TFLITE, ModelFiles, find_model
from albert.inference.predictor import Predictor
from albert.inference.text_model import TextModel
from albert.inference.vector_model import VectorModel, load_vectors
from albert.model.outputs import CLASSIFIER, MASKED_LM, SENTENCE_VECTOR
from tokenization import MASK_TOKEN, FullTokenizer

SIMILARITY, CLASSIFY, EMBED, FILL_MASK, SEARCH = QUESTIONS = ("similarity", "classify", "embed", "fill-mask", "search")
PAIRS = "pairs"
MODELS = {
    SIMILARITY: PAIRS,
    CLASSIFY: PAIRS,
    EMBED: EMBED,
    FILL_MASK: FILL_MASK,
    SEARCH: SEARCH,
}  # the model for each question
PROBABILITY, COSINE = "probability", "cosine"  # what the score of SIMILARITY is
_NO_INDEX = "no index is served: `python search.py index` builds one, and `serve.py --index=FOLDER` serves it"
_SPECIAL_TOKENS = 3  # of a pair
_OWN_VECTORS = "the model's own sentence vectors, as its export.json defines them"


class NumberedRow(NamedTuple):
    """Row of a request.

    Attributes:
      number: from 1, which messages name.
      content: a pair (text_a, text_b or None), or a text.
    """

    number: int
    content: Any


# Rows and the options that all of them share -> an answer for each, in order.
Answer = Callable[[Sequence[NumberedRow], Any], Sequence[Any]]


class ServedModel(NamedTuple):
    """Loaded model.

    Attributes:
      answers: the functions that answer rows, by PAIRS, EMBED, FILL_MASK and SEARCH; their options are whether both
        orders of a pair are averaged, None, the number of candidates and that of lines.
      refusals: the reason, for each question that the model cannot answer.
      labels: of a fine-tuned model; empty without one.
      engine: the name of the engine.
      tokenizer: the model's.
      max_seq_length: tokens of a row of PAIRS, else of EMBED.
      closers: functions that free the model.
      concurrency: batches that it answers faster in parallel than one by one.
      gains_from_batches: whether the rows of a batch take less time than one by one.
      similar_id: the place of the score in an answer to a pair, where it answers SIMILARITY: the id of the label of
        similar pairs.
      score: what that score is, PROBABILITY or COSINE.
      vector: what an answer to EMBED is, in words.
    """

    answers: Dict[str, Answer]
    refusals: Dict[str, str]
    labels: Tuple[str, ...]
    engine: str
    tokenizer: FullTokenizer
    max_seq_length: int
    closers: Tuple[Callable[[], None], ...] = ()
    concurrency: int = 1
    gains_from_batches: bool = True
    similar_id: int = 1
    score: str = PROBABILITY
    vector: str = ""

    @property
    def refused(self) -> Dict[str, str]:
        """The reason, for each question that is not answered: the refusals, and that of SEARCH without an index."""
        return self.refusals if SEARCH in self.answers else dict(self.refusals, **{SEARCH: _NO_INDEX})

    def close(self) -> None:
        """Frees the model."""
        for close in self.closers:
            close()


def open_served_model(path: str, *, engine: Optional[str], batch_size: int, **encoder_files: Any) -> ServedModel:
    """Loads the model of a folder, with everything that it can answer.

    Args:
      path: a folder that fine-tuning or the training of sentence vectors wrote, an export of it, or a pre-trained
        checkpoint.
      engine: one of model_files.ENGINES; by default the one that opens the folder.
      batch_size: rows in one pass.
      **encoder_files: see `encoder_model.open_encoder`.

    Raises:
      UserError: there is no model, or it cannot be loaded.
    """
    files = find_model(path)
    if files is None and engine == TFLITE:
        raise UserError("the engine {} opens no pre-trained checkpoint such as {}: leave it out".format(engine, path))
    if files and files.head == SENTENCE_VECTOR:
        model = _vectors(path, files, engine, batch_size, encoder_files)
    elif files:
        model = _fine_tuned(path, files, engine, batch_size, encoder_files)
    else:
        model = _checkpoint(path, None, batch_size, encoder_files)
    _warm_up(model)
    _give_memory_back()
    return model


def _fine_tuned(
    path: str, files: ModelFiles, engine: Optional[str], batch_size: int, encoder_files: Dict[str, Any]
) -> ServedModel:
    loaded = Predictor(files, engine=engine, batch_size=batch_size)
    refusals, similar_id = _similarity_of(files)
    model = _export(loaded) if files.export_format else _checkpoint(path, loaded, batch_size, encoder_files)
    return model._replace(refusals=dict(model.refusals, **refusals), similar_id=similar_id)


def _vectors(
    path: str, files: ModelFiles, engine: Optional[str], batch_size: int, encoder_files: Dict[str, Any]
) -> ServedModel:
    check_engine(files, engine)
    if not files.export_format:
        return _checkpoint(path, None, batch_size, encoder_files)
    loaded = load_vectors(files, EngineOptions(engine), batch_size=batch_size)
    only_vectors = (
        "an export of sentence vectors answers only /similarity and /embed: serve the checkpoint that it was made from"
    )
    return _alone(
        loaded,
        answers={EMBED: _embedding(loaded), PAIRS: _cosines(loaded)},
        refusals={CLASSIFY: only_vectors, FILL_MASK: only_vectors},
        labels=(),
        engine=files.engine,
        similar_id=0,
        score=COSINE,
        vector=_OWN_VECTORS,
    )


def _embedding(model: VectorModel) -> Answer:
    return _numbered(lambda texts, _, place: model.embed(texts, place))


def _cosines(model: VectorModel) -> Answer:
    """Answers pairs with one number each; a cosine has no order, so that the option means nothing."""
    return _numbered(lambda pairs, _, place: model.cosines(pairs, place)[:, np.newaxis])


def _export(loaded: Predictor) -> ServedModel:
    only_pairs = "an export answers only /classify and /similarity: serve the checkpoint that it was made from"
    return _alone(
        loaded,
        answers={PAIRS: _numbered(loaded.predict)},
        refusals={EMBED: only_pairs, FILL_MASK: only_pairs},
        labels=tuple(loaded.labels),
        engine=loaded.engine_name,
    )


def _alone(loaded: TextModel, **values: Any) -> ServedModel:
    """The served model of an export, which answers all questions that it has answers to; the other values are given."""
    return ServedModel(
        tokenizer=loaded.tokenizer,
        max_seq_length=loaded.max_seq_length,
        closers=(loaded.close,),
        concurrency=loaded.concurrency,
        gains_from_batches=loaded.gains_from_batches,
        **values,
    )


def _checkpoint(path: str, loaded: Optional[Predictor], batch_size: int, encoder_files: Dict[str, Any]) -> ServedModel:
    # They need TensorFlow, which an export may do without.
    from albert.inference.embeddings import Embedder
    from albert.inference.encoder_model import open_encoder
    from albert.inference.fill_mask import FillMask

    source = open_encoder(path, **encoder_files)
    embedder = Embedder(source, batch_size=batch_size)
    has_cosines = loaded is None and source.model.lack_of(SENTENCE_VECTOR) is None
    answers = {EMBED: _embedding(embedder)}
    closers = [embedder.close]
    refusals = {}
    lack = source.model.lack_of(MASKED_LM)
    if lack is None:
        filler = FillMask(source, batch_size=batch_size)
        answers[FILL_MASK] = _numbered(filler.fill)
        closers.append(filler.close)
    else:
        refusals[FILL_MASK] = "the model has {}: serve a pre-trained one".format(lack)
    if loaded is None:
        reason = source.model.lack_of(CLASSIFIER) or "no description of its labels"
        refused = "the model has {}: serve a folder of fine-tuning".format(reason)
        refusals.update({CLASSIFY: refused} if has_cosines else {SIMILARITY: refused, CLASSIFY: refused})
    else:
        answers[PAIRS] = _numbered(loaded.predict)
        closers.append(loaded.close)
    if has_cosines:
        answers[PAIRS] = _cosines(embedder)
    return ServedModel(
        answers=answers,
        refusals=refusals,
        labels=tuple(loaded.labels) if loaded else (),
        engine=TENSORFLOW,
        tokenizer=source.tokenizer,
        max_seq_length=(loaded or embedder).max_seq_length,
        closers=tuple(closers),
        similar_id=0 if has_cosines else 1,
        score=COSINE if has_cosines else PROBABILITY,
        vector=embedder.definition,
    )


def with_search(model: ServedModel, searcher: Any) -> ServedModel:
    """Returns a model that answers SEARCH, too.

    Args:
      model: the loaded model.
      searcher: a `Searcher`, which the model closes.
    """
    answer = _numbered(searcher.search)
    answer([NumberedRow(1, "a")], 1)  # the first answer is slow
    answers = dict(model.answers, **{SEARCH: answer})
    return model._replace(answers=answers, closers=model.closers + (searcher.close,))


def _numbered(answer: Callable[..., Any]) -> Answer:
    """Returns a function for numbered rows, of one that takes rows, options and a function that names a row."""

    def answer_numbered(rows: Sequence[NumberedRow], options: Any) -> Sequence[Any]:
        return answer([row.content for row in rows], options, lambda place: "row {}".format(rows[place - 1].number))

    return answer_numbered


def _similarity_of(files: ModelFiles) -> Tuple[Dict[str, str], int]:
    """The refusal of SIMILARITY, if any, and the id of the label of similar pairs."""
    name = os.path.basename(files.description_file or "")  # without its folder: clients read the message
    try:
        return {}, files._replace(description_file=name).similar_id()
    except UserError as error:
        return {SIMILARITY: "{}; use /classify".format(error)}, 1


def _warm_up(model: ServedModel) -> None:
    """Answers one row of each kind, since the first answer of a graph is slow."""
    for name, content, options in ((PAIRS, ("a", "a"), False), (EMBED, "a", None), (FILL_MASK, MASK_TOKEN, 1)):
        if name in model.answers:
            model.answers[name]([NumberedRow(1, content)], options)


def _give_memory_back() -> None:
    """Returns the memory that loading took to the system; glibc would keep it (200 MB beside TensorFlow 2.15)."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def tokens_of(row: NumberedRow) -> int:
    """Estimates the tokens of a row; there are hardly ever more."""
    if isinstance(row.content, str):
        return len(row.content) + _SPECIAL_TOKENS
    return sum(len(text) for text in row.content if text is not None) + _SPECIAL_TOKENS
