"""Checkpoints: families, files, variables, folders, warm start."""
