"""Text to label with a TFLite export: NumPy, the interpreter and the export's folder are all it needs.

    pip install numpy ai-edge-litert
    python export_model.py --checkpoint=albert_lcqmc_checkpoints --format=tflite --tflite_type=int8 --output_dir=lcqmc
    python examples/tflite_classify.py lcqmc 今天会下雨吗 今天下雨吗

The tokenizer is BERT's for a WordPiece vocabulary, made short. It leaves out: Chinese characters beyond U+FFFF are not
parted from their neighbours, control and private characters are not dropped, words of over 200 characters are cut up.
"""

from __future__ import annotations

import json
import pathlib
import sys
import unicodedata

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # TensorFlow brings an interpreter too
    from tensorflow import lite

    Interpreter = lite.Interpreter


class Classifier:
    """A fine-tuned model as `export_model.py --format=tflite` wrote it: model.tflite, vocab.txt, export.json."""

    def __init__(self, folder):
        """Loads the three files of a pathlib.Path; the export has a fixed length, as it has by default."""
        self.settings = json.loads((folder / "export.json").read_text("utf-8"))
        self.vocab = {token: i for i, token in enumerate((folder / "vocab.txt").read_text("utf-8").split("\n"))}
        self.interpreter = Interpreter(model_path=str(folder / "model.tflite"))
        self.interpreter.allocate_tensors()

    def classify(self, text_a, text_b=None):
        """The probability of each label for a text or a pair."""
        inputs = self.inputs([self.ids(text) for text in (text_a, text_b) if text is not None])
        for tensor in self.interpreter.get_input_details():
            self.interpreter.set_tensor(tensor["index"], inputs[tensor["name"].split(":")[0]])
        self.interpreter.invoke()
        probabilities = self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])
        return dict(zip(self.settings["labels"], probabilities[0].tolist()))

    def inputs(self, texts):
        """`[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]` as ids, mask and segments, each int32 [1, S], cut and padded."""
        while sum(map(len, texts)) > self.settings["max_seq_length"] - 1 - len(texts):
            max(reversed(texts), key=len).pop()  # the longer text loses; of equals the second
        ids = [self.vocab["[CLS]"]] + [i for text in texts for i in text + [self.vocab["[SEP]"]]]
        segments = [0] + [segment for segment, text in enumerate(texts) for _ in range(len(text) + 1)]
        rows = np.zeros([3, 1, self.settings["max_seq_length"]], np.int32)
        rows[:, 0, : len(ids)] = ids, [1] * len(ids), segments
        return dict(zip(("input_ids", "input_mask", "segment_ids"), rows))

    def ids(self, text):
        """The ids of a text, without special tokens."""
        return [piece for word in words(text, self.settings["do_lower_case"]) for piece in pieces(word, self.vocab)]


def words(text, lower):
    """Chinese characters and punctuation marks stand alone, the rest is cut at whitespace; accents go with the case."""
    parted = ""
    for char in unicodedata.normalize("NFD", text.lower()) if lower else text:
        kind = unicodedata.category(char)
        is_alone = "\u3400" <= char <= "\u9fff" or kind.startswith("P") or char in "$+<=>^`|~"
        parted += " " + char + " " if is_alone else "" if lower and kind == "Mn" else char
    return parted.split()


def pieces(word, vocab):
    """Cuts a word into the longest entries of the vocabulary, left to right; where none fits, all of it is [UNK]."""
    ids, prefix = [], ""
    while word:
        end = next((end for end in range(len(word), 0, -1) if prefix + word[:end] in vocab), None)
        if end is None:
            return [vocab["[UNK]"]]
        ids.append(vocab[prefix + word[:end]])
        word, prefix = word[end:], "##"
    return ids


if __name__ == "__main__":
    probabilities = Classifier(pathlib.Path(sys.argv[1])).classify(*sys.argv[2:])
    sys.stdout.write("{} {}\n".format(max(probabilities, key=probabilities.get), probabilities))
