"""Answers of a model: from checkpoint to graph, engines, batches of texts, predictor."""
