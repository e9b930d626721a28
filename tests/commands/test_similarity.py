"""What `python similarity.py` can be asked, on a tiny model; BertSim itself is tested in test_classification_run."""

import io
import os

import numpy as np
import pytest

import similarity
from albert.base.errors import UserError
from albert.checkpoints.description import read_description
from albert.inference import similarity_command
from tests.support import exports

LINES = ["我喜欢吃苹果", "你喜欢香蕉", "明天下雨吗", "好", "我喜欢吃苹果", "北京上海"]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    """A model of two labels."""
    folder = exports.write_classifier(tmp_path_factory.mktemp("model"), labels=("0", "1"))
    return folder


@pytest.fixture(scope="module")
def scorer(model_dir):
    model = similarity.BertSim(model_dir=model_dir)
    model.start_model()
    return model


def run(model_dir, *words, **values):
    flags = similarity.declare_flags()
    arguments = ["--{}={}".format(name, value) for name, value in values.items()]
    flags.parse(["--model_dir=" + model_dir, *arguments, *words])
    similarity.main(flags)


def test_without_arguments_examples_are_scored(model_dir, capsys):
    run(model_dir)
    lines = capsys.readouterr().out.splitlines()
    assert [tuple(line.split(" | ")[1:]) for line in lines] == list(similarity.EXAMPLES)


def test_the_frozen_graph_is_kept_beside_the_model(scorer, model_dir):
    assert os.path.exists(os.path.join(model_dir, "similarity_graph.pb"))


def test_two_sentences(scorer, model_dir, capsys):
    run(model_dir, sentence_a="明天下雨", sentence_b="好")
    score = scorer.predict_sentences([("明天下雨", "好")])[0, 1]
    assert capsys.readouterr().out == "{:6.1%} similar | 明天下雨 | 好\n".format(float(score))


def test_both_orders_have_the_same_score(model_dir):
    model = similarity.BertSim(model_dir=model_dir, symmetric=True)
    there, back = model.predict_sentences([("明天下雨", "好"), ("好", "明天下雨")])
    np.testing.assert_allclose(there, back, atol=1e-6)


def test_a_file_is_scored_in_its_order(scorer, model_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(similarity_command, "_CHUNK_LINES", 4)
    rows = ["{}\t{}\t{}".format(a, b, number) for number, (a, b) in enumerate(zip(LINES, LINES[1:]))]
    (tmp_path / "in.tsv").write_bytes(("\ufeff" + "\r\n".join(rows) + "\n\n").encode("utf-8"))
    run(model_dir, input_file=tmp_path / "in.tsv", output_file=tmp_path / "out.tsv")
    lines = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()
    assert [line.rsplit("\t", 1)[0] for line in lines] == rows
    expected = scorer.predict_sentences(list(zip(LINES, LINES[1:])))[:, 1]
    np.testing.assert_allclose([float(line.rsplit("\t", 1)[1]) for line in lines], expected, atol=1e-6)


def test_a_header_is_no_pair(model_dir, tmp_path):
    (tmp_path / "in.tsv").write_text("sentence_a\tsentence_b\tid\n好\t不\t7\n", encoding="utf-8")
    run(model_dir, input_file=tmp_path / "in.tsv", output_file=tmp_path / "out.tsv")
    header, row = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "sentence_a\tsentence_b\tid\tsimilar" and row.startswith("好\t不\t7\t0.")


@pytest.mark.parametrize(
    "content,message",
    [
        ("sentence_a\tsentence_b\n" + "好\t不\n" * 4 + "好\t \n", "the second text of .*in.tsv line 6 is empty"),
        ("句子1\t句子2\n", "in.tsv is empty"),
        ("好\t不\n" * 5 + "好\n", "in.tsv line 6 has no tab: give two sentences"),
        ("好\t不\n" * 5 + "好\t \n", "the second text of .*in.tsv line 6 is empty"),
        ("好\t不\n" * 5 + "\u200b\t好\n", "the first text of .*in.tsv line 6 holds nothing that can be read"),
        ("好\t不\n\n好\t好\n", "in.tsv line 2 is blank"),
        ("", "in.tsv is empty"),
        (b"\xff\t1\n", "in.tsv line 1 is not UTF-8"),
    ],
)
def test_a_bad_line_is_named_and_leaves_no_file(model_dir, tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(similarity_command, "_CHUNK_LINES", 4)
    (tmp_path / "in.tsv").write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    with pytest.raises(UserError, match=message):
        run(model_dir, input_file=tmp_path / "in.tsv", output_file=tmp_path / "out.tsv")
    assert os.listdir(str(tmp_path)) == ["in.tsv"]


def test_the_most_similar_lines_are_those_of_all_scores(scorer, model_dir, tmp_path, capsys):
    scores = [scorer.predict_sentences([("明天北京下雨", line)])[0, 1] for line in LINES]
    best = sorted(range(len(LINES)), key=lambda index: -scores[index])
    matches = scorer.top_k("明天北京下雨", LINES, 3)
    np.testing.assert_allclose([match.score for match in matches], [scores[index] for index in best[:3]], atol=1e-6)
    assert len({round(float(score), 6) for score in scores}) == len(LINES) - 1  # all but the line that comes twice
    assert [LINES[match.index] for match in matches] == [LINES[index] for index in best[:3]]
    assert len(scorer.top_k("好", LINES, 99)) == len(LINES)
    (tmp_path / "lines.txt").write_text("\n".join(LINES), encoding="utf-8")
    run(model_dir, sentence_a="明天北京下雨", input_file=tmp_path / "lines.txt", top_k=1)
    assert capsys.readouterr().out == "{:6.1%} similar | line {} | {}\n".format(
        matches[0].score, matches[0].index + 1, LINES[matches[0].index]
    )


def test_the_prompt_reads_pairs_until_an_empty_line(model_dir, monkeypatch, capsys, caplog):
    typed = "好\t不好\n明天\n下雨\n\x00\t好\n好\n\n\ud800好\t好\n\n好\t好\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with caplog.at_level("INFO"):
        run(model_dir, "--prompt")
    lines = [line.split(" | ")[1:] for line in capsys.readouterr().out.splitlines()]
    assert lines == [["好", "不好"], ["明天", "下雨"], ["?好", "好"]]
    errors = [record.getMessage() for record in caplog.records if record.getMessage().startswith("error: ")]
    assert len(errors) == 2 and "nothing that can be read" in errors[0] and "is empty" in errors[1]


@pytest.mark.parametrize(
    "values", [{"sentence_a": "好"}, {"top_k": 3}, {"sentence_a": "好", "input_file": "x"}, {"output_file": "x"}]
)
def test_flags_that_do_not_say_what_to_score(model_dir, values):
    with pytest.raises(UserError, match="not say what to score: give one of --sentence_a --sentence_b; "):
        run(model_dir, **values)


def test_a_model_of_other_labels_is_refused(tmp_path):
    folder = exports.write_classifier(tmp_path / "m")
    assert len(read_description(folder).labels) == 3
    with pytest.raises(UserError, match="has 3 labels, not the two of different and similar"):
        similarity.BertSim(model_dir=folder).start_model()
