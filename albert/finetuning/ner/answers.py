"""Answers of a tagging model: entities of sentences, their scores, and their files.

| file | content |
|---|---|
| <task>_predict.bio | `token TAB tag` per line, a blank line after each sentence, in file order |
| <task>_predict.spans.json | JSON lines: id, text and the entities, each with start, end (exclusive), type and text |
| cluener_predict.json | the submission of CLUENER: id, label as in its training file (ends are inclusive) |
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

import numpy as np

from albert.files.complete import CompleteFile
from albert.finetuning.mistake_table import write_table
from albert.finetuning.sameness import is_nearly_all
from albert.inference.tag_reading import read_entities
from albert.tasks.entities import Entity, EntityScore, entity_scores, over_all_types, tags_of_entities
from albert.tasks.ner_rows import Sentence
from albert.tasks.submission import file_name, id_of
from albert.tasks.task import Task

CLUENER = "cluener"
_BIO_SUFFIX, _SPANS_SUFFIX = "_predict.bio", "_predict.spans.json"


def predicted_entities(task: Task, sentence: Sentence, answer: np.ndarray) -> List[Entity]:
    """Reads the entities, in characters, off the likeliest tag of each token."""
    return [found.entity for found in read_entities(task.labels, sentence, answer)]


def score_entities(
    task: Task, sentences: Sequence[Sentence], answers: Sequence[np.ndarray], *, report_path: str, prefix: str = ""
) -> Dict[str, float]:
    """Scores entities over all types: F1, precision, recall, mean loss of a token; none where there are no tags.

    Args:
      task: the sentences' task.
      sentences: in file order.
      answers: their `token_answers`.
      report_path: where the scores of each type are put.
      prefix: goes before each figure's name.
    """
    if sentences[0].entities is None:
        return {}
    predicted = [predicted_entities(task, *pair) for pair in zip(sentences, answers)]
    scores = entity_scores([sentence.entities or () for sentence in sentences], predicted)
    total = over_all_types(scores)
    write_report(report_path, dict(scores, **{"all types": total}))
    figures = {"f1": total.f1, "precision": total.precision, "recall": total.recall}
    figures["loss"] = _mean_loss(task, sentences, answers)
    return {prefix + name: value for name, value in figures.items()}


def write_mistakes(path: str, sentences: Sequence[Sentence], predicted: Sequence[Sequence[Entity]]) -> int:
    """Writes a table of the sentences with missed or spurious entities, the most first, and returns their number.

    An entity is its type and its text, and an entity of another type or extent is a missed and a spurious one.
    """
    rows = []
    for sentence, found in zip(sentences, predicted):
        missed, spurious = set(sentence.entities or ()) - set(found), set(found) - set(sentence.entities or ())
        if missed or spurious:
            texts = [_in_words(sentence, entities) for entities in (missed, spurious)]
            rows.append((float(len(missed) + len(spurious)), [str(sentence.line), *texts, sentence.text]))
    return write_table(path, ("line", "missed", "spurious", "text"), rows)


def _in_words(sentence: Sentence, entities: Iterable[Entity]) -> str:
    return " ".join("{}={}".format(e.type, sentence.text[e.start : e.end]) for e in sorted(entities))


def no_entity_predicted(sentences: Sequence[Sentence], predicted: Sequence[Sequence[Entity]]) -> Optional[str]:
    """Words on sentences with entities of which (nearly) none is predicted; None where some are."""
    right = sum(len(sentence.entities or ()) for sentence in sentences)
    found = sum(map(len, predicted))
    if not is_nearly_all(right - found, right):
        return None
    return "{} predicted in {:,} sentences, which have {:,}".format(
        "no entity is" if not found else "only {:,} entities are".format(found), len(sentences), right
    )


def _mean_loss(task: Task, sentences: Sequence[Sentence], answers: Sequence[np.ndarray]) -> float:
    ids = {label: number for number, label in enumerate(task.labels)}
    total, count = 0.0, 0
    for sentence, answer in zip(sentences, answers):
        tags = [ids[tag] for tag in tags_of_entities(sentence.entities or (), sentence.tokens)]
        total -= float(answer[np.arange(len(tags)), tags].sum(dtype=np.float64))
        count += len(tags)
    return total / count


def write_report(path: str, scores: Dict[str, EntityScore]) -> None:
    """Writes the scores of each entity type as text; tabs separate columns."""
    lines = ["type\tgold\tpredicted\tright\tprecision\trecall\tf1"]
    for kind, found in scores.items():
        figures = "\t".join("{:.4f}".format(value) for value in (found.precision, found.recall, found.f1))
        lines.append("\t".join((kind, *map(str, found), figures)))
    with CompleteFile(path) as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))


def write_entities(
    folder: str, task: Task, sentences: Sequence[Sentence], predicted: Sequence[Sequence[Entity]]
) -> List[str]:
    """Writes the entities of a split in every form that the task has; returns the paths.

    Raises:
      UserError: a file cannot be written.
    """
    forms: Dict[str, Callable[[Sentence, Sequence[Entity]], str]] = {
        task.name + _BIO_SUFFIX: _bio_lines,
        task.name + _SPANS_SUFFIX: lambda sentence, entities: _json_line(_spans(sentence, entities)),
    }
    if task.name == CLUENER:
        forms[file_name(task)] = lambda sentence, entities: _json_line(_cluener_answer(sentence, entities))
    paths = []
    for name, form in forms.items():
        paths.append(os.path.join(folder, name))
        with CompleteFile(paths[-1]) as file:
            for sentence, entities in zip(sentences, predicted):
                file.write(form(sentence, entities).encode("utf-8"))
    return paths


def _bio_lines(sentence: Sentence, entities: Sequence[Entity]) -> str:
    tags = tags_of_entities(entities, sentence.tokens)
    pairs = zip(sentence.tokens, tags)
    return "".join("{}\t{}\n".format(sentence.text[start:end], tag) for (start, end), tag in pairs) + "\n"


def _json_line(value: Dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _spans(sentence: Sentence, entities: Sequence[Entity]) -> Dict[str, Any]:
    found = [dict(entity._asdict(), text=sentence.text[entity.start : entity.end]) for entity in entities]
    return {"id": id_of(sentence), "text": sentence.text, "entities": found}


def _cluener_answer(sentence: Sentence, entities: Sequence[Entity]) -> Dict[str, Any]:
    label: Dict[str, Dict[str, List[List[int]]]] = {}
    for entity in entities:
        text = sentence.text[entity.start : entity.end]
        label.setdefault(entity.type, {}).setdefault(text, []).append([entity.start, entity.end - 1])
    return {"id": id_of(sentence), "label": label}
