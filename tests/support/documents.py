"""Markdown pages as the tests read them: links, headings, commands in code, and what is wrong with them."""

import os
import re
import shlex
from typing import Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

_FENCE = re.compile(r"^ *```(?P<language>\w*) *$")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?P<code>.+?)(?<!`)\1(?!`)")
_LINK = re.compile(r"!?\[[^\]\n]*\]\((?P<target>[^)\s]+)\)|<(?:img|a)\b[^>]*?\b(?:src|href)=\"(?P<html>[^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#*$")
_OUTSIDE = re.compile(r"^[a-z][a-z0-9+.-]*:")  # https:, mailto:
_ASSIGNMENT = re.compile(r"^\w+=")
_SEPARATORS = ("&&", "||", ";", "|", "&")
_PREFIXES = ("nohup", "exec", "time", "$")
_PYTHONS = ("python", "python3")
_FLAG = re.compile(r"^--(?P<name>\w[\w-]*)(?:=.*)?$", re.DOTALL)


class Command(NamedTuple):
    """A command of a page: a file of the repository that it runs, as "run_ner.py", and its further words."""

    file: str
    words: Tuple[str, ...]

    @property
    def flags(self) -> Tuple[str, ...]:
        """The names of its flags, without dashes and values."""
        found = (_FLAG.match(word) for word in self.words)
        return tuple(match.group("name") for match in found if match)


def split_code(text: str) -> Tuple[str, List[str]]:
    """A page's text without its code, and its code: a string per block and per span, lines joined at backslashes."""
    prose: List[str] = []
    code: List[str] = []
    block: List[str] = []
    is_fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            is_fenced = not is_fenced
        elif is_fenced or (line.startswith("    ") and (block or not (prose and prose[-1].strip()))):
            block.append(line)
            continue
        else:
            prose.append(_SPAN.sub(" ", line))
            code += [match.group("code").replace("\\|", "|") for match in _SPAN.finditer(line)]
        if block:
            code.append("\n".join(block).replace("\\\n", " "))
            block = []
    return "\n".join(prose), code + (["\n".join(block).replace("\\\n", " ")] if block else [])


def links_of(text: str) -> List[str]:
    """The relative links and pictures of a page, in order."""
    prose, _ = split_code(text)
    targets = (match.group("target") or match.group("html") for match in _LINK.finditer(prose))
    return [target for target in targets if not _OUTSIDE.match(target)]


def anchors_of(text: str) -> Set[str]:
    """What the headings of a page are called in links, as code hosts do it."""
    found: Dict[str, int] = {}
    anchors = set()
    for title in titles_of(text):
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = found.get(anchor, 0)
        found[anchor] = count + 1
        anchors.add("{}-{}".format(anchor, count) if count else anchor)
    return anchors


def titles_of(text: str) -> List[str]:
    """The headings of a page."""
    titles, is_fenced = [], False
    for line in text.split("\n"):
        is_fenced ^= bool(_FENCE.match(line))
        match = _HEADING.match(line)
        if match and not is_fenced:
            titles.append(match.group("title"))
    return titles


def broken_links(root: str, page: str) -> List[str]:
    """The relative links of a page whose file or heading does not exist, or that leave the repository."""
    broken = []
    for link in links_of(read(root, page)):
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        is_there = not target.startswith("..") and os.path.exists(os.path.join(root, target))
        if not is_there or (anchor and target.endswith(".md") and anchor not in anchors_of(read(root, target))):
            broken.append(link)
    return broken


def read(root: str, path: str) -> str:
    """The text of a file of the repository."""
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def commands_of(root: str, text: str) -> List[Command]:
    """The commands in a page's code that run a file which is, or by its name should be, in the repository."""
    return [command for words in command_lines(text) for command in _command(root, words)]


def requirements_of(text: str) -> List[str]:
    """The files that a page's `pip install -r FILE` name."""
    lines = [words for words in command_lines(text) if words[0] == "pip"]
    return [file for words in lines for flag, file in zip(words, words[1:]) if flag == "-r"]


def command_lines(text: str) -> Iterator[List[str]]:
    """The words of each command in a page's code, without what stands before its name."""
    for line in (line for code in split_code(text)[1] for line in code.split("\n")):
        command: List[str] = []
        for word in _words(line) + [";"]:
            if word not in _SEPARATORS:
                command.append(word)
                continue
            while command and (command[0] in _PREFIXES or _ASSIGNMENT.match(command[0])):
                del command[0]
            if command:
                yield command
            command = []


def _words(line: str) -> List[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quote that ends on another line: no command of ours
        return []


def _command(root: str, words: Sequence[str]) -> Iterator[Command]:
    program = os.path.basename(words[0])
    if len(words) < 2 or program not in _PYTHONS + ("bash",):
        return
    if words[1].endswith((".py", ".sh")):
        yield Command(os.path.normpath(words[1]), tuple(words[2:]))
    elif words[1] == "-m" and len(words) > 2 and os.path.isdir(os.path.join(root, words[2].split(".")[0])):
        yield Command(words[2].replace(".", "/") + ".py", tuple(words[3:]))


def flags_of_script(root: str, path: str, flags_of_module) -> Set[str]:
    """The flags that a shell script takes: those it names, and those of what it passes its words to.

    Args:
      root: of the repository.
      path: of the script.
      flags_of_module: the path of a Python file -> the names of its flags.
    """
    text = read(root, path)
    flags = set(re.findall(r"--(\w+)", text))
    passing = [line for line in text.replace("\\\n", " ").split("\n") if '"$@"' in line]
    for line in passing:
        for name in re.findall(r"scripts/\w+\.sh", line):
            flags |= flags_of_script(root, name, flags_of_module)
        modules = [name.replace(".", "/") + ".py" for name in re.findall(r"-m ((?:albert|benchmarks)[\w.]+)", line)]
        for name in modules + re.findall(r"\b\w+\.py\b", line):
            flags |= flags_of_module(name)
    return flags
