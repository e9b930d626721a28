import hashlib
import random
import tracemalloc

import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.files.features import CHUNK_FEATURES, pretraining_features
from albert.files.tfrecords import count_records
from albert.pretraining_data import shards
from albert.pretraining_data.chunks import ChunkSettings
from albert.pretraining_data.masking import MaskingSettings
from albert.pretraining_data.shards import BuildSettings, ShardBuilder, ShardTask, choose_documents, groups_of, shuffled
from albert.text.corpus import DocumentPart, plan_shards
from albert.text.segmentation import read_user_dictionary
from tests.support.data_command import long_text
from tests.support.tiny_corpus import TEXT, write_text, write_vocab


def build_settings(folder, **changes):
    return BuildSettings(
        vocab_file=write_vocab(folder),
        spm_model_file=None,
        do_lower_case=True,
        whole_words="chinese",
        user_dictionary=None,
        random_seed=12345,
        dupe_factor=3,
        heldout_share=0.0,
        dynamic_masking=False,
        chunks=ChunkSettings(32, 0.1),
        masking=MaskingSettings(max_predictions_per_seq=5, ngram=3),
    )._replace(**changes)


def task_of(folder, text_path, is_heldout=False):
    return ShardTask(str(folder / "out.tfrecord"), 0, plan_shards([text_path], 1)[0], is_heldout)


def build(folder, text_path, is_heldout=False, **changes):
    return ShardBuilder(build_settings(folder, **changes)).build(task_of(folder, text_path, is_heldout))


def read_records(folder):
    """The records of the shard: lists of numbers by name."""
    for record in tf.io.tf_record_iterator(str(folder / "out.tfrecord")):
        fields = tf.train.Example.FromString(record).features.feature
        yield {name: list(fields[name].int64_list.value or fields[name].float_list.value) for name in fields}


# The bytes of a shard belong to format version 2, the same under every Python: when they change, so must the version
# (`output.FORMAT_VERSION`), or an interrupted run would continue with other records.
KNOWN_SETTINGS = {
    "chinese": {},
    "other": {"whole_words": "other", "masking": MaskingSettings(5, ngram=1, mask_draw="token")},
    "tokens": {"whole_words": None, "masking": MaskingSettings(5, ngram=3, favor_shorter_ngram=False)},
    "dynamic": {"dynamic_masking": True, "dupe_factor": 1},
}


@pytest.mark.parametrize(
    "name, digest",
    [
        ("chinese", "2fbe3a041004089c172e86351320c55d2a9d6bb9e8674789844e5dafaeec87cc"),
        ("other", "b0560976103676e6df5e5e2e2825a8d9de476f094fe3bb2dae39d96664bb58f2"),
        ("tokens", "342198497686003ecc7f2096493a7886b1797cbffb11d3ba24cb5c4f9a8780b7"),
        ("dynamic", "14a44f0cfafa679b0b2acc92a071268e734d24c31bf066ba5b4dc401bb2eb181"),
    ],
)
def test_known_bytes(tmp_path, name, digest):
    build(tmp_path, write_text(tmp_path), **KNOWN_SETTINGS[name])
    assert hashlib.sha256((tmp_path / "out.tfrecord").read_bytes()).hexdigest() == digest


def test_known_bytes_of_a_longer_text(tmp_path):
    """As long as it takes for several groups of documents, and several batches of examples of one group."""
    counts = build(tmp_path, write_text(tmp_path, long_text(2000)), whole_words=None).counts
    assert counts["examples"] > 2 * shards._CELLS_PER_BATCH / 32
    digest = hashlib.sha256((tmp_path / "out.tfrecord").read_bytes()).hexdigest()
    assert digest == "89d24d2e768d7770bcc08d3af0d465b014bb6aeac5fa31bc14232feb9160eeca"


def test_counts(tmp_path):
    seen = []
    text = write_text(tmp_path)
    task = task_of(tmp_path, text)
    result = ShardBuilder(build_settings(tmp_path)).build(task, lambda *numbers: seen.append(numbers))
    counts = result.counts
    assert count_records(result.path) == counts["examples"] == sum(examples for _, _, examples in seen)
    blank_lines = TEXT.count("\n\n")
    assert sum(num_bytes for num_bytes, _, _ in seen) == len(TEXT.encode("utf-8")) - blank_lines
    assert sum(documents for _, documents, _ in seen) == 5
    assert result.num_bytes == len((tmp_path / "out.tfrecord").read_bytes())
    assert counts["documents"] == 5 and counts["continuations"] == 0
    assert counts["sentences"] == 3 + 4 + 1 + 1 + 1
    assert counts["unknown_tokens"] == 3  # “ ” and the two faces, which are one word
    assert counts["documents_without_a_token"] == 0
    assert counts["examples_without_a_maskable_unit"] == 3  # the faces, in each of three passes
    assert 0 < counts["swapped_pairs"] < counts["sentence_order_pairs"] < counts["examples"]


def test_counts_are_those_of_the_records(tmp_path):
    counts = build(tmp_path, write_text(tmp_path, long_text())).counts
    records = list(read_records(tmp_path))
    labels = [record["next_sentence_labels"][0] for record in records]
    assert counts["sentence_order_pairs"] == labels.count(0) + labels.count(1)
    assert counts["swapped_pairs"] == labels.count(1)
    assert counts["predictions"] == sum(sum(record["masked_lm_weights"]) for record in records)
    for record in records:
        for feature in pretraining_features(32, 5):
            assert len(record[feature.name]) == feature.length


