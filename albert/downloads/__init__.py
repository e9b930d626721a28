"""Published models, data sets and the vocabulary, over HTTP."""
