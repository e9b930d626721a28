"""Command predict.py: answers the rows of a file, into a file or on the screen, or typed lines."""

from __future__ import annotations

import functools
import itertools
import json
import logging
from typing import Any, Callable, Dict, Iterator, Optional, Sequence, Tuple

from albert.base.console import typed_line
from albert.base.errors import UserError
from albert.base.terminal import say
from albert.files.complete import CompleteFile
from albert.files.plain_text import is_blank
from albert.inference.asked_rows import PAIR, QUESTION, TEXT, TEXT_OR_PAIR, AskedFile, AskedRow, open_rows
from albert.inference.open_model import OpenModel
from albert.inference.predictions import PREDICTIONS, Prediction, PredictOptions, Values
from albert.tasks.columns import Column
from albert.tasks.delimited_rows import COMMA, TAB

_log = logging.getLogger(__name__)

_CHUNK_ROWS = 1000  # of a file that are answered at a time

Answered = Iterator[Tuple[AskedRow, Values]]


def predict_file(
    model: OpenModel,
    ability: str,
    input_file: str,
    output_file: Optional[str],
    options: PredictOptions = PredictOptions(),  # noqa: B008 (immutable)
    columns: Sequence[Column] = (),
) -> None:
    """Answers the rows of a file, into a file or on the screen.

    Labels and scores of a table become more columns of it; all other answers are JSON lines.

    Args:
      model: has the ability.
      ability: one of `open_model.ABILITIES`.
      input_file: see `asked_rows.open_rows`.
      output_file: complete or absent; None for the screen.
      options: see `PredictOptions`.
      columns: see `asked_rows.open_rows`.

    Raises:
      UserError: a row cannot be read or answered; then no file is written.
    """
    model.check(ability)
    prediction = PREDICTIONS[ability]
    file = open_rows(input_file, prediction.shape, columns)
    answered = _answered(model, prediction, file, options)
    first = next(answered, None)
    if first is None:
        raise UserError("{} is empty: it holds no row to answer".format(input_file))
    answered = itertools.chain([first], answered)
    if output_file:
        count = _write(prediction, file, answered, output_file)
        _log.info("%s holds the answers to %s rows.", output_file, format(count, ","))
        return
    for row, values in answered:
        say(prediction.lines(row.texts, values))


def _answered(model: OpenModel, prediction: Prediction, file: AskedFile, options: PredictOptions) -> Answered:
    while True:
        chunk = list(itertools.islice(file.rows, _CHUNK_ROWS))
        if not chunk:
            return
        place = functools.partial(_place_of, chunk)
        yield from zip(chunk, prediction.answer(model, [row.texts for row in chunk], options, place))


def _place_of(rows: Sequence[AskedRow], number: int) -> str:
    return rows[number - 1].place


def _write(prediction: Prediction, file: AskedFile, answered: Answered, output_file: str) -> int:
    """Writes a line for each row, and the header of a table that has one; returns the number of rows."""
    is_table, count = prediction.is_tabular and not file.is_json, 0
    with CompleteFile(output_file) as output:
        for row, values in answered:
            if is_table and not count and file.header is not None:
                output.write(_line([file.header, *values], file.separator))
            output.write(_table_line(file, row, values) if is_table else _json_line(prediction, count, row, values))
            count += 1
    return count


def _table_line(file: AskedFile, row: AskedRow, values: Values) -> bytes:
    return _line([row.content, *map(_cell(file.separator), values.values())], file.separator)


def _json_line(prediction: Prediction, number: int, row: AskedRow, values: Values) -> bytes:
    return _line([json.dumps(_described(prediction, number, row, values), ensure_ascii=False)], "")


def _line(cells: Sequence[str], separator: str) -> bytes:
    return (separator.join(cells) + "\n").encode("utf-8", "replace")


def _cell(separator: str) -> Callable[[Any], str]:
    """Returns the function that writes a value as a cell."""

    def write(value: Any) -> str:
        if isinstance(value, float):
            return "{:.6f}".format(value)
        text = "|".join(value) if isinstance(value, list) else str(value)
        return '"{}"'.format(text.replace('"', '""')) if separator == COMMA and any(c in text for c in ',"') else text

    return write


def _described(prediction: Prediction, number: int, row: AskedRow, values: Values) -> Values:
    """The answer to a row with what tells the row: its values, else its number from 0 and its text or question."""
    if row.values is not None:
        return dict(row.values if "id" in row.values else dict({"id": number}, **row.values), **values)
    name = "question" if prediction.shape == QUESTION else "text"
    return dict({"id": number, name: row.texts[0]}, **values)


def prompt(model: OpenModel, ability: str, options: PredictOptions = PredictOptions()) -> None:  # noqa: B008
    """Reads rows from the keyboard and answers them until an empty line or the end; a bad row costs a message."""
    model.check(ability)
    for texts in _TYPED[PREDICTIONS[ability].shape]():
        try:
            show_row(model, ability, texts, options)
        except UserError as error:
            _log.info("error: %s", error)


def show_row(model: OpenModel, ability: str, texts: Tuple[str, ...], options: PredictOptions) -> None:
    """Answers one row on the screen."""
    model.check(ability)
    prediction = PREDICTIONS[ability]
    for values in prediction.answer(model, [texts], options, lambda number: "the row"):
        say(prediction.lines(texts, values))


def _typed_texts() -> Iterator[Tuple[str, ...]]:
    while True:
        text = typed_line("text: ")
        if is_blank(text):
            return
        yield (text,)


def _typed_texts_or_pairs() -> Iterator[Tuple[str, ...]]:
    while True:
        text = typed_line("text, or two texts with a tab between them: ")
        if is_blank(text):
            return
        yield tuple(text.split(TAB)[:2])


def _typed_pairs() -> Iterator[Tuple[str, ...]]:
    while True:
        first = typed_line("first text: ")
        if is_blank(first):
            return
        cells = first.split(TAB)
        yield (cells[0], cells[1]) if len(cells) > 1 else (first, typed_line("second text: "))


def _typed_questions() -> Iterator[Tuple[str, ...]]:
    """Yields questions on a context until an empty one, then asks for another context."""
    while True:
        context = typed_line("context: ")
        if is_blank(context):
            return
        while True:
            question = typed_line("question: ")
            if is_blank(question):
                break
            yield (question, context)


_TYPED: Dict[str, Callable[[], Iterator[Tuple[str, ...]]]] = {
    TEXT: _typed_texts,
    PAIR: _typed_pairs,
    TEXT_OR_PAIR: _typed_texts_or_pairs,
    QUESTION: _typed_questions,
}
