"""Named entity recognition: tags, parts of sentences, entities."""
