"""Tiny data sets of questions and of tagged sentences, and runs on them."""

import json
import os

import numpy as np

import run_mrc
from tests.support import tiny_model
from tests.support.tiny_runs import call

CHARACTERS = sorted(set(tiny_model.CHARACTERS))


def random_text(random, low, high):
    return "".join(random.choice(CHARACTERS, random.randint(low, high)))


def write_questions(path, contexts, seed=0, has_answers=True):
    """Two questions on each of so many contexts; returns the content."""
    random = np.random.RandomState(seed)
    paragraphs = []
    for number in range(contexts):
        context = random_text(random, 9, 30)
        qas = []
        for which in range(2):
            start = random.randint(0, len(context) - 3)
            answers = [{"text": context[start : start + 2], "answer_start": int(start)}] if has_answers else []
            qas.append(
                {"id": "Q{}_{}".format(number, which), "question": random_text(random, 1, 4), "answers": answers}
            )
        paragraphs.append({"context": context, "qas": qas})
    content = {"version": "1", "data": [{"title": "", "paragraphs": paragraphs}]}
    with open(str(path), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
    return content


def write_tagged(path, sentences, seed=0, separator="\t", types=("PER", "LOC")):
    """Sentences of single characters; 我 and 北 begin entities of two tokens."""
    random = np.random.RandomState(seed)
    with open(str(path), "w", encoding="utf-8") as file:
        for _ in range(sentences):
            before = "O"
            for char in random_text(random, 3, 25):
                tag = {"我": "B-" + types[0], "北": "B-" + types[1]}.get(char, "O")
                if tag == "O" and before.startswith("B-"):
                    tag = "I" + before[1:]
                before = tag
                file.write(char + separator + tag + "\n")
            file.write("\n")


def write_model(folder):
    tiny_model.write_vocab(folder)
    tiny_model.write_config(folder, num_hidden_layers=1)
    (folder / "data").mkdir()
    return folder


def fine_tune(folder, runner, **changes):
    """A few steps of run_mrc or run_ner."""
    values = {
        "data_dir": folder / "data",
        "output_dir": folder / "out",
        "vocab_file": folder / "vocab.txt",
        "bert_config_file": folder / "tiny.json",
        "do_train": True,
        "do_eval": True,
        "do_predict": True,
        "max_seq_length": 20,
        "train_batch_size": 4,
        "num_train_epochs": 1,
        "learning_rate": 0.01,
        "save_checkpoints_steps": 2,
    }
    values.update({"doc_stride": 5, "max_query_length": 4, "max_answer_length": 3} if runner is run_mrc else {})
    values.update({"task_name": "cmrc2018" if runner is run_mrc else "msra_ner"})
    values.update(changes)
    call(runner, values)
    return str(values["output_dir"])


def read_json(*parts):
    with open(os.path.join(*map(str, parts)), encoding="utf-8") as file:
        return json.load(file)


def write_data(folder, runner, seed=0):
    """The splits of cmrc2018 or msra_ner."""
    for number, (split, count) in enumerate((("train", 6), ("dev", 4), ("test", 3))):
        path = folder / "data" / (split + (".json" if runner is run_mrc else ".txt"))
        (write_questions if runner is run_mrc else write_tagged)(path, count, seed + number)
    return folder
