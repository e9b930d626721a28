"""Similarities of the pairs of a split: their figures, and the report of every pair."""

from __future__ import annotations

from typing import Dict, Sequence

import numpy as np

from albert.files.complete import CompleteFile
from albert.tasks.pair_metrics import auc, best_threshold, ranks, spearman
from albert.tasks.scored_pairs import ScoredPair, are_labels

AUC, SPEARMAN = "auc", "spearman"


def metric_of(pairs: Sequence[ScoredPair]) -> str:
    """Names the metric by which checkpoints are compared: "auc" where scores are labels 0 and 1, else "spearman"."""
    return AUC if are_labels(pairs) else SPEARMAN


def score_similarities(
    pairs: Sequence[ScoredPair], similarities: np.ndarray, *, report_path: str, prefix: str = ""
) -> Dict[str, float]:
    """Scores similarities: Spearman's correlation; for labels 0 and 1 also AUC, the best threshold and its accuracy.

    Args:
      pairs: in file order.
      similarities: their cosines, float [pairs].
      report_path: where `write_report` puts all pairs.
      prefix: goes before each figure's name.
    """
    scores = np.array([pair.score for pair in pairs], np.float64)
    write_report(report_path, pairs, similarities)
    figures = {SPEARMAN: spearman(similarities, scores)}
    if are_labels(pairs):
        threshold = best_threshold(similarities, scores)
        figures.update({AUC: auc(similarities, scores), "accuracy": threshold.accuracy, "threshold": threshold.value})
    return {prefix + name: value for name, value in figures.items()}


def write_report(path: str, pairs: Sequence[ScoredPair], similarities: np.ndarray) -> None:
    """Writes all pairs with cosine and score, those first whose rank differs most from that of their score."""
    scores = np.array([pair.score for pair in pairs])
    distance = np.abs(ranks(similarities) - ranks(scores))
    lines = ["cosine\tscore\tfirst\tsecond"]
    for row in np.argsort(-distance, kind="stable").tolist():
        pair = pairs[row]
        texts = [text.replace("\t", " ").replace("\n", " ") for text in (pair.text_a, pair.text_b)]
        lines.append("{:.4f}\t{:g}\t{}\t{}".format(similarities[row], pair.score, *texts))
    with CompleteFile(path) as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))


def write_similarities(path: str, similarities: np.ndarray) -> None:
    """Writes the cosine of each pair, a line each in file order."""
    with CompleteFile(path) as file:
        file.write("".join("{:.6f}\n".format(value) for value in similarities).encode("ascii"))
