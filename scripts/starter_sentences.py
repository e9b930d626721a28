"""Collects the sentences that the starter model is taught with: short ones from text files, and from templates.

    python scripts/starter_sentences.py --text=articles.txt:170000,dialogues.txt --templates=data/starter_sentences \\
      --output=sentences.txt

Templates are files of data/starter_sentences: `@name = a | b` declares a list, `{name}` stands for each of its entries.
A text file may be followed by the most sentences that are taken from it. Sentences come once, in a drawn order.
"""

from __future__ import annotations

import os
import random
import re
import sys
from typing import Dict, Iterator, List, Sequence, Set

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from albert.base.errors import UserError  # noqa: E402
from albert.base.flags import Flags, run_command  # noqa: E402
from albert.base.terminal import say  # noqa: E402
from albert.files.complete import CompleteFile  # noqa: E402
from albert.files.reading import decoded_lines  # noqa: E402

_SENTENCE_END = re.compile(r"(?<=[。！？!?；;…])")
_CLAUSE_END = re.compile(r"(?<=[，,：:])")
_MARKS_AROUND = ' \t“”"「」『』()（）【】[]*-·>#|'  # of a sentence: quotes, brackets, bullets
_MARKS_AROUND_PART = '，,：:、 “”"‘’「」『』()（）【】'
_LONGEST_WHOLE, _LONGEST_PART, _LONGEST = 30, 24, 40  # characters
_LEAST_CHINESE = 4  # characters, and half of all
_SLOT = re.compile(r"\{(.*?)\}")


def sentences_of_line(line: str) -> Iterator[str]:
    """Yields the sentences of a line; long ones in parts that end at a comma."""
    for sentence in _SENTENCE_END.split(line.strip()):
        sentence = sentence.strip(_MARKS_AROUND)
        parts = [sentence] if len(sentence) <= _LONGEST_WHOLE else _parts(sentence)
        for part in parts:
            part = part.strip(_MARKS_AROUND_PART)
            if _is_sentence(part):
                yield part


def _parts(sentence: str) -> Iterator[str]:
    part = ""
    for clause in _CLAUSE_END.split(sentence):
        if part and len(part) + len(clause) > _LONGEST_PART:
            yield part
            part = ""
        part += clause
    yield part


def _is_sentence(text: str) -> bool:
    chinese = sum("\u4e00" <= char <= "\u9fff" for char in text)
    return chinese >= _LEAST_CHINESE and len(text) <= _LONGEST and 2 * chinese >= len(text)


def expanded(path: str, most: int) -> List[str]:
    """Returns the sentences of a file of templates; of a template with more than `most`, as many drawn ones.

    Raises:
      UserError: a template names no list of the file.
    """
    rng = random.Random(0)  # of each file its own: a change of one file changes no other
    lists: Dict[str, List[str]] = {}
    found: List[str] = []
    for number, line in decoded_lines(path):
        line = line.strip()
        if line.startswith("@"):
            name, entries = line[1:].split("=", 1)
            lists[name.strip()] = list(dict.fromkeys(entry.strip() for entry in entries.split("|") if entry.strip()))
        elif line and not line.startswith("#"):
            names = _SLOT.findall(line)
            unknown = next((name for name in names if name not in lists), None)
            if unknown is not None:
                raise UserError(
                    "{} line {} names the list '{}', which is not declared above".format(path, number, unknown)
                )
            found += _filled(line, [(name, lists[name]) for name in names], most, rng)
    return list(dict.fromkeys(found))


def _filled(template: str, slots: Sequence[tuple], most: int, rng: random.Random) -> List[str]:
    total = 1
    for _, entries in slots:
        total *= len(entries)
    sentences = []
    for number in range(total) if total <= most else sorted(rng.sample(range(total), most)):
        sentence = template
        for name, entries in slots:
            number, place = divmod(number, len(entries))
            sentence = sentence.replace("{" + name + "}", entries[place])
        sentences.append(sentence)
    return sentences


def key_of(sentence: str) -> str:
    """What is the same in sentences that differ in marks and case only."""
    return re.sub(r"\W", "", sentence).lower()


def collect(texts: Sequence[str], templates: str, most: int, left_out: Set[str], seed: int) -> Dict[str, List[str]]:
    """Collects the sentences of each source, none of them twice.

    Args:
      texts: paths of text files, each perhaps with ":" and the most sentences from it.
      templates: a folder of templates; "" for none.
      most: sentences of a template.
      left_out: keys of sentences that are not taken.
      seed: of all that is drawn.
    """
    rng = random.Random(seed)
    seen: Set[str] = set()
    chosen: Dict[str, List[str]] = {}
    for text in texts:
        path, _, limit = text.partition(":")
        sentences = _new([part for _, line in decoded_lines(path) for part in sentences_of_line(line)], seen)
        rng.shuffle(sentences)
        chosen[path] = sentences[: int(limit)] if limit else sentences
    for name in sorted(name for name in os.listdir(templates) if name.endswith(".txt")) if templates else []:
        chosen[name] = _new(expanded(os.path.join(templates, name), most), seen)
    # At the end: what is left out changes nothing else that is drawn.
    return {source: [one for one in part if key_of(one) not in left_out] for source, part in chosen.items()}


def _new(sentences: Sequence[str], seen: Set[str]) -> List[str]:
    """Returns the sentences whose keys were not seen, and marks them as seen."""
    kept = []
    for sentence in sentences:
        key = key_of(sentence)
        if key not in seen:
            seen.add(key)
            kept.append(sentence)
    return kept


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    flags = Flags()
    flags.locations("text", None, "text files, each perhaps followed by ':' and the most sentences from it")
    flags.location("templates", "data/starter_sentences", "the folder of templates; empty for none")
    flags.integer("most_of_template", 100, "sentences of a template", minimum=1)
    flags.locations("leave_out", None, "files of sentences that are not taken; several in a line are separated by tabs")
    flags.integer("seed", 1, "the seed of all that is drawn")
    flags.location("output", None, "the file to write, a sentence in each line")
    return flags


def main(flags: Flags) -> None:
    """Collects, writes, and says how many there are."""
    flags.require("output")
    left_out = {
        key_of(cell)
        for path in (flags.leave_out or "").split(",")
        if path
        for _, line in decoded_lines(path)
        for cell in line.split("\t")
    }
    texts = [text for text in (flags.text or "").split(",") if text]
    chosen = collect(texts, flags.templates, flags.most_of_template, left_out, flags.seed)
    sentences = [sentence for part in chosen.values() for sentence in part]
    random.Random(flags.seed).shuffle(sentences)
    with CompleteFile(flags.output) as file:
        file.write("".join(sentence + "\n" for sentence in sentences).encode("utf-8"))
    say(["{:>9,} {}".format(len(part), os.path.basename(source)) for source, part in chosen.items()])
    say(["{:>9,} sentences in {}".format(len(sentences), flags.output)])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
