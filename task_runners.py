"""All tasks of all kinds, and which command fine-tunes which."""

from __future__ import annotations

from typing import Dict

import mrc_tasks
import ner_tasks
import tasks
from errors import UserError
from tasks import Task

CLASSIFIER, READER, TAGGER = RUNNERS = ("run_classifier.py", "run_mrc.py", "run_ner.py")
TASKS_OF: Dict[str, Dict[str, Task]] = {
    CLASSIFIER: tasks.TASKS,
    READER: mrc_tasks.TASKS,
    TAGGER: ner_tasks.TASKS,
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
    return tasks.get_task(name, TASKS_OF[runner])
