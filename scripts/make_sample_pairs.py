"""Writes the small sentence-pair data set of `data/sample_pairs`.

Each line of train.txt, dev.txt and test.txt is ``sentence_a TAB sentence_b TAB label`` (the layout
of LCQMC, no header); label 1 says that both sentences mean the same, 0 that they do not. A third of
the pairs with label 0 differ in a slot value, a third ask something else about the same thing, and a
third say the same words in another role, order or negation. The sentences come from the templates in
`sample_pair_intents.txt`.

No phrase reveals the label: the pairs are chosen so that each template, slot value and differing
character occurs about as often with either label, and so that pairs of both labels are equally long and
share equally many characters. No sentence is in two splits, and some intents are in one split only.

    python scripts/make_sample_pairs.py --output_dir data/sample_pairs
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
from typing import Counter, Dict, FrozenSet, List, NamedTuple, Sequence, Set, Tuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from sample_pair_candidates import DIFFERENT, SAME, SPLITS, Candidate, all_candidates
from sample_pair_templates import read_templates

SPLIT_PARTS = {"train": 0.8, "dev": 0.1, "test": 0.1}
MOST_PAIRS = 10000  # more would repeat the templates too often
MIN_LENGTH, MAX_LENGTH = 5, 36
BINS = 20  # of overlap
TRIES = 12  # candidates compared for each pair that is chosen
QUESTION_MARK = "\uff1f"

Pool = Dict[Tuple[str, int], List[Candidate]]


class LabelledPair(NamedTuple):
    """Line of the data set."""

    first: str
    second: str
    label: int


class NotEnoughPairsError(Exception):
    """Error: the templates cannot give as many different pairs as were asked for."""


class Balance:
    """Counts of what occurs in the chosen pairs: with label 1 minus with label 0, and in all."""

    def __init__(self) -> None:
        self.difference: Counter[str] = collections.Counter()
        self.total: Counter[str] = collections.Counter()

    def cost(self, pair: Candidate, sign: int) -> float:
        """Says how much worse a pair with this label makes the balance, and how often its templates were used."""
        skew = sum(weight * sign * self.difference.get(what, 0) for what, weight in pair.traits)
        return skew + 0.5 * sum(self.total.get(template, 0) for template, _ in pair.traits[:2])

    def add(self, pair: Candidate, sign: int) -> None:
        """Counts a chosen pair."""
        for what, _ in pair.traits:
            self.difference[what] += sign
            self.total[what] += 1


def key_of(pair: Candidate) -> FrozenSet[str]:
    """Returns what tells two pairs apart: both sentences without their question marks, in any order."""
    return frozenset(map(bare, pair.texts))


def bare(text: str) -> str:
    """Returns a sentence without its question mark."""
    return text.rstrip(QUESTION_MARK)


def make_pool(pairs: Sequence[Candidate]) -> Pool:
    """Sorts candidates by kind and overlap."""
    pool: Pool = {}
    for pair in pairs:
        pool.setdefault((pair.kind, int(pair.overlap * BINS)), []).append(pair)
    return pool


def draw_bin(pool: Pool, kind: str, rng: random.Random) -> int:
    """Draws an overlap in which there are pairs of this kind and pairs that mean the same."""
    common = [min(len(pool.get((kind, place), ())), len(pool.get((SAME, place), ()))) for place in range(BINS + 1)]
    if not any(common):
        raise NotEnoughPairsError(f"the templates give no more pairs of the kind {kind}; ask for a smaller --num_pairs")
    return rng.choices(range(BINS + 1), weights=common)[0]


def take_best(pairs: List[Candidate], balance: Balance, sign: int, length: int, rng: random.Random) -> Candidate:
    """Takes, of a few candidates, the one that keeps the balance best and is nearest to a length (0: any)."""
    places = rng.sample(range(len(pairs)), min(TRIES, len(pairs)))

    def cost(place: int) -> float:
        pair = pairs[place]
        return balance.cost(pair, sign) + (6.0 * abs(length_of(pair) - length) if length else 0.0)

    return pairs.pop(min(places, key=cost))


def length_of(pair: Candidate) -> int:
    """Returns the characters of both sentences."""
    return sum(len(bare(text)) for text in pair.texts)


def choose(candidates: Sequence[Candidate], count: int, rng: random.Random) -> List[Candidate]:
    """Chooses pairs, by turns one of each kind with label 0 and one of the same overlap with label 1."""
    pool, balance = make_pool(candidates), Balance()
    seen: Set[FrozenSet[str]] = set()
    chosen: List[Candidate] = []
    while len(chosen) < count:
        kind = DIFFERENT[len(chosen) // 2 % len(DIFFERENT)]
        place = draw_bin(pool, kind, rng)
        different = take_best(pool[kind, place], balance, -1, 0, rng)
        same = take_best(pool[SAME, place], balance, 1, length_of(different), rng)
        if key_of(different) in seen or key_of(same) in seen:
            continue
        for pair, sign in ((different, -1), (same, 1)):
            seen.add(key_of(pair))
            balance.add(pair, sign)
            chosen.append(pair)
    return chosen[:count]


def make_split(name: str, candidates: Sequence[Candidate], count: int, seed: str) -> List[LabelledPair]:
    """Chooses the pairs of one split, half of them with label 1, and mixes them."""
    rng = random.Random(f"{seed} pairs {name}")
    chosen = choose(candidates, count, rng)
    rng.shuffle(chosen)
    return [labelled(pair, rng) for pair in chosen]


def labelled(pair: Candidate, rng: random.Random) -> LabelledPair:
    """Makes a line: sentences in any order, some question marks left out as people do."""
    texts = [written(text, rng) for text in pair.texts]
    rng.shuffle(texts)
    return LabelledPair(texts[0], texts[1], int(pair.kind == SAME))


def written(text: str, rng: random.Random) -> str:
    """Returns a sentence as it is typed: one question in three has no mark."""
    return bare(text) if rng.random() < 1 / 3 else text


def check(splits: Dict[str, List[LabelledPair]]) -> None:
    """Fails if a sentence is in two splits, a pair is repeated or a length is out of range."""
    home: Dict[str, str] = {}
    seen = set()
    for name, pairs in splits.items():
        for pair in pairs:
            key = frozenset((bare(pair.first), bare(pair.second)))
            assert len(key) == 2 and key not in seen, f"repeated pair: {pair}"
            seen.add(key)
            for sentence in (pair.first, pair.second):
                assert MIN_LENGTH <= len(sentence) <= MAX_LENGTH, f"bad length: {sentence}"
                assert home.setdefault(bare(sentence), name) == name, f"in two splits: {sentence}"


def make_pairs(num_pairs: int, seed: str) -> Dict[str, List[LabelledPair]]:
    """Makes all three splits, `num_pairs` lines in all, and checks them."""
    if num_pairs > MOST_PAIRS:
        raise NotEnoughPairsError(f"the templates give at most {MOST_PAIRS} pairs; ask for a smaller --num_pairs")
    counts = {split: int(num_pairs * SPLIT_PARTS[split]) for split in SPLITS}
    counts["train"] += num_pairs - sum(counts.values())
    lists, families = read_templates()
    candidates = all_candidates(lists, families, counts, seed)
    splits = {split: make_split(split, candidates[split], counts[split], seed) for split in SPLITS}
    check(splits)
    return splits


def write_split(path: str, pairs: Sequence[LabelledPair]) -> None:
    """Writes one file: UTF-8, LF, tab-separated."""
    with open(path, "w", encoding="utf-8", newline="\n") as handle:
        handle.writelines(f"{pair.first}\t{pair.second}\t{pair.label}\n" for pair in pairs)


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Write a small set of Chinese sentence pairs.")
    parser.add_argument("--output_dir", default="data/sample_pairs", help="folder to write to")
    parser.add_argument("--num_pairs", type=int, default=8000, help="lines of all three files")
    parser.add_argument("--seed", default="12345", help="any text; the same seed, the same files")
    args = parser.parse_args(argv)
    if args.num_pairs < 20:
        parser.error("--num_pairs must be 20 or more")
    return args


def main(argv: Sequence[str]) -> int:
    """Writes the files, and one line about them."""
    args = parse_args(argv)
    try:
        splits = make_pairs(args.num_pairs, args.seed)
    except NotEnoughPairsError as error:
        sys.stderr.write(f"make_sample_pairs.py: {error}\n")
        return 2
    os.makedirs(args.output_dir, exist_ok=True)
    for name, pairs in splits.items():
        write_split(os.path.join(args.output_dir, f"{name}.txt"), pairs)
    counts = ", ".join(f"{name} {len(pairs)}" for name, pairs in splits.items())
    print(f"wrote {counts} pairs to {args.output_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
