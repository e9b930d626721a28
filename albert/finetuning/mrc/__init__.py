"""Machine reading comprehension: windows, spans, answers."""
