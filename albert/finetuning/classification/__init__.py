"""Classification of sentences, pairs and choices."""
