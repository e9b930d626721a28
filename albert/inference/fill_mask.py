"""Fill-mask: the most probable words of a pre-trained model of either family for each [MASK] of a text.

The probability of `##字` is added to that of 字: the published zh models were trained on whole words whose inner
characters were labelled `##字`, so they predict `##气` where they mean 气. No input holds such a token, since Chinese
characters stand alone there; in models whose labels are the text's own tokens its probability is close to zero.
"""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.sentences import Sentence
from albert.checkpoints.model import CheckpointModel
from albert.inference.encoder_model import EncoderModel
from albert.inference.engine_tensorflow import TensorFlowEngine
from albert.inference.graph import Recipe, Tensors, encoder_of, frozen_graph
from albert.inference.text_batches import MAX_BATCH_TOKENS, Place, batches_by_length, shown
from albert.model import heads
from albert.model.outputs import HEADS, INPUT_NAMES, MASKED_LM, Arrays
from albert.text.sequences import EncodedPair, pad_batch, text_ids
from tokenization import CONTINUATION_PREFIX, MASK_TOKEN, FullTokenizer, is_chinese_character

_POSITIONS = "masked_lm_positions"
_PROBABILITIES = HEADS[MASKED_LM].outputs[0]


class Candidate(NamedTuple):
    """Token for a [MASK], and its probability."""

    token: str
    probability: float


class _MaskedRow(NamedTuple):
    """Text as the model reads it, and the positions of its masks."""

    encoded: EncodedPair
    positions: List[int]


class FillMask:
    """Fills masks. Safe to call from several threads."""

    def __init__(self, source: EncoderModel, *, batch_size: int = 32, graph_file: Optional[str] = None) -> None:
        """Loads the model.

        Args:
          source: see `encoder_model.open_encoder`.
          batch_size: rows in one pass.
          graph_file: see `graph.frozen_graph`.

        Raises:
          UserError: the checkpoint has no masked-LM head.
        """
        model = source.model
        lack = model.lack_of(MASKED_LM)
        if lack:
            raise UserError("the checkpoint {} has {}: name a pre-trained one".format(model.prefix, lack))
        inputs = INPUT_NAMES + (_POSITIONS,)
        recipe = Recipe(model, _build, {"head": MASKED_LM}, inputs)
        self._engine = TensorFlowEngine(frozen_graph(recipe, graph_file), _PROBABILITIES, inputs=inputs)
        self._tokenizer = source.tokenizer
        self._batch_size = batch_size
        self._max_length = model.config.max_position_embeddings
        self._inner, self._alone = _inner_characters(self._tokenizer)
        self._never = [self._tokenizer.pad_id, self._tokenizer.unk_id, self._tokenizer.cls_id]
        self._never += [self._tokenizer.sep_id, self._tokenizer.mask_id]

    def fill(self, texts: Sequence[str], top_k: int = 5, place: Place = "row {}".format) -> List[List[List[Candidate]]]:
        """Returns the most probable tokens, best first: for each text, for each [MASK] in turn, its candidates.

        Args:
          texts: each with at least one [MASK].
          top_k: candidates of a mask; special tokens are left out.
          place: what messages call a text, by its number from 1.

        Raises:
          UserError: a value is not a text, has no [MASK], or is longer than the model's positions.
        """
        rows = [self._encode(text, place(number)) for number, text in enumerate(texts, start=1)]
        found: List[List[List[Candidate]]] = [[] for _ in rows]
        lengths = [len(row.encoded.input_ids) for row in rows]
        for batch in batches_by_length(lengths, max_rows=self._batch_size, max_tokens=MAX_BATCH_TOKENS):
            probabilities = self._engine.answer(self._inputs_of([rows[row] for row in batch]))
            for row, values in zip(batch, probabilities):
                found[row] = [self._best(values[mask], top_k) for mask in range(len(rows[row].positions))]
        return found

    def _encode(self, text: str, place: str) -> _MaskedRow:
        if not isinstance(text, str):
            raise UserError("{} must be a text, not {}".format(place, shown(text)))
        parts = text.split(MASK_TOKEN)
        if len(parts) == 1:
            raise UserError(Sentence("{} has no {}: write one where a word is missing", place, MASK_TOKEN))
        tokenizer = self._tokenizer
        ids, positions = [tokenizer.cls_id], []  # type: List[int], List[int]
        for number, part in enumerate(parts):
            if number:
                positions.append(len(ids))
                ids.append(tokenizer.mask_id)
            ids += text_ids(tokenizer, part)
        ids.append(tokenizer.sep_id)
        if len(ids) > self._max_length:
            raise UserError(
                Sentence(
                    "{} has {:,} tokens, the model takes at most {}: shorten it", place, len(ids), self._max_length
                )
            )
        return _MaskedRow(EncodedPair(ids, [0] * len(ids), False), positions)

    def _inputs_of(self, rows: Sequence[_MaskedRow]) -> Arrays:
        inputs = pad_batch([row.encoded for row in rows], self._tokenizer.pad_id)
        positions = np.zeros([len(rows), max(len(row.positions) for row in rows)], np.int32)
        for index, row in enumerate(rows):
            positions[index, : len(row.positions)] = row.positions
        return dict(inputs, **{_POSITIONS: positions})

    def _best(self, probabilities: np.ndarray, top_k: int) -> List[Candidate]:
        """Returns the candidates of one mask from the probabilities [V] of all tokens."""
        values = probabilities[: len(self._tokenizer.vocab)].copy()  # a table may have rows to spare
        values[self._alone] += values[self._inner]
        values[self._inner] = 0.0
        values[self._never] = 0.0
        best = np.argsort(-values, kind="stable")[:top_k].tolist()
        return [Candidate(self._tokenizer.inv_vocab[token], float(values[token])) for token in best]

    def close(self) -> None:
        """Frees the model."""
        self._engine.close()


def _inner_characters(tokenizer: FullTokenizer) -> np.ndarray:
    """Returns the ids of all `##字`, and those of the 字 that each is added to."""
    pairs = [
        (index, tokenizer.vocab[token[len(CONTINUATION_PREFIX) :]])
        for token, index in tokenizer.vocab.items()
        if token.startswith(CONTINUATION_PREFIX)
        and len(token) == len(CONTINUATION_PREFIX) + 1
        and is_chinese_character(token[-1])
        and token[-1] in tokenizer.vocab
    ]
    return np.array(pairs, np.int64).reshape(-1, 2).T


def _build(model: CheckpointModel, inputs: Tensors) -> Tensors:
    """[B, P, V] at the masks; rows with fewer than P answer for their first token there."""
    positions = inputs[_POSITIONS]
    encoder = encoder_of(model, inputs, positions)
    logits = heads.masked_lm_logits(encoder, positions)  # [B*P, V]
    shape = tf.concat([tf.shape(positions), [model.config.vocab_size]], axis=0)
    return {_PROBABILITIES: tf.nn.softmax(tf.reshape(logits, shape), name=_PROBABILITIES)}
