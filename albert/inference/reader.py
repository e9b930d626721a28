"""Reader: a model that run_mrc.py fine-tuned, loaded once, that answers questions with a span of a context.

    with reader.open_reader("cmrc2018_checkpoints") as model:
        model.answer([("谁写了《红楼梦》？", "《红楼梦》是清代作家曹雪芹的长篇小说。")])

The model is a folder that run_mrc.py filled, or an export of one. Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.base.sentences import Sentence
from albert.inference.context_windows import NUM_SPECIAL, WindowSettings, windows_of
from albert.inference.fine_tuned_model import FineTunedModel, find_fine_tuned
from albert.inference.model_files import ModelFiles
from albert.inference.span_reading import Span, SpanSettings, best_spans, probabilities_of
from albert.inference.text_batches import Place, check_text, nothing_to_read, shown
from albert.model.outputs import SPANS
from albert.tasks.mrc_rows import Question
from albert.tasks.registry import READER

DOC_STRIDE, MAX_QUERY_LENGTH, MAX_ANSWER_LENGTH = 128, 64, 50  # where neither flags nor description say otherwise
NUM_COMPARED = 20  # answers of a question among which probabilities are shared

AskedQuestion = Tuple[str, str]  # the question and the context that contains its answer


class FoundAnswer(NamedTuple):
    """Answer that was found in a context.

    Attributes:
      text: its characters.
      start, end: its place [start, end) in the context, in characters.
      score: its probability among the best answers of the question, 0 to 1.
    """

    text: str
    start: int
    end: int
    score: float


class Reader(FineTunedModel):
    """Answers questions. Safe to call from several threads.

    Attributes:
      settings: how contexts are cut into windows.
      max_answer_length: the most tokens of an answer.
    """

    head = SPANS

    def __init__(self, files: ModelFiles, **options: Any) -> None:
        """Loads the model; arguments and errors are those of `FineTunedModel`."""
        super().__init__(files, **options)
        self.settings = _window_settings(files, self.max_seq_length)
        self.max_answer_length = files.max_answer_length or MAX_ANSWER_LENGTH

    def answer(
        self, questions: Sequence[AskedQuestion], n_best: int = 1, place: Place = "row {}".format
    ) -> List[List[FoundAnswer]]:
        """Returns the best answers to each question, the best first: at most `n_best`, at least one.

        A context that is too long for one sequence is read in windows. An empty question is answered from the context
        alone.

        Args:
          questions: (question, context). Those on the same context stand best together: it is tokenized once.
          n_best: the most answers of a question.
          place: what messages call a question, by its number from 1.

        Raises:
          UserError: a value is not a question with its context, or a context holds nothing that can be read.
        """
        rows = [_question(question, place(number)) for number, question in enumerate(questions, start=1)]
        windows = list(windows_of(rows, self.tokenizer, self.settings))
        for window in windows:
            if not window.spans:
                raise nothing_to_read(Sentence("context"), place(1 + window.question))
        answers = self._answer_tokens([window.encoded for window in windows])
        kept = SpanSettings(self.max_answer_length, max(n_best, NUM_COMPARED))
        found = best_spans(windows, answers, len(rows), kept)
        return [list(_answers(row.context, spans))[:n_best] for row, spans in zip(rows, found)]


def _window_settings(files: ModelFiles, max_seq_length: int) -> WindowSettings:
    """How contexts are cut: as the description says, as far as sequences leave room."""
    settings = WindowSettings(
        max_seq_length, files.doc_stride or DOC_STRIDE, files.max_query_length or MAX_QUERY_LENGTH
    )
    if settings.shortest <= max_seq_length:
        return settings
    return fitting_windows(settings, files.checkpoint)


def fitting_windows(settings: WindowSettings, path: str) -> WindowSettings:
    """Windows of an export of shorter sequences than training had: shorter questions, strides that overlap.

    Raises:
      UserError: a sequence is too short for a question.
    """
    if settings.shortest > settings.max_seq_length:
        half = (settings.max_seq_length - NUM_SPECIAL) // 2
        if half < 1:
            raise UserError("{} reads {} tokens, too few for a question".format(path, settings.max_seq_length))
        settings = settings._replace(max_query_length=half)
    room = settings.max_seq_length - NUM_SPECIAL - settings.max_query_length
    if settings.doc_stride >= room:  # without an overlap, answers would be cut
        settings = settings._replace(doc_stride=max(1, room // 2))
    return settings


def _question(asked: AskedQuestion, place: str) -> Question:
    if not isinstance(asked, (tuple, list)) or len(asked) != 2:
        raise UserError("{} is {}: give questions (question, context)".format(place, shown(asked)))
    question, context = asked
    check_text(question, "the question of " + place)
    check_text(context, "the context of " + place)
    if not context.strip():
        raise UserError(Sentence("the context of {} is empty", place))
    return Question(place, question, context, ())


def _answers(context: str, spans: Sequence[Span]) -> Iterator[FoundAnswer]:
    for span, probability in zip(spans, probabilities_of(spans)):
        yield FoundAnswer(context[span.start : span.end], span.start, span.end, probability)


def open_reader(path: str, engine: Optional[str] = None, **options: Any) -> Reader:
    """Opens the reader of a folder that run_mrc.py filled, or of an export.

    Args:
      path: the folder.
      engine: one of ENGINES; by default the one that opens it.
      **options: see `FineTunedModel`.

    Raises:
      UserError: there is no such model, or it cannot be loaded.
    """
    return Reader(find_fine_tuned(path, READER), engine=engine, **options)
