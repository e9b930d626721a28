"""Pre-training records from text: chunks, examples, masks, shards, workers."""
