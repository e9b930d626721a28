"""Writes the small sentence-pair data set of `data/sample_pairs`.

Each line of train.txt, dev.txt and test.txt is ``sentence_a TAB sentence_b TAB label`` (the layout
of LCQMC, no header); label 1 says that both sentences mean the same, 0 that they do not. Pairs with
label 0 are near misses (one question called off, another slot, another intent) and unrelated ones.
A model learns called-off questions first, within minutes and from random weights.
The sentences come from the templates in `sample_pair_intents.py`. Every pair of slot values of a
domain belongs to only one split, so no sentence is in two splits.

    python scripts/make_sample_pairs.py --output_dir data/sample_pairs
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
from typing import Dict, List, NamedTuple, Sequence, Tuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from sample_pair_intents import DOMAINS, SECOND_THOUGHTS, Domain

SPLIT_PARTS = (("train", 0.8), ("dev", 0.1), ("test", 0.1))
POSITIVE_PARTS = (("asked", 0.9), ("called_off", 0.1))
NEGATIVE_PARTS = (("called_off", 0.6), ("other_slot", 0.05), ("other_intent", 0.15), ("other_domain", 0.2))
FULL_WIDTH = str.maketrans({"?": "\uff1f", ",": "\uff0c"})
MIN_LENGTH, MAX_LENGTH = 5, 36

Slots = Tuple[str, str]
SentencePair = Tuple[str, str]
Pairs = List[SentencePair]


class Question(NamedTuple):
    """Intent of a domain with both slots filled, and all its sentences."""

    domain: str
    intent: str
    slots: Slots
    sentences: Tuple[str, ...]


class LabelledPair(NamedTuple):
    """Line of the data set."""

    first: str
    second: str
    label: int


Lines = List[LabelledPair]


class NotEnoughPairsError(Exception):
    """Error: the templates cannot give as many different pairs as were asked for."""


def slot_values(domain: Domain) -> List[Slots]:
    """Returns all pairs of two different slot values, in the order of the tables."""
    (_, firsts), (_, seconds) = domain.slots
    return [(first, second) for first in firsts for second in seconds if first != second]


def share_out(total: int, parts: Sequence[Tuple[str, float]]) -> Dict[str, int]:
    """Divides a number by the parts; the remainder goes to the first."""
    counts = {name: int(total * part) for name, part in parts}
    counts[parts[0][0]] += total - sum(counts.values())
    return counts


def fill(domain: Domain, intent: str, slots: Slots) -> Question:
    """Puts slot values into every template of an intent."""
    names = [name for name, _ in domain.slots]
    filled = [template.format(**dict(zip(names, slots))) for template in domain.intents[intent]]
    sentences = tuple(sentence.translate(FULL_WIDTH) for sentence in filled)
    return Question(domain.name, intent, slots, sentences)


def split_questions(seed: str) -> Dict[str, List[Question]]:
    """Gives each pair of slot values, with all its questions, to one split."""
    splits: Dict[str, List[Question]] = {name: [] for name, _ in SPLIT_PARTS}
    for domain in DOMAINS:
        values = slot_values(domain)
        random.Random(f"{seed} slots {domain.name}").shuffle(values)
        start = 0
        for split, count in share_out(len(values), SPLIT_PARTS).items():
            for slots in sorted(values[start : start + count]):
                splits[split] += [fill(domain, intent, slots) for intent in domain.intents]
            start += count
    return splits


def paraphrases(kind: str, questions: Sequence[Question], rng: random.Random) -> Pairs:
    """Returns pairs from two templates of one intent with the same slots: both asked, or both called off."""
    pairs = [pair for one in questions for pair in itertools.combinations(one.sentences, 2)]
    if kind == "asked":
        return pairs
    return [(call_off(one, rng), call_off(two, rng)) for one, two in pairs]


def call_off(sentence: str, rng: random.Random) -> str:
    """Adds a second thought to a question, so that it no longer asks for an answer."""
    question = sentence.rstrip("\uff1f\u3002\uff01")
    return question + "\uff0c" + rng.choice(SECOND_THOUGHTS)


def differs_in_one_slot(one: Question, two: Question) -> bool:
    """Whether exactly one of the two slot values differs."""
    return (one.slots[0] == two.slots[0]) != (one.slots[1] == two.slots[1])


def is_kind(kind: str, one: Question, two: Question) -> bool:
    """Whether two questions of one domain make a negative pair of this kind."""
    if kind == "other_slot":
        return one.intent == two.intent and differs_in_one_slot(one, two)
    return one.intent != two.intent and one.slots == two.slots


def near_misses(kind: str, questions: Sequence[Question]) -> Pairs:
    """Returns pairs of sentences of one domain that differ in a slot value, or in the intent."""
    pairs: Pairs = []
    for _, group in itertools.groupby(questions, key=lambda question: question.domain):
        for one, two in itertools.combinations(list(group), 2):
            if is_kind(kind, one, two):
                pairs += itertools.product(one.sentences, two.sentences)
    return pairs


def unrelated(questions: Sequence[Question], rng: random.Random) -> Pairs:
    """Returns pairs of sentences of two domains, each sentence once on either side."""
    firsts = [(one.domain, sentence) for one in questions for sentence in one.sentences]
    seconds = list(firsts)
    rng.shuffle(seconds)
    pairs = zip(firsts, seconds)
    crossing = ((a[1], b[1]) for a, b in pairs if a[0] != b[0])
    return list({tuple(sorted(pair)): pair for pair in crossing}.values())


def negatives(kind: str, questions: Sequence[Question], rng: random.Random) -> Pairs:
    """Returns all pairs of one kind with label 0."""
    if kind == "other_domain":
        return unrelated(questions, rng)
    if kind == "called_off":
        return [(one, call_off(two, rng)) for one, two in paraphrases("asked", questions, rng)]
    return near_misses(kind, questions)


def draw(pairs: Pairs, count: int, what: str, rng: random.Random) -> Pairs:
    """Draws pairs without repeating one."""
    if count > len(pairs):
        have = f"the templates give only {len(pairs)}"
        need = f"{count} {what} pairs are needed"
        raise NotEnoughPairsError(f"{need} but {have}; ask for a smaller --num_pairs")
    return rng.sample(pairs, count)


def make_split(name: str, questions: Sequence[Question], count: int, seed: str) -> Lines:
    """Draws the pairs of one split, half of them with label 1, and mixes them."""
    rng = random.Random(f"{seed} pairs {name}")
    same: Pairs = []
    for kind, wanted in share_out(count - count // 2, POSITIVE_PARTS).items():
        same += draw(paraphrases(kind, questions, rng), wanted, f"{name} {kind} paraphrase", rng)
    different: Pairs = []
    for kind, wanted in share_out(count // 2, NEGATIVE_PARTS).items():
        different += draw(negatives(kind, questions, rng), wanted, f"{name} {kind}", rng)
    labelled = [(pair, 1) for pair in same] + [(pair, 0) for pair in different]
    rng.shuffle(labelled)
    lines: Lines = []
    for (first, second), label in labelled:
        swap = rng.random() < 0.5
        lines.append(LabelledPair(*((second, first) if swap else (first, second)), label))
    return lines


def check(splits: Dict[str, Lines]) -> None:
    """Fails if a sentence is in two splits, a pair is repeated or a length is out of range."""
    home: Dict[str, str] = {}
    seen = set()
    for name, pairs in splits.items():
        for pair in pairs:
            key = frozenset((pair.first, pair.second))
            assert len(key) == 2 and key not in seen, f"repeated pair: {pair}"
            seen.add(key)
            for sentence in (pair.first, pair.second):
                assert MIN_LENGTH <= len(sentence) <= MAX_LENGTH, f"bad length: {sentence}"
                assert home.setdefault(sentence, name) == name, f"in two splits: {sentence}"


def make_pairs(num_pairs: int, seed: str) -> Dict[str, Lines]:
    """Makes all three splits, `num_pairs` lines in all, and checks them."""
    questions = split_questions(seed)
    counts = share_out(num_pairs, SPLIT_PARTS)
    splits = {name: make_split(name, questions[name], counts[name], seed) for name in counts}
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
