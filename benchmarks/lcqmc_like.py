"""Made-up pairs with the lengths of LCQMC's pairs, for measuring speed; their labels are random."""

from __future__ import annotations

import os

import numpy as np

# Share of LCQMC's training pairs that have at most this number of tokens, special ones included (measured).
_SHARES = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 0.999, 1.0)
_LENGTHS = (11, 15, 16, 17, 20, 23, 27, 33, 40, 62, 72, 90)
_SPECIAL_TOKENS = 3


def write_pairs(path: str, rows: int, vocab_file: str, seed: int) -> None:
    """Writes a file of pairs for the task lcqmc_pair.

    Args:
      path: the file.
      rows: number of pairs.
      vocab_file: the vocabulary whose Han characters make the texts; each character is a token.
      seed: seed of lengths and characters.
    """
    with open(vocab_file, encoding="utf-8") as file:
        characters = [line.strip() for line in file if len(line.strip()) == 1 and "\u4e00" <= line[0] <= "\u9fff"]
    random = np.random.RandomState(seed)
    with open(path, "w", encoding="utf-8") as file:
        for length in draw_lengths(rows, random):
            text = "".join(random.choice(characters, length - _SPECIAL_TOKENS))
            cut = len(text) // 2
            file.write("{}\t{}\t{}\n".format(text[:cut], text[cut:], random.randint(2)))


def draw_lengths(rows: int, random: np.random.RandomState) -> np.ndarray:
    """Draws the token counts of pairs, int [rows]."""
    return np.interp(random.uniform(size=rows), _SHARES, _LENGTHS).round().astype(int)


def make_folder(folder: str, rows: int, vocab_file: str) -> None:
    """Writes a train and a dev file into a folder."""
    for seed, (split, count) in enumerate((("train", rows), ("dev", max(1, rows // 20)))):
        write_pairs(os.path.join(folder, split + ".txt"), count, vocab_file, seed)
