"""Records of sentences whose tokens are tagged (`albert.inference.sentence_parts`). Pure."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Sequence

from albert.files.features import NO_TAG, TAG_FEATURES
from albert.finetuning.feature_cache import EncodedRecord, RecordEncoder
from albert.inference.sentence_parts import SentencePart, parts_of
from albert.tasks.entities import tags_of_entities
from albert.tasks.ner_rows import Sentence
from albert.tasks.task import Task
from tokenization import FullTokenizer


def record_encoder(task: Task, tokenizer: FullTokenizer, max_seq_length: int) -> RecordEncoder:
    """Encoder of sentences as records, of at most `max_seq_length` tokens each."""
    return RecordEncoder(
        TAG_FEATURES,
        lambda sentences: _records(sentences, parts_of(sentences, tokenizer, max_seq_length), task.labels),
        {"task": task.name, "labels": list(task.labels), "max_seq_length": max_seq_length},
        tokenizer,
        noun="sequences",
    )


def _records(
    sentences: Sequence[Sentence], parts: Iterable[SentencePart], labels: Sequence[str]
) -> Iterator[EncodedRecord]:
    ids = {label: number for number, label in enumerate(labels)}
    tagged = -1
    tags: List[str] = []
    for index, part in enumerate(parts):
        sentence = sentences[part.sentence]
        if part.sentence != tagged:
            tagged = part.sentence
            tags = [] if sentence.entities is None else tags_of_entities(sentence.entities, sentence.tokens)
        yield EncodedRecord(_values(index, part, tags, ids), [part.encoded])


def _values(index: int, part: SentencePart, tags: Sequence[str], ids: Dict[str, int]) -> Dict[str, List[int]]:
    label_ids = [NO_TAG] * len(part.encoded.input_ids)
    for position, tag in zip(part.positions, tags[part.first :]):
        label_ids[position] = 1 + ids[tag]
    return {
        "row_index": [index],
        "input_ids": part.encoded.input_ids,
        "segment_ids": part.encoded.segment_ids,
        "label_ids": label_ids,
    }
