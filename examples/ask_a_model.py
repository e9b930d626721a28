"""Asks a model of any kind from a program: entities, answers, labels or vectors of a few texts, as the model can.

    python examples/ask_a_model.py weibo_ner_checkpoints 我在北京大学读书
    python examples/ask_a_model.py cmrc2018_checkpoints 谁写了《红楼梦》？ 《红楼梦》是清代作家曹雪芹的长篇小说。

The model is a folder that fine-tuning filled, an export, or a pre-trained checkpoint.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from albert.base.errors import UserError
from albert.inference.open_model import OpenModel, open_model


def ask(model: OpenModel, text: str, second: str) -> None:
    """Prints what a model says of a text, or of a question and its context."""
    if "tag" in model.abilities:
        for entity in model.tag([text])[0]:
            print("{} to {}: {} {} ({:.0%})".format(entity.start, entity.end, entity.type, entity.text, entity.score))
    elif "answer" in model.abilities:
        for answer in model.answer([(text, second)], n_best=3)[0]:
            print("{} ({:.0%}), at character {}".format(answer.text, answer.score, answer.start))
    elif "classify" in model.abilities:
        found = model.classify([(text, second) if second else text])
        print("{} ({:.0%})".format(found.labels[0], found.scores[0]))
    else:
        print("a vector of {} numbers".format(model.embed([text]).shape[1]))


def main() -> None:
    """Asks the model in the folder that the command line names."""
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python examples/ask_a_model.py FOLDER TEXT [SECOND_TEXT]")
    try:
        with open_model(sys.argv[1]) as model:
            ask(model, sys.argv[2], sys.argv[3] if len(sys.argv) == 4 else "")
    except UserError as error:
        sys.exit("error: {}".format(error))


if __name__ == "__main__":
    main()
