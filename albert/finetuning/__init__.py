"""Fine-tuning of any kind of task: problem, features, the run."""
