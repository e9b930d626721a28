"""A Lite BERT for Chinese, in the order of the data: text, records, model, training, tasks, answers."""
