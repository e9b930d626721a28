"""run_mrc and run_ner end to end on tiny models of both families."""

import json
import os
import shutil

import numpy as np
import pytest

import run_classifier
import run_mrc
import run_ner
from albert.base.errors import UserError
from albert.base.flags import UsageError
from albert.checkpoints import families
from albert.checkpoints.average import next_command
from albert.checkpoints.describe import describe_model
from albert.checkpoints.description import READER_KEYS, TAGGER_KEYS, read_description, write_description
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import read_weights, step_of, variable_shapes
from albert.checkpoints.variables import family_of
from albert.inference.model_files import TENSORFLOW, find_model
from albert.inference.reader import open_reader
from albert.inference.tagger import open_tagger
from albert.model import heads
from albert.tasks import mrc_metrics
from albert.tasks.entities import bio_tags
from albert.tasks.tagged_lines import tagged_lines
from tests.support import tiny_model, token_tasks
from tests.support.tiny_runs import call, publish
from tests.support.token_tasks import fine_tune, read_json

RUNNERS = [run_mrc, run_ner]
NAMES = ["mrc", "ner"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folders of finished runs."""
    folders = {}
    for runner in RUNNERS:
        folder = token_tasks.write_model(tmp_path_factory.mktemp(runner.__name__))
        token_tasks.write_data(folder, runner)
        fine_tune(folder, runner, eval_batch_size=3, predict_batch_size=2)
        folders[runner] = folder
    return folders


@pytest.fixture(params=RUNNERS, ids=NAMES)
def runner(request):
    return request.param


def test_every_checkpoint_is_evaluated_and_the_best_kept(trained, runner):
    out = trained[runner] / "out"
    evaluations = read_json(out, "dev_evaluations.json")
    assert len(evaluations) > 1
    trained_ones = [results for results in evaluations.values() if results["global_step"]]
    best = max(trained_ones, key=lambda results: (results["eval_f1"], results["global_step"]))
    assert read_json(out, "eval_results.json") == best
    assert step_of(find_checkpoint(str(out / "best"))) == best["global_step"]
    shapes = variable_shapes(find_checkpoint(str(out / "best")))
    head = {"run_mrc": ("cls/squad", 2), "run_ner": ("cls/tagging", 7)}[runner.__name__]
    assert shapes[head[0] + "/output_weights"] == [head[1], 8] and shapes[head[0] + "/output_bias"] == [head[1]]
    assert os.path.exists(str(out / "reports" / "dev-model.ckpt-{}.tsv".format(best["global_step"])))


def test_answers_stand_in_their_contexts(trained):
    folder = trained[run_mrc]
    answers, n_best = read_json(folder, "out", "cmrc2018_predict.json"), read_json(folder, "out", "cmrc2018_nbest.json")
    questions = {}
    for paragraph in read_json(folder, "data", "test.json")["data"][0]["paragraphs"]:
        questions.update({qa["id"]: (paragraph["context"], qa["answers"][0]["text"]) for qa in paragraph["qas"]})
    assert list(answers) == list(questions) and sorted(n_best) == sorted(questions)
    for own_id, (context, _) in questions.items():
        assert n_best[own_id][0]["text"] == answers[own_id]
        assert sum(found["probability"] for found in n_best[own_id]) == pytest.approx(1.0)
        assert all(context.startswith(found["text"], found["start"]) for found in n_best[own_id])
        assert all(1 <= len(found["text"]) <= 3 for found in n_best[own_id])
    scores = [mrc_metrics.answer_score(answers[own_id], [gold]) for own_id, (_, gold) in questions.items()]
    results = read_json(folder, "out", "test_results.json")
    assert (results["exact_match"], results["f1"]) == pytest.approx(tuple(np.mean(scores, axis=0)))


def test_entities_are_written_in_both_forms(trained):
    folder = trained[run_ner]
    source = list(tagged_lines("PER", "LOC")(str(folder / "data" / "test.txt")))
    bio = list(tagged_lines("PER", "LOC", "ORG")(str(folder / "out" / "msra_ner_predict.bio")))
    spans = read_lines(folder / "out" / "msra_ner_predict.spans.json")
    assert [sentence.text for sentence in bio] == [found["text"] for found in spans] == [s.text for s in source]
    for sentence, found in zip(bio, spans):
        assert [tuple(e) for e in sentence.entities] == [(e["start"], e["end"], e["type"]) for e in found["entities"]]
        assert all(sentence.text[e["start"] : e["end"]] == e["text"] for e in found["entities"])
    right = sum(len(set(a.entities) & set(b.entities)) for a, b in zip(source, bio))
    count = sum(len(sentence.entities) for sentence in source + bio)
    assert read_json(folder, "out", "test_results.json")["f1"] == pytest.approx(2 * right / count if count else 0.0)


def read_lines(path):
    with open(str(path), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_a_tagger_finds_the_entities_of_the_prediction(trained):
    found = read_lines(trained[run_ner] / "out" / "msra_ner_predict.spans.json")
    with open_tagger(str(trained[run_ner] / "out"), TENSORFLOW) as tagger:
        tagged = tagger.tag([sentence["text"] for sentence in found])
    assert [[tuple(entity[:4]) for entity in entities] for entities in tagged] == [
        [(e["start"], e["end"], e["type"], e["text"]) for e in sentence["entities"]] for sentence in found
    ]
    assert all(0 < entity.score <= 1 for entities in tagged for entity in entities)


def test_a_reader_gives_the_answers_of_the_prediction(trained):
    folder = trained[run_mrc]
    n_best = read_json(folder, "out", "cmrc2018_nbest.json")
    paragraphs = read_json(folder, "data", "test.json")["data"][0]["paragraphs"]
    questions = {qa["id"]: (qa["question"], part["context"]) for part in paragraphs for qa in part["qas"]}
    with open_reader(str(folder / "out"), TENSORFLOW) as reader:
        assert reader.settings == (20, 5, 4) and reader.max_answer_length == 3
        answers = dict(zip(questions, reader.answer(list(questions.values()), n_best=20)))
    for own_id, expected in n_best.items():
        assert [(found.text, found.start) for found in answers[own_id]] == [(e["text"], e["start"]) for e in expected]
        assert [found.score for found in answers[own_id]] == pytest.approx([e["probability"] for e in expected])


def test_a_folder_of_an_earlier_version_is_known_by_its_weights(trained, runner, tmp_path):
    shutil.copytree(str(trained[runner] / "out" / "best"), str(tmp_path / "old"))
    description = read_json(tmp_path / "old", "task.json")
    kept = {key: value for key, value in description.items() if key not in ("head", *READER_KEYS, *TAGGER_KEYS)}
    (tmp_path / "old" / "task.json").write_text(json.dumps(kept), encoding="utf-8")
    files = find_model(str(tmp_path / "old"))
    assert (files.head, files.labels) == (
        ("spans", ()) if runner is run_mrc else ("tags", bio_tags(["LOC", "ORG", "PER"]))
    )
    assert (description["head"], description["doc_stride"]) == (files.head, 5 if runner is run_mrc else None)


def test_a_file_of_ones_own_is_predicted_in_place_of_the_test_split(trained, runner, tmp_path):
    data = tmp_path / "data"
    data.mkdir()  # without any split
    own = tmp_path / "own.txt"
    own.write_text("谁\t我在北京\n吃\t你好😀吗\n" if runner is run_mrc else "我在北京\n你好😀吗\n", encoding="utf-8")
    out = fine_tune(
        trained[runner], runner, data_dir=data, predict_file=own, do_train=False, do_eval=False,
        output_dir=shutil.copytree(str(trained[runner] / "out"), str(tmp_path / "out")),
    )  # fmt: skip
    found = read_lines(os.path.join(out, "own_predict.jsonl"))
    if runner is run_mrc:
        assert [line["question"] for line in found] == ["谁", "吃"]
        assert [line["answers"][0]["text"] in text for line, text in zip(found, ("我在北京", "你好😀吗"))] == [True] * 2
    else:
        assert [line["text"] for line in found] == ["我在北京", "你好😀吗"] and "entities" in found[0]
    with pytest.raises(UsageError, match="--predict_file needs --do_predict=True"):
        fine_tune(trained[runner], runner, predict_file=own, do_predict=False)


@pytest.mark.slow
def test_batches_and_buckets_change_no_figure(trained, runner, tmp_path):
    results = []
    for number, options in enumerate(({"eval_batch_size": 1}, {"eval_batch_size": 5, "bucket_by_length": False})):
        out = fine_tune(
            trained[runner], runner, output_dir=tmp_path / str(number), do_train=False, do_predict=False,
            init_checkpoint=trained[runner] / "out", **options
        )  # fmt: skip
        results.append(read_json(out, "eval_results.json"))
    assert results[0] == pytest.approx(results[1], abs=1e-5)
    known = dict(read_json(trained[runner], "out", "eval_results.json"), global_step=0)
    assert results[0] == pytest.approx(known, abs=1e-5)


@pytest.mark.slow
def test_a_task_of_ones_own_is_learned_and_needs_only_its_test_file_to_predict(trained, runner, tmp_path):
    suffix = ".json" if runner is run_mrc else ".txt"
    files = {split: split + suffix for split in ("train", "dev", "test")}
    kind = "spans" if runner is run_mrc else "tags"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"kind": kind, "name": "mine", "files": files}), encoding="utf-8")
    out = tmp_path / "out"
    fine_tune(trained[runner], runner, task_name=None, task_file=path, output_dir=out)
    assert read_json(out, "best", "task.json")["labels"] == list(bio_tags(["LOC", "PER"]) if kind == "tags" else ())
    name = "mine_predict.json" if kind == "spans" else "mine_predict.bio"
    before = (out / name).read_bytes()
    (out / name).unlink()
    (tmp_path / files["test"]).write_bytes((trained[runner] / "data" / files["test"]).read_bytes())
    fine_tune(
        trained[runner], runner, task_name=None, task_file=path, data_dir=None, output_dir=out, do_train=False,
        do_eval=False,
    )  # fmt: skip
    assert (out / name).read_bytes() == before


@pytest.mark.slow
def test_a_rerun_goes_on(trained, runner, tmp_path, caplog):
    caplog.set_level("INFO")
    out = tmp_path / "out"
    fine_tune(trained[runner], runner, output_dir=out, do_predict=False)
    before = step_of(find_checkpoint(str(out)))
    fine_tune(trained[runner], runner, output_dir=out, do_predict=False, num_train_epochs=2)
    assert "Going on from" in caplog.text and "reused" in caplog.text
    assert step_of(find_checkpoint(str(out))) == 2 * before


@pytest.mark.slow
def test_a_split_batch_trains_the_same(trained, runner, tmp_path, monkeypatch):
    monkeypatch.setattr(heads, "CLASSIFIER_DROPOUT", 0.0)
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = tiny_model.write_config(tmp_path, **no_dropout)
    weights = []
    for steps, recompute in ((1, False), (4, True)):
        out = fine_tune(
            trained[runner], runner, output_dir=tmp_path / str(steps), bert_config_file=config, do_eval=False,
            do_predict=False, gradient_accumulation_steps=steps, recompute=recompute, optimizer="adamw",
            num_train_epochs=1,
        )  # fmt: skip
        weights.append(read_weights(find_checkpoint(out)))
    for name, value in weights[0].items():
        np.testing.assert_allclose(value, weights[1][name], atol=2e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("family", [families.ZH, families.GOOGLE], ids=lambda family: family.name)
def test_either_family_is_told_by_its_folder(trained, runner, family, tmp_path):
    out = fine_tune(
        trained[runner], runner, output_dir=tmp_path / "out", init_checkpoint=publish(tmp_path, family),
        bert_config_file=None, vocab_file=None, do_predict=False,
    )  # fmt: skip
    assert read_json(out, "task.json")["family"] == family.name
    assert "eval_f1" in read_json(out, "eval_results.json")


@pytest.mark.slow
def test_a_config_names_the_google_family(trained, tmp_path):
    config = tiny_model.write_config(tmp_path, num_hidden_groups=2)
    out = fine_tune(
        trained[run_ner], run_ner, output_dir=tmp_path / "out", bert_config_file=None, albert_config_file=config,
        do_predict=False,
    )  # fmt: skip
    assert family_of(variable_shapes(find_checkpoint(out))) == "google"


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"task_name": "tnews"}, "the task tnews is fine-tuned by run_classifier.py"),
        ({"task_name": "cmrc2019"}, "unknown task 'cmrc2019': the nearest known one is"),
        ({"bert_config_file": None}, "--bert_config_file or --albert_config_file must be given, or --init_checkpoint"),
        ({"albert_config_file": "tiny.json"}, "give --bert_config_file or --albert_config_file: a model is of one"),
        ({"data_dir": "none"}, "there is no folder none"),
        ({"max_seq_length": 21}, "--max_seq_length=21 is over the model's 20 positions"),
        ({"output_dir": None}, "--output_dir must be given"),
        ({"task_name": None}, "--task_name must be given"),
    ],
)
def test_mistakes_are_one_sentence(trained, runner, changes, message):
    with pytest.raises(UserError, match=message) as error:
        fine_tune(trained[runner], runner, **dict({"output_dir": trained[runner] / "new"}, **changes))
    assert "\n" not in str(error.value)
    assert not os.path.exists(str(trained[runner] / "new"))


def test_a_missing_test_split_is_named(trained, runner, tmp_path):
    folder = token_tasks.write_model(tmp_path)
    with pytest.raises(UserError, match="data has no .*test.*: put the test rows of the task"):
        fine_tune(folder, runner, do_train=False, do_eval=False)


def test_no_room_for_a_context_is_said_at_once(trained):
    with pytest.raises(
        UserError, match="--max_seq_length=20 leaves no room for a context: --max_query_length=17 needs"
    ):
        fine_tune(trained[run_mrc], run_mrc, max_query_length=17)


def test_a_task_of_another_kind_is_sent_to_its_command(trained):
    values = {"task_name": "cluener", "data_dir": "data", "output_dir": "out", "do_eval": True}
    with pytest.raises(UserError, match="the task cluener is fine-tuned by run_ner.py"):
        call(run_classifier, values)


def test_a_folder_of_another_task_is_refused(trained):
    with pytest.raises(UserError, match="tell O, B-LOC.* apart .task msra_ner., the task weibo_ner has"):
        fine_tune(trained[run_ner], run_ner, task_name="weibo_ner")
    with pytest.raises(
        UserError, match="a checkpoint of the fine-tuning of a tagger: give the fine-tuning of a reader a"
    ):
        fine_tune(trained[run_mrc], run_mrc, output_dir=trained[run_ner] / "out")


def test_nothing_to_do_is_said(trained, runner):
    with pytest.raises(UsageError, match="one of --do_train=True, --do_eval=True or --do_predict=True must be given"):
        fine_tune(trained[runner], runner, do_train=False, do_eval=False, do_predict=False)


def test_other_commands_know_the_model(trained, runner):
    best = str(trained[runner] / "out" / "best")
    name, task = ("run_mrc.py", "cmrc2018") if runner is run_mrc else ("run_ner.py", "msra_ner")
    described = describe_model(open_checkpoint(best), best)
    assert "for {} (task {})".format(name, task) in described
    assert "python predict.py --model={}".format(best) in described
    assert "python {} --init_checkpoint={} --task_name={}".format(name, best, task) in next_command(best)
    described = read_description(best)
    write_description(best, described._replace(task="my_own"))
    assert "python {} --init_checkpoint={} --task_file=…".format(name, best) in next_command(best)
    write_description(best, described)
