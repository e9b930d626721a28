"""Text as documents, words, tokens and sequences of ids."""
