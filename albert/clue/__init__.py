"""The CLUE benchmark: data, models, runs, results, picture."""
