"""HTTP service of a model, and its web page."""
