"""Sentence vectors: distilled from a teacher's, or trained on pairs of sentences."""
