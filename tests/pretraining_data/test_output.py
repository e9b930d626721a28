import json
import logging
import os

import pytest

from albert.files.record_sets import read_sidecar
from albert.files.tfrecords import count_records
from albert.pretraining_data import run
from albert.pretraining_data.output import claim_output, first_difference, total_counts
from albert.pretraining_data.shards import COUNTS, DROP_REASONS, ShardResult
from tests.support.data_command import files_below, long_text, make, records_of, refusal
from tests.support.tiny_corpus import TEXT, write_text


def test_a_rerun_makes_only_what_is_missing(folder, caplog):
    write_text(folder, long_text())
    make(folder, num_shards=4)
    made = files_below(folder)
    kept, removed = (str(folder / "out" / "zh-0000{}-of-00004.tfrecord".format(shard)) for shard in (0, 2))
    kept_time = os.stat(kept).st_mtime_ns
    os.remove(removed)
    with caplog.at_level(logging.INFO):
        make(folder, num_shards=4, num_workers=2)
    assert "3 of 4 shards are there already" in caplog.messages
    assert os.stat(kept).st_mtime_ns == kept_time
    assert files_below(folder) == made


def test_a_shard_of_another_size_is_made_again(folder):
    make(folder)
    made = files_below(folder)
    (folder / "out" / "zh.tfrecord").write_bytes(b"cut off")
    make(folder)
    assert files_below(folder) == made


def test_an_interrupted_run_is_taken_up(folder, monkeypatch):
    write_text(folder, long_text())
    make(folder, output_file=folder / "whole" / "zh.tfrecord", num_shards=4)
    whole = files_below(folder / "whole")
    add_to_journal = run.add_to_journal
    noted = []

    def interrupt_after_two(output_file, shard):
        add_to_journal(output_file, shard)
        noted.append(shard.path)
        if len(noted) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "add_to_journal", interrupt_after_two)
    with pytest.raises(SystemExit) as end:
        make(folder, num_shards=4)
    assert end.value.code == 130
    left = os.listdir(str(folder / "out"))
    assert "zh.tfrecord.partial.jsonl" in left and "zh.tfrecord.json" not in left
    with open(str(folder / "out" / "zh.tfrecord.partial.jsonl"), "a") as journal:
        journal.write('{"half a li')
    monkeypatch.setattr(run, "add_to_journal", add_to_journal)
    times = {path: os.stat(path).st_mtime_ns for path in noted}
    make(folder, num_shards=4)
    assert {path: os.stat(path).st_mtime_ns for path in noted} == times
    assert files_below(folder / "out") == whole


@pytest.fixture
def killed_before_the_note(folder):
    """What a run leaves that was killed when its first shard was complete and the journal did not yet tell so."""
    write_text(folder, long_text())
    make(folder, num_shards=3)
    out = folder / "out"
    sidecar = read_sidecar(str(out / "zh.tfrecord"))
    names = [shard["file"] for shard in sidecar["shards"]]
    description = {key: sidecar[key] for key in ("format_version", "settings", "vocabulary", "tokenizer", "input")}
    claim_output([str(out / "zh.tfrecord")], [str(out / name) for name in names], description, overwrite=False)
    journal = out / "zh.tfrecord.partial.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(True)[0])
    (out / "zh.tfrecord.json").unlink()
    (out / names[1]).unlink()
    (out / names[2]).rename(out / (names[2] + ".unfinished-77"))
    return folder


def test_a_shard_that_is_complete_but_not_noted_is_ours(killed_before_the_note):
    folder = killed_before_the_note
    make(folder, num_shards=3)
    made = files_below(folder / "out")
    assert len(made) == 4
    make(folder, num_shards=3, output_file=folder / "whole" / "zh.tfrecord")
    assert files_below(folder / "whole") == made


def test_a_shard_that_is_complete_but_not_noted_goes_with_its_run(killed_before_the_note, capsys):
    folder = killed_before_the_note
    error, _ = refusal(folder, capsys, num_shards=2)
    assert "partial.jsonl was made with other settings (num_shards 3, not 2)" in error
    make(folder, num_shards=2, overwrite=True)
    assert sorted(files_below(folder / "out")) == [
        "zh-00000-of-00002.tfrecord",
        "zh-00001-of-00002.tfrecord",
        "zh.tfrecord.json",
    ]


def test_a_foreign_file_beside_our_own_is_not_replaced(folder, capsys):
    make(folder, num_shards=2, heldout_file=folder / "dev.tfrecord", heldout_share=0.4)
    (folder / "mine-00001-of-00002.tfrecord").write_bytes(b"mine")
    error, _ = refusal(folder, capsys, num_shards=2, heldout_file=folder / "mine.tfrecord", heldout_share=0.4)
    assert "mine-00001-of-00002.tfrecord exists, and nothing says how it was made" in error


