import pytest

import task_runners
import tasks
from errors import UserError
from task_runners import CLASSIFIER, READER, TAGGER, get_task


def test_every_task_has_one_runner():
    assert sorted(task_runners.RUNNER_OF) == sorted(name for table in task_runners.TASKS_OF.values() for name in table)
    assert task_runners.RUNNER_OF["tnews"] == CLASSIFIER
    assert task_runners.RUNNER_OF["drcd"] == READER and task_runners.RUNNER_OF["cluener"] == TAGGER
    assert all(task.preset for table in task_runners.TASKS_OF.values() for task in table.values())


def test_names_in_any_case_and_other_names():
    assert get_task("WSC", CLASSIFIER) is get_task("cluewsc2020", CLASSIFIER) is tasks.TASKS["wsc"]
    assert get_task("CMRC2018", READER).name == "cmrc2018"


@pytest.mark.parametrize(
    "name,runner,message",
    [
        ("CLUENER", READER, "the task cluener is fine-tuned by run_ner.py"),
        ("lcqmc", TAGGER, "the task lcqmc is fine-tuned by run_classifier.py"),
        ("drcc", READER, r"unknown task 'drcc': the nearest known one is drcd \(known: cmrc2018, drcd\)"),
        ("drcc", TAGGER, "unknown task 'drcc': .*known: cluener, msra_ner, resume_ner, weibo_ner"),
    ],
)
def test_a_task_of_another_runner_or_none(name, runner, message):
    with pytest.raises(UserError, match=message):
        get_task(name, runner)
