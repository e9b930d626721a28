"""What similarity.py can be asked: examples, two sentences, a file of pairs, the most similar lines, a prompt."""

from __future__ import annotations

import itertools
import logging
import sys
from typing import Any, Callable, Iterator, List, Sequence, Tuple

from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError
from albert.base.terminal import say
from albert.files.complete import CompleteFile
from albert.files.reading import text_lines
from albert.inference.text_batches import place_in, read_texts
from albert.tasks.delimited_rows import TAB, names_texts

_log = logging.getLogger(__name__)

_CHUNK_LINES = 10000  # of a file that are scored at a time
_SCORE_COLUMN = "similar"  # its name, where the file has a header

# A BertSim, the flags, and the pairs that are asked where the flags name nothing.
Ask = Callable[[Any, Flags, Sequence[Tuple[str, str]]], None]


def declare_flags(flags: Flags) -> None:
    """The flags that say what is asked."""
    flags.string("sentence_a", None, "the first sentence of a pair, or the one whose most similar lines are looked for")
    flags.string("sentence_b", None, "the second sentence of a pair")
    flags.string(
        "input_file",
        None,
        "a pair in each line, parted by a tab, with or without a header; for --top_k sentences",
    )
    flags.string("output_file", None, "the lines of --input_file with the probability of similar as one more column")
    flags.integer("top_k", None, "find so many lines of --input_file that are most similar to --sentence_a", minimum=1)
    flags.boolean("prompt", False, "read pairs from the keyboard")


def find_mode(flags: Flags) -> Ask:
    """What the flags ask for.

    Raises:
      UsageError: they contradict each other.
    """
    given = {
        name for name in ("sentence_a", "sentence_b", "input_file", "output_file", "top_k") if flags.was_given(name)
    }
    if flags.prompt:
        given.add("prompt")
    for names, mode in _MODES.items():
        if given == set(names):
            return mode
    raise UsageError(
        "{} do{} not say what to score: give one of {}, or nothing for a few examples".format(
            " and ".join("--" + name for name in sorted(given)),
            "es" if len(given) == 1 else "",
            "; ".join(" ".join("--" + name for name in names) for names in _MODES if names),
        )
    )


def score_lines(pairs: Sequence[Tuple[str, str]], probabilities: Any) -> List[str]:
    """A readable line for each pair."""
    return [
        "{:6.1%} similar | {} | {}".format(float(row[1]), first, second)
        for (first, second), row in zip(pairs, probabilities)
    ]


def _score_examples(model: Any, flags: Flags, examples: Sequence[Tuple[str, str]]) -> None:
    say(score_lines(examples, model.predict_sentences(examples)))


def _score_pair(model: Any, flags: Flags, examples: Sequence[Tuple[str, str]]) -> None:
    _score_examples(model, flags, [(flags.sentence_a, flags.sentence_b)])


def _score_file(model: Any, flags: Flags, examples: Sequence[Tuple[str, str]]) -> None:
    lines, scored = text_lines(flags.input_file), 0
    with CompleteFile(flags.output_file) as file:
        first = list(itertools.islice(lines, 1))
        if first and names_texts(first[0][1].split(TAB)[:2]):
            file.write("{}\t{}\n".format(first[0][1], _SCORE_COLUMN).encode("utf-8"))
        else:
            lines = itertools.chain(first, lines)
        while True:
            chunk = list(itertools.islice(lines, _CHUNK_LINES))
            if not chunk:
                break
            pairs = [_pair_of(text, flags.input_file, number) for number, text in chunk]
            probabilities = model.predict_sentences(pairs, place_in(flags.input_file, chunk[0][0] - 1))
            for (_, text), row in zip(chunk, probabilities):
                file.write("{}\t{:.6f}\n".format(text, row[1]).encode("utf-8"))
            scored += len(chunk)
        if not scored:
            raise UserError("{} is empty: it holds no pair".format(flags.input_file))
    _log.info("%s holds the probabilities of %s pairs.", flags.output_file, "{:,}".format(scored))


def _pair_of(text: str, path: str, number: int) -> Tuple[str, str]:
    cells = text.split(TAB)
    if len(cells) < 2:
        raise UserError("{} line {} has no tab: give two sentences, parted by a tab".format(path, number))
    return cells[0], cells[1]


def _find_similar(model: Any, flags: Flags, examples: Sequence[Tuple[str, str]]) -> None:
    lines = read_texts(flags.input_file)
    matches = model.top_k(flags.sentence_a, lines, flags.top_k, place_in(flags.input_file))
    say(["{:6.1%} similar | line {} | {}".format(score, index + 1, lines[index]) for index, score in matches])


def _prompt(model: Any, flags: Flags, examples: Sequence[Tuple[str, str]]) -> None:
    """Answers pairs until an empty line or the end of the input; a bad one costs a message."""
    for pair in _typed_pairs():
        try:
            say(score_lines([pair], model.predict_sentences([pair])))
        except UserError as error:
            _log.info("error: %s", error)


def _typed_pairs() -> Iterator[Tuple[str, str]]:
    """Pairs in one line, parted by a tab, or in two."""
    while True:
        first = _typed("first sentence: ")
        if not first.strip():
            return
        cells = first.split(TAB)
        yield (cells[0], cells[1]) if len(cells) > 1 else (first, _typed("second sentence: "))


def _typed(prompt: str) -> str:
    if sys.stdin.isatty():
        sys.stderr.write(prompt)
        sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n")


_MODES = {
    (): _score_examples,
    ("sentence_a", "sentence_b"): _score_pair,
    ("input_file", "output_file"): _score_file,
    ("sentence_a", "input_file", "top_k"): _find_similar,
    ("prompt",): _prompt,
}
