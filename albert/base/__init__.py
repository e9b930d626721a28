"""Errors, flags, terminal output, paths and the machine: what every package may use."""
