"""Loaded model of the service: the questions that it answers, and why it refuses the others."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.base.sentences import Sentence
from albert.inference.engines import EngineOptions, lightest
from albert.inference.model_files import TENSORFLOW, ModelFiles, find_model
from albert.inference.predictor import Predictor
from albert.inference.reader import Reader
from albert.inference.tagger import Tagger
from albert.inference.text_model import TextModel
from albert.inference.vector_model import VectorModel, load_vectors
from albert.model.outputs import CLASSIFIER, MASKED_LM, SENTENCE_VECTOR, SPANS, TAGS
from albert.serving.about import About, read_about
from albert.serving.batches import Size
from albert.serving.sizes import long_size, pair_size, tagged_size, windows_size
from albert.text.long_texts import WINDOWS
from tokenization import MASK_TOKEN, FullTokenizer

SIMILARITY, CLASSIFY, NER, MRC, EMBED, FILL_MASK, SEARCH = QUESTIONS = (
    "similarity", "classify", "ner", "mrc", "embed", "fill-mask", "search"
)  # fmt: skip
TOKENS = "tokens"  # a question that needs no model
PAIRS = "pairs"
MODELS = {
    SIMILARITY: PAIRS,
    CLASSIFY: PAIRS,
    NER: TAGS,
    MRC: SPANS,
    EMBED: EMBED,
    FILL_MASK: FILL_MASK,
    SEARCH: SEARCH,
}  # the model for each question
PROBABILITY, COSINE = "probability", "cosine"  # what the score of SIMILARITY is
_NO_INDEX = "no index is served: `python search.py index` builds one, and `serve.py --index=FOLDER` serves it"
_NO_LABELS = "a model of sentence vectors has no labels: serve a folder of fine-tuning"
_POOLED_VECTORS = "the mean of the last layer but one over all tokens, which was not trained for similarity"
_NO_TAGS = "the model does not tag texts: serve a folder that run_ner.py filled, or an export of one"
_NO_SPANS = "the model does not answer questions on a text: serve a folder that run_mrc.py filled, or an export of one"
_NO_CLASSES = "the model does not classify: serve a folder of fine-tuning"
_ONLY_FINE_TUNED = "the engine answers only from the fine-tuned head: --engine=tensorflow serves all heads of the model"
# Unless the model has an answer, or says more.
_REASONS = {
    SIMILARITY: _NO_CLASSES,
    CLASSIFY: _NO_CLASSES,
    NER: _NO_TAGS,
    MRC: _NO_SPANS,
    EMBED: _ONLY_FINE_TUNED,
    FILL_MASK: _ONLY_FINE_TUNED,
    SEARCH: _NO_INDEX,
}
_OWN_VECTORS = "the model's own sentence vectors, as its export.json defines them"


class NumberedRow(NamedTuple):
    """Row of a request.

    Attributes:
      number: from 1, which messages name.
      content: a pair (text_a, text_b or None), a question (question, context), or a text.
    """

    number: int
    content: Any


# Rows and the options that all of them share -> an answer for each, in order.
Answer = Callable[[Sequence[NumberedRow], Any], Sequence[Any]]


class ServedModel(NamedTuple):
    """Loaded model.

    Attributes:
      answers: the functions that answer rows, by the values of MODELS; their options are, for PAIRS whether both orders
        of a pair are averaged, for SPANS, FILL_MASK and SEARCH the number of answers, else None.
      refusals: the reason, for each question that the model cannot answer.
      labels: of a model that classifies; empty for others.
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
      types: of the entities that it finds.
      thresholds: of a model of several labels a row: the least probability of each label; None for others.
      sizes: functions that estimate the size of a row, by the names of answers; by default a row is one sequence.
      about: what people want to know of it.
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
    types: Tuple[str, ...] = ()
    thresholds: Optional[Tuple[float, ...]] = None
    sizes: Dict[str, Callable[[NumberedRow], Size]] = {}
    about: About = About()

    @property
    def refused(self) -> Dict[str, str]:
        """The reason, for each question that is not answered: the refusals, and what needs another kind of model."""
        lacking = {name: why for name, why in _REASONS.items() if MODELS[name] not in self.answers}
        return dict(lacking, **self.refusals)

    @property
    def answered(self) -> List[str]:
        """The questions that are answered."""
        return [question for question in QUESTIONS if question not in self.refused]

    def size_of(self, name: str) -> Callable[[NumberedRow], Size]:
        """Returns the function that estimates the size of a row, by the name of its answer."""
        return self.sizes.get(name, whole_size)

    def close(self) -> None:
        """Frees the model."""
        for close in self.closers:
            close()


