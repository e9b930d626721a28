"""Client of TensorFlow Serving (REST): text to label, with Python's standard library and this repository's tokenizer.

    python export_model.py --checkpoint=albert_lcqmc_checkpoints --format=savedmodel --output_dir=lcqmc
    docker run -p 8501:8501 -v $PWD/lcqmc:/models/lcqmc -e MODEL_NAME=lcqmc tensorflow/serving
    python examples/serving_client.py lcqmc http://localhost:8501/v1/models/lcqmc 今天会下雨吗 今天下雨吗

The client turns text into ids with export.json and vocab.txt in the export's folder; it sends only ids to the server.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from albert.base.errors import UserError
from tokenization import FullTokenizer

TIMEOUT_SECONDS = 30


class ServingClient:
    """Fine-tuned model behind TensorFlow Serving."""

    def __init__(self, folder: str, url: str) -> None:
        """Reads the description and the vocabulary of a SavedModel export.

        Args:
          folder: the folder that `export_model.py --format=savedmodel` wrote.
          url: the address of the model, such as http://localhost:8501/v1/models/lcqmc.
        """
        with open(os.path.join(folder, "export.json"), encoding="utf-8") as file:
            self.settings = json.load(file)
        self.tokenizer = FullTokenizer(os.path.join(folder, "vocab.txt"), self.settings["do_lower_case"])
        self.url = url.rstrip("/") + ":predict"

    def classify(self, pairs):
        """Computes the probabilities by label for each (text_a, text_b or None).

        Raises:
          UserError: the server cannot be reached, refuses the request, or does not answer with predictions.
        """
        rows = [self.row(*pair) for pair in pairs]
        longest = max(len(row["input_ids"]) for row in rows)
        # All rows of a request must have the same length; tokens without mask have no influence.
        instances = [{name: values + [0] * (longest - len(values)) for name, values in row.items()} for row in rows]
        answer = self.post({"signature_name": "serving_default", "instances": instances})
        predictions = answer.get("predictions")
        if not isinstance(predictions, list) or len(predictions) != len(rows):
            raise UserError("{} answered no predictions for {} rows".format(self.url, len(rows)))
        return [dict(zip(self.settings["labels"], row)) for row in predictions]

    def row(self, text_a, text_b=None):
        """Inputs of a row: `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`, cut to the model's length."""
        tokenizer = self.tokenizer
        texts = [
            tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) for text in (text_a, text_b) if text is not None
        ]
        while sum(map(len, texts)) > self.settings["max_seq_length"] - 1 - len(texts):
            max(reversed(texts), key=len).pop()  # cut the longer text, or the second one of equal texts
        ids = [tokenizer.cls_id] + [i for text in texts for i in text + [tokenizer.sep_id]]
        segments = [0] + [segment for segment, text in enumerate(texts) for _ in range(len(text) + 1)]
        return {"input_ids": ids, "input_mask": [1] * len(ids), "segment_ids": segments}

    def post(self, value):
        """Sends JSON and returns the JSON of the answer."""
        body = json.dumps(value).encode("utf-8")
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.loads(answer.read().decode("utf-8"))
        except urllib.error.HTTPError as error:
            raise UserError("{} refused: {}".format(self.url, _reason(error))) from error
        except OSError as error:
            raise UserError("{} cannot be reached: {}".format(self.url, getattr(error, "reason", error))) from error
        except ValueError as error:
            raise UserError("{} answered no JSON: is it TensorFlow Serving?".format(self.url)) from error


def _reason(error) -> str:
    """Reason that the server gives for an error, in {"error": …}."""
    body = error.read().decode("utf-8", "replace")
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "status {}".format(error.code)


def main(arguments) -> None:
    """Classifies one text or one pair."""
    if len(arguments) not in (3, 4):
        raise UserError("give the export's folder, the model's address, and one or two texts")
    probabilities = ServingClient(*arguments[:2]).classify([(arguments + [None])[2:4]])[0]
    sys.stdout.write("{} {}\n".format(max(probabilities, key=probabilities.get), probabilities))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (UserError, OSError) as error:
        sys.exit("error: {}".format(error))
