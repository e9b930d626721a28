"""Search in a file of lines by sentence vectors: index folders, exact and approximate search, queries."""
