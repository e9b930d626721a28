import hashlib
import random
import tracemalloc

import pytest
from tiny_corpus import write_text, write_vocab

import pretraining_shards
from corpus import DocumentPart, plan_shards
from errors import UserError
from masking import MaskingSettings
from pretraining_examples import ExampleSettings
from pretraining_shards import BuildSettings, ShardBuilder, ShardTask, choose_documents, shuffled
from record_files import count_records


def build_settings(folder, **changes):
    return BuildSettings(
        vocab_file=write_vocab(folder),
        spm_model_file=None,
        do_lower_case=True,
        whole_words="chinese",
        random_seed=12345,
        dupe_factor=3,
        heldout_share=0.0,
        examples=ExampleSettings(32, 0.1, MaskingSettings(max_predictions_per_seq=5)),
    )._replace(**changes)


def build(folder, text_path, is_heldout=False, **changes):
    task = ShardTask(str(folder / "out.tfrecord"), 0, plan_shards([text_path], 1)[0], is_heldout)
    return ShardBuilder(build_settings(folder, **changes)).build(task)


# The bytes of a shard belong to format version 1, the same under every Python: when they change, so must the version
# (`pretraining_output.FORMAT_VERSION`), or a run that was interrupted would go on with other records.
@pytest.mark.parametrize(
    "whole_words, digest",
    [
        ("chinese", "32ce2458462845554e8a6f7e4e85cbaa760aaa4b39c6636adf36102a02a1940f"),
        ("other", "2af5ad38c0830d53813ce8ad7304919c7ebfb0014a0392066a2531554ece7812"),
        (None, "c48fd4dad52315f46ab7fec2ab45ea97a178f9b562f5609c462bae12f7b8f828"),
    ],
)
def test_known_bytes(tmp_path, whole_words, digest):
    build(tmp_path, write_text(tmp_path), whole_words=whole_words)
    assert hashlib.sha256((tmp_path / "out.tfrecord").read_bytes()).hexdigest() == digest


def test_counts(tmp_path):
    seen = []
    task = ShardTask(str(tmp_path / "out.tfrecord"), 0, plan_shards([write_text(tmp_path)], 1)[0], False)
    result = ShardBuilder(build_settings(tmp_path)).build(task, lambda *numbers: seen.append(numbers))
    counts = result.counts
    assert count_records(result.path) == counts["examples"] == sum(examples for _, _, examples in seen)
    assert [documents for num_bytes, documents, _ in seen if num_bytes] == [1] * 5
    assert result.num_bytes == len((tmp_path / "out.tfrecord").read_bytes())
    assert counts["documents"] == 5 and counts["continuations"] == 0
    assert counts["sentences"] == 3 + 4 + 1 + 1 + 1
    assert counts["unknown_tokens"] == 3  # “ ” and the two faces, which are one word
    assert counts["documents_without_a_token"] == 0
    assert counts["examples_without_a_maskable_unit"] == 3  # the faces, in each of three passes
    assert 0 < counts["swapped_pairs"] < counts["sentence_order_pairs"] < counts["examples"]


def test_documents_without_a_token(tmp_path):
    counts = build(tmp_path, write_text(tmp_path, "\u200b\n\n今天\u200b很好\n")).counts
    assert (counts["documents"], counts["documents_without_a_token"], counts["sentences"]) == (2, 1, 1)
    assert counts["examples"] == 3


def test_a_line_of_a_megabyte(tmp_path):
    line = "今天天气很好我们一起去公园散步" * 22500
    examples = ExampleSettings(512, 0.0, MaskingSettings(max_predictions_per_seq=80))
    counts = build(tmp_path, write_text(tmp_path, line + "\n"), dupe_factor=1, examples=examples).counts
    assert counts["tokens"] == len(line) > 1e6 / 3
    assert counts["sentences"] == 1
    assert counts["examples"] == pytest.approx(len(line) / 509, abs=10)
    assert counts["predictions"] == pytest.approx(0.15 * len(line), rel=0.02)