def open_served_model(path: str, *, engine: Optional[str], batch_size: int, **encoder_files: Any) -> ServedModel:
    """Loads the model of a folder, with everything that it can answer.

    Args:
      path: a folder that fine-tuning or the training of sentence vectors wrote, an export of it, or a pre-trained
        checkpoint.
      engine: one of model_files.ENGINES; by default the lightest that opens the folder.
      batch_size: rows in one pass.
      **encoder_files: see `encoder_model.open_encoder`.

    Raises:
      UserError: there is no model, or it cannot be loaded.
    """
    files = find_model(path)
    if files is None and engine not in (None, TENSORFLOW):
        raise UserError("the engine {} opens no pre-trained checkpoint such as {}: leave it out".format(engine, path))
    if files is None:
        model = _encoder(path, batch_size, encoder_files)
    else:
        model = _described(path, files, lightest(files, engine), batch_size, encoder_files)
    _warm_up(model)
    if files and not files.export_format and EMBED not in model.answers:
        model = _with_vectors_later(model, path, batch_size, encoder_files)
    _give_memory_back()
    return model._replace(about=_about(path, files))


def _about(path: str, files: Optional[ModelFiles]) -> About:
    if files is None:
        return read_about(path, path if os.path.isdir(path) else os.path.dirname(path))
    return read_about(path, os.path.dirname(files.description_file or ""), files.model_config)


def _described(
    path: str, files: ModelFiles, opened: ModelFiles, batch_size: int, encoder_files: Dict[str, Any]
) -> ServedModel:
    """The model of a folder or export; `opened` are the files of its lightest engine."""
    if opened.export_format:
        model = _LOADERS[opened.head](opened, batch_size)
        return model if opened is not files else _export(model)
    if files.head == SENTENCE_VECTOR:
        return _encoder(path, batch_size, encoder_files)
    return _fine_tuned(path, files, batch_size, encoder_files)


def _export(model: ServedModel) -> ServedModel:
    """The model of an export, with the reason why it answers nothing else."""
    own = [question for question in QUESTIONS if MODELS[question] in model.answers and question not in model.refusals]
    only = Sentence(
        "an export of this head answers only {}: serve the checkpoint that it was made from",
        ", ".join("/" + question for question in own),
    )
    lacking = [question for question in (EMBED, FILL_MASK) if question not in own]
    return model._replace(refusals=dict(dict.fromkeys(lacking, only), **model.refusals))


def _fine_tuned(path: str, files: ModelFiles, batch_size: int, encoder_files: Dict[str, Any]) -> ServedModel:
    """The model of a folder: its fine-tuned head, and its encoder for vectors."""
    model = _LOADERS[files.head](files, batch_size)
    encoder = _encoder(path, batch_size, encoder_files)
    answers = {name: encoder.answers[name] for name in (EMBED, FILL_MASK) if name in encoder.answers}
    answers.update(model.answers)
    refusals = {name: reason for name, reason in encoder.refusals.items() if MODELS[name] not in answers}
    return model._replace(
        answers=answers,
        refusals=dict(refusals, **model.refusals),
        closers=encoder.closers + model.closers,
        vector=encoder.vector,
    )


def _with_vectors_later(model: ServedModel, path: str, batch_size: int, encoder_files: Dict[str, Any]) -> ServedModel:
    """A model behind a light engine, whose encoder, which needs TensorFlow, is loaded once somebody wants vectors."""
    opened: List[ServedModel] = []
    lock = threading.Lock()

    def embed(rows: Sequence[NumberedRow], options: Any) -> Sequence[Any]:
        with lock:
            if not opened:
                opened.append(_encoder(path, batch_size, encoder_files))
        return opened[0].answers[EMBED](rows, options)

    def close() -> None:
        for encoder in opened:
            encoder.close()

    return model._replace(
        answers=dict(model.answers, **{EMBED: embed}), closers=model.closers + (close,), vector=_POOLED_VECTORS
    )


def _classifier(files: ModelFiles, batch_size: int) -> ServedModel:
    loaded = Predictor(files, engine=files.engine, batch_size=batch_size)
    refusals, similar_id = _similarity_of(files)
    is_read_whole = loaded.long_text in WINDOWS
    return _alone(
        loaded,
        answers={PAIRS: _numbered(loaded.predict)},
        refusals=refusals,
        labels=tuple(loaded.labels),
        engine=loaded.engine_name,
        similar_id=similar_id,
        thresholds=loaded.thresholds,
        sizes={PAIRS: lambda row: long_size(row.content, loaded.max_seq_length)} if is_read_whole else {},
    )


def _vectors(files: ModelFiles, batch_size: int) -> ServedModel:
    loaded = load_vectors(files, EngineOptions(files.engine), batch_size=batch_size)
    return _alone(
        loaded,
        answers={EMBED: _embedding(loaded), PAIRS: _cosines(loaded)},
        refusals={CLASSIFY: _NO_LABELS},
        labels=(),
        engine=files.engine,
        similar_id=0,
        score=COSINE,
        vector=_OWN_VECTORS,
    )


def _tagger(files: ModelFiles, batch_size: int) -> ServedModel:
    loaded = Tagger(files, engine=files.engine, batch_size=batch_size)
    return _alone(
        loaded,
        answers={TAGS: _numbered(lambda texts, _, place: loaded.tag(texts, place=place))},
        refusals={},
        labels=(),
        types=_types_of(files.labels),
        engine=loaded.engine_name,
        sizes={TAGS: lambda row: tagged_size(row.content, loaded.max_seq_length)},
    )


