"""The command test_changes.py: it holds now, and fails when something it checks does not."""

import pytest

import test_changes
from albert.base.errors import UserError
from albert.base.flags import Flags
from albert.pretraining import three_changes


def test_embedding_and_sharing_hold():
    for check, figures in (
        (three_changes.factorized_embedding, ("122,880,000", "4,364,288", "28 times")),
        (three_changes.shared_layers, ("125,976,576", "10,498,048", "12 times")),
    ):
        change = check()
        assert change.holds and all(figure in change.finding for figure in figures)


def test_sentence_order_holds_on_what_the_builder_makes(vocab_file):
    assert vocab_file == three_changes.VOCABULARY
    assert three_changes.sentence_order().holds


def test_a_wrong_label_is_found(monkeypatch):
    monkeypatch.setattr(three_changes, "_build_examples", lambda path: None)
    monkeypatch.setattr(three_changes, "_documents", lambda path, tokenizer: [list(range(10))])
    monkeypatch.setattr(three_changes, "_pairs", lambda path, tokenizer: [([1, 2], [3, 4], n % 2) for n in range(200)])
    assert not three_changes.sentence_order().holds


def test_the_command_fails_when_a_change_does_not_hold(monkeypatch, capsys):
    monkeypatch.setattr(three_changes, "factorized_embedding", lambda: three_changes.Change("a change", "found", False))
    monkeypatch.setattr(three_changes, "sentence_order", lambda: three_changes.Change("another", "found", True))
    with pytest.raises(UserError, match="not as ALBERT changed it: a change"):
        test_changes.main(Flags())
    assert "1. a change: DOES NOT HOLD" in capsys.readouterr().out
