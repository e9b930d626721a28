"""Training of any model_fn: step, estimator, run, resuming, presets."""
