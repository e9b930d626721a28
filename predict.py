"""Answers of a model on the screen or in a file: labels, similarities, entities, answers of questions, filled masks.

    python predict.py --model=weibo_ner_checkpoints                                reads texts from the keyboard
    python predict.py --model=weibo_ner_checkpoints --text=我在北京大学读书
    python predict.py --model=cmrc2018_checkpoints --text=谁写了《红楼梦》？ --context=《红楼梦》是曹雪芹的长篇小说。
    python predict.py --model=tnews_checkpoints --input_file=texts.csv --output_file=labelled.csv
    python predict.py --model=cmrc2018_checkpoints --input_file=questions.jsonl --output_file=answers.jsonl

The model is a folder that fine-tuning filled, an export, or a pre-trained checkpoint. A file holds a text in each line,
a table whose header names its columns, or JSON lines (docs/en/tasks.md). Labels and scores of a table become more
columns of it; entities and answers are JSON lines with places in characters.

From a program: open_model(FOLDER).tag(["我在北京大学读书"]).
"""

from __future__ import annotations

from typing import List, Tuple

from albert.base.errors import UsageError
from albert.base.flags import Flags, run_command
from albert.inference.asked_rows import PAIR, QUESTION, TEXT
from albert.inference.model_files import ENGINES
from albert.inference.open_model import ABILITIES, FILL_MASK, OpenModel, open_model
from albert.inference.predict_command import predict_file, prompt, show_row
from albert.inference.predictions import PREDICTIONS, PredictOptions
from albert.tasks.columns import Column
from albert.tasks.text_table import column_of

__all__ = ["open_model"]

_CANDIDATES = 5  # of a mask


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    flags = Flags()
    flags.needs("model")
    flags.group("Model")
    flags.model_location("model", None, "a folder that fine-tuning filled, an export, a checkpoint, or 'starter'")
    flags.choice("task", None, ABILITIES, "what the model is to do, where it can do several; by default its own head's")
    flags.choice("engine", None, ENGINES, "the engine; by default the one that opens the folder")
    flags.integer("batch_size", 128, "batch size: rows in one pass", minimum=1)
    flags.group("Data")
    flags.string("text", None, "a text, the first of a pair, or a question; without it and --input_file: the keyboard")
    flags.string("text_b", None, "the second text of a pair")
    flags.string("context", None, "the text that holds the answer to the question in --text")
    flags.location("input_file", None, "lines of text, a table (tabs; .csv: commas), JSON lines, or CMRC's questions")
    flags.location("output_file", None, "the answers: more columns of a table, or JSON lines; by default the screen")
    flags.string("column_a", None, "the column of the text or question in --input_file: its name, key or number from 1")
    flags.string("column_b", None, "the column of the second text, or of the context")
    flags.integer("top_k", None, "answers of a question (default 1) or candidates of a mask (default 5)", minimum=1)
    flags.boolean("symmetric", False, "return the mean of both orders of each pair")
    return flags


def main(flags: Flags) -> None:
    """Answers what the flags name."""
    flags.require()
    _check(flags)
    with open_model(flags.model, flags.engine, batch_size=flags.batch_size) as model:
        ability = flags.task or model.abilities[0]
        model.check(ability)
        options = PredictOptions(flags.top_k or (_CANDIDATES if ability == FILL_MASK else 1), flags.symmetric)
        if flags.input_file:
            predict_file(model, ability, flags.input_file, flags.output_file, options, _columns(flags))
        elif flags.text is not None:
            show_row(model, ability, _texts(flags, model, ability), options)
        else:
            prompt(model, ability, options)


def _check(flags: Flags) -> None:
    if flags.input_file and (flags.text or flags.text_b or flags.context):
        raise UsageError("give --input_file, or --text with --text_b or --context, not both")
    if flags.text is None and (flags.text_b or flags.context):
        raise UsageError("--text_b and --context go with --text: give it")
    if not flags.input_file and (flags.output_file or flags.column_a or flags.column_b):
        raise UsageError("--output_file, --column_a and --column_b go with --input_file: give it")
    if flags.column_b and not flags.column_a:
        raise UsageError("--column_b goes with --column_a: give both")


def _columns(flags: Flags) -> List[Column]:
    return [column_of(column) for column in (flags.column_a, flags.column_b) if column is not None]


def _texts(flags: Flags, model: OpenModel, ability: str) -> Tuple[str, ...]:
    """The texts of the row that the flags hold."""
    shape, path = PREDICTIONS[ability].shape, model.path
    if shape == QUESTION:
        if flags.context is None or flags.text_b is not None:
            raise UsageError("the model {} answers questions on a text: give it with --context alone".format(path))
        return flags.text, flags.context
    if flags.context is not None:
        raise UsageError("the model {} answers no questions: leave --context out".format(path))
    if shape == PAIR and flags.text_b is None:
        raise UsageError("the model {} scores pairs: give the second text with --text_b".format(path))
    if shape == TEXT and flags.text_b is not None:
        raise UsageError("the model {} reads one text: leave --text_b out".format(path))
    return (flags.text,) if flags.text_b is None else (flags.text, flags.text_b)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
