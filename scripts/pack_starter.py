"""Packs a model of a run as the starter model: weights in half precision, a card with licences and limits, checksums.

    python scripts/pack_starter.py --checkpoint=starter_run/best --notes=scripts/starter_notes.json \\
      --output_dir=data/starter_model
"""

from __future__ import annotations

import os
import sys
from typing import Dict

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from albert.base import quiet_tensorflow  # noqa: E402, F401

# isort: split
import numpy as np  # noqa: E402

from albert.base.flags import Flags, run_command  # noqa: E402
from albert.base.terminal import say  # noqa: E402
from albert.checkpoints.card import extended_card  # noqa: E402
from albert.checkpoints.folder import write_weights_folder  # noqa: E402
from albert.checkpoints.model import open_checkpoint  # noqa: E402
from albert.checkpoints.values import read_weights, step_of, write_values  # noqa: E402
from albert.files.complete import CompleteFile  # noqa: E402
from albert.files.json_reading import read_description  # noqa: E402
from albert.files.reading import describe_files  # noqa: E402

SUMS_FILE = "SHA256SUMS"


def write_half_precision(prefix: str, target: str) -> None:
    """Writes the weights of a checkpoint as float16, with its step."""
    values: Dict[str, np.ndarray] = {name: value.astype(np.float16) for name, value in read_weights(prefix).items()}
    write_values(dict(values, global_step=np.int64(step_of(prefix))), target)


def write_sums(folder: str) -> None:
    """Writes the SHA-256 of every file of a folder, in the form that `sha256sum --check` reads."""
    names = sorted(name for name in os.listdir(folder) if name != SUMS_FILE)
    described = describe_files([os.path.join(folder, name) for name in names])
    lines = ["{}  {}\n".format(entry["sha256"], entry["file"]) for entry in described]
    with CompleteFile(os.path.join(folder, SUMS_FILE)) as file:
        file.write("".join(lines).encode("utf-8"))


def pack(checkpoint: str, notes_file: str, output_dir: str) -> str:
    """Writes the folder of the starter model and returns it.

    Args:
      checkpoint: a model's folder.
      notes_file: JSON, title of a section of the card -> names and values.
      output_dir: the new folder.

    Raises:
      UserError: the checkpoint or the notes cannot be read, or the folder holds something else.
    """
    source = open_checkpoint(checkpoint)
    notes = read_description(notes_file, "notes for a model card").values
    sections = [(title, [(name, str(text)) for name, text in rows.items()]) for title, rows in notes.items()]
    folder = write_weights_folder(
        output_dir,
        like=source.prefix,
        write_weights=lambda target: write_half_precision(source.prefix, target),
        card=lambda model: extended_card(model, sections),
    )
    write_sums(folder)
    return folder


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    flags = Flags()
    flags.location("checkpoint", None, "the model to pack: a folder")
    flags.location("notes", None, "a JSON file: title of a section of the card -> its names and values")
    flags.location("output_dir", None, "the folder of the starter model")
    return flags


def main(flags: Flags) -> None:
    """Packs, and says how large the folder is."""
    flags.require("checkpoint", "notes", "output_dir")
    folder = pack(flags.checkpoint, flags.notes, flags.output_dir)
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    say(["{}: {:.1f} MB".format(folder, size / 1e6)])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