@pytest.mark.parametrize("dynamic_masking", [False, True])
def test_every_chunk_is_an_example_or_a_counted_drop(tmp_path, monkeypatch, dynamic_masking):
    made = []

    def note(*arguments, **settings):
        made.append(make_chunks(*arguments, **settings))
        return made[-1]

    make_chunks = shards.make_chunks
    monkeypatch.setattr(shards, "make_chunks", note)
    monkeypatch.setattr(shards, "_GROUP_BYTES", 500)
    monkeypatch.setattr(shards, "_CELLS_PER_BATCH", 7 * 32)
    text = write_text(tmp_path, long_text() + "\n🙂🙂\n\n🙂\n")
    counts = build(tmp_path, text, dupe_factor=2, dynamic_masking=dynamic_masking).counts
    assert len(made) > 5
    assert sum(len(chunks.starts) for chunks in made) > counts["examples"] > 7 * len(made)
    assert sum(len(chunks.starts) for chunks in made) == (
        counts["examples"] + counts["examples_without_a_maskable_unit"]
    )
    assert sum(int((chunks.ends - chunks.starts).sum()) for chunks in made) == 2 * counts["tokens"]
    assert count_records(str(tmp_path / "out.tfrecord")) == counts["examples"]


def test_dynamic_records_hold_the_text(tmp_path):
    text = write_text(tmp_path, "今天天气很好，我们一起去公园散步。\n公园里有很多人。\n\n🙂🙂\n\n天\n")
    counts = build(tmp_path, text, dynamic_masking=True, dupe_factor=1, chunks=ChunkSettings(32, 0.0)).counts
    assert (counts["examples"], counts["examples_without_a_maskable_unit"]) == (2, 1)
    records = sorted(read_records(tmp_path), key=lambda record: len(record["token_ids"]))
    assert all(sorted(record) == sorted(feature.name for feature in CHUNK_FEATURES) for record in records)
    assert records[0]["unit_starts"] == [0] and records[0]["cuts"] == []
    assert len(records[1]["token_ids"]) == 25
    # 今天天气 / 很 / 好 / ， / 我们 / 一起 / 去 / 公园 / 散步 / 。 // 公园 / 里 / 有 / 很多 / 人 / 。
    assert records[1]["unit_starts"] == [0, 4, 5, 6, 7, 9, 11, 12, 14, 16, 17, 19, 20, 21, 23, 24]
    assert records[1]["cuts"] == [17]


def test_words_of_a_user_dictionary_are_units(tmp_path):
    (tmp_path / "words.txt").write_text("去公园散步\n", encoding="utf-8")
    added = read_user_dictionary(str(tmp_path / "words.txt"))
    text = write_text(tmp_path, "我们一起去公园散步。\n")
    for user_dictionary, units in ((None, [0, 2, 4, 5, 7, 9]), (added, [0, 2, 4, 9])):
        build(tmp_path, text, dynamic_masking=True, dupe_factor=1, user_dictionary=user_dictionary)
        (record,) = read_records(tmp_path)
        assert record["unit_starts"] == units


def test_documents_without_a_token(tmp_path):
    counts = build(tmp_path, write_text(tmp_path, "\u0301\n\n今天\u200b很好\n")).counts
    assert (counts["documents"], counts["documents_without_a_token"], counts["sentences"]) == (2, 1, 1)
    assert counts["examples"] == 3


def test_a_line_of_a_megabyte(tmp_path):
    line = "今天天气很好我们一起去公园散步" * 22500
    settings = {"chunks": ChunkSettings(512, 0.0), "masking": MaskingSettings(max_predictions_per_seq=80, ngram=3)}
    counts = build(tmp_path, write_text(tmp_path, line + "\n"), dupe_factor=1, **settings).counts
    assert counts["tokens"] == len(line) > 1e6 / 3
    assert counts["sentences"] == 1
    assert counts["examples"] == pytest.approx(len(line) / 509, abs=10)
    assert counts["predictions"] == pytest.approx(0.15 * len(line), rel=0.02)


def test_a_long_word_is_cut(tmp_path):
    text = write_text(tmp_path, "abcdefghij" * 15 + "\n今天\n")
    counts = build(tmp_path, text, dupe_factor=1, chunks=ChunkSettings(32, 0.0)).counts
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


def test_groups_of_documents():
    documents = [DocumentPart(0, number, [], size, False) for number, size in enumerate((3, 4, 1, 20, 2, 2))]
    groups = list(groups_of(documents, 7))
    assert groups == [documents[:2], documents[2:4], documents[4:]]
    assert list(groups_of([], 7)) == []
    assert list(groups_of(documents, 1)) == [[document] for document in documents]
    assert list(groups_of(documents, 1000)) == [documents]


def test_the_groups_decide_nothing_but_the_draws(tmp_path, monkeypatch):
    text = write_text(tmp_path, long_text())
    settings = {"chunks": ChunkSettings(32, 0.0), "dynamic_masking": True, "dupe_factor": 1}
    made = []
    for group_bytes in (1, 300, 10**6):
        monkeypatch.setattr(shards, "_GROUP_BYTES", group_bytes)
        build(tmp_path, text, **settings)
        made.append(sorted(tuple(record["token_ids"]) for record in read_records(tmp_path)))
    assert made[0] == made[1] == made[2]


def test_a_generator_belongs_to_its_documents():
    def draws(seed, file_index, offset):
        part = DocumentPart(file_index, offset, [], 0, False)
        return tuple(shards._generator(seed, part).randint(0, 2**31 - 1, 4).tolist())

    assert draws(1, 2, 3) == draws(1, 2, 3)
    assert len({draws(1, 2, 3), draws(2, 2, 3), draws(1, 3, 3), draws(1, 2, 4), draws(12, 3, 3)}) == 5


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
        monkeypatch.setattr(shards, "SHUFFLE_BUFFER_BYTES", 2000)
        monkeypatch.setattr(shards, "_GROUP_BYTES", 500)
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
