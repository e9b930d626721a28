"""Shard builder: documents in, a complete TFRecord file of pre-training records and its counts out.

Worker processes call it. A shard's bytes depend on its documents, the settings and the seed, and on nothing else.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from albert.files.complete import remove_unfinished
from albert.files.features import CHUNK_FEATURES, NO_SENTENCE_ORDER, Feature, pretraining_features
from albert.files.record_encoding import Ragged, encode_records
from albert.files.tfrecords import NO_COMPRESSION, write_records
from albert.pretraining_data.chunks import Chunks, ChunkSettings, chunk_columns, make_chunks
from albert.pretraining_data.examples import SWAPPED, ExampleBatch, example_columns, make_examples
from albert.pretraining_data.masking import MaskingSettings
from albert.pretraining_data.vocabulary import clause_ends, vocabulary_from_tokenizer
from albert.text.corpus import ByteRange, DocumentPart, read_documents
from albert.text.encoded_text import TextEncoder
from albert.text.segmentation import UserDictionary, WordFinder
from tokenization import FullTokenizer

SHUFFLE_BUFFER_BYTES = 32 << 20
# Documents are processed together up to this size, so that the arrays are long enough for NumPy.
_GROUP_BYTES = 256 << 10
# Cells of the arrays that are processed together: long enough for NumPy, short enough for the cache.
_CELLS_PER_BATCH = 1 << 18

# What is counted, and the reasons why some text is in no example.
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
WITHOUT_TOKEN = "documents_without_a_token"
NOTHING_TO_MASK = "examples_without_a_maskable_unit"
DROP_REASONS = (WITHOUT_TOKEN, NOTHING_TO_MASK)


# Called with the bytes, documents and examples that are done since the last call.
OnProgress = Callable[[int, int, int], None]


class BuildSettings(NamedTuple):
    """Settings that decide the records, together with the text.

    Attributes:
      vocab_file: the WordPiece vocabulary.
      spm_model_file: a sentencepiece model, used in place of the vocabulary.
      do_lower_case: whether text is lower-cased and loses its accents.
      whole_words: the language whose words are the masking units, "chinese" or "other"; None: every token is a unit.
      user_dictionary: words that the Chinese segmenter knows in addition to its own.
      random_seed: the seed of everything that is drawn.
      dupe_factor: the number of passes over each document.
      heldout_share: the share of the documents that goes to the held-out records.
      dynamic_masking: whether the records hold chunks, which are masked each time they are read.
      chunks: how documents become chunks.
      masking: how chunks are masked.
      compression: how the record files are packed, one of tfrecords.COMPRESSIONS.
    """

    vocab_file: Optional[str] = None
    spm_model_file: Optional[str] = None
    do_lower_case: bool = True
    whole_words: Optional[str] = None
    user_dictionary: Optional[UserDictionary] = None
    random_seed: int = 12345
    dupe_factor: int = 10
    heldout_share: float = 0.0
    dynamic_masking: bool = False
    chunks: ChunkSettings = ChunkSettings()
    masking: MaskingSettings = MaskingSettings()
    compression: str = NO_COMPRESSION


def record_features(settings: BuildSettings) -> Tuple[Feature, ...]:
    """Returns the declaration of the records of these settings."""
    if settings.dynamic_masking:
        return CHUNK_FEATURES
    return pretraining_features(settings.chunks.max_seq_length, settings.masking.max_predictions_per_seq)


def build_tokenizer(settings: BuildSettings) -> FullTokenizer:
    """Builds the tokenizer of the settings."""
    return FullTokenizer(settings.vocab_file, settings.do_lower_case, settings.spm_model_file)


class ShardTask(NamedTuple):
    """Shard to make: its file, the part of the corpus it covers, and which documents of that part it takes."""

    path: str
    shard: int
    ranges: List[ByteRange]
    is_heldout: bool


class ShardResult(NamedTuple):
    """Finished shard: its file, size and counts (keys: COUNTS and DROP_REASONS)."""

    path: str
    num_bytes: int
    counts: Dict[str, int]


class ShardBuilder:
    """Builder of shards, with everything that all shards of a process share."""

    def __init__(self, settings: BuildSettings) -> None:
        """Loads vocabulary and dictionaries."""
        self._settings = settings
        tokenizer = build_tokenizer(settings)
        self._unk_id = tokenizer.unk_id
        self._is_clause_end = clause_ends(tokenizer.vocab)
        self._vocabulary = vocabulary_from_tokenizer(tokenizer)
        word_finder = WordFinder(settings.whole_words, settings.user_dictionary) if settings.whole_words else None
        self._encoder = TextEncoder(tokenizer, word_finder)
        self._features = record_features(settings)

    def build(self, task: ShardTask, on_progress: OnProgress = lambda *_: None) -> ShardResult:
        """Writes the file of a shard, complete or absent, after what a killed process left of it is removed.

        Args:
          task: what to make.
          on_progress: called repeatedly with the bytes, documents and examples done since the last call; what it raises
            ends the work.

        Raises:
          UserError: the text cannot be read or the file not written.
        """
        remove_unfinished(task.path)
        return self.write(task, on_progress)

    def write(
        self, task: ShardTask, on_progress: OnProgress = lambda *_: None, writer: Optional[int] = None
    ) -> ShardResult:
        """Writes the file of a shard, complete or absent, also while another machine writes the same one.

        Args:
          task, on_progress: as of `build`.
          writer: a number that no other writer of the file has; by default that of this process.

        Raises:
          UserError: the text cannot be read or the file not written.
        """
        counts: Counter = Counter()
        rng = random.Random("{}/shuffle/{}".format(self._settings.random_seed, task.shard))
        records = self.records(task, counts, on_progress)
        in_new_order = shuffled(records, rng=rng, buffer_bytes=SHUFFLE_BUFFER_BYTES)
        write_records(task.path, in_new_order, self._settings.compression, writer)
        return ShardResult(
            task.path, os.path.getsize(task.path), {name: counts[name] for name in COUNTS + DROP_REASONS}
        )

    def records(self, task: ShardTask, counts: Counter, on_progress: OnProgress = lambda *_: None) -> Iterator[bytes]:
        """Yields the records of a shard, not shuffled; adds to `counts` on the way."""
        for chunks, examples in self.examples(task, counts, on_progress):
            yield from encode_records(self._features, self._columns(chunks, examples))

    def _columns(self, chunks: Chunks, examples: ExampleBatch) -> Mapping[str, Union[np.ndarray, Ragged]]:
        if self._settings.dynamic_masking:
            return chunk_columns(chunks)
        return example_columns(examples)

    def examples(
        self, task: ShardTask, counts: Counter, on_progress: OnProgress = lambda *_: None
    ) -> Iterator[Tuple[Chunks, ExampleBatch]]:
        """Yields the chunks of a shard in batches, with an example of each; adds to `counts` on the way."""
        settings = self._settings
        phase = random.Random("{}/held-out/{}".format(settings.random_seed, task.shard)).random()
        parts = choose_documents(
            read_documents(task.ranges),
            settings.heldout_share,
            phase=phase,
            heldout=task.is_heldout,
        )
        step = max(1, _CELLS_PER_BATCH // settings.chunks.max_seq_length)
        for group in groups_of(parts, _GROUP_BYTES):
            rng = _generator(settings.random_seed, group[0])
            chunks = self._chunks(group, rng, counts)
            for first in range(0, len(chunks.starts), step):
                yield self._usable_examples(chunks.take(slice(first, first + step)), rng, counts, on_progress)
            on_progress(sum(part.num_bytes for part in group), sum(not part.is_continuation for part in group), 0)

    def _chunks(self, group: Sequence[DocumentPart], rng: np.random.RandomState, counts: Counter) -> Chunks:
        text = self._encoder.encode([part.lines for part in group])
        continuations = sum(part.is_continuation for part in group)
        counts["documents"] += len(group) - continuations
        counts["continuations"] += continuations
        counts["sentences"] += len(text.sentence_starts)
        counts["tokens"] += len(text.token_ids)
        counts["unknown_tokens"] += int(np.count_nonzero(text.token_ids == self._unk_id))
        counts[WITHOUT_TOKEN] += len(group) - len(text.document_starts)
        return make_chunks(
            text,
            dupe_factor=self._settings.dupe_factor,
            rng=rng,
            settings=self._settings.chunks,
            is_clause_end=self._is_clause_end,
        )

    def _usable_examples(
        self, chunks: Chunks, rng: np.random.RandomState, counts: Counter, on_progress: OnProgress
    ) -> Tuple[Chunks, ExampleBatch]:
        examples = make_examples(
            chunks,
            rng=rng,
            max_seq_length=self._settings.chunks.max_seq_length,
            masking=self._settings.masking,
            vocabulary=self._vocabulary,
        )
        is_usable = examples.num_predictions > 0
        chunks, examples = chunks.take(is_usable), examples.take(is_usable)
        num_examples = len(examples.num_predictions)
        counts["examples"] += num_examples
        counts["sentence_order_pairs"] += int(np.count_nonzero(examples.sentence_order != NO_SENTENCE_ORDER))
        counts["swapped_pairs"] += int(np.count_nonzero(examples.sentence_order == SWAPPED))
        counts["predictions"] += int(examples.num_predictions.sum())
        counts[NOTHING_TO_MASK] += int(np.count_nonzero(~is_usable))
        on_progress(0, 0, num_examples)
        return chunks, examples


def _generator(random_seed: int, first: DocumentPart) -> np.random.RandomState:
    """Returns a generator for the documents from `first` on; NumPy's RandomState draws the same in all versions."""
    seed = "{}/{}/{}".format(random_seed, first.file_index, first.offset)
    return np.random.RandomState(np.frombuffer(hashlib.sha256(seed.encode("ascii")).digest(), "<u4"))


