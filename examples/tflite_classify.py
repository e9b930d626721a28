"""TFLite classifier: text to label with only NumPy, the interpreter and the export's folder.

    pip install numpy ai-edge-litert
    python export_model.py --checkpoint=albert_lcqmc_checkpoints --format=tflite --tflite_type=int8 --output_dir=lcqmc
    python examples/tflite_classify.py lcqmc 今天会下雨吗 今天下雨吗

The tokenizer is a short form of BERT's WordPiece tokenizer. It differs in rare cases: Chinese characters beyond U+FFFF
are not separated from their neighbours, control and private-use characters are kept, words of over 200 characters are
split.
"""

from __future__ import annotations

import json
import pathlib
import sys
import unicodedata

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # TensorFlow has an interpreter, too
    from tensorflow import lite

    Interpreter = lite.Interpreter


class Classifier:
    """Fine-tuned model that `export_model.py --format=tflite` wrote: model.tflite, vocab.txt, export.json."""

    def __init__(self, folder):
        """Loads the three files of a folder (pathlib.Path); the export must have a fixed length, the default."""
        self.settings = json.loads((folder / "export.json").read_text("utf-8"))
        self.vocab = {token: i for i, token in enumerate((folder / "vocab.txt").read_text("utf-8").split("\n"))}
        self.interpreter = Interpreter(model_path=str(folder / "model.tflite"))
        self.interpreter.allocate_tensors()

    def classify(self, text_a, text_b=None):
        """Computes the probability of each label for a text or a pair."""
        inputs = self.inputs([self.ids(text) for text in (text_a, text_b) if text is not None])
        for tensor in self.interpreter.get_input_details():
            self.interpreter.set_tensor(tensor["index"], inputs[tensor["name"].split(":")[0]])
        self.interpreter.invoke()
        probabilities = self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])
        return dict(zip(self.settings["labels"], probabilities[0].tolist()))

    def inputs(self, texts):
        """Inputs: `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]` as ids, mask, segments, int32 [1, S], cut and padded."""
        while sum(map(len, texts)) > self.settings["max_seq_length"] - 1 - len(texts):
            max(reversed(texts), key=len).pop()  # cut the longer text, or the second one of equal texts
        ids = [self.vocab["[CLS]"]] + [i for text in texts for i in text + [self.vocab["[SEP]"]]]
        segments = [0] + [segment for segment, text in enumerate(texts) for _ in range(len(text) + 1)]
        rows = np.zeros([3, 1, self.settings["max_seq_length"]], np.int32)
        rows[:, 0, : len(ids)] = ids, [1] * len(ids), segments
        return dict(zip(("input_ids", "input_mask", "segment_ids"), rows))

    def ids(self, text):
        """Ids of a text, without special tokens."""
        return [piece for word in words(text, self.settings["do_lower_case"]) for piece in pieces(word, self.vocab)]


def words(text, lower):
    """Splits a text at spaces, Chinese characters and punctuation; `lower` also drops accents."""
    spaced = ""
    for char in unicodedata.normalize("NFD", text.lower()) if lower else text:
        kind = unicodedata.category(char)
        is_alone = "\u3400" <= char <= "\u9fff" or kind.startswith("P") or char in "$+<=>^`|~"
        spaced += " " + char + " " if is_alone else "" if lower and kind == "Mn" else char
    return spaced.split()


def pieces(word, vocab):
    """Splits a word into the longest entries of the vocabulary, left to right; [UNK] if one part has no entry."""
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
