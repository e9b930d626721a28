"""search.py in this process: an index of a file, a question, a pair model, and flags that do not go together."""

import os

import numpy as np
import pytest

import search
from albert.base.errors import UsageError, UserError
from albert.inference.predictor import open_predictor
from tests.support import exports

LINES = ["一丁七万", "万七", "丈三上下不与", "一", "丁丁丁丁丁丁丁"]


def run(*words, **values):
    flags = search.declare_flags()
    flags.parse(list(words) + ["--{}={}".format(name, value) for name, value in values.items()])
    search.main(flags)


@pytest.fixture(scope="module")
def index(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    (folder / "lines.tsv").write_text("".join("x\t{}\n".format(line) for line in LINES), encoding="utf-8")
    run("index", str(folder / "lines.tsv"), index=folder / "index", checkpoint=published["google_g1"], column=2)
    return str(folder / "index")


def test_the_nearest_lines_are_shown(index, capsys):
    run("query", "万七", index=index, top_k=2)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "1.0000 | line 2 | 万七"
    assert second.split(" | ")[2] in LINES and float(second.split(" | ")[0]) < 1.0


def test_a_pair_model_orders_the_lines(index, tmp_path, capsys):
    model = exports.write_classifier(tmp_path / "m", labels=("0", "1"))
    run("query", "万七", index=index, rerank=model, rerank_top=5, top_k=3)
    with open_predictor(model) as predictor:
        scores = predictor.predict([("万七", text) for text in LINES])[:, 1]
    shown = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [share for share, _, _ in shown] == ["{:6.1%} similar".format(score) for score in -np.sort(-scores)[:3]]
    assert all(shown[place][0] == "{:6.1%} similar".format(scores[LINES.index(shown[place][2])]) for place in range(3))


def test_another_model_and_no_index_are_one_sentence(index, published, tmp_path):
    with pytest.raises(UserError, match="is another model, whose vectors do not compare; build the index again with"):
        run("query", "一", index=index, checkpoint=published["zh_postln"])
    with pytest.raises(UserError, match="there is no search index in"):
        run("query", "一", index=tmp_path)


def test_a_bad_line_leaves_no_index(published, tmp_path):
    (tmp_path / "lines.txt").write_bytes("一\n\ufffd\n".encode("utf-8"))
    with pytest.raises(UserError, match="lines.txt line 2 holds nothing that can be read"):
        run("index", str(tmp_path / "lines.txt"), index=tmp_path / "index", checkpoint=published["zh_postln"])
    assert os.listdir(str(tmp_path)) == ["lines.txt"]


@pytest.mark.parametrize(
    "words,message",
    [
        ([], "ACTION and --index must be given (--help lists all flags)"),
        (["indx", "--index=i"], "there is no 'indx': the nearest word is index"),
        (["query", "一"], "--index must be given"),
        (["index", "--index=i", "--checkpoint=c"], "the file of lines is missing: search.py index LINES"),
        (["index", "l", "--index=i", "--checkpoint=c", "--top_k=3"], "--top_k does not go with index"),
        (["index", "~nobody-has-this/l", "--index=i", "--checkpoint=c"], "there is no home folder"),
        (["query", "一", "--index=i", "--column=2"], "--column does not go with query"),
        (["query", "一", "--index=i", "--vocab_file=v"], "--vocab_file belongs to a model: give --checkpoint, too"),
        (["query", "一", "--index=i", "--rerank_top=9"], "--rerank_top goes with --rerank"),
        (["query", "一", "--index=i", "--rerank=m", "--top_k=60"], "--rerank_top=50 is less than --top_k=60: raise it"),
        (["query", "一", "二", "--index=i"], "unexpected argument '二'"),
    ],
)
def test_flags_that_do_not_go_together(words, message):
    with pytest.raises(UsageError) as caught:
        run(*words)
    assert str(caught.value).startswith(message)
