"""Flags of similarity.py, embeddings.py and fill_mask.py, and the values that they give to the library."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Sequence, Set, Tuple

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.inference import similarity_command
from albert.inference.similarity_command import TextPair

_SIMILARITY_FLAGS = ("sentence_a", "sentence_b", "input_file", "output_file", "top_k", "prompt")

# Takes a BertSim and writes its answers.
Question = Callable[[Any], None]


def declare_encoder_flags(flags: Flags) -> None:
    """Declares the flags that name a checkpoint."""
    flags.group("Model")
    flags.model_location(
        "checkpoint", None, "a pre-trained or fine-tuned folder of either family, a checkpoint's prefix, or 'starter'"
    )
    flags.location("config_file", None, "the model's JSON file, where it is not beside the checkpoint")
    flags.location("vocab_file", None, "the vocabulary, where it is not beside the checkpoint")
    flags.location("spm_model_file", None, "the sentencepiece model, where it is not beside the checkpoint")
    flags.boolean("do_lower_case", True, "whether text is lower-cased, where the checkpoint's folder does not say so")
    flags.integer("batch_size", 32, "batch size: rows in one pass", minimum=1)


def encoder_arguments(flags: Flags) -> Dict[str, Any]:
    """Returns the arguments of `encoder_model.open_encoder` from the flags of `declare_encoder_flags`."""
    names = ("config_file", "vocab_file", "spm_model_file", "do_lower_case")
    return dict({name: getattr(flags, name) for name in names}, path=flags.checkpoint)


def declare_similarity_flags(flags: Flags) -> None:
    """Declares the flags that say what similarity.py scores."""
    flags.group("Data")
    flags.string("sentence_a", None, "the first sentence of a pair, or the one whose most similar lines are looked for")
    flags.string("sentence_b", None, "the second sentence of a pair")
    flags.location(
        "input_file",
        None,
        "a pair in each line, separated by a tab (.csv: a comma), with or without a header; for --top_k sentences",
    )
    flags.string("column_a", None, "the column of the first sentence of --input_file: its name or its number from 1")
    flags.string("column_b", None, "the column of the second sentence of --input_file; for --top_k of the only one")
    flags.location("output_file", None, "the lines of --input_file with the score of each pair as one more column")
    flags.integer(
        "top_k", None, "the number of lines of --input_file to find that are most similar to --sentence_a", minimum=1
    )
    flags.boolean("prompt", False, "read pairs from the keyboard")


def build_question(flags: Flags, examples: Sequence[TextPair]) -> Question:
    """Builds the question that the flags of `declare_similarity_flags` ask.

    Args:
      flags: the flags.
      examples: the pairs that are scored where the flags name nothing.

    Raises:
      UsageError: the flags contradict each other.
    """
    given = {name for name in _SIMILARITY_FLAGS if flags.was_given(name) and getattr(flags, name) is not False}
    for names, build in _QUESTIONS.items():
        if given == set(names):
            _check_columns(flags, given)
            return build(flags, examples)
    raise UsageError(
        "{} do{} not say what to score: give one of {}, or nothing for a few examples".format(
            " and ".join("--" + name for name in sorted(given)),
            "es" if len(given) == 1 else "",
            "; ".join(" ".join("--" + name for name in names) for names in _QUESTIONS if names),
        )
    )


def _check_columns(flags: Flags, given: Set[str]) -> None:
    columns = (flags.column_a, flags.column_b)
    if columns == (None, None):
        return
    if "input_file" not in given:
        raise UsageError("--column_a and --column_b name columns of --input_file: give it")
    if "top_k" in given and flags.column_a is not None:
        raise UsageError("with --top_k the sentences of --input_file are the second ones: give --column_b alone")
    if "top_k" not in given and None in columns:
        raise UsageError("give --column_a and --column_b, or neither")


# Questions by the names of the flags that are given.
_QUESTIONS: Dict[Tuple[str, ...], Callable[[Flags, Sequence[TextPair]], Question]] = {
    (): lambda flags, examples: partial(similarity_command.score_pairs, pairs=examples),
    ("sentence_a", "sentence_b"): lambda flags, _: partial(
        similarity_command.score_pairs, pairs=[(flags.sentence_a, flags.sentence_b)]
    ),
    ("input_file", "output_file"): lambda flags, _: partial(
        similarity_command.score_file,
        input_file=flags.input_file,
        output_file=flags.output_file,
        column_a=flags.column_a,
        column_b=flags.column_b,
    ),
    ("sentence_a", "input_file", "top_k"): lambda flags, _: partial(
        similarity_command.find_similar,
        sentence=flags.sentence_a,
        input_file=flags.input_file,
        top_k=flags.top_k,
        column_b=flags.column_b,
    ),
    ("prompt",): lambda flags, _: similarity_command.prompt,
}