def test_other_settings_need_overwrite(folder, capsys):
    make(folder, num_shards=3)
    error, status = refusal(folder, capsys, num_shards=3, max_seq_length=64)
    assert "zh.tfrecord.json was made with other settings (max_seq_length 32, not 64)" in error
    assert "--overwrite" in error and status == 1
    make(folder, num_shards=2, max_seq_length=64, overwrite=True)
    assert sorted(os.listdir(str(folder / "out"))) == [
        "zh-00000-of-00002.tfrecord",
        "zh-00001-of-00002.tfrecord",
        "zh.tfrecord.json",
        "zh.tfrecord.report.json",
    ]
    assert read_sidecar(str(folder / "out" / "zh.tfrecord"))["settings"]["max_seq_length"] == 64


def test_other_text_or_vocabulary_needs_overwrite(folder, capsys):
    make(folder)
    write_text(folder, TEXT + "今天\n")
    assert "other settings (input 1 bytes" in refusal(folder, capsys)[0]
    write_text(folder)
    with open(str(folder / "vocab.txt"), "a") as vocabulary:
        vocabulary.write("zzz\n")
    assert "other settings (vocabulary sha256" in refusal(folder, capsys)[0]


def test_files_of_unknown_origin_need_overwrite(folder, capsys):
    (folder / "out").mkdir()
    (folder / "out" / "zh.tfrecord").write_bytes(b"mine")
    assert "nothing says how it was made" in refusal(folder, capsys)[0]
    make(folder, overwrite=True)
    assert count_records(str(folder / "out" / "zh.tfrecord")) > 5
    (folder / "out" / "zh.tfrecord.json").write_text('{"shards": 7}')
    assert "other settings (format_version None, not 2)" in refusal(folder, capsys)[0]


def test_a_sidecar_that_names_files_of_others_removes_nothing(folder, capsys):
    make(folder)
    sidecar = folder / "out" / "zh.tfrecord.json"
    values = json.loads(sidecar.read_text(encoding="utf-8"))
    (folder / "mine").write_bytes(b"mine")
    for name in ("../mine", str(folder / "mine")):
        shards = [dict(values["shards"][0], file=name)]
        sidecar.write_text(json.dumps(dict(values, shards=shards)), encoding="utf-8")
        assert "must be a plain file name, without folders" in refusal(folder, capsys, overwrite=True)[0]
    assert (folder / "mine").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "line", ["[]", '{"file": 1}', '{"file": "a", "bytes": 1, "counts": {"examples": "x"}}', "[" * 10**5]
)
def test_a_journal_of_another_form_is_refused(folder, capsys, line):
    (folder / "out").mkdir()
    journal = folder / "out" / "zh.tfrecord.partial.jsonl"
    journal.write_text('{"format_version": 2}\n' + line + "\n")
    assert "cannot read the journal" in refusal(folder, capsys)[0]


def test_a_mended_text_needs_no_overwrite(folder):
    (folder / "text.txt").write_bytes(TEXT.encode("utf-8") + b"\xff\n")
    with pytest.raises(SystemExit):
        make(folder)
    write_text(folder)
    make(folder)
    assert read_sidecar(str(folder / "out" / "zh.tfrecord"))["counts"]["documents"] == 5


def test_a_partial_output_with_other_settings_needs_overwrite(folder, capsys):
    write_text(folder, long_text())
    (folder / "text2.txt").write_bytes(b"\xff\n")
    with pytest.raises(SystemExit):
        make(folder, input_file=folder / "text*.txt", num_shards=5)
    assert (folder / "out" / "zh.tfrecord.partial.jsonl").exists()
    assert "partial.jsonl was made with other settings" in refusal(folder, capsys, num_shards=5)[0]
    make(folder, num_shards=2, overwrite=True)
    assert len(records_of(files_below(folder / "out"))) == 2


def description(**settings):
    return {"format_version": 1, "settings": settings, "input": [{"file": "a", "bytes": 3}]}


def test_the_first_difference_is_named():
    made = dict(description(length=128, seed=None), counts={"examples": 5})
    assert first_difference(made, description(length=128, seed=None)) is None
    assert first_difference(made, description(length=512, seed=1)) == "length 128, not 512"
    assert first_difference(made, description(length=128, seed=1)) == "seed None, not 1"
    assert first_difference({}, description()) == "format_version None, not 1"
    other = dict(description(length=128, seed=None), input=[{"file": "a", "bytes": 4}])
    assert first_difference(made, other) == "input 1 bytes 3, not 4"
    fewer = dict(made, input=made["input"] * 2)
    assert first_difference(fewer, made) == "input 2 file a, not None"


def test_total_counts():
    counts = dict.fromkeys(COUNTS + DROP_REASONS, 0)
    one = ShardResult("a", 1, dict(counts, tokens=30, unknown_tokens=3, examples=2))
    two = ShardResult("b", 1, dict(counts, tokens=10, unknown_tokens=1, documents_without_a_token=4))
    total = total_counts([one, two])
    assert (total["tokens"], total["examples"], total["unknown_share"]) == (40, 2, 0.1)
    assert total["dropped"] == {"documents_without_a_token": 4, "examples_without_a_maskable_unit": 0}
    assert total_counts([])["unknown_share"] == 0.0