def groups_of(parts: Iterable[DocumentPart], num_bytes: int) -> Iterator[List[DocumentPart]]:
    """Yields documents in groups of at least `num_bytes` of text."""
    group: List[DocumentPart] = []
    size = 0
    for part in parts:
        group.append(part)
        size += part.num_bytes
        if size >= num_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group


def choose_documents(
    parts: Iterable[DocumentPart], heldout_share: float, *, phase: float, heldout: bool
) -> Iterator[DocumentPart]:
    """Yields the held-out documents, or all others: of n documents n * heldout_share are held out, evenly spread.

    Args:
      parts: documents; all parts of one document stay together.
      heldout_share: in [0, 1).
      phase: in [0, 1), the start of the even spacing.
      heldout: whether to yield the held-out documents, rather than the others.
    """
    count = 0
    is_chosen = False
    for part in parts:
        if not part.is_continuation:
            is_chosen = (int(phase + (count + 1) * heldout_share) > int(phase + count * heldout_share)) == heldout
            count += 1
        if is_chosen:
            yield part


def shuffled(records: Iterable[bytes], *, rng: random.Random, buffer_bytes: int) -> Iterator[bytes]:
    """Shuffles records within a buffer of at most `buffer_bytes`, so a larger stream is shuffled only roughly."""
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
