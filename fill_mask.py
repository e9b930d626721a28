"""Fill-mask: the words that a pre-trained model of either family finds most probable for each [MASK] of a text.

python fill_mask.py --checkpoint=albert_tiny_zh --text=今天[MASK]气很好
python fill_mask.py --checkpoint=albert_tiny_zh --input_file=lines.txt --top_k=3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from albert.base.flags import Flags, UsageError, run_command
from albert.base.late_imports import find_late
from albert.base.terminal import say
from albert.inference.flags import declare_encoder_flags, encoder_arguments
from albert.inference.text_batches import place_in, read_texts

if TYPE_CHECKING:
    from albert.inference.fill_mask import Candidate, FillMask

__all__ = ["Candidate", "FillMask"]


def __getattr__(name: str) -> Any:
    """Finds the names that programs import from here; they need TensorFlow."""
    return find_late(name, __name__, dict.fromkeys(__all__, "albert.inference.fill_mask"))


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    flags = Flags()
    declare_encoder_flags(flags)
    flags.needs("checkpoint")
    flags.needs("text", "input_file")
    flags.group("Data")
    flags.string("text", None, "a text with at least one [MASK]")
    flags.location("input_file", None, "such a text in each line, in place of --text")
    flags.integer("top_k", 5, "candidates of each [MASK]", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Prints a line for each mask."""
    flags.require()
    if flags.text and flags.input_file:
        raise UsageError("give --text or --input_file, not both")
    texts = read_texts(flags.input_file) if flags.input_file else [flags.text]
    place = place_in(flags.input_file) if flags.input_file else lambda number: "--text"
    from albert.inference.encoder_model import open_encoder
    from albert.inference.fill_mask import FillMask

    model = FillMask(open_encoder(**encoder_arguments(flags)), batch_size=flags.batch_size)
    for text, masks in zip(texts, model.fill(texts, flags.top_k, place)):
        say([text])
        say(["    " + "  ".join("{} {:.1%}".format(*candidate) for candidate in candidates) for candidates in masks])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
