"""What `python similarity.py` can be asked, on a tiny model; BertSim itself is tested in test_classification_run."""

import io
import os

import numpy as np
import pytest

import similarity
from albert.base.errors import UserError
from albert.checkpoints.description import read_description, write_description
from albert.inference import similarity_command
from albert.inference.predictor import open_predictor
from albert.inference.vector_model import open_vectors
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


class LengthScorer:
    """Says of a pair the lengths of its texts, so that a test sees what was scored."""

    score = similarity_command.PROBABILITY

    def predict_sentences(self, pairs, place=None):
        return np.array([[0, len(a) + len(b) / 10] for a, b in pairs])

    def top_k(self, sentence, lines, k, place=None):
        return [similarity.Match(index, len(line) / 10) for index, line in enumerate(lines)][:k]


def scored(folder, content, name="in.tsv", **columns):
    (folder / name).write_text(content, encoding="utf-8")
    similarity_command.score_file(LengthScorer(), str(folder / name), str(folder / "out"), **columns)
    return (folder / "out").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "header, row",
    [
        ("label\tsentence1\tsentence2", "1\t甲甲\t乙"),
        ("qid\ttext_a\ttext_b", "7\t甲甲\t乙"),
        ("query\ttitle", "甲甲\t乙"),
        ("title\tquery\tlabel", "乙\t甲甲\t0"),
        ("q1\tq2\tverdict", "甲甲\t乙\tduplicate"),
        ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", "0\t1\t2\t甲甲\t乙\t0"),
        ("Sentence 1\tSentence 2\tgenre", "甲甲\t乙\tnews"),
        ("编号\t句子一\t句子二", "3\t甲甲\t乙"),
        ("sentence2\tsentence1", "乙\t甲甲"),
        ("premise\thypothesis\tgold_label", "甲甲\t乙\tneutral"),
        ("text\tsentence", "甲甲\t乙"),
    ],
)
def test_columns_are_found_by_their_names(tmp_path, header, row):
    assert scored(tmp_path, "{}\n{}\n".format(header, row)) == [header + "\tsimilar", row + "\t2.100000"]
    header, row = header.replace("\t", ","), row.replace("\t", ",")
    assert scored(tmp_path, "{}\n{}\n".format(header, row), "in.csv") == [header + ",similar", row + ",2.100000"]


@pytest.mark.parametrize(
    "content, columns, expected",
    [
        (
            "a1\tfrage\tantwort\nx\t甲甲\t乙\n",
            ("frage", "antwort"),
            ["a1\tfrage\tantwort\tsimilar", "x\t甲甲\t乙\t2.100000"],
        ),
        ("1\t甲甲\t乙\n", ("2", "3"), ["1\t甲甲\t乙\t2.100000"]),
        (
            "label\ttext\tpair_text\n1\t甲甲\t乙\n",
            ("text", "3"),
            ["label\ttext\tpair_text\tsimilar", "1\t甲甲\t乙\t2.100000"],
        ),
        ("id\ttext1\ttext2\n1\t甲甲\t乙\n", ("2", "3"), ["id\ttext1\ttext2\tsimilar", "1\t甲甲\t乙\t2.100000"]),
        ("110\t乙\t3\n", ("1", "2"), ["110\t乙\t3\t3.100000"]),
    ],
)
def test_columns_may_be_chosen(tmp_path, content, columns, expected):
    assert scored(tmp_path, content, column_a=columns[0], column_b=columns[1]) == expected


def test_commas_and_quotes_of_a_csv_file(tmp_path):
    lines = scored(tmp_path, 'id,sentence1,sentence2\n1,"甲,""甲",乙\n', "in.csv")
    assert lines == ["id,sentence1,sentence2,similar", '1,"甲,""甲",乙,4.100000']
    assert scored(tmp_path, "甲甲\t乙\n", "tabs.csv") == ["甲甲\t乙\t2.100000"]