def test_a_long_word_is_cut(tmp_path):
    text = write_text(tmp_path, "abcdefghij" * 15 + "\n今天\n")
    examples = ExampleSettings(32, 0.0, MaskingSettings(max_predictions_per_seq=5))
    counts = build(tmp_path, text, dupe_factor=1, examples=examples).counts
    assert counts["tokens"] == 150 + 2
    assert counts["examples_without_a_maskable_unit"] == 5  # 29 tokens of the word each: too many to mask
    assert (counts["examples"], counts["predictions"]) == (1, 2)


def test_documents_are_held_out_or_trained_on(tmp_path):
    text = write_text(tmp_path, "\n\n".join("第{}行很好".format(number) for number in range(40)))
    counts = [
        build(tmp_path, text, is_heldout=heldout, heldout_share=0.25).counts["documents"] for heldout in (False, True)
    ]
    assert counts == [30, 10]


def parts(*continuations):
    return [DocumentPart(0, number, [], 0, continues) for number, continues in enumerate(continuations)]


@pytest.mark.parametrize("share, expected", [(0.5, 5), (0.05, 0), (0.1, 1), (0.35, 3), (0.99, 9)])
def test_share_of_held_out_documents(share, expected):
    documents = parts(*[False] * 10)
    for phase in (0.0, 0.3, 0.999):
        held_out = list(choose_documents(documents, share, phase=phase, heldout=True))
        others = list(choose_documents(documents, share, phase=phase, heldout=False))
        assert sorted(held_out + others) == documents
        assert len(held_out) in (expected, expected + 1)


def test_parts_of_a_document_stay_together():
    documents = parts(False, True, True, False, False, True)
    assert list(choose_documents(documents, 0.34, phase=0.7, heldout=True)) == documents[:3]
    assert list(choose_documents(documents, 0.34, phase=0.7, heldout=False)) == documents[3:]
    assert list(choose_documents(documents, 0.0, phase=0.99, heldout=False)) == documents


def test_shuffled_keeps_every_record():
    records = [b"%d" % number for number in range(1000)]
    for buffer_bytes in (1, 50, 10**6):
        mixed = list(shuffled(iter(records), rng=random.Random(0), buffer_bytes=buffer_bytes))
        assert sorted(mixed) == sorted(records)
    assert mixed != records
    places = [mixed.index(record) for record in records[:100]]
    assert min(places) < 100 and max(places) > 900
    assert list(shuffled([], rng=random.Random(0), buffer_bytes=10)) == []


def test_shuffled_holds_no_more_than_its_buffer():
    made = 0

    def records():
        nonlocal made
        for _ in range(1000):
            made += 1
            yield b"0123456789"

    for given, _ in enumerate(shuffled(records(), rng=random.Random(0), buffer_bytes=100)):
        assert made - given <= 11


def test_memory_does_not_grow_with_the_text(tmp_path, monkeypatch):
    peaks = []
    for repetitions in (20, 200):
        text = write_text(tmp_path, "今天天气很好，我们一起去公园散步。\n公园里有很多人。\n\n" * repetitions)
        settings = build_settings(tmp_path, whole_words=None, dupe_factor=1)
        builder = ShardBuilder(settings)
        task = ShardTask(str(tmp_path / "out.tfrecord"), 0, plan_shards([text], 1)[0], False)
        monkeypatch.setattr(pretraining_shards, "SHUFFLE_BUFFER_BYTES", 2000)
        tracemalloc.start()
        builder.build(task)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_bad_text_leaves_no_shard(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("今天\n\n".encode("utf-8") + b"\xff\n")
    with pytest.raises(UserError, match="line 3 is not UTF-8"):
        build(tmp_path, str(path))
    assert sorted(child.name for child in tmp_path.iterdir()) == ["text.txt", "vocab.txt"]
