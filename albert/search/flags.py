"""Flags of search.py, and the values that they give to the library."""

from __future__ import annotations

import os
from typing import Any, Dict, Optional

from albert.base.errors import UsageError, nearest
from albert.base.flags import Flags
from albert.base.paths import STARTER_MODEL, expand_home
from albert.inference.flags import declare_encoder_flags, encoder_arguments
from albert.search.build import Request

INDEX, QUERY = ACTIONS = ("index", "query")
_OF_INDEX = ("column",)
_OF_QUERY = ("top_k", "rerank", "rerank_top")
_MODEL_FILES = ("config_file", "vocab_file", "spm_model_file", "do_lower_case")


def declare_search_flags(flags: Flags) -> None:
    """Declares the flags of search.py."""
    flags.word("action", "index builds an index, query asks it")
    flags.word(
        "subject",
        "of index: the file with a sentence in each line, or a table; of query: the question (without one, questions "
        "are read from standard input, one in each line)",
        is_required=False,
    )
    flags.needs("index")
    flags.location("index", None, "the folder of the index", kind="FOLDER")
    declare_encoder_flags(flags)
    flags.group("Index")
    flags.string("column", None, "of a table, the column of the sentence: its name or its number from 1")
    flags.group("Query")
    flags.integer("top_k", 5, "the number of lines to find", minimum=1)
    flags.model_location("rerank", None, "a pair model's folder: it orders the lines that are found")
    flags.integer("rerank_top", 50, "the number of nearest lines that --rerank orders", minimum=1)


def check_flags(flags: Flags) -> None:
    """Checks that flags and words go together.

    Raises:
      UsageError: they do not.
    """
    if flags.action not in ACTIONS:
        raise UsageError(
            "there is no '{}': the nearest word is {} (--help says more)".format(
                flags.action, nearest(flags.action, ACTIONS)
            )
        )
    flags.require()
    others = _OF_QUERY if flags.action == INDEX else _OF_INDEX
    foreign = [name for name in others if flags.was_given(name)]
    if foreign:
        raise UsageError("--{} does not go with {}".format(foreign[0], flags.action))
    if flags.action == INDEX:
        if not flags.subject:
            raise UsageError("the file of lines is missing: search.py index LINES --index=FOLDER --checkpoint=MODEL")
        flags.set_default("checkpoint", STARTER_MODEL)
    else:
        _check_query(flags)


def _check_query(flags: Flags) -> None:
    lonely = [name for name in _MODEL_FILES if flags.was_given(name)]
    if lonely and not flags.checkpoint:
        raise UsageError("--{} belongs to a model: give --checkpoint, too".format(lonely[0]))
    if flags.was_given("rerank_top") and not flags.rerank:
        raise UsageError("--rerank_top goes with --rerank")
    if flags.rerank and flags.top_k > flags.rerank_top:
        raise UsageError("--rerank_top={} is less than --top_k={}: raise it".format(flags.rerank_top, flags.top_k))


def index_request(flags: Flags) -> Request:
    """Returns what the flags have built.

    Raises:
      UsageError: the path of the lines begins with a home folder that is none.
    """
    try:
        return Request(expand_home(flags.subject), flags.column, flags.index)
    except ValueError as error:
        raise UsageError(str(error)) from error


def absolute_arguments(flags: Flags) -> Dict[str, Any]:
    """Returns the arguments of `encoder_model.open_encoder` with absolute paths, so that they hold in any folder."""
    arguments = encoder_arguments(flags)
    return {name: os.path.abspath(value) if isinstance(value, str) else value for name, value in arguments.items()}


def model_arguments(flags: Flags) -> Optional[Dict[str, Any]]:
    """Returns the arguments of `encoder_model.open_encoder` of a query; None where the index names the model."""
    return encoder_arguments(flags) if flags.checkpoint else None
