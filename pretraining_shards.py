"""One shard of pre-training records: documents in, a complete TFRecord file and its counts out.

What a worker process does. A shard's bytes depend on its documents, the settings and the seed, and on nothing else.
"""

from __future__ import annotations

import functools
import os
import random
from collections import Counter
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional

import pretraining_vocabulary
import segmentation
from corpus import ByteRange, DocumentPart, read_documents
from features import NO_SENTENCE_ORDER, pretraining_features
from pretraining_examples import (
    SWAPPED,
    DocumentExamples,
    EncodedDocument,
    ExampleSettings,
    document_examples,
    encode_document,
    record_values,
)
from record_files import NO_COMPRESSION, encode_record, remove_unfinished, write_records
from tokenization import FullTokenizer

SHUFFLE_BUFFER_BYTES = 32 << 20

# What is counted, and the reasons for which something of the text went into no example.
COUNTS = (
    "documents",
    "continuations",  # parts of documents that are too long to be read at once
    "sentences",
    "tokens",
    "unknown_tokens",
    "examples",
    "sentence_order_pairs",
    "swapped_pairs",
    "predictions",
)
NO_TOKEN = "documents_without_a_token"
NOTHING_TO_MASK = "examples_without_a_maskable_unit"
DROP_REASONS = (NO_TOKEN, NOTHING_TO_MASK)


class BuildSettings(NamedTuple):
    """Everything besides the text that decides the records.

    Attributes:
      vocab_file: the WordPiece vocabulary.
      spm_model_file: a sentencepiece model to be used instead.
      do_lower_case: whether text is lower-cased and loses its accents.
      whole_words: the language whose words are the masking units, "chinese" or "other"; None: every token is a unit.
      random_seed: the seed of everything that is drawn.
      dupe_factor: the number of passes over each document.
      heldout_share: the share of the documents that goes to the held-out records.
      examples: how a document becomes examples.
      compression: how the record files are packed, one of record_files.COMPRESSIONS.
    """

    vocab_file: Optional[str]
    spm_model_file: Optional[str]
    do_lower_case: bool
    whole_words: Optional[str]
    random_seed: int
    dupe_factor: int
    heldout_share: float
    examples: ExampleSettings
    compression: str = NO_COMPRESSION


class ShardTask(NamedTuple):
    """A shard to make: its file, the part of the corpus it covers, and which documents of that part it takes."""

    path: str
    shard: int
    ranges: List[ByteRange]
    is_heldout: bool


class ShardResult(NamedTuple):
    """A finished shard: its file, size and counts (keys: COUNTS and DROP_REASONS)."""

    path: str
    num_bytes: int
    counts: Dict[str, int]


class ShardBuilder:
    """Makes shards; holds what all shards of a process share."""

    def __init__(self, settings: BuildSettings) -> None:
        self._settings = settings
        self._tokenizer = FullTokenizer(settings.vocab_file, settings.do_lower_case, settings.spm_model_file)
        self._vocabulary = pretraining_vocabulary.from_tokenizer(self._tokenizer)
        self._find_words = None
        if settings.whole_words:
            self._find_words = functools.partial(segmentation.unit_spans, language=settings.whole_words)
        masking = settings.examples.masking
        self._features = pretraining_features(settings.examples.max_seq_length, masking.max_predictions_per_seq)

    def build(self, task: ShardTask, on_progress: Callable[[int, int, int], None] = lambda *_: None) -> ShardResult:
        """Writes a shard, complete or absent.

        Args:
          task: what to make.
          on_progress: called with the bytes, documents and examples that are done since the last call, after each
            pass over a document; what it raises ends the work.

        Raises:
          UserError: the text cannot be read or the file not written.
        """
        counts: Counter = Counter()
        remove_unfinished(task.path)
        rng = random.Random("{}/shuffle/{}".format(self._settings.random_seed, task.shard))
        records = self._records(task, counts, on_progress)
        in_new_order = shuffled(records, rng=rng, buffer_bytes=SHUFFLE_BUFFER_BYTES)
        write_records(task.path, in_new_order, self._settings.compression)
        return ShardResult(
            task.path, os.path.getsize(task.path), {name: counts[name] for name in COUNTS + DROP_REASONS}
        )

    def _records(self, task: ShardTask, counts: Counter, on_progress: Callable) -> Iterator[bytes]:
        phase = random.Random("{}/held-out/{}".format(self._settings.random_seed, task.shard)).random()
        parts = choose_documents(
            read_documents(task.ranges), self._settings.heldout_share, phase=phase, heldout=task.is_heldout
        )
        for part in parts:
            document = encode_document(part.lines, tokenizer=self._tokenizer, find_words=self._find_words)
            self._count_document(part, document, counts)
            for examples in self._passes(part, document):
                _count_examples(examples, counts)
                for example in examples.examples:
                    yield encode_record(self._features, record_values(example, self._settings.examples))
                on_progress(0, 0, len(examples.examples))
            on_progress(part.num_bytes, int(not part.is_continuation), 0)

    def _passes(self, part: DocumentPart, document: EncodedDocument) -> Iterator[DocumentExamples]:
        for number in range(self._settings.dupe_factor):
            seed = "{}/{}/{}/{}".format(self._settings.random_seed, part.file_index, part.offset, number)
            yield document_examples(
                document, rng=random.Random(seed), settings=self._settings.examples, vocabulary=self._vocabulary
            )

    def _count_document(self, part: DocumentPart, document: EncodedDocument, counts: Counter) -> None:
        counts["continuations" if part.is_continuation else "documents"] += 1
        counts["sentences"] += len(document.sentence_starts)
        counts["tokens"] += len(document.token_ids)
        counts["unknown_tokens"] += document.token_ids.count(self._tokenizer.unk_id)
        counts[NO_TOKEN] += not document.token_ids


def _count_examples(examples: DocumentExamples, counts: Counter) -> None:
    labels = [example.sentence_order for example in examples.examples]
    counts["examples"] += len(labels)
    counts["sentence_order_pairs"] += len(labels) - labels.count(NO_SENTENCE_ORDER)
    counts["swapped_pairs"] += labels.count(SWAPPED)
    counts["predictions"] += sum(len(example.positions) for example in examples.examples)
    counts[NOTHING_TO_MASK] += examples.num_unmaskable


def choose_documents(
    parts: Iterable[DocumentPart], heldout_share: float, *, phase: float, heldout: bool
) -> Iterator[DocumentPart]:
    """The held-out documents, or all others: of n documents n * heldout_share are held out, evenly spread.

    Args:
      parts: documents; all parts of one document stay together.
      heldout_share: in [0, 1).
      phase: in [0, 1), where in the even spacing to begin.
      heldout: which of the two to yield.
    """
    count = 0
    is_chosen = False
    for part in parts:
        if not part.is_continuation:
            is_chosen = (int(phase + (count + 1) * heldout_share) > int(phase + count * heldout_share)) == heldout
            count += 1
        if is_chosen:
            yield part


def shuffled(records: Iterable[bytes], *, rng, buffer_bytes: int) -> Iterator[bytes]:
    """Shuffles records within a buffer of at most `buffer_bytes`, a larger stream therefore roughly."""
    buffer: List[bytes] = []
    size = 0
    for record in records:
        buffer.append(record)
        size += len(record)
        while size > buffer_bytes:
            drawn = rng.randrange(len(buffer))
            buffer[drawn], buffer[-1] = buffer[-1], buffer[drawn]
            size -= len(buffer[-1])
            yield buffer.pop()
    rng.shuffle(buffer)
    yield from buffer