def test_a_file_without_names_says_that_its_first_line_is_a_pair(tmp_path, caplog):
    caplog.set_level("INFO")
    assert scored(tmp_path, "frage\tantwort\n甲\t乙\n")[0] == "frage\tantwort\t5.700000"
    assert "in.tsv: line 1 names no columns and is a pair; the texts are in the first two columns." in caplog.text


@pytest.mark.parametrize(
    "content, message",
    [
        ("1\t甲\t乙\n", "line 1 has 3 columns without names, and '1' among the first two, which should hold the texts"),
        ("nr\tlinks\trechts\n7\t甲\t乙\n", "line 2 has 3 columns without names, and '7' among the first two"),
        (
            "qid\tlabel\tsentence\n1\t0\t甲\n",
            "line 1 names the columns qid, label, sentence, which do not tell the two",
        ),
        ("text1\ttext2\tq1\tq2\tid\n", "line 1 names the columns text1, text2, q1, q2, id, which do not tell the two"),
        ("label\tsentence1\tsentence2\n甲\t乙\n", r"line 2 has 2 columns, expected 3 \(label, sentence1, sentence2\)"),
        ('{"sentence1": "甲", "sentence2": "乙"}\n', "line 1 is a JSON object: give a text file, or a table"),
    ],
)
def test_columns_that_nothing_tells_are_refused(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        scored(tmp_path, content)
    assert os.listdir(str(tmp_path)) == ["in.tsv"]


@pytest.mark.parametrize(
    "content, name, column, expected",
    [
        ("甲甲\n乙\n", "in.txt", None, [("1", "甲甲"), ("2", "乙")]),
        ("句子\n乙\n", "in.txt", None, [("1", "句子"), ("2", "乙")]),
        ("id\tsentence\n1\t甲甲\n", "in.tsv", None, [("2", "甲甲")]),
        ('label,text\n1,"甲,甲"\n', "in.csv", None, [("2", "甲,甲")]),
        ("甲甲\t乙\n", "in.tsv", None, [("1", "甲甲\t乙")]),
        ("甲甲\t乙\n", "in.tsv", "2", [("1", "乙")]),
        ("x\ty\n甲甲\t乙\n", "in.tsv", "y", [("2", "乙")]),
        ('你说,"好\n', "in.csv", None, [("1", '你说,"好')]),
    ],
)
def test_lines_to_compare_may_be_a_column(tmp_path, capsys, content, name, column, expected):
    (tmp_path / name).write_text(content, encoding="utf-8")
    similarity_command.find_similar(LengthScorer(), "好", str(tmp_path / name), 9, column)
    lines = [line.split(" | ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["line {} | {}".format(*each) for each in expected]


@pytest.mark.parametrize(
    "content, column, message",
    [
        ("label\tsentence1\tsentence2\n", None, "which do not tell the text: name it with --column"),
        ("id\tsentence\n甲\n", None, r"line 2 has 1 column, expected 2 \(id, sentence\)"),
        ("甲\t乙\n甲\n", "2", "line 2 has no tab|line 2 has 1 columns, expected at least 2"),
        ("甲\t乙\n", "x", "line 1 has no column x"),
    ],
)
def test_a_column_that_is_not_there(tmp_path, content, column, message):
    (tmp_path / "in.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        similarity_command.find_similar(LengthScorer(), "好", str(tmp_path / "in.tsv"), 9, column)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"sentence_a": "好", "sentence_b": "好", "column_a": "x", "column_b": "y"}, "name columns of --input_file"),
        ({"input_file": "x", "output_file": "y", "column_a": "x"}, "give --column_a and --column_b, or neither"),
        ({"sentence_a": "好", "input_file": "x", "top_k": 1, "column_a": "x"}, "give --column_b alone"),
    ],
)
def test_columns_go_with_a_file(values, message):
    with pytest.raises(UserError, match=message):
        run("no_model", **values)


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


@pytest.fixture(scope="module")
def vectors_dir(tmp_path_factory):
    """A model of sentence vectors."""
    return exports.write_vectors(tmp_path_factory.mktemp("vectors") / "m")


def test_a_model_of_sentence_vectors_answers_with_cosines(vectors_dir, tmp_path, capsys, caplog):
    lines = ["一丁七万", "万七", "丈三上下不与"]
    with open_vectors(vectors_dir) as loaded:
        vectors = loaded.embed(lines).astype(float)
    cosines = vectors @ vectors.T
    run(vectors_dir, sentence_a=lines[0], sentence_b=lines[1])
    assert capsys.readouterr().out == "{:6.3f} cosine | {} | {}\n".format(cosines[0, 1], *lines[:2])
    (tmp_path / "in.tsv").write_text("sentence1\tsentence2\n{}\t{}\n".format(*lines[1:]), encoding="utf-8")
    with caplog.at_level("INFO"):
        run(vectors_dir, input_file=tmp_path / "in.tsv", output_file=tmp_path / "out.tsv")
    header, row = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "sentence1\tsentence2\tcosine" and "holds the cosines of 1 pairs" in caplog.text
    np.testing.assert_allclose(float(row.split("\t")[2]), cosines[1, 2], atol=2e-6)
    (tmp_path / "lines.txt").write_text("\n".join(lines), encoding="utf-8")
    run(vectors_dir, sentence_a=lines[2], input_file=tmp_path / "lines.txt", top_k=1)
    assert capsys.readouterr().out == " 1.000 cosine | line 3 | 丈三上下不与\n"


def test_programs_get_cosines_in_the_second_column(vectors_dir):
    model = similarity.BertSim(model_dir=vectors_dir, symmetric=True)
    scores = model.predict_sentences([("一丁", "万七"), ("万七", "一丁"), ("万七", "万七")])
    assert model.score is similarity_command.COSINE and scores.shape == (3, 2)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(scores[:, 1], [scores[0, 1], scores[0, 1], 1.0], atol=1e-6)


@pytest.mark.parametrize("labels, similar", [(("duplicate", "not_duplicate"), 0), (("not_duplicate", "duplicate"), 1)])
def test_the_similar_label_is_found_by_its_name(tmp_path, labels, similar):
    folder = exports.write_classifier(tmp_path / "m", labels=labels)
    with open_predictor(folder) as loaded:
        expected = loaded.predict([("明天下雨", "好")])
    found = similarity.BertSim(model_dir=folder).predict_sentences([("明天下雨", "好")])
    np.testing.assert_allclose(found, expected[:, [1 - similar, similar]], atol=1e-6)


def test_labels_that_do_not_say_it_are_refused_until_a_setting_does(tmp_path):
    folder = exports.write_classifier(tmp_path / "m", labels=("甲", "乙"))
    with pytest.raises(UserError, match="model's labels '甲' and '乙' means similar is not known: .* in .*task.json"):
        similarity.BertSim(model_dir=folder).start_model()
    write_description(folder, read_description(folder)._replace(similar_label="甲"))
    assert read_description(folder).similar_label == "甲"
    model = similarity.BertSim(model_dir=folder)
    exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "out", max_seq_length=0)
    exported = similarity.BertSim(model_dir=str(tmp_path / "out"))
    pairs = [("明天下雨", "好")]
    np.testing.assert_allclose(exported.predict_sentences(pairs), model.predict_sentences(pairs), atol=1e-5)
    with open_predictor(folder) as loaded:
        np.testing.assert_allclose(model.predict_sentences(pairs)[:, 1], loaded.predict(pairs)[:, 0], atol=1e-6)


def test_a_model_of_other_labels_is_refused(tmp_path):
    folder = exports.write_classifier(tmp_path / "m")
    assert len(read_description(folder).labels) == 3
    with pytest.raises(UserError, match="has 3 labels, not the two of different and similar"):
        similarity.BertSim(model_dir=folder).start_model()
