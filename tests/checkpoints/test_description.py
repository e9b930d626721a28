"""task.json: believed only where every value is of its type, and names are names."""

from __future__ import annotations

import json

import pytest

from albert.base.errors import UserError
from albert.checkpoints.description import ModelFolder, read_description, write_description

SOUND = ModelFolder("some_task", ("否", "是"), "zh", "tiny.json", "vocab.txt", True, 128, similar_label="是")


def test_what_was_written_is_read(tmp_path):
    assert read_description(str(tmp_path)) is None
    for description in (
        SOUND,
        SOUND._replace(labels=(), similar_label=None, use_pooled_output=False),
        SOUND._replace(labels=("O", "B-PER", "I-PER"), head="tags", reads_characters=True),
        SOUND._replace(labels=(), head="spans", doc_stride=5, max_query_length=4, max_answer_length=3),
        SOUND._replace(labels=(), head="sentence_vector", pooling="cls"),
        SOUND._replace(head="classifier", thresholds=(0.25, 0.5), long_text="windows_max"),
    ):
        write_description(str(tmp_path), description)
        assert read_description(str(tmp_path)) == description


def test_descriptions_of_earlier_versions_have_fewer_keys(tmp_path):
    values = dict(SOUND._asdict(), labels=["否", "是"])
    for key in ModelFolder._field_defaults:
        del values[key]
    (tmp_path / "task.json").write_text(json.dumps(values))
    assert read_description(str(tmp_path)) == SOUND._replace(similar_label=None)


def test_the_pooling_of_an_earlier_version_says_which_head_it_is(tmp_path):
    values = dict(SOUND._asdict(), labels=[], pooling="mean", head=None)
    (tmp_path / "task.json").write_text(json.dumps(values))
    assert read_description(str(tmp_path)).head == "sentence_vector"


@pytest.mark.parametrize(
    "change, message",
    [
        ({"vocab_file": "../evil.txt"}, "'vocab_file' must be a plain file name, without folders"),
        ({"vocab_file": "/etc/passwd"}, "'vocab_file' must be a plain file name"),
        ({"config_file": "a\\b.json"}, "'config_file' must be a plain file name"),
        ({"config_file": ""}, "'config_file' must be a text"),
        ({"config_file": None}, "'config_file' must be a text, not null"),
        ({"labels": "01"}, "'labels' must be a list of texts"),
        ({"labels": {"0": "a"}}, "'labels' must be a list of texts"),
        ({"labels": [["a"]]}, "'labels' must be a list of texts"),
        ({"max_seq_length": "128"}, "'max_seq_length' must be a whole number"),
        ({"max_seq_length": 10**12}, "'max_seq_length' must be a whole number"),
        ({"max_seq_length": True}, "'max_seq_length' must be a whole number"),
        ({"do_lower_case": 1}, "'do_lower_case' must be true or false"),
        ({"use_pooled_output": "yes"}, "'use_pooled_output' must be true or false"),
        ({"is_sentencepiece": None}, "'is_sentencepiece' must be true or false, not null"),
        ({"similar_label": 1}, "'similar_label' must be a text"),
        ({"thresholds": [0.5]}, "'thresholds' has 1 numbers for 2 labels"),
        ({"thresholds": [0.5, 1.5]}, "'thresholds' must be a list of numbers from 0 to 1"),
        ({"thresholds": 0.5}, "'thresholds' must be a list of numbers"),
        ({"long_text": "all"}, "'long_text' must be one of cut, head_tail, windows_mean, windows_max, not all"),
        ({"long_text": "cut", "head": "tags"}, "'long_text' is for a classifier, 'head' is tags"),
        ({"task": []}, "'task' must be a text"),
        ({"family": 1}, "'family' must be a text"),
        ({"other": 1}, "unknown key 'other'"),
        ({"head": 1}, "'head' must be a text"),
        ({"head": "encoder"}, "'head' must be one of sentence_vector, classifier, tags, spans, not encoder"),
        ({"head": "sentence_vector"}, "'head' is sentence_vector, and 'pooling' is missing"),
        ({"head": "tags", "pooling": "mean"}, "'head' is tags, and 'pooling' says otherwise"),
        ({"reads_characters": "yes"}, "'reads_characters' must be true or false"),
        ({"doc_stride": 0}, "'doc_stride' must be a whole number from 1"),
        ({"max_answer_length": "50"}, "'max_answer_length' must be a whole number"),
    ],
)
def test_other_types_and_names_that_lead_elsewhere(tmp_path, change, message):
    values = dict(SOUND._asdict(), labels=["否", "是"])
    values.update(change)
    (tmp_path / "task.json").write_text(json.dumps(values))
    with pytest.raises(UserError, match="task.json is not a description of a fine-tuned model: ") as caught:
        read_description(str(tmp_path))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"[" * 10**5, b'{"task": NaN}', b"\xff"])
def test_files_that_are_no_description(tmp_path, content):
    (tmp_path / "task.json").write_bytes(content)
    with pytest.raises(UserError, match="task.json is not a description of a fine-tuned model: "):
        read_description(str(tmp_path))
