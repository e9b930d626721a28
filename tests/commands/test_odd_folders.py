"""Folders whose names TensorFlow takes for patterns, or cannot decode: every phase works as in any folder."""

import os

import pytest

import export_model
import run_classifier
import run_pretraining
from albert.checkpoints.files import find_checkpoint
from similarity import BertSim
from tests.support import tiny_model, tiny_runs


@pytest.mark.slow
@pytest.mark.parametrize("name", ["out[v1] *?", b"\xd6\xd0 [".decode("utf-8", "surrogateescape")])
def test_from_records_to_answers(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    tiny_runs.write_inputs(folder)
    values = {
        "input_file": folder / "tr*.tfrecord",
        "bert_config_file": tiny_model.write_config(folder),
        "keep_checkpoint_max": 1,
        "save_checkpoints_steps": 1,
    }
    pretrained = tiny_runs.pretrain(folder, run_pretraining, num_train_steps=2, **values)
    tiny_runs.pretrain(folder, run_pretraining, num_train_steps=3, do_eval=True, **values)
    kept = [file for file in os.listdir(pretrained) if file.endswith(".index")]
    assert kept == ["model.ckpt-3.index"]
    assert find_checkpoint(pretrained) == os.path.join(pretrained, "model.ckpt-3")
    finetuned = tiny_runs.classify(
        folder,
        run_classifier,
        bert_config_file=values["bert_config_file"],
        vocab_file=folder / "vocab.txt",
        init_checkpoint=pretrained,
    )
    flags = export_model.declare_flags()
    flags.parse(["--checkpoint=" + finetuned, "--format=savedmodel", "--output_dir=" + str(folder / "exported[1]")])
    export_model.main(flags)
    pairs = [("我喜欢", "你好"), ("明天", "明天下雨")]
    answers = [BertSim(model_dir=place).predict_sentences(pairs) for place in (finetuned, str(folder / "exported[1]"))]
    assert abs(answers[0] - answers[1]).max() < 1e-5
