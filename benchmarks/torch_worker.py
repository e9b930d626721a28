"""Worker of benchmarks.finetuning: fine-tunes with transformers and torch, in turns.

Model, clipping and optimizer are those of this library, from random weights. Batches are padded as in the file.
"""

from __future__ import annotations

import argparse
import json

import torch
import transformers

from benchmarks.batch_files import read_batches
from benchmarks.turns import seconds_of, serve

_OURS = {"initializer_range", "hidden_size", "embedding_size", "num_attention_heads", "num_hidden_layers"} | {
    "intermediate_size",
    "vocab_size",
    "type_vocab_size",
    "max_position_embeddings",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
}


def config_of(path):
    """Configuration of a transformers model with the sizes of the JSON file."""
    with open(path) as file:
        values = {name: value for name, value in json.load(file).items() if name in _OURS}
    # This library uses the tanh form of gelu, and dropout of 0.1 before the classifier.
    return transformers.AlbertConfig(
        **values, hidden_act="gelu_pytorch_tanh", classifier_dropout_prob=0.1, num_labels=2, layer_norm_eps=1e-12
    )


def tensors_of(batch):
    """Converts a batch into the model's tensors."""
    names = {
        "input_ids": "input_ids",
        "attention_mask": "input_mask",
        "token_type_ids": "segment_ids",
        "labels": "label_ids",
    }
    tensors = {theirs: torch.from_numpy(batch[ours]).long() for theirs, ours in names.items()}
    return dict(tensors, labels=tensors["labels"].reshape([-1]))


def make_step(model):
    """Builds a function that trains on a batch and returns the loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, eps=1e-6, weight_decay=0.01)

    def step(batch):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return float(loss)

    return step


def main():
    """Prepares the model and serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", required=True, help="a file of batch_files")
    parser.add_argument("--config", required=True, help="config file (JSON) of the zh family")
    options = parser.parse_args()
    torch.manual_seed(1)
    model = transformers.AlbertForSequenceClassification(config_of(options.config)).train()
    batches = [tensors_of(batch) for batch in read_batches(options.batches)]
    step = make_step(model)
    for batch in {batch["input_ids"].shape: batch for batch in batches}.values():
        step(batch)
    version = "transformers {} on torch {}".format(transformers.__version__, torch.__version__.split("+")[0])
    serve(version, lambda: seconds_of(lambda: [step(batch) for batch in batches]))


if __name__ == "__main__":
    main()
