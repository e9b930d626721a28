"""A model, a vocabulary and record files so small that a whole run takes a second or two."""

import json
import os

import numpy as np

from albert.files import features, record_encoding
from albert.files.tfrecords import write_records

CHARACTERS = "我你他喜欢吃苹果香蕉明天下雨吗北京上海好不的是在有了"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + sorted(set(CHARACTERS))
SIZES = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 8,
    "embedding_size": 6,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 10,
    "max_position_embeddings": 20,
    "hidden_act": "gelu",
    "initializer_range": 0.1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "type_vocab_size": 2,
}
SEQ_LENGTH = 11
PREDICTIONS = 3


def write_config(folder, **changes):
    """A model's JSON file."""
    path = os.path.join(str(folder), "tiny.json")
    with open(path, "w") as file:
        json.dump(dict(SIZES, **changes), file)
    return path


def write_vocab(folder):
    """A vocabulary file."""
    path = os.path.join(str(folder), "vocab.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(VOCABULARY))
    return path


def write_pretraining_records(path, count, seed=0, seq_length=SEQ_LENGTH, predictions=PREDICTIONS):
    """Random records; every fifth has no sentence-order pair."""
    random = np.random.RandomState(seed)
    declared = features.pretraining_features(seq_length, predictions)
    rows = []
    for number in range(count):
        ids = random.randint(5, len(VOCABULARY), seq_length).tolist()
        rows.append(
            {
                "input_ids": ids,
                "input_mask": [1] * seq_length,
                "segment_ids": [0] * (seq_length // 2) + [1] * (seq_length - seq_length // 2),
                "masked_lm_positions": random.randint(1, seq_length, predictions).tolist(),
                "masked_lm_ids": random.randint(5, len(VOCABULARY), predictions).tolist(),
                "masked_lm_weights": [1.0] * (predictions - 1) + [float(number % 2)],
                "next_sentence_labels": [-1 if number % 5 == 0 else number % 2],
            }
        )
    write_records(str(path), record_encoding.encode_rows(declared, rows))
    return str(path)


def write_pairs(folder, train=13, dev=7, test=5):
    """LCQMC-like files: pairs that share their last character are alike."""
    random = np.random.RandomState(3)
    characters = sorted(set(CHARACTERS))
    os.makedirs(str(folder), exist_ok=True)
    for split, count in (("train", train), ("dev", dev), ("test", test)):
        with open(os.path.join(str(folder), split + ".txt"), "w", encoding="utf-8") as file:
            for number in range(count):
                first, second = ("".join(random.choice(characters, random.randint(1, 6))) for _ in range(2))
                label = number % 2
                file.write("{}\t{}{}\t{}\n".format(first, second, first[-1] if label else "", label))
    return str(folder)
