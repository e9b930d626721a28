"""Registry of all tasks: which command fine-tunes which, and the look-up by name."""

from __future__ import annotations

from typing import Dict, Optional

from albert.base.errors import UserError, nearest
from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.mrc import MRC_TASKS
from albert.tasks.ner import NER_TASKS
from albert.tasks.task import CLASSIFICATION, SPANS, TAGS, Task
from albert.tasks.task_file import read_task

CLASSIFIER, READER, TAGGER = "run_classifier.py", "run_mrc.py", "run_ner.py"
TASKS_OF: Dict[str, Dict[str, Task]] = {
    CLASSIFIER: CLASSIFICATION_TASKS,
    READER: MRC_TASKS,
    TAGGER: NER_TASKS,
}
RUNNER_OF: Dict[str, str] = {name: runner for runner, table in TASKS_OF.items() for name in table}
_OTHER_NAMES = {"cluewsc2020": "wsc"}


def get_task(name: str, runner: str = CLASSIFIER) -> Task:
    """Returns the task of this name, in upper or lower case, that a command fine-tunes.

    Raises:
      UserError: another command fine-tunes it, or there is none; then it names the nearest and all that are known.
    """
    lower = name.lower()
    lower = _OTHER_NAMES.get(lower, lower)
    table = TASKS_OF[runner]
    if lower in table:
        return table[lower]
    if lower in RUNNER_OF:
        raise UserError("the task {} is fine-tuned by {}".format(lower, RUNNER_OF[lower]))
    raise UserError(
        "unknown task '{}': the nearest known one is {} (known: {})".format(
            name, nearest(lower, table), ", ".join(sorted(table))
        )
    )


def declared_task(
    task_name: Optional[str], task_file: Optional[str], data_dir: Optional[str], runner: str = CLASSIFIER
) -> Task:
    """Returns the task that a file describes, else the one of this name; it may have no labels yet.

    Args:
      task_name: a declared task of the command.
      task_file: a description in JSON (task_file.py), used in place of the name.
      data_dir: the folder with the task's files; None for that of the description.
      runner: the command that is to fine-tune it.

    Raises:
      UserError: there is no such task, the description cannot be used, or another command fine-tunes it.
    """
    if not task_file:
        return get_task(task_name or "", runner)
    task = read_task(task_file, has_data_dir=data_dir is not None)
    own_runner = {CLASSIFICATION: CLASSIFIER, TAGS: TAGGER, SPANS: READER}[task.kind]
    if own_runner != runner:
        raise UserError(
            'the task {} is of the "kind" {}, which {} fine-tunes, not {}'.format(
                task.name, task.kind, own_runner, runner
            )
        )
    return task
