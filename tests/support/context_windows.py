"""Questions on contexts of a small vocabulary, and answers of a model that is sure of a span."""

import numpy as np

from albert.tasks.mrc_rows import Answer, Question
from tokenization import FullTokenizer

CHARACTERS = "甲乙丙丁戊己庚辛壬癸子丑寅卯"
_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(CHARACTERS) + ["cs", "##ol", "20", "##08", "a"]
ODD = " 甲\u3000CSOL乙2008\u2028\u200b𠮷É丙\r\n丁"


def write_vocabulary(folder):
    """The tokenizer of the vocabulary, which is written into a folder."""
    path = folder / "vocab.txt"
    path.write_text("".join(token + "\n" for token in _TOKENS), encoding="utf-8")
    return FullTokenizer(str(path))


def question(context, answer=None, text="甲乙"):
    answers = () if answer is None else (Answer(answer, context.index(answer)),)
    return Question("q", text, context, answers)


def logits_for(windows, wanted, score=5.0):
    """What a model answers that gives one span of the context, in characters, the best score in all windows."""
    answers = []
    for window in windows:
        answer = np.zeros([2, len(window.encoded.input_ids) + 3], np.float32)
        for side, (place, edge) in enumerate(((wanted[0], 0), (wanted[1], 1))):
            for number, span in enumerate(window.spans):
                if span[edge] == place:
                    answer[side, window.offset + number] = score
        answers.append(answer)
    return answers
