"""Scripts of the starter model: sentences of texts and templates, and the packed folder."""

import glob
import hashlib
import os
import subprocess

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.base.paths import DATA, ROOT
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import read_weights
from scripts import pack_starter, starter_sentences
from tests.commands.test_vector_runs import distil, folder  # noqa: F401 (a fixture)

TEMPLATES = sorted(glob.glob(os.path.join(DATA, "starter_sentences", "*.txt")))


def written(path, *lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


def test_sentences_of_a_line():
    line = "“今天天气很好。”他说：Linux 是操作系统吗？好的！Install it now and forget about the rest."
    assert list(starter_sentences.sentences_of_line(line)) == ["今天天气很好。", "他说：Linux 是操作系统吗？"]


def test_long_sentences_are_cut_at_commas():
    clauses = ["这是第一个比较长的分句", "这是第二个比较长的分句", "这是第三个比较长的分句"]
    parts = list(starter_sentences.sentences_of_line("，".join(clauses) + "。"))
    assert parts == ["，".join(clauses[:2]), clauses[2] + "。"]


def test_templates_are_filled_with_every_entry(tmp_path):
    path = written(
        tmp_path / "t.txt", "# 卡", "@卡 = 银行卡 | 公交卡 | 银行卡", "@办 = 办理|注销", "怎么{办}{卡}", "今天下雨了"
    )
    assert sorted(starter_sentences.expanded(path, 100)) == sorted(
        ["怎么办理银行卡", "怎么办理公交卡", "怎么注销银行卡", "怎么注销公交卡", "今天下雨了"]
    )
    drawn = starter_sentences.expanded(path, 3)
    assert len(drawn) == 4 and drawn == starter_sentences.expanded(path, 3)


def test_a_list_that_is_not_declared_is_named(tmp_path):
    with pytest.raises(UserError, match="line 2 names the list '卡'"):
        starter_sentences.expanded(written(tmp_path / "t.txt", "好的", "怎么办{卡}"), 5)


def test_what_is_left_out_changes_nothing_else(tmp_path):
    text = written(tmp_path / "text.txt", *("这是第{}句话".format(number) for number in "一二三四五六七八九"))
    everything = starter_sentences.collect([text + ":5"], "", 10, set(), seed=1)[text]
    assert len(everything) == 5
    less = starter_sentences.collect([text + ":5"], "", 10, {starter_sentences.key_of(everything[2])}, seed=1)[text]
    assert less == everything[:2] + everything[3:]


def test_the_script_says_how_it_is_called():
    script = os.path.join(ROOT, "scripts", "make_starter_model.sh")
    done = subprocess.run(["bash", script], stderr=subprocess.PIPE, universal_newlines=True, check=False)
    assert done.returncode == 2
    assert "OUTPUT_DIR EVAL_PAIRS TEXT" in done.stderr and "OUTPUT_DIR/teacher." in done.stderr


@pytest.mark.parametrize("path", TEMPLATES, ids=os.path.basename)
def test_shipped_templates(path):
    sentences = starter_sentences.expanded(path, 20)
    assert len(sentences) > 1000
    wrong = [sentence for sentence in sentences if not 2 <= len(sentence) <= 40 or "{" in sentence or "|" in sentence]
    assert not wrong, wrong[:5]


def test_a_packed_model_is_half_as_large_and_says_what_it_is(folder, tmp_path):  # noqa: F811
    source = str(distil(folder, "packed", do_eval=True) / "best")
    notes = written(tmp_path / "notes.json", '{"Licences": {"teacher": "MIT"}}')
    packed = pack_starter.pack(source, notes, str(tmp_path / "starter"))
    ours, theirs = (read_weights(open_checkpoint(place).prefix) for place in (source, packed))
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value.astype(np.float16).astype(np.float32))
    assert open_checkpoint(packed).vector_size == open_checkpoint(source).vector_size
    with open(os.path.join(packed, "MODEL_CARD.md"), encoding="utf-8") as file:
        card = file.read()
    assert "| teacher | MIT |" in card and "similarity.py" in card and card.count("## How to ask it") == 1
    with open(os.path.join(packed, pack_starter.SUMS_FILE), encoding="utf-8") as file:
        sums = dict(reversed(line.split()) for line in file)
    assert set(sums) == set(os.listdir(packed)) - {pack_starter.SUMS_FILE}
    for name, digest in sums.items():
        with open(os.path.join(packed, name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest
