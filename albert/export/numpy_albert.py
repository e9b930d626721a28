"""ALBERT of the library `transformers`, computed in NumPy.

It checks the answers of a folder where neither torch nor transformers is installed. Slow: meant for a few rows.
Dimension letters stand in `layers`.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

import numpy as np

from albert.export.transformers_names import VECTOR_MAP, Values
from albert.model.outputs import CLASSIFIER, ENCODER, PRETRAINING, SENTENCE_VECTOR, SPANS, TAGS, Arrays
from albert.model.pooling import CLS, MAX

SEVERAL_LABELS = "multi_label_classification"  # the problem_type of labels that do not exclude each other
_POOLER = "albert.pooler"
_PADDING_LOGIT = np.float32(-1e9)
_GELU_SCALE = np.float32(np.sqrt(2.0 / np.pi))


def _gelu_new(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1.0 + np.tanh(_GELU_SCALE * (x + np.float32(0.044715) * x * x * x)))


ACTIVATIONS: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu_new": _gelu_new,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "linear": lambda x: x,
}


class NumpyAlbert:
    """ALBERT in evaluation mode."""

    def __init__(self, config: Dict[str, Any], values: Values, pooling: Optional[str] = None) -> None:
        """Creates the model.

        Args:
          config: the JSON object of the folder's config.json.
          values: weights by their whole names (`transformers_names.with_prefix`).
          pooling: of sentence vectors (`pooling.POOLINGS`); None for a model without them.
        """
        self._config = config
        self._pooling = pooling
        self._values = values
        self._activation = ACTIVATIONS[config["hidden_act"]]

    def answer(self, inputs: Arrays, head: str) -> Arrays:
        """Computes the outputs of a head (`outputs.HEADS`) for int arrays [B, S] by input name.

        An encoder without a pooler has no pooled output.
        """
        sequence = self._encode(inputs)  # [B, S, H]
        if head == ENCODER:
            outputs = {"sequence_output": sequence}
            return dict(outputs, pooled_output=self._pool(sequence)) if _POOLER + ".weight" in self._values else outputs
        if head == SENTENCE_VECTOR:
            return {head: self._sentence_vector(sequence, inputs["input_mask"])}
        if head == CLASSIFIER:
            chosen = _sigmoid if self._config.get("problem_type") == SEVERAL_LABELS else _softmax
            return {"probabilities": chosen(self._dense(self._pool(sequence), "classifier"))}
        if head == TAGS:
            return {"probabilities": _softmax(self._dense(sequence, "classifier"))}
        if head == SPANS:
            return {"span_logits": self._span_scores(sequence, inputs["input_mask"])}
        answers = {"probabilities": _softmax(self._vocabulary_logits(sequence))}
        if head == PRETRAINING:
            scores = self._dense(self._pool(sequence), "sop_classifier.classifier")
            answers["sentence_order_probabilities"] = _softmax(scores)
        return answers

    def _pool(self, sequence: np.ndarray) -> np.ndarray:
        """[B, S, H] -> [B, H]."""
        return np.tanh(self._dense(sequence[:, 0], _POOLER))

    def _sentence_vector(self, sequence: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """[B, S, H] -> [B, D], each of length 1."""
        tokens = mask[:, :, None] > 0
        if self._pooling == CLS:
            pooled = sequence[:, 0]
        elif self._pooling == MAX:
            pooled = np.where(tokens, sequence, np.float32(-np.inf)).max(axis=1)
        else:
            pooled = np.where(tokens, sequence, np.float32(0)).sum(axis=1) / tokens.sum(axis=1).astype(np.float32)
        vectors = self._dense(pooled, VECTOR_MAP)
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    def _span_scores(self, sequence: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Scores of each token as first and as last, [B, 2, S]; padding has no probability."""
        scores = self._dense(sequence, "qa_outputs").transpose(0, 2, 1)
        return np.where(mask[:, None, :] > 0, scores, _PADDING_LOGIT)

    def _encode(self, inputs: Arrays) -> np.ndarray:
        config = self._config
        x = self._embed(inputs["input_ids"], inputs["segment_ids"])
        x = self._dense(x, "albert.encoder.embedding_hidden_mapping_in")
        # The softmax leaves padding out entirely.
        bias = np.where(inputs["input_mask"][:, None, None, :] > 0, np.float32(0), np.float32(-np.inf))  # [B, 1, 1, S]
        layers_per_group = config["num_hidden_layers"] / config["num_hidden_groups"]
        for layer in range(config["num_hidden_layers"]):
            group = int(layer / layers_per_group)
            for inner in range(config["inner_group_num"]):
                x = self._block(x, bias, "albert.encoder.albert_layer_groups.{}.albert_layers.{}.".format(group, inner))
        return x

    def _embed(self, ids: np.ndarray, segments: np.ndarray) -> np.ndarray:
        words, types, positions = (
            self._values["albert.embeddings.{}_embeddings.weight".format(name)]
            for name in ("word", "token_type", "position")
        )
        return self._norm(words[ids] + types[segments] + positions[: ids.shape[1]], "albert.embeddings.LayerNorm")

    def _block(self, x: np.ndarray, bias: np.ndarray, scope: str) -> np.ndarray:
        a = self._norm(x + self._attend(x, bias, scope + "attention."), scope + "attention.LayerNorm")
        y = self._dense(self._activation(self._dense(a, scope + "ffn")), scope + "ffn_output")
        return self._norm(a + y, scope + "full_layer_layer_norm")

    def _attend(self, x: np.ndarray, bias: np.ndarray, scope: str) -> np.ndarray:
        batch, length, hidden = x.shape
        heads = self._config["num_attention_heads"]
        query, key, value = (
            self._dense(x, scope + name).reshape(batch, length, heads, -1).transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )  # each [B, N, S, D]
        scores = np.matmul(query, key.transpose(0, 1, 3, 2)) / np.float32(np.sqrt(hidden // heads)) + bias
        context = np.matmul(_softmax(scores), value).transpose(0, 2, 1, 3)
        return self._dense(context.reshape(batch, length, hidden), scope + "dense")

    def _vocabulary_logits(self, x: np.ndarray) -> np.ndarray:
        x = self._norm(self._activation(self._dense(x, "predictions.dense")), "predictions.LayerNorm")
        table = self._values["albert.embeddings.word_embeddings.weight"]  # [V, E]
        return np.matmul(x, table.T) + self._values["predictions.bias"]

    def _dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return np.matmul(x, self._values[name + ".weight"].T) + self._values[name + ".bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(variance + np.float32(self._config["layer_norm_eps"]))
        return scaled * self._values[name + ".weight"] + self._values[name + ".bias"]


def _sigmoid(scores: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * scores))


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
