"""Tasks: declarations, files as rows, splits, metrics, submissions."""
