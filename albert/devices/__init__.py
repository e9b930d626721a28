"""Devices, precision, clusters and the workers of one training."""
