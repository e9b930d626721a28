"""AdamW, loss scaling and replicas."""
