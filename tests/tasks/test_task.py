from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.task import label_list


def test_many_labels_are_not_all_told():
    assert label_list(("a", "b")) == "a, b"
    assert label_list(CLASSIFICATION_TASKS["iflytek"].labels) == "0, 1, 2, …, 118 (119 labels)"
