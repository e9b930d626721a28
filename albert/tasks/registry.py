"""All tasks of all kinds, and which command fine-tunes which."""

from __future__ import annotations

from typing import Dict

from albert.base.errors import UserError
from albert.tasks.classification import CLASSIFICATION_TASKS, Task, get_classification_task
from albert.tasks.mrc import MRC_TASKS
from albert.tasks.ner import NER_TASKS

CLASSIFIER, READER, TAGGER = RUNNERS = ("run_classifier.py", "run_mrc.py", "run_ner.py")
TASKS_OF: Dict[str, Dict[str, Task]] = {
    CLASSIFIER: CLASSIFICATION_TASKS,
    READER: MRC_TASKS,
    TAGGER: NER_TASKS,
}
RUNNER_OF: Dict[str, str] = {name: runner for runner, table in TASKS_OF.items() for name in table}


def get_task(name: str, runner: str) -> Task:
    """The task of this name, in upper or lower case, that a command fine-tunes.

    Raises:
      UserError: there is none, or another command fine-tunes it.
    """
    other = RUNNER_OF.get(name.lower(), runner)
    if other != runner:
        raise UserError("the task {} is fine-tuned by {}".format(name.lower(), other))
    return get_classification_task(name, TASKS_OF[runner])