def _reader(files: ModelFiles, batch_size: int) -> ServedModel:
    loaded = Reader(files, engine=files.engine, batch_size=batch_size)

    def size_of(row: NumberedRow) -> Size:
        question, context = row.content
        return windows_size(question, context, *loaded.settings)

    return _alone(
        loaded,
        answers={SPANS: _numbered(lambda rows, n_best, place: loaded.answer(rows, n_best, place=place))},
        refusals={},
        labels=(),
        engine=loaded.engine_name,
        sizes={SPANS: size_of},
    )


_LOADERS = {CLASSIFIER: _classifier, SENTENCE_VECTOR: _vectors, TAGS: _tagger, SPANS: _reader}


def _embedding(model: VectorModel) -> Answer:
    return _numbered(lambda texts, _, place: model.embed(texts, place))


def _cosines(model: VectorModel) -> Answer:
    """Answers pairs with one number each; a cosine has no order, so that the option means nothing."""
    return _numbered(lambda pairs, _, place: model.cosines(pairs, place)[:, np.newaxis])


def _types_of(tags: Sequence[str]) -> Tuple[str, ...]:
    """The entity types of BIO tags, in their order."""
    return tuple(dict.fromkeys(tag.partition("-")[2] for tag in tags if "-" in tag))


def _alone(loaded: TextModel, **values: Any) -> ServedModel:
    """The served model of a loaded one, which answers all questions that it has answers to; other values are given."""
    return ServedModel(
        tokenizer=loaded.tokenizer,
        max_seq_length=loaded.max_seq_length,
        closers=(loaded.close,),
        concurrency=loaded.concurrency,
        gains_from_batches=loaded.gains_from_batches,
        **values,
    )


def _encoder(path: str, batch_size: int, encoder_files: Dict[str, Any]) -> ServedModel:
    """The encoder of a checkpoint, and its heads of masked words and of sentence vectors, where it has them."""
    # They need TensorFlow, which an export may do without.
    from albert.inference.embeddings import Embedder
    from albert.inference.encoder_model import open_encoder
    from albert.inference.fill_mask import FillMask

    source = open_encoder(path, **encoder_files)
    embedder = Embedder(source, batch_size=batch_size)
    has_cosines = source.model.lack_of(SENTENCE_VECTOR) is None
    answers, closers = {EMBED: _embedding(embedder)}, [embedder.close]
    refusals = _refusals(source.model, has_cosines)
    if FILL_MASK not in refusals:
        filler = FillMask(source, batch_size=batch_size)
        answers[FILL_MASK] = _numbered(filler.fill)
        closers.append(filler.close)
    if has_cosines:
        answers[PAIRS] = _cosines(embedder)
    return ServedModel(
        answers=answers,
        refusals=refusals,
        labels=(),
        engine=TENSORFLOW,
        tokenizer=source.tokenizer,
        max_seq_length=embedder.max_seq_length,
        closers=tuple(closers),
        similar_id=0 if has_cosines else 1,
        score=COSINE if has_cosines else PROBABILITY,
        vector=embedder.definition,
    )


def _refusals(checkpoint: Any, has_cosines: bool) -> Dict[str, str]:
    """What an encoder cannot answer, and why."""
    refusals: Dict[str, str] = {}
    lack = checkpoint.lack_of(MASKED_LM)
    if lack is not None:
        refusals[FILL_MASK] = Sentence("the model has {}: serve a pre-trained one", lack)
    reason = checkpoint.lack_of(CLASSIFIER) or Sentence("no description of its labels")
    refusals[CLASSIFY] = Sentence("the model has {}: serve a folder of fine-tuning", reason)
    if not has_cosines:
        refusals[SIMILARITY] = refusals[CLASSIFY]
    return refusals


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
        return answer([row.content for row in rows], options, lambda place: Sentence("row {}", rows[place - 1].number))

    return answer_numbered


def _similarity_of(files: ModelFiles) -> Tuple[Dict[str, str], int]:
    """The refusal of SIMILARITY, if any, and the id of the label of similar pairs."""
    name = os.path.basename(files.description_file or "")  # without its folder: clients read the message
    try:
        return {}, files._replace(description_file=name).similar_id()
    except UserError as error:
        return {SIMILARITY: Sentence("{}; use /classify", error.args[0])}, 1


def _warm_up(model: ServedModel) -> None:
    """Answers one row of each kind, since the first answer of a graph is slow."""
    rows = ((PAIRS, ("a", "a"), False), (TAGS, "a", None), (SPANS, ("a", "a"), 1), (EMBED, "a", None))
    for name, content, options in (*rows, (FILL_MASK, MASK_TOKEN, 1)):
        if name in model.answers:
            model.answers[name]([NumberedRow(1, content)], options)


def _give_memory_back() -> None:
    """Returns the memory that loading took to the system; glibc would keep it (200 MB beside TensorFlow 2.15)."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def whole_size(row: NumberedRow) -> Size:
    """Estimates the size of a row that is one sequence."""
    return pair_size((row.content,) if isinstance(row.content, str) else row.content)
