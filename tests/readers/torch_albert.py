"""Training of both model families in torch, by the formulas alone: encoder, heads, losses, schedule, optimizers.

Weights are a dict of tensors by the names that checkpoints have; gradients are torch's own, and so is the optimizer
where torch has the same one. It shares no code with the project. Letters of shapes: docs/en/models.md.
"""

from __future__ import annotations

import math
import re

import torch
from torch.nn import functional

NOT_DECAYED = "LayerNorm|layer_norm|bias"


class Encoder:
    """Encoder of either family on weights by name."""

    def __init__(self, family, config, weights):
        self.family, self.config, self.weights = family, config, weights

    def dense(self, x, name):
        return functional.linear(x, self.weights[name + "/kernel"].T, self.weights[name + "/bias"])

    def norm(self, x, name):
        gamma, beta = self.weights[name + "/gamma"], self.weights[name + "/beta"]
        return functional.layer_norm(x, gamma.shape, gamma, beta, eps=1e-12)

    def embed(self, ids, segments):
        """[B, S] twice -> the input of the first block, [B, S, H]."""
        table = {kind: self.weights["bert/embeddings/" + kind + "_embeddings"] for kind in ("word", "token_type")}
        x = table["word"][ids]
        if self.family == "zh":
            x = x @ self.weights["bert/embeddings/word_embeddings_2"]
        x = x + table["token_type"][segments] + self.weights["bert/embeddings/position_embeddings"][: ids.shape[1]]
        x = self.norm(x, "bert/embeddings/LayerNorm")
        return x if self.family == "zh" else self.dense(x, "bert/encoder/embedding_hidden_mapping_in")

    def attend(self, x, mask, name):
        shape = (*x.shape[:2], self.config["num_attention_heads"], -1)
        q, k, v = (
            self.dense(x, name + "/self/" + part).reshape(shape).transpose(1, 2) for part in ("query", "key", "value")
        )
        bias = (mask[:, None, None, :].to(x.dtype) - 1) * 10000
        context = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.dense(context.transpose(1, 2).reshape(x.shape), name + "/output/dense")

    def block(self, x, mask, names):
        """Attention and feed-forward, each followed by its norm; `names` are those of the five parts."""
        attention, attention_norm, inner, outer, outer_norm = names
        x = self.norm(x + self.attend(x, mask, attention), attention_norm)
        return self.norm(x + self.dense(gelu(self.dense(x, inner)), outer), outer_norm)

    def blocks(self):
        """The names of the parts of every block, in turn."""
        layers = self.config["num_hidden_layers"]
        if self.family == "zh":
            parts = "attention attention/output/LayerNorm intermediate/dense output/dense output/LayerNorm".split()
            return [["bert/encoder/layer_shared/" + part for part in parts]] * layers
        parts = "attention_1 LayerNorm ffn_1/intermediate/dense ffn_1/intermediate/output/dense LayerNorm_1".split()
        places = [
            (math.floor(layer / layers * self.config["num_hidden_groups"]), inner)
            for layer in range(layers)
            for inner in range(self.config["inner_group_num"])
        ]
        scope = "bert/encoder/transformer/group_{}/inner_group_{}/"
        return [[scope.format(*place) + part for part in parts] for place in places]

    def vectors(self, batch):
        """The last block's vectors [B, S, H]."""
        x = self.embed(batch["input_ids"], batch["segment_ids"])
        for names in self.blocks():
            x = self.block(x, batch["input_mask"], names)
        return x

    def scores(self, x, scope):
        """[B, H] -> [B, labels]."""
        return x @ self.weights[scope + "output_weights"].T + self.weights[scope + "output_bias"]

    def pool(self, x):
        return torch.tanh(self.dense(x[:, 0], "bert/pooler/dense"))

    def word_scores(self, x):
        """[B, P, H] -> [B, P, V]."""
        x = gelu(self.dense(x, "cls/predictions/transform/dense"))
        x = self.norm(x, "cls/predictions/transform/LayerNorm")
        if self.family == "zh":
            x = x @ self.weights["bert/embeddings/word_embeddings_2"].T
        return x @ self.weights["bert/embeddings/word_embeddings"].T + self.weights["cls/predictions/output_bias"]

    def pretraining_loss(self, batch):
        """Masked-LM loss plus sentence-order loss."""
        x = self.vectors(batch)
        places = batch["masked_lm_positions"][:, :, None].expand(-1, -1, x.shape[2])
        losses = functional.cross_entropy(
            self.word_scores(x.gather(1, places)).flatten(0, 1), batch["masked_lm_ids"].flatten(), reduction="none"
        )
        weights = batch["masked_lm_weights"].flatten()
        orders = self.scores(self.pool(x), "cls/seq_relationship/")
        # A label of -1 is a row without a pair.
        order_loss = functional.cross_entropy(orders, batch["next_sentence_labels"][:, 0], ignore_index=-1)
        return (weights * losses).sum() / (weights.sum() + 1e-5) + order_loss

    def fine_tuning_loss(self, batch):
        """The classifier's mean cross-entropy; what dropout does to the pooled output is part of the batch."""
        scores = self.scores(self.pool(self.vectors(batch)) * batch["dropout"], "")
        return functional.cross_entropy(scores, batch["label_ids"][:, 0])


