"""What similarity.py and embeddings.py work with; change the values here, or give them to `BertSim` and `Embedder`."""

from __future__ import annotations

import os

file_path = os.path.dirname(os.path.abspath(__file__))

# The folder that fine-tuning wrote. Where it holds a description of its model, that is used and the three names
# after it are not; otherwise (checkpoints of other implementations) they say what the model is.
model_dir = os.path.join(file_path, "albert_lcqmc_checkpoints/")
config_name = os.path.join(file_path, "albert_config/albert_config_tiny.json")
ckpt_name = os.path.join(model_dir, "model.ckpt")
vocab_file = os.path.join(file_path, "albert_config/vocab.txt")

# Where similarity.py keeps the model of `model_dir` as a frozen graph: the next start takes a tenth of the time. It is
# made again when the model has changed. None: it is not kept. Another model_dir keeps its own under the same name.
graph_file = os.path.join(model_dir, "similarity_graph.pb")

# Pairs in one pass, and tokens of a pair: what is longer is cut.
batch_size = 128
max_seq_len = 128

# The layers whose outputs embeddings.py pools, counted from 0 or, if negative, from the last one; several are joined.
# The last layer but one by default: the last one is bent to what the model was trained to predict.
layer_indexes = [-2]

# The share of a GPU's memory that may be taken.
gpu_memory_fraction = 0.8

# How the model is trained when there is none yet: similarity.py says the command.
output_dir = os.path.join(file_path, "albert_lcqmc_checkpoints/")
data_dir = os.path.join(file_path, "data/sample_pairs/")
num_train_epochs = 10
learning_rate = 0.00005
