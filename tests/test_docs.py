"""README and docs: links, files, commands and flags that they name exist; both languages have the same pages."""

import functools
import glob
import importlib
import os
import re

import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.tasks.registry import TASKS_OF
from tests.support import documents

READMES = {"zh": "README.md", "en": "README_EN.md"}
MOST_README_LINES = 150
_CITATION = re.compile(r"\b(docs/en/\w+\.md)(?:, \"([^\"]+)\")?")
_FLAG = re.compile(r"^--([\w-]+)")
_PATH = re.compile(r"^(?:albert|albert_config|benchmarks|docs|examples|requirements|scripts|tests)/[\w./-]*$")
BENCHMARK = "albert/clue/benchmark.py"
PASSING_ON = {"run_tests.sh"}  # hands further words to a program of others
OF_OTHERS = {"help", "prefer-binary"}  # flags of all commands, and of pip


def pages(pattern):
    return sorted(os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, pattern), recursive=True))


PAGES = sorted(READMES.values()) + pages("docs/**/*.md")


def commands(page):
    return documents.commands_of(ROOT, documents.read(ROOT, page))


def module_of(path):
    return importlib.import_module(path[: -len(".py")].replace("/", "."))


@functools.lru_cache(maxsize=None)
def flags_of(path):
    """The names of the flags that a file of the repository takes."""
    if path.endswith(".sh"):
        return documents.flags_of_script(ROOT, path, flags_of)
    if path == BENCHMARK:  # passes flags on to the runners
        return {name for runner in TASKS_OF for name in module_of(path).declare_flags(runner).as_dict()}
    module = module_of(path)
    return set(module.declare_flags().as_dict()) if hasattr(module, "declare_flags") else set()


def fault_of(command):
    """What is wrong with the words after a command's name; nothing where they are right."""
    if "--help" in command.words or command.file in PASSING_ON:
        return ""
    module = module_of(command.file) if command.file.endswith(".py") else None
    if hasattr(module, "declare_flags") and command.file != BENCHMARK:
        return fault_in(module.declare_flags(), [word for word in command.words if word != "…"])
    return " ".join("unknown flag --" + name for name in command.flags if name not in flags_of(command.file))


def fault_in(flags, words):
    try:
        flags.parse(words)
    except UserError as error:
        return str(error)
    return ""


@functools.lru_cache(maxsize=None)
def all_flags():
    """The flags of all commands."""
    files = [path for pattern in ("*.py", "albert/downloads/*.py", "benchmarks/*.py") for path in pages(pattern)]
    commands = [path for path in files if "\ndef declare_flags() -> Flags:" in documents.read(ROOT, path)]
    return set().union(*map(flags_of, commands + pages("*.sh") + pages("scripts/*.sh") + [BENCHMARK]))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    assert documents.broken_links(ROOT, page) == []


@pytest.mark.parametrize("page", PAGES)
def test_files_of_commands_exist(page):
    names = [command.file for command in commands(page)] + documents.requirements_of(documents.read(ROOT, page))
    assert [name for name in names if not os.path.isfile(os.path.join(ROOT, name))] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_understood(page):
    known = [command for command in commands(page) if os.path.isfile(os.path.join(ROOT, command.file))]
    assert [(command.file, fault_of(command)) for command in known if fault_of(command)] == []


@pytest.mark.parametrize("page", PAGES)
def test_flags_and_paths_in_a_sentence_exist(page):
    _, code = documents.split_code(documents.read(ROOT, page))
    flags = {name for span in code for name in _FLAG.findall(span)}
    assert flags - all_flags() - OF_OTHERS == set()
    paths = {span for span in code if _PATH.match(span)}
    assert {path for path in paths if not os.path.exists(os.path.join(ROOT, path))} == set()


def test_both_languages_have_the_same_pages():
    zh, en = ([page[len("docs/zh/") :] for page in pages("docs/{}/**/*.md".format(name))] for name in ("zh", "en"))
    assert zh == en and zh


@pytest.mark.parametrize("name", [page[len("docs/en/") :] for page in pages("docs/en/*.md")])
def test_both_languages_give_the_same_commands(name):
    zh, en = ([(command.file, command.flags) for command in commands("docs/{}/{}".format(language, name))]
              for language in ("zh", "en"))  # fmt: skip
    assert zh == en


def test_both_languages_have_as_many_headings():
    for page in pages("docs/en/**/*.md"):
        zh, en = (documents.titles_of(documents.read(ROOT, path)) for path in (page.replace("/en/", "/zh/"), page))
        assert len(zh) == len(en), page