def gelu(x):
    return functional.gelu(x, approximate="tanh")


def learning_rate(step, settings):
    """The rate of the update `step`, counted from 0."""
    peak, warmup = settings["learning_rate"], settings["num_warmup_steps"]
    return peak * step / warmup if step < warmup else peak * (1 - step / settings["num_train_steps"])


class TorchAdamW:
    """torch's own AdamW, which corrects the bias."""

    def __init__(self, weights, settings):
        excluded = [weight for name, weight in weights.items() if re.search(NOT_DECAYED, name)]
        others = [weight for name, weight in weights.items() if not re.search(NOT_DECAYED, name)]
        groups = [
            {"params": excluded, "weight_decay": 0.0},
            {"params": others, "weight_decay": settings["weight_decay_rate"]},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.999), eps=1e-6)

    def update(self, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()


class Moments:
    """AdamW without correction, and LAMB with and without: what torch does not have."""

    def __init__(self, weights, settings):
        self.weights, self.settings = weights, settings
        self.m = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.v = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.updates = 0

    @torch.no_grad()
    def update(self, rate):
        self.updates += 1
        for name, weight in self.weights.items():
            direction = self.direction(name, weight.grad)
            if not re.search(NOT_DECAYED, name):
                direction = direction + self.settings["weight_decay_rate"] * weight
            weight -= rate * self.ratio(name, weight, direction) * direction

    def direction(self, name, gradient):
        m = self.m[name] = 0.9 * self.m[name] + 0.1 * gradient
        v = self.v[name] = 0.999 * self.v[name] + 0.001 * gradient**2
        if self.settings["bias_correction"]:
            m, v = m / (1 - 0.9**self.updates), v / (1 - 0.999**self.updates)
        return m / (v.sqrt() + 1e-6)

    def ratio(self, name, weight, direction):
        if self.settings["optimizer"] != "lamb":
            return 1.0
        if any(re.search(pattern, name) for pattern in self.settings["exclude_from_layer_adaptation"]):
            return 1.0
        norms = weight.norm(), direction.norm()
        return norms[0] / norms[1] if min(norms) > 0 else 1.0


def optimizer_of(weights, settings):
    is_torchs = settings["optimizer"] == "adamw" and settings["bias_correction"]
    return (TorchAdamW if is_torchs else Moments)(weights, settings)


def clip(weights, most):
    """Scales all gradients so that their norm is at most this; returns the norm that they had."""
    norm = torch.stack([weight.grad.norm() for weight in weights.values()]).norm()
    if norm > most:
        for weight in weights.values():
            weight.grad *= most / norm
    return norm.item()
