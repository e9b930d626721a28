"""Batches from records with tf.data: shuffling, length buckets, dynamic masking, the position in the data."""
