"""Records of a pre-training run: whether they fit the model, and what they say of its vocabulary."""

import json

import pytest

from albert.base.errors import UserError
from albert.files.reading import describe_files
from albert.files.tfrecords import write_records
from albert.pretraining.inputs import Inputs, check_records, with_vocabulary
from albert.training.run_model import RunModel
from modeling import BertConfig

CONFIG = BertConfig(vocab_size=7240)


def write_data(folder, tokens=7239, do_lower_case=True):
    """A record file whose sidecar says how it was made; returns its path."""
    path = str(folder / "a.tfrecord")
    write_records(path, [b"record"])
    (folder / "vocab.txt").write_text("[PAD]\n")
    sidecar = {
        "settings": {"max_seq_length": 32, "max_predictions_per_seq": 5, "do_lower_case": do_lower_case},
        "vocabulary": {"size": tokens, "sha256": describe_files([str(folder / "vocab.txt")])[0]["sha256"]},
        "shards": [],
    }
    (folder / "a.tfrecord.json").write_text(json.dumps(sidecar))
    return path


@pytest.mark.parametrize("tokens, is_right", [(7240, True), (7239, True), (7241, False), (5000, False)])
def test_records_of_a_vocabulary_that_the_table_takes_are_accepted(tmp_path, tokens, is_right):
    path = write_data(tmp_path, tokens)
    if is_right:
        check_records(path, 32, 5, CONFIG.vocab_size)
        return
    with pytest.raises(UserError, match="was made for vocab_size {}, asked for 7240".format(tokens)):
        check_records(path, 32, 5, CONFIG.vocab_size)


@pytest.mark.parametrize("case", [True, False])
@pytest.mark.parametrize("vocab_file", [None, "own.txt"])
def test_the_case_of_the_records_stays_with_the_model(tmp_path, case, vocab_file):
    path = write_data(tmp_path, do_lower_case=case)
    model = RunModel(CONFIG, str(tmp_path / "config.json"), vocab_file)
    found = with_vocabulary(model, Inputs([path], [path], None))
    assert found.do_lower_case is case
    assert found.vocab_file == (vocab_file or str(tmp_path / "vocab.txt"))


def test_records_without_a_description_leave_the_model_as_it_is(tmp_path):
    path = str(tmp_path / "a.tfrecord")
    write_records(path, [b"record"])
    model = RunModel(CONFIG, None, do_lower_case=False)
    assert with_vocabulary(model, Inputs([path], [path], None)) == model
