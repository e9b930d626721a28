"""Pre-training: model_fn, input records, the run."""
