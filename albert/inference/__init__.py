"""Answers of a model: graphs, engines, batches of texts, predictor, sentence vectors, fill-mask."""
