"""Tables of what went wrong: of tags and of spans."""

from albert.finetuning.mrc import answers as mrc
from albert.finetuning.ner import answers as ner
from albert.inference.span_reading import Span
from albert.tasks.entities import Entity
from albert.tasks.mrc_rows import Answer, Question
from albert.tasks.ner_rows import Sentence


def cells(path):
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def test_missed_and_spurious_entities_stand_in_their_sentence(tmp_path):
    text, tokens = "沈雨桐在北京说", tuple((n, n + 1) for n in range(7))
    name, city, wrong = Entity(0, 3, "人"), Entity(4, 6, "地"), Entity(0, 2, "人")
    rows = [
        Sentence(0, text, tokens, (name, city), 1),
        Sentence(1, text, tokens, (name, city), 9),
        Sentence(2, text, tokens, (name,), 17),
    ]
    path = tmp_path / "t.tsv"
    assert ner.write_mistakes(str(path), rows, [[name, city], [name], [wrong, city]]) == 2
    assert cells(path) == [
        ["line", "missed", "spurious", "text"],
        ["17", "人=沈雨桐", "人=沈雨 地=北京", text],
        ["9", "地=北京", "", text],
    ]


def test_answers_that_are_not_exact_stand_worst_first(tmp_path):
    context = "清泉饮料由顾思齐于1952年创办。"
    right = (Answer("顾思齐", 5),)
    questions = [Question("q%d" % n, "谁？", context, right if n < 3 else ()) for n in range(4)]
    spans = [[Span(1.0, *place)] for place in ((5, 8), (5, 9), (0, 2), (0, 1))]
    path = tmp_path / "t.tsv"
    assert mrc.write_mistakes(str(path), questions, spans) == 2
    assert cells(path) == [
        ["id", "f1", "probability", "answer", "right answers", "question"],
        ["q2", "0.0000", "1.0000", "清泉", "顾思齐", "谁？"],
        ["q1", "0.8571", "1.0000", "顾思齐于", "顾思齐", "谁？"],
    ]
