"""run_distillation.py and run_embedding.py: a few steps, what they leave, resumed runs, inputs that do not fit."""

import json
import os

import numpy as np
import pytest

import run_distillation
import run_embedding
from albert.base.errors import UsageError, UserError
from albert.checkpoints.description import read_description
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import read_weights
from albert.finetuning.sentence_vectors.teacher import read_teacher
from tests.support import tiny_model
from tests.support.tiny_runs import call

WIDTH, LINES = 6, (9, 7)
RANDOM = np.random.RandomState(4)


def write_lines(path, count):
    characters = sorted(set(tiny_model.CHARACTERS))
    lines = ["".join(RANDOM.choice(characters, RANDOM.randint(2, 9))) for _ in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two files of sentences with vectors, pairs, a vocabulary and a config."""
    folder = tmp_path_factory.mktemp("vectors")
    for name, count in zip("ab", LINES):
        write_lines(folder / (name + ".txt"), count)
        np.save(str(folder / (name + ".npy")), RANDOM.randn(count, WIDTH).astype(np.float16))
    tiny_model.write_pairs(folder / "data", train=13, dev=7, test=5)
    tiny_model.write_vocab(folder)
    tiny_model.write_config(folder, num_hidden_layers=1)
    return folder


def train(command, folder, out, values, changes):
    values = {
        "output_dir": folder / out,
        "bert_config_file": folder / "tiny.json",
        "vocab_file": folder / "vocab.txt",
        "do_train": True,
        "do_eval": True,
        "max_seq_length": 12,
        "train_batch_size": 4,
        "num_train_epochs": 1,
        "learning_rate": 0.01,
        **values,
        **changes,
    }
    call(command, values)
    return folder / out


def distil(folder, out, **changes):
    values = {
        "input_file": "{0}/a.txt,{0}/b.txt".format(folder),
        "teacher_vectors": "{0}/a.npy,{0}/b.npy".format(folder),
        "eval_pairs": folder / "data" / "dev.txt",
    }
    return train(run_distillation, folder, out, values, changes)


def embed(folder, out, **changes):
    values = {"task_name": "lcqmc_pair", "data_dir": folder / "data", "do_predict": True}
    return train(run_embedding, folder, out, values, changes)


@pytest.fixture(scope="module")
def distilled(folder):
    return distil(folder, "distilled")


def results_of(out, name="eval_results"):
    return json.loads((out / (name + ".json")).read_text())


def test_a_distillation_leaves_a_model_with_a_head_of_the_teachers_width(distilled):
    best = distilled / "best"
    description = read_description(str(best))
    assert (description.task, description.labels, description.pooling) == ("sentence_vectors", (), "mean")
    model = open_checkpoint(str(best))
    assert model.head == "sentence_vector" and model.vector_size == WIDTH
    assert {"eval_auc", "eval_accuracy", "eval_spearman", "eval_threshold"} <= set(results_of(distilled))
    report = (distilled / "reports" / "dev-model.ckpt-4.tsv").read_text(encoding="utf-8").splitlines()
    assert report[0] == "cosine\tscore\tfirst\tsecond" and len(report) == 8


def test_the_run_says_which_files_it_was_trained_on(distilled):
    names = [entry["file"] for entry in json.loads((distilled / "run_config.json").read_text())["data"]]
    assert {"a.txt", "b.txt", "a.npy", "b.npy", "dev.txt"} == set(names)


def test_a_distillation_in_two_goes_equals_one(folder):
    once = distil(folder, "once", num_train_epochs=2, do_eval=False)
    distil(folder, "twice", num_train_epochs=2, do_eval=False, save_checkpoints_steps=3)
    for name in os.listdir(str(folder / "twice")):
        if name.startswith("model.ckpt-") and not name.startswith("model.ckpt-3."):
            os.remove(str(folder / "twice" / name))
    twice = distil(folder, "twice", num_train_epochs=2, do_eval=False, save_checkpoints_steps=3)
    ours, theirs = (read_weights(find_checkpoint(str(out))) for out in (once, twice))
    assert sorted(ours) == sorted(theirs)
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, atol=1e-6, err_msg=name)


def test_pairs_go_on_from_a_distilled_model(folder, distilled):
    out = embed(
        folder,
        "pairs",
        init_checkpoint=distilled,
        bert_config_file=None,
        vocab_file=None,
        negatives_weight=0.5,
        learning_rate=0,
    )
    assert open_checkpoint(str(out / "best")).vector_size == WIDTH
    assert results_of(out)["eval_auc"] == pytest.approx(results_of(distilled)["eval_auc"])  # at rate 0 nothing changes
    assert set(results_of(out, "test_results")) == {"auc", "accuracy", "spearman", "threshold"}
    cosines = (out / "test_results.tsv").read_text().split()
    assert len(cosines) == 5 and all(-1 <= float(cosine) <= 1 for cosine in cosines)


def test_a_model_is_measured_on_pairs_without_training(folder, distilled):
    changes = {"init_checkpoint": distilled, "bert_config_file": None, "vocab_file": None, "do_predict": False}
    out = embed(folder, "measured", do_train=False, **changes)
    expected = results_of(distilled)
    assert results_of(out)["eval_auc"] == pytest.approx(expected["eval_auc"])
    del changes["do_predict"]
    again = distil(folder, "measured_again", do_train=False, **changes)
    assert results_of(again)["eval_auc"] == pytest.approx(expected["eval_auc"])


def test_graded_pairs_from_files(folder, tmp_path):
    graded = tmp_path / "graded.tsv"
    graded.write_text("我喜欢\t我喜欢吃\t4.5\n你好\t他好\t3\n北京\t苹果\t0.5\n上海\t上海\t5\n", encoding="utf-8")
    changes = {"task_name": None, "data_dir": None, "do_predict": False, "train_pairs": graded, "eval_pairs": graded}
    out = embed(folder, "graded", vector_size=3, **changes)
    assert set(results_of(out)) == {"eval_spearman", "global_step"}
    assert open_checkpoint(str(out / "best")).vector_size == 3


def fault(folder, name, array):
    np.save(str(folder / name), array)
    return "{0}/a.npy,{0}/{1}".format(folder, name)


@pytest.mark.parametrize(
    "array, words",
    [
        (np.ones([6, WIDTH], np.float32), "has 6 vectors, .*b.txt has 7 lines"),
        (np.ones([7, WIDTH + 1], np.float32), "has vectors of 7 numbers, .*a.npy of 6"),
        (np.full([7, WIDTH], np.nan, np.float32), "row 0 .*b.txt line 1. is no vector"),
        (np.ones([7, WIDTH], np.int64), "no array of numbers with a fraction"),
    ],
)
def test_vectors_that_do_not_fit(folder, array, words):
    with pytest.raises(UserError, match=words):
        distil(folder, "refused", teacher_vectors=fault(folder, "c.npy", array))


def test_files_that_do_not_go_together(folder):
    with pytest.raises(UserError, match="2 text files and 1 files of vectors"):
        distil(folder, "refused", teacher_vectors=folder / "a.npy")
    with pytest.raises(UserError, match="no file matches"):
        distil(folder, "refused", teacher_vectors=folder / "missing.npy")


def test_lines_that_hold_nothing_are_named_with_their_file(folder, tmp_path):
    (tmp_path / "l.txt").write_text("我喜欢\n\u200b\n你好\n", encoding="utf-8")
    np.save(str(tmp_path / "l.npy"), np.ones([3, WIDTH], np.float32))
    changes = {"input_file": tmp_path / "l.txt", "teacher_vectors": tmp_path / "l.npy"}
    with pytest.raises(UserError, match="l.txt line 2 is blank"):
        distil(folder, "refused", **changes)


def test_places_of_lines_in_several_files(folder):
    files = [str(folder / (name + ".txt")) for name in "ab"], [str(folder / (name + ".npy")) for name in "ab"]
    teacher = read_teacher(*files, is_centered=True)
    assert [teacher.place(number).split("/")[-1] for number in (1, 9, 10, 16)] == [
        "a.txt line 1",
        "a.txt line 9",
        "b.txt line 1",
        "b.txt line 7",
    ]


@pytest.mark.parametrize(
    "run, changes, words",
    [
        (distil, {"eval_pairs": None}, "--do_eval=True needs --eval_pairs"),
        (distil, {"input_file": None}, "--input_file"),
        (distil, {"cosine_weight": 0, "structure_weight": 0}, "nothing is left to learn"),
        (distil, {"use_tpu": True}, "not for a TPU"),
        (distil, {"group_size": 3}, "--group_size=3 does not divide the 4 rows"),
        (embed, {"train_pairs": "x"}, "not both"),
        (embed, {"task_name": None, "data_dir": None}, "--task_name and --data_dir must be given"),
        (embed, {"ranking_weight": 0}, "nothing is left to learn"),
        (embed, {"data_dir": None}, "--data_dir"),
    ],
)
def test_flags_that_cannot_work(folder, run, changes, words):
    with pytest.raises(UsageError, match=words):
        run(folder, "refused", **changes)


def test_a_head_of_another_width_is_refused(folder, distilled):
    with pytest.raises(UserError, match="have 6 numbers, --vector_size=4"):
        embed(folder, "refused", init_checkpoint=distilled, vector_size=4)
    other = fault(folder, "d.npy", np.ones([9, 4], np.float32)).split(",")[1]
    with pytest.raises(UserError, match="have 6 numbers, those of the teacher 4"):
        distil(folder, "refused", init_checkpoint=distilled, input_file=folder / "a.txt", teacher_vectors=other)


def test_pairs_of_one_score_have_no_order(folder, tmp_path):
    (tmp_path / "p.txt").write_text("我\t你\t1\n他\t你\t1\n", encoding="utf-8")
    changes = {"task_name": None, "data_dir": None, "do_predict": False, "do_eval": False}
    with pytest.raises(UserError, match="have the score 1: there is no order to learn"):
        embed(folder, "refused", train_pairs=tmp_path / "p.txt", **changes)
