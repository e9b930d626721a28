"""Reading, complete writing, locks, disk space and TFRecord files; knows nothing of models."""
