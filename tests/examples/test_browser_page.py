"""Browser example: its tokenizer under Node.js against the project's own, and the folder that it makes."""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import unicodedata

import pytest

from albert.base.paths import ROOT
from albert.text.sequences import encode_pair
from tests.examples.test_tflite_classify import ODD_LINES, sample_texts
from tokenization import FullTokenizer

BROWSER = pathlib.Path(ROOT) / "examples" / "browser"
HOSTILE = (
    "𠮷𠮷野家",
    "中\ue056",
    "a\u200bb",
    "x" * 201,
    "x" * 200,
    "ΑΣ ΣΑΣ Σ",
    "\ufffd中\u0000",
    "e\u0301a\u0300",
    "\u2260\u0338=",
    "İı",
)
ENCODE = """
import { WordPieces } from %s;
import { readFileSync } from 'fs';
const [vocabulary, lowerCase, work, questions] = JSON.parse(readFileSync(0, 'utf8'));
const tokenizer = new WordPieces(readFileSync(vocabulary, 'utf8'), lowerCase);
console.log(JSON.stringify(questions.map((question) => tokenizer[work](...question))));
"""


def in_node(vocab_file, do_lower_case, work, questions):
    """What a method of the page's tokenizer returns, for each list of arguments."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    program = ENCODE % json.dumps((BROWSER / "word_pieces.js").as_uri())
    question = json.dumps([str(vocab_file), do_lower_case, work, questions]).encode("utf-8")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", program], input=question, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout.decode("utf-8"))


def random_texts(count):
    """Texts of any characters that this Python's Unicode tables know; Node.js may know newer ones."""
    rng = random.Random(3)
    known = [code for code in range(0x30000) if unicodedata.category(chr(code)) not in ("Cn", "Cs")]
    return ["".join(chr(rng.choice(known)) for _ in range(rng.randint(1, 30))) for _ in range(count)]


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_its_tokenizer_equals_the_projects(vocab_file, do_lower_case):
    tokenizer = FullTokenizer(vocab_file, do_lower_case)
    texts = [*ODD_LINES, *HOSTILE, *sample_texts()[:600], *random_texts(300)]
    for text, ids in zip(texts, in_node(vocab_file, do_lower_case, "encode", [[text] for text in texts])):
        assert ids == tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)), text


PAIRS = [
    ("我喜欢吃苹果", "你喜欢吃香蕉吗"),
    ("北京" * 9, "上海" * 9),
    ("北京" * 9, "好"),
    ("好", "北京" * 9),
    ("北京" * 9,),
    ("", "好"),
]


def test_its_inputs_are_cut_as_the_projects(vocab_file):
    tokenizer = FullTokenizer(vocab_file)
    found = in_node(vocab_file, True, "inputs", [[list(texts), 12] for texts in PAIRS])
    for texts, (ids, mask, segments) in zip(PAIRS, found):
        row = encode_pair(tokenizer, texts[0], texts[1] if len(texts) > 1 else None, 12)
        assert (ids, segments) == (list(row.input_ids), list(row.segment_ids)) and mask == [1] * len(ids)


@pytest.fixture
def made(tmp_path):
    """Parts of a page: an export and the runtime, empty but for the description."""
    from examples.browser import make_page

    for name in make_page.EXPORT + make_page.RUNTIME:
        path = tmp_path / ("export" if name in make_page.EXPORT else "runtime") / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"head": "sentence_vector"}' if name == "export.json" else "", "utf-8")
    return make_page, tmp_path


def test_the_folder_holds_all_that_the_page_loads(made):
    make_page, folder = made
    make_page.make_page(folder / "export", folder / "page", folder / "runtime")
    names = {path.name for path in (folder / "page").iterdir()}
    assert names == {*make_page.PAGE, *make_page.EXPORT, *make_page.RUNTIME, "page.css"}


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda folder: (folder / "export" / "model.onnx").unlink(), "model.onnx is missing: export_model.py"),
        (lambda folder: (folder / "runtime" / "ort.wasm.min.mjs").unlink(), "`npm install onnxruntime-web@1.30.0`"),
        (lambda folder: (folder / "export" / "export.json").write_text('{"head": "tags"}'), "this page compares"),
        (lambda folder: (folder / "export" / "export.json").write_text('{"head": "classifier"}'), "this page compares"),
        (lambda folder: (folder / "page").mkdir() or (folder / "page" / "mine").touch(), "give a new folder"),
    ],
)
def test_what_is_missing_is_named(made, change, words):
    make_page, folder = made
    change(folder)
    command = [sys.executable, str(BROWSER / "make_page.py"), str(folder / "export"), str(folder / "page")]
    done = subprocess.run(command + ["--runtime=" + str(folder / "runtime")], stderr=subprocess.PIPE)
    assert done.returncode == 1 and words in done.stderr.decode("utf-8")
    assert done.stderr.decode("utf-8").startswith("error: ")
