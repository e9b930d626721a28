"""A fine-tuned model, loaded once, that answers for any number of texts or pairs."""

from __future__ import annotations

import os
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

import checkpoint
import heads
import model_folder
from classification_features import EncodedPair, encode_pair, pad_batch
from errors import UserError
from families import FAMILIES, Family
from tokenization import FullTokenizer, check_vocab_size
from warm_start import plan_warm_start


class ModelFiles(NamedTuple):
    """Where a fine-tuned model stands.

    Attributes:
      checkpoint: prefix of the weights.
      config_file, vocab_file: paths.
      family: the model's family.
      labels: label strings in the order of their ids.
      do_lower_case: whether text is lower-cased.
      max_seq_length: longer rows are cut.
      is_sentencepiece: whether vocab_file is a sentencepiece model.
      use_pooled_output: whether the head stands on the pooler, or on the mean of the tokens.
    """

    checkpoint: str
    config_file: str
    vocab_file: str
    family: Family
    labels: Tuple[str, ...]
    do_lower_case: bool = True
    max_seq_length: int = 128
    is_sentencepiece: bool = False
    use_pooled_output: bool = True

    def tokenizer(self) -> FullTokenizer:
        """What makes the model's tokens."""
        is_model = self.is_sentencepiece
        return FullTokenizer(
            None if is_model else self.vocab_file, self.do_lower_case, self.vocab_file if is_model else None
        )


def find_model(folder: str) -> Optional[ModelFiles]:
    """The model of a folder that fine-tuning made: its best one, else its last; None where nothing describes it.

    Raises:
      UserError: the folder describes a model but holds no checkpoint.
    """
    for place in (os.path.join(folder, model_folder.BEST_FOLDER), folder):
        description = model_folder.read_description(place)
        if description is not None:
            return ModelFiles(
                checkpoint=checkpoint.find_checkpoint(place),
                config_file=os.path.join(place, description.config_file),
                vocab_file=os.path.join(place, description.vocab_file),
                family=FAMILIES[description.family],
                labels=description.labels,
                do_lower_case=description.do_lower_case,
                max_seq_length=description.max_seq_length,
                is_sentencepiece=description.is_sentencepiece,
                use_pooled_output=description.use_pooled_output,
            )
    return None


class Predictor:
    """Answers with the probabilities of the labels. Safe to call from several threads."""

    def __init__(self, files: ModelFiles, *, batch_size: int = 128, gpu_memory_fraction: float = 1.0) -> None:
        """Loads the model.

        Args:
          files: see `ModelFiles`.
          batch_size: the most rows in one pass.
          gpu_memory_fraction: the share of a GPU's memory that may be taken.

        Raises:
          UserError: a file is missing or does not fit, or the checkpoint holds no fine-tuned head.
        """
        self.labels = files.labels
        self._batch_size = batch_size
        self._config = files.family.config_class.from_json_file(files.config_file)
        self._max_seq_length = min(files.max_seq_length, self._config.max_position_embeddings)
        self._tokenizer = files.tokenizer()
        check_vocab_size(self._tokenizer, self._config.vocab_size, files.config_file)
        self._pad_id = self._tokenizer.pad_id
        gpu_options = tf.GPUOptions(per_process_gpu_memory_fraction=gpu_memory_fraction)
        graph = tf.Graph()
        with graph.as_default():
            self._build(files.family, files.use_pooled_output)
            self._session = tf.Session(graph=graph, config=tf.ConfigProto(gpu_options=gpu_options))
            self._restore(files.checkpoint)

    def _build(self, family: Family, use_pooled_output: bool) -> None:
        names = ("input_ids", "input_mask", "segment_ids")
        self._inputs = {name: tf.placeholder(tf.int32, [None, None], name) for name in names}  # each [B, S]
        model = family.model_class(self._config, False, *self._inputs.values(), scope="bert")
        logits = heads.classifier(model, len(self.labels), False, None, use_pooled_output).logits
        self._probabilities = tf.nn.softmax(logits, name="probabilities")  # [B, labels]

    def _restore(self, prefix: str) -> None:
        shapes = {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}
        plan = plan_warm_start(shapes, prefix)
        if checkpoint.CLASSIFIER_WEIGHTS in plan.missing:
            theirs = checkpoint.variable_shapes(prefix).get(checkpoint.CLASSIFIER_WEIGHTS)
            reason = (
                "its head has {} labels, asked for are {}".format(theirs[0], len(self.labels))
                if theirs
                else ("it has no fine-tuned head")
            )
            raise UserError(
                "the checkpoint {} cannot answer: {}; fine-tune it with run_classifier.py first".format(prefix, reason)
            )
        checkpoint.restore_variables(self._session, prefix)

    def predict(self, pairs: Sequence[Tuple[str, Optional[str]]]) -> np.ndarray:
        """The probabilities [n, labels] for n rows (text_a, text_b or None), in their order.

        Raises:
          UserError: a row that is no text or pair of texts, or an empty text.
        """
        rows = [self._encode(number, pair) for number, pair in enumerate(pairs, start=1)]
        probabilities = np.zeros([len(rows), len(self.labels)], np.float32)
        # Rows of like length go together, so that little of a batch is padding.
        order = sorted(range(len(rows)), key=lambda index: len(rows[index].input_ids))
        for start in range(0, len(order), self._batch_size):
            batch = order[start : start + self._batch_size]
            probabilities[batch] = self._run([rows[index] for index in batch])
        return probabilities

    def _encode(self, number: int, pair: Tuple[str, Optional[str]]) -> EncodedPair:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise UserError("row {} is {!r}: give pairs (text_a, text_b)".format(number, pair))
        for place, text in zip(("first", "second"), pair):
            if text is None and place == "second":
                continue
            if not isinstance(text, str):
                raise UserError("the {} text of row {} is no text but {!r}".format(place, number, text))
            if not text.strip():
                raise UserError("the {} text of row {} is empty".format(place, number))
        return encode_pair(self._tokenizer, pair[0], pair[1], self._max_seq_length)

    def _run(self, rows: List[EncodedPair]) -> np.ndarray:
        inputs = pad_batch(rows, self._pad_id)
        return self._session.run(self._probabilities, {self._inputs[name]: inputs[name] for name in inputs})

    def close(self) -> None:
        """Frees the session."""
        self._session.close()
