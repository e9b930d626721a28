"""Quick start, from raw text to a scored sentence pair: runs the project's commands on the shipped data.

`bash quickstart.sh` calls it after the set-up. Each stage is a command that a user could type; it is shown before it
runs. The closing table is read from the files that the stages wrote.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import Any, Dict, List, NamedTuple

OUTPUT = "quickstart_output"
TFRECORDS = OUTPUT + "/tfrecords"
PRETRAINED = OUTPUT + "/pretrained"
FINETUNED = OUTPUT + "/finetuned"
STARTER = "starter"  # data/starter_model
VOCAB = "albert_config/vocab.txt"


class Stage(NamedTuple):
    """Stage of the quick start: a command."""

    title: str
    command: List[str]


STAGES = (
    Stage("the shipped model answers: cosines of sentence vectors", ["similarity.py", "--model_dir=" + STARTER]),
    Stage(
        "TFRecords from data/news_zh_1.txt",
        [
            "create_pretraining_data.py",
            "--input_file=data/news_zh_1.txt",
            "--output_file=" + TFRECORDS + "/news.tfrecord",
            "--heldout_file=" + TFRECORDS + "/heldout.tfrecord",
            "--heldout_share=0.1",
            "--vocab_file=" + VOCAB,
            "--do_whole_word_mask=True",
            "--ngram=1",
            "--max_seq_length=64",
            "--max_predictions_per_seq=10",
            "--dupe_factor=10",
        ],
    ),
    Stage(
        "pre-training goes on from the shipped model",
        [
            "run_pretraining.py",
            "--input_file=" + TFRECORDS + "/news.tfrecord",
            "--eval_input_file=" + TFRECORDS + "/heldout.tfrecord",
            "--output_dir=" + PRETRAINED,
            "--do_train=True",
            "--do_eval=True",
            "--init_checkpoint=" + STARTER,
            "--max_seq_length=64",
            "--max_predictions_per_seq=10",
            "--train_batch_size=32",
            "--eval_batch_size=64",
            "--num_train_steps=70",
            "--num_warmup_steps=10",
            "--optimizer=adamw",
            "--learning_rate=5e-4",
        ],
    ),
    Stage(
        "fine-tuning of its sentence vectors on data/sample_pairs",
        [
            "run_embedding.py",
            "--task_name=lcqmc_pair",
            "--do_train=true",
            "--do_eval=true",
            "--do_predict=true",
            "--data_dir=data/sample_pairs",
            "--init_checkpoint=" + STARTER,
            "--output_dir=" + FINETUNED,
            "--train_batch_size=64",
            "--eval_batch_size=64",
            "--predict_batch_size=64",
            "--learning_rate=2e-4",
            "--num_train_epochs=2",
            "--save_checkpoints_steps=100",
        ],
    ),
    Stage("similarity of a few pairs", ["similarity.py", "--model_dir=" + FINETUNED]),
)


def run_stage(stage: Stage) -> float:
    """Runs one command with its output on the terminal; returns its seconds."""
    sys.stdout.write("\n== {}\npython {}\n".format(stage.title, " ".join(stage.command)))
    sys.stdout.flush()
    start = time.time()
    status = subprocess.call([sys.executable] + stage.command)
    if status:
        sys.exit(
            "quickstart: the stage '{}' failed (exit status {}); see its message above".format(stage.title, status)
        )
    return time.time() - start


def metrics_of(folder: str, kind: str) -> List[Dict[str, Any]]:
    """Records of a run, of training ("train") or of evaluation ("eval"); the first of training is before any update."""
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
        return [record for record in map(json.loads, file) if record["kind"] == kind]


def read_json(*parts: str) -> Any:
    """Reads a JSON file."""
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def closing_table(seconds: List[float]) -> str:
    """Table of the stages: figures before and after, seconds, folders."""
    records = read_json(TFRECORDS, "news.tfrecord.json")["counts"]
    training, held_out = metrics_of(PRETRAINED, "train"), metrics_of(PRETRAINED, "eval")[-1]
    _, commonest_token = held_out["goal"]["baseline"]
    evaluations = read_json(FINETUNED, "dev_evaluations.json")
    best = read_json(FINETUNED, "eval_results.json")
    test = read_json(FINETUNED, "test_results.json")
    start = min(evaluations.values(), key=lambda evaluation: evaluation["global_step"])
    loss = "masked_lm_loss"
    rows = [
        ("stage", "before", "after", "seconds", "files"),
        ("the shipped model", "", "", seconds[0], "data/starter_model"),
        ("TFRecords", "", "{:,} examples".format(records["examples"]), seconds[1], TFRECORDS),
        ("pre-training: masked-LM loss", training[0][loss], training[-1][loss], seconds[2], PRETRAINED),
        ("  held-out masked-LM accuracy", commonest_token, held_out["masked_lm_accuracy"], "", ""),
        ("fine-tuning: dev AUC", start["eval_auc"], best["eval_auc"], seconds[3], FINETUNED),
        ("  dev accuracy", start["eval_accuracy"], best["eval_accuracy"], "", ""),
        ("  test accuracy", "", test["accuracy"], "", ""),
        ("similarity", "", "", seconds[4], ""),
    ]
    lines = [" {:<30} {:>9} {:>15} {:>8}  {}".format(*map(cell_text, row)).rstrip() for row in rows]
    return "\n".join(lines[:1] + ["-" * 90] + lines[1:])


def cell_text(value: Any) -> str:
    """Text of a table cell; seconds and figures are rounded."""
    if isinstance(value, float):
        return "{:.3f}".format(value) if value < 20 else "{:.0f}".format(value)
    return str(value)


NEXT = """
The loss of pre-training is that of its first and of its last batches; its accuracy is measured on held-out documents
(before: of always answering the commonest token), fine-tuning on the dev sample, whose pairs share their words whatever
their label (before: of the shipped model; the accuracies are those at the best threshold).
Next, with your own text and your own pairs:
  bash create_pretrain_data.sh your_text.txt records/yours.tfrecord
  python run_pretraining.py --help        (--init_checkpoint={pretrained} continues from this model)
  python run_classifier.py --help         (--data_dir with train.txt, dev.txt, test.txt)
  python similarity.py --model_dir={finetuned}
"""


def main() -> None:
    """Runs all stages and shows the closing table."""
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for folder in (TFRECORDS, PRETRAINED, FINETUNED):
        shutil.rmtree(folder, ignore_errors=True)
    start = time.time()
    seconds = [run_stage(stage) for stage in STAGES]
    sys.stdout.write("\n{}\n".format(closing_table(seconds)))
    sys.stdout.write("All in {:.0f} s.\n".format(time.time() - start))
    sys.stdout.write(NEXT.format(pretrained=PRETRAINED, finetuned=FINETUNED))


if __name__ == "__main__":
    main()
