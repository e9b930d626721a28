"""Monitoring of a training: log, guards, evaluation, curves, summary."""
