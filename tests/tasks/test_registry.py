import pytest

from albert.base.errors import UserError
from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.registry import CLASSIFIER, READER, RUNNER_OF, TAGGER, TASKS_OF, declared_task, get_task
from tests.support.own_tasks import describe


def test_every_task_has_one_runner():
    assert sorted(RUNNER_OF) == sorted(name for table in TASKS_OF.values() for name in table)
    assert RUNNER_OF["tnews"] == CLASSIFIER
    assert RUNNER_OF["drcd"] == READER and RUNNER_OF["cluener"] == TAGGER
    assert all(task.preset for table in TASKS_OF.values() for task in table.values())


def test_names_in_any_case_and_other_names():
    assert get_task("WSC", CLASSIFIER) is get_task("cluewsc2020", CLASSIFIER) is CLASSIFICATION_TASKS["wsc"]
    assert get_task("CMRC2018", READER).name == "cmrc2018"


@pytest.mark.parametrize(
    "name,runner,message",
    [
        ("CLUENER", READER, "the task cluener is fine-tuned by run_ner.py"),
        ("lcqmc", TAGGER, "the task lcqmc is fine-tuned by run_classifier.py"),
        ("CLUEwsc2020", TAGGER, "the task wsc is fine-tuned by run_classifier.py"),
        ("cluener", CLASSIFIER, "the task cluener is fine-tuned by run_ner.py"),
        ("drcc", READER, r"unknown task 'drcc': the nearest known one is drcd \(known: cmrc2018, drcd\)"),
        ("drcc", TAGGER, "unknown task 'drcc': .*known: cluener, msra_ner, resume_ner, weibo_ner"),
    ],
)
def test_a_task_of_another_runner_or_none(name, runner, message):
    with pytest.raises(UserError, match=message):
        get_task(name, runner)


@pytest.mark.parametrize("name", ["lcqmc", "LCQMC", "Lcqmc_Pair", "sentence_PAIR"])
def test_a_task_is_found_in_upper_and_lower_case(name):
    assert get_task(name).name == name.lower()


def test_wsc_has_a_second_name():
    assert get_task("CLUEwsc2020").name == "wsc"


def test_an_unknown_task_names_the_nearest_and_all():
    with pytest.raises(UserError) as error:
        get_task("Lcqmc_pairs")
    assert str(error.value) == (
        "unknown task 'Lcqmc_pairs': the nearest known one is lcqmc_pair (known: {})".format(
            ", ".join(sorted(CLASSIFICATION_TASKS))
        )
    )
    with pytest.raises(UserError, match="unknown task ''"):
        get_task("")


@pytest.mark.parametrize(
    "kind, own", [("classification", CLASSIFIER), ("multilabel", CLASSIFIER), ("tags", TAGGER), ("spans", READER)]
)
def test_a_task_file_is_for_the_command_of_its_kind(tmp_path, kind, own):
    texts = {"text_a": "text"} if own == CLASSIFIER else {}
    path = describe(tmp_path, "a.jsonl", kind=kind, **texts)
    assert declared_task(None, path, None, own).name == "mine"
    for runner in {CLASSIFIER, TAGGER, READER} - {own}:
        with pytest.raises(UserError, match='the task mine is of the "kind" .*, which {} fine-tunes, not'.format(own)):
            declared_task(None, path, None, runner)
