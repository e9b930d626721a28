"""What the folder of a model says of its head, also one of an earlier version."""

import pytest

from albert.checkpoints.description import ModelFolder, write_description
from albert.inference import model_files
from albert.model.outputs import CLASSIFIER, SENTENCE_VECTOR, SPANS, TAGS


@pytest.mark.parametrize(
    "labels, changes, head",
    [
        (("0", "1"), {}, CLASSIFIER),
        ((), {}, SPANS),
        ((), {"pooling": "mean"}, SENTENCE_VECTOR),
        (("O", "B-PER", "I-PER"), {}, "of the weights"),  # a classifier may have such labels, too
        (("O", "B-PER", "I-PER"), {"head": TAGS}, TAGS),
    ],
)
def test_weights_are_asked_for_the_head_only_where_the_description_leaves_it_open(
    tmp_path, monkeypatch, labels, changes, head
):
    write_description(str(tmp_path), ModelFolder("mine", labels, "zh", "c.json", "v.txt", True, 8, **changes))
    monkeypatch.setattr(model_files, "find_checkpoint", lambda folder: folder + "/model.ckpt-1")
    monkeypatch.setattr(model_files, "_head_of_weights", lambda folder: "of the weights")
    assert model_files.find_model(str(tmp_path)).head == head
