"""Checks of ALBERT's three changes to BERT: factorized embeddings, shared layers, sentence order."""

from __future__ import annotations

import logging
import os
import tempfile
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.machine import available_cores
from albert.base.paths import DATA, ROOT, VOCABULARY
from albert.files.features import NO_SENTENCE_ORDER
from albert.pretraining_data.plan import DataSettings, Outputs
from albert.pretraining_data.run import make_data_set
from albert.pretraining_data.shards import BuildSettings
from modeling import BertConfig, BertModel
from tokenization import CLS_TOKEN, SEP_TOKEN, FullTokenizer

TEXT_FILE = os.path.join(DATA, "news_zh_1.txt")


class Change(NamedTuple):
    """Result of the check of one change."""

    title: str
    finding: str
    holds: bool


def check_changes() -> List[Change]:
    """Checks the three changes."""
    return [factorized_embedding(), shared_layers(), sentence_order()]


def count_parameters(scope: str, config: BertConfig, **options: Any) -> int:
    """Counts the trainable parameters of a model in variables whose names hold `scope`."""
    with tf.Graph().as_default():
        BertModel(config, False, tf.zeros([1, 2], tf.int32), scope="bert", **options)
        variables = [variable for variable in tf.trainable_variables() if scope in variable.op.name]
    return sum(variable.shape.num_elements() for variable in variables)


def factorized_embedding() -> Change:
    """Checks that word embeddings have V·E + E·H parameters instead of V·H (ALBERT, section 3.1)."""
    sizes: Dict[str, Any] = {
        "vocab_size": 30000,
        "hidden_size": 4096,
        "num_hidden_layers": 1,
        "num_attention_heads": 64,
    }
    before, after = (
        count_parameters("word_embeddings", BertConfig(intermediate_size=1, embedding_size=embedding_size, **sizes))
        for embedding_size in (None, 128)
    )
    finding = "word embeddings at V 30000, H 4096: {:,} parameters; with E 128: {:,}, {:.0f} times fewer".format(
        before, after, before / after
    )
    return Change("factorized embedding", finding, (before, after) == (122880000, 4364288))


def shared_layers() -> Change:
    """Checks that all layers share one set of parameters (ALBERT, section 3.1)."""
    config = BertConfig(
        vocab_size=100, hidden_size=1024, num_hidden_layers=12, num_attention_heads=16, intermediate_size=3072
    )
    before, after = (
        count_parameters("encoder", config, share_parameter_across_layers=shared) for shared in (False, True)
    )
    finding = "12 layers of H 1024, I 3072: {:,} parameters; shared: {:,}, {:.0f} times fewer".format(
        before, after, before / after
    )
    return Change("cross-layer sharing", finding, (before, after) == (125976576, 10498048))


def sentence_order() -> Change:
    """Checks that the second segment follows the first in its document (label 0), or the two are swapped (label 1)."""
    tokenizer = FullTokenizer(VOCABULARY)
    documents = list(_documents(TEXT_FILE, tokenizer))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "examples.tfrecord")
        _build_examples(path)
        pairs = list(_pairs(path, tokenizer))
    right = [
        any(_contains(document, second + first if label else first + second) for document in documents)
        for first, second, label in pairs
    ]
    swapped = sum(label for _, _, label in pairs) / len(pairs)
    finding = "{} of {} pairs made from {} stand in one document as their label says; {:.1%} are swapped".format(
        sum(right), len(pairs), os.path.relpath(TEXT_FILE, ROOT), swapped
    )
    return Change("sentence order", finding, all(right) and len(pairs) > 100 and 0.4 < swapped < 0.6)


def _build_examples(output_file: str) -> None:
    settings = DataSettings(TEXT_FILE, Outputs(output_file), BuildSettings(vocab_file=VOCABULARY), num_shards=1)
    logging.disable(logging.WARNING)  # only the findings are of interest here
    try:
        make_data_set(settings, available_cores())
    finally:
        logging.disable(logging.NOTSET)


def _documents(path: str, tokenizer: FullTokenizer) -> Iterator[List[int]]:
    """The token ids of each document."""
    with open(path, encoding="utf-8") as file:
        for text in file.read().split("\n\n"):
            yield tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))


def _pairs(path: str, tokenizer: FullTokenizer) -> Iterator[Tuple[List[int], List[int], int]]:
    """The sentence-order pairs of a record file: both segments, masked tokens put back, and the label."""
    for record in tf.io.tf_record_iterator(path):
        fields = tf.train.Example.FromString(record).features.feature
        values = {name: list(feature.int64_list.value) for name, feature in fields.items()}
        if values["next_sentence_labels"] != [NO_SENTENCE_ORDER]:
            yield _segments(values, fields["masked_lm_weights"].float_list.value, tokenizer)


def _segments(
    values: Dict[str, List[int]], weights: Sequence[float], tokenizer: FullTokenizer
) -> Tuple[List[int], List[int], int]:
    ids = values["input_ids"][: sum(values["input_mask"])]
    for position, label, weight in zip(values["masked_lm_positions"], values["masked_lm_ids"], weights):
        if weight:
            ids[position] = label
    first_end = values["segment_ids"].index(1)
    cls_id, sep_id = tokenizer.convert_tokens_to_ids([CLS_TOKEN, SEP_TOKEN])
    if [ids[0], ids[first_end - 1], ids[-1]] != [cls_id, sep_id, sep_id]:
        raise UserError("an example is not of the form [CLS] A [SEP] B [SEP]")
    return ids[1 : first_end - 1], ids[first_end:-1], values["next_sentence_labels"][0]


def _contains(document: List[int], part: List[int]) -> bool:
    """Whether the ids stand in the document, one after the other."""
    text, piece = (" {} ".format(" ".join(map(str, ids))) for ids in (document, part))
    return piece in text