@pytest.mark.parametrize("language", sorted(READMES))
def test_readme_is_short_and_leads_to_every_page(language):
    assert len(documents.read(ROOT, READMES[language]).splitlines()) <= MOST_README_LINES
    reached, open_pages = set(), [READMES[language]]
    while open_pages:
        page = open_pages.pop()
        if page not in reached and page.endswith(".md") and os.path.isfile(os.path.join(ROOT, page)):
            reached.add(page)
            links = [link.partition("#")[0] for link in documents.links_of(documents.read(ROOT, page))]
            open_pages += [os.path.normpath(os.path.join(os.path.dirname(page), link)) for link in links if link]
    assert set(pages("docs/{}/**/*.md".format(language))) - reached == set()


def test_pages_that_the_code_cites_exist():
    files = [path for path in pages("**/*.py") if not path.startswith(".")]
    for path in files:
        for page, title in _CITATION.findall(re.sub(r"\s*\n\s*#?\s*", " ", documents.read(ROOT, path))):
            assert os.path.isfile(os.path.join(ROOT, page)), path
            assert not title or title in documents.titles_of(documents.read(ROOT, page)), (path, title)


MADE_UP = """# First page

See [a](there.md), [b](gone.md#x), [c](there.md#a-title), [d](#first-page), [e](there.md#none), [f](https://example.org/x.md)
and `[g](no_link.md)`. A picture: <img src="gone.png" width="300">.

```bash
MODEL=x nohup python3 run_it.py --known=1 \\
  --unknown='a b' "two words" &   # python3 comment.py
pip install -r requirements.txt -r requirements/gone.txt && bash there.sh --sample
python -m package.module --flag
python -m pip --version
```

- In a list:

  ```bash
  .venv/bin/python listed.py
  ```

    python indented.py

Inline `python inline.py --a=1\\|2`, `--flag` alone, and "python prose.py".
"""


@pytest.fixture
def made_up(tmp_path):
    (tmp_path / "page.md").write_text(MADE_UP, encoding="utf-8")
    (tmp_path / "there.md").write_text("# Other\n## A `title`!\n```\n# none\n```\n", encoding="utf-8")
    lines = ["case --sample) ;; --other) ;; esac", 'bash scripts/inner.sh "$@"', "python c.py"]
    lines += ["exec python -m albert.a.b \\", '  "$@"']
    (tmp_path / "there.sh").write_text("\n".join(lines) + "\n")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "inner.sh").write_text("# --inner=WORD\n")
    (tmp_path / "package").mkdir()
    return str(tmp_path)


def test_broken_links_are_found(made_up):
    assert documents.broken_links(made_up, "page.md") == ["gone.md#x", "there.md#none", "gone.png"]


def test_links_out_of_the_repository_are_broken(made_up):
    with open(os.path.join(made_up, "package", "page.md"), "w") as file:
        file.write("[a](../page.md) [b](../../page.md)")
    assert documents.broken_links(made_up, "package/page.md") == ["../../page.md"]


def test_commands_are_found(made_up):
    found = documents.commands_of(made_up, MADE_UP)
    assert [(command.file, command.flags) for command in found] == [
        ("run_it.py", ("known", "unknown")),
        ("there.sh", ("sample",)),
        ("package/module.py", ("flag",)),
        ("listed.py", ()),
        ("indented.py", ()),
        ("inline.py", ("a",)),
    ]
    assert documents.requirements_of(MADE_UP) == ["requirements.txt", "requirements/gone.txt"]


def test_flags_of_a_script_are_its_own_and_those_it_passes_on(made_up):
    flags = documents.flags_of_script(made_up, "there.sh", lambda path: {path})
    assert flags == {"sample", "other", "inner", "albert/a/b.py"}


@pytest.mark.parametrize(
    "file, words, fault",
    [
        ("run_classifier.py", ("--do_train=true", "--nodo_eval", "…"), ""),
        ("run_classifier.py", ("--train_batchsize=4",), "unknown flag --train_batchsize"),
        ("run_classifier.py", ("--optimizer=sgd",), "lamb|adamw"),
        ("describe_checkpoint.py", ("albert_tiny_zh", "--head"), "unknown flag --head"),
        ("run_classifier_clue.sh", ("tnews", "--num_runs=2", "--sample", "--doc_stride=64"), ""),
        ("run_classifier_clue.sh", ("--num_run=2",), "unknown flag --num_run"),
        ("scripts/setup.sh", ("--tf=2.15", "--vocab=x"), "unknown flag --vocab"),
        ("examples/tflite_classify.py", ("--top_k=3",), "unknown flag --top_k"),
    ],
)
def test_wrong_words_are_found(file, words, fault):
    found = fault_of(documents.Command(file, words))
    assert fault in found and bool(fault) == bool(found)
