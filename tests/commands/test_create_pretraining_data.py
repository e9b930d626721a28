import hashlib
import json
import logging
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import create_pretraining_data
from albert.base.paths import ROOT
from albert.files.features import CHUNK_FEATURES, NO_SENTENCE_ORDER, pretraining_features
from albert.files.record_sets import read_sidecar
from albert.files.tfrecords import count_records
from albert.pretraining.inputs import check_records
from albert.text import segmentation
from tests.support.data_command import arguments, files_below, long_text, make, records_of, refusal
from tests.support.tiny_corpus import TEXT, write_text


def test_the_records_hold_the_declared_features(folder):
    make(folder)
    path = str(folder / "out" / "zh.tfrecord")
    labels = []
    for record in tf.io.tf_record_iterator(path):
        feature = tf.train.Example.FromString(record).features.feature
        assert set(feature) == {declared.name for declared in pretraining_features(32, 5)}
        for name, dtype, length in pretraining_features(32, 5):
            values = feature[name].float_list.value if dtype == "float32" else feature[name].int64_list.value
            assert len(values) == length
        labels.append(feature["next_sentence_labels"].int64_list.value[0])
        assert 0 < sum(feature["masked_lm_weights"].float_list.value) <= 5
    assert set(labels) == {0, 1, NO_SENTENCE_ORDER}


def test_the_sidecar_describes_the_records(folder):
    make(folder, do_whole_word_mask=True, num_shards=2)
    assert sorted(os.listdir(str(folder / "out"))) == [
        "zh-00000-of-00002.tfrecord",
        "zh-00001-of-00002.tfrecord",
        "zh.tfrecord.json",
        "zh.tfrecord.report.json",
    ]
    first = str(folder / "out" / "zh-00000-of-00002.tfrecord")
    sidecar = read_sidecar(first)
    assert sidecar["format_version"] == 2
    assert sidecar["settings"] == {
        "compression": "none",
        "do_lower_case": True,
        "dupe_factor": 2,
        "dynamic_masking": False,
        "favor_shorter_ngram": True,
        "heldout_share": 0.0,
        "mask_draw": "unit",
        "masked_lm_prob": 0.15,
        "max_predictions_per_seq": 5,
        "max_seq_length": 32,
        "ngram": 1,
        "num_shards": 2,
        "random_seed": 12345,
        "short_seq_prob": 0.1,
        "user_dictionary": None,
        "whole_words": "chinese",
    }
    assert sidecar["tokenizer"] == "wordpiece"
    assert sidecar["vocabulary"]["size"] == len((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    counts = sidecar["counts"]
    assert counts["documents"] == 5
    assert counts["unknown_tokens"] == 3
    assert counts["unknown_share"] == pytest.approx(3 / counts["tokens"])
    assert counts["dropped"] == {"documents_without_a_token": 0, "examples_without_a_maskable_unit": 2}
    for shard in sidecar["shards"]:
        path = str(folder / "out" / shard["file"])
        assert (count_records(path), os.path.getsize(path)) == (shard["records"], shard["bytes"])
    assert sum(shard["records"] for shard in sidecar["shards"]) == counts["examples"]


def test_the_report(folder, caplog):
    with caplog.at_level(logging.INFO):
        make(folder, num_shards=2, heldout_file=folder / "dev.tfrecord", heldout_share=0.4)
    report = "\n".join(caplog.messages)
    assert re.search(r"zh-\*-of-00002.tfrecord: .*from 3 documents, \d sentences", report)
    assert re.search(r"dev-\*-of-00002.tfrecord: .*from 2 documents", report)
    assert "single tokens" in report and "--do_whole_word_mask=True" in report
    assert re.search(r"unknown tokens: \d\.\d\d %: many", report)
    assert "not used: 2 chunks in which nothing can be masked" in report
    next_command = caplog.messages[-1]
    assert re.match(r"next: python run_pretraining.py .*zh-\*-of-00002.tfrecord' .*max_seq_length=32 ", next_command)
    assert re.search(
        r"=5 --do_eval=True --eval_input_file='.*dev-\*-of-00002.tfrecord' \(my_config.json: ", next_command
    )
    assert any(record.levelno == logging.WARNING and "unknown" in record.message for record in caplog.records)


def test_progress_is_told(folder, capsys, monkeypatch):
    monkeypatch.setattr("albert.base.terminal._PERIOD_SECONDS", 0.0)
    make(folder)
    assert re.search(r"\d+\.\d % \| 5 documents \| \d+\.\d\d MB/s", capsys.readouterr().err)


def test_any_number_of_workers_makes_the_same_bytes(folder):
    write_text(folder, long_text())
    write_text(folder, long_text(7), "text2.txt")
    made = []
    for workers in (1, 2, 5):
        make(
            folder,
            input_file=folder / "text*.txt",
            output_file=folder / "w{}".format(workers) / "zh.tfrecord",
            heldout_file=folder / "w{}".format(workers) / "dev.tfrecord",
            num_workers=workers,
            num_shards=6,
            do_whole_word_mask=True,
        )
        made.append(files_below(folder / "w{}".format(workers)))
    assert made[0] == made[1] == made[2]
    assert len(records_of(made[0])) == 12


def test_the_report_repeats_the_sidecar_and_tells_the_rate(folder):
    make(folder, num_shards=2)
    report = json.loads((folder / "out" / "zh.tfrecord.report.json").read_text())
    sidecar = read_sidecar(str(folder / "out" / "zh.tfrecord"))
    assert {name: report[name] for name in sidecar["counts"]} == sidecar["counts"]
    assert report["bytes"] == sum(shard["bytes"] for shard in sidecar["shards"])
    assert report["num_files"] == 2 and report["files"].endswith("zh-*-of-00002.tfrecord")
    run = report["this_run"]
    assert run["text_bytes"] == (folder / "text.txt").stat().st_size
    assert run["megabytes_per_second"] == pytest.approx(run["text_bytes"] / 1e6 / run["seconds"])


def test_examples_are_shown_without_an_output(folder, caplog):
    caplog.set_level("INFO")
    make(folder, output_file=None, show=3, do_whole_word_mask=True)
    assert sorted(files_below(folder)) == ["text.txt", "vocab.txt"]
    shown = [message for message in caplog.messages if message.startswith("example ")]
    assert [message.split(":")[0] for message in shown] == ["example 1", "example 2", "example 3"]
    assert all("[CLS] " in message and "【" in message for message in shown)


def test_the_seed_decides(folder):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make(folder, output_file=folder / (name + ".tfrecord"), random_seed=seed)
    a, b, c = ((folder / (name + ".tfrecord")).read_bytes() for name in "abc")
    assert a == b != c


def test_held_out_documents_are_not_trained_on(folder):
    write_text(folder, "\n\n".join("{}天天气\n{}很好".format(n % 10, n // 10) for n in range(80)))
    make(folder, heldout_file=folder / "dev.tfrecord", heldout_share=0.25, short_seq_prob=0)
    training, heldout = str(folder / "out" / "zh.tfrecord"), str(folder / "dev.tfrecord")
    assert (read_sidecar(training)["content"], read_sidecar(heldout)["content"]) == ("training", "held-out")
    assert read_sidecar(training)["counts"]["documents"] == 60
    assert read_sidecar(heldout)["counts"]["documents"] == 20
    documents = [set(map(document_numbers, tf.io.tf_record_iterator(path))) for path in (training, heldout)]
    assert documents[0].isdisjoint(documents[1])
    assert len(documents[0] | documents[1]) == 80


def document_numbers(record):
    """The two digits of a document, with masked tokens put back, whatever the order of its sentences."""
    feature = tf.train.Example.FromString(record).features.feature
    values = {name: list(feature[name].int64_list.value) for name in feature}
    ids = values["input_ids"]
    for position, label in zip(values["masked_lm_positions"], values["masked_lm_ids"]):
        if position:
            ids[position] = label
    second = values["segment_ids"].index(1)
    digits = (ids[1], ids[second])
    return digits[::-1] if values["next_sentence_labels"] == [1] else digits


@pytest.mark.parametrize(
    "changes, message, status",
    [
        ({"input_file": None}, "--input_file must be given", 2),
        ({"vocab_file": None}, "--vocab_file must be given", 2),
        ({"max_seq_len": 5}, "nearest known one is --max_seq_length", 2),
        ({"max_seq_length": 4}, "max_seq_length", 2),
        ({"max_predictions_per_seq": 0}, "max_predictions_per_seq", 2),
        ({"masked_lm_prob": 0}, "--masked_lm_prob=0.0 must lie between 0 and 1", 2),
        ({"masked_lm_prob": 1}, "--masked_lm_prob=1.0 must lie between 0 and 1", 2),
        ({"masked_lm_prob": "nan"}, "--masked_lm_prob=nan must lie between 0 and 1", 2),
        ({"short_seq_prob": 1.5}, "short_seq_prob", 2),
        ({"heldout_share": 1, "heldout_file": "dev"}, "--heldout_share=1.0 must lie between 0 and 1", 2),
        ({"heldout_share": 0.5}, "needs --heldout_file", 2),
        ({"ngram": 0}, "ngram", 2),
        ({"dupe_factor": 0}, "dupe_factor", 2),
        ({"num_shards": 0}, "num_shards", 2),
        ({"num_workers": 0}, "num_workers", 2),
        ({"mask_draw": "word"}, "mask_draw", 2),
        ({"compression": "zip"}, "compression", 2),
        ({"dynamic_masking": True, "dupe_factor": 3}, "--dupe_factor=3 has no use with --dynamic_masking", 2),
        ({"user_dictionary": "words.txt"}, "--user_dictionary needs --do_whole_word_mask=True", 2),
        (
            {"user_dictionary": "words.txt", "do_whole_word_mask": True, "non_chinese": True},
            "--user_dictionary needs --do_whole_word_mask=True on Chinese text",
            2,
        ),
        ({"user_dictionary": "words.txt", "do_whole_word_mask": True}, "cannot read the user dictionary words.txt", 1),
        ({"do_permutation": True}, "--do_permutation=True is not available", 2),
        ({"random_next_sentence": True}, "--random_next_sentence=True is not available", 2),
        ({"heldout_file": "a,b"}, "--heldout_file must be one name", 2),
        ({"output_file": "a,b", "num_shards": 2}, "--num_shards=2 divides one --output_file, and there are 2", 2),
        ({"output_file": ","}, "--output_file=, names no file", 2),
        ({"vocab_file": "missing.txt"}, "missing.txt does not exist", 1),
        ({"input_file": "missing*.txt"}, "no file matches missing", 1),
    ],
)
def test_bad_flags(folder, capsys, changes, message, status):
    assert (message in refusal(folder, capsys, **changes)[0], refusal(folder, capsys, **changes)[1]) == (True, status)


def test_several_output_files_are_the_shards_of_one_data_set(folder, capsys, caplog):
    (folder / "text.txt").write_text(long_text(), encoding="utf-8")
    make(folder, output_file=folder / "one" / "zh.tfrecord", num_shards=2)
    caplog.set_level("INFO")
    names = ",".join(str(folder / "two" / name) for name in ("a.tfrecord", "b.tfrecord"))
    make(folder, output_file=names)
    one, two = (records_of(files_below(folder / name)) for name in ("one", "two"))
    assert sorted(two) == ["a.tfrecord", "b.tfrecord"] and [two[k] for k in sorted(two)] == [
        one[k] for k in sorted(one)
    ]
    assert "--input_file='{}'".format(names) in caplog.text
    for name in two:
        check_records(str(folder / "two" / name), 32, 5, len((folder / "vocab.txt").read_text("utf-8").split()))
    before = files_below(folder / "two")
    make(folder, output_file=names)
    assert files_below(folder / "two") == before
    other = names.replace("a.tfrecord", "c.tfrecord")
    assert "output_files ['a.tfrecord', 'b.tfrecord'], not" in refusal(folder, capsys, output_file=other)[0]


def test_more_names_than_documents_are_refused(folder, capsys):
    (folder / "text.txt").write_text("今天天气很好。\n我们去公园。\n", encoding="utf-8")
    names = ",".join(str(folder / name) for name in "ab")
    assert "--output_file names 2 files, the text has documents for 1" in refusal(folder, capsys, output_file=names)[0]


def test_published_flags_and_defaults():
    flags = create_pretraining_data.declare_flags()
    flags.parse([])
    published = {
        "do_lower_case": True,
        "do_whole_word_mask": False,
        "max_seq_length": 128,
        "max_predictions_per_seq": 20,
        "random_seed": 12345,
        "dupe_factor": 10,
        "masked_lm_prob": 0.15,
        "short_seq_prob": 0.1,
        "non_chinese": False,
        "spm_model_file": None,
        "ngram": 3,
        "favor_shorter_ngram": True,
        "do_permutation": False,
        "random_next_sentence": False,
        "mask_draw": "unit",
    }
    assert {name: flags.as_dict()[name] for name in published} == published


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "text.txt is empty"),
        (b"\n \n\r\n", "text.txt holds only blank lines"),
        ("今天\n\n天气".encode("gb18030"), "text.txt line 1 is not UTF-8"),
        ("今天\n\n天\0气\n".encode("utf-8"), "text.txt line 3 holds a NUL byte"),
        ("🙂\n".encode("utf-8"), "no example could be made"),
        (b"\xe2\x80\x8b\n", "text.txt holds only blank lines"),
    ],
)
def test_bad_text(folder, capsys, content, message):
    (folder / "text.txt").write_bytes(content)
    assert (message in refusal(folder, capsys)[0], refusal(folder, capsys)[1]) == (True, 1)


def test_too_few_documents_to_hold_out(folder, capsys):
    write_text(folder, "今天\n天气\n")
    error, _ = refusal(folder, capsys, output_file=folder / "zh.tfrecord", heldout_file=folder / "dev.tfrecord")
    assert "too few documents" in error


def test_bad_places(folder, capsys):
    text = folder / "text.txt"
    assert "is an input file" in refusal(folder, capsys, output_file=text)[0]
    (folder / "b-00000-of-00002.tfrecord").write_bytes(text.read_bytes())
    error, _ = refusal(folder, capsys, input_file=str(folder / "b-0*"), output_file=folder / "b.tfrecord", num_shards=2)
    assert "is an input file" in error
    assert "cannot write" in refusal(folder, capsys, output_file=text / "zh.tfrecord")[0]
    assert "is a folder" in refusal(folder, capsys, output_file=folder)[0]
    same = folder / "zh.tfrecord"
    assert "written twice" in refusal(folder, capsys, output_file=same, heldout_file=same)[0]


def test_documents_of_one_line(folder):
    write_text(folder, "今天，天气很好。\n\n公园\n\n孩子们在草地上放风筝\n")
    make(folder, short_seq_prob=0)
    counts = read_sidecar(str(folder / "out" / "zh.tfrecord"))["counts"]
    assert counts["documents"] == 3
    assert (counts["examples"], counts["sentence_order_pairs"]) == (6, 2)


def test_dynamic_records(folder):
    make(folder, dynamic_masking=True, dupe_factor=None, do_whole_word_mask=True)
    path = str(folder / "out" / "zh.tfrecord")
    sidecar = read_sidecar(path)
    assert (sidecar["settings"]["dynamic_masking"], sidecar["settings"]["dupe_factor"]) == (True, 1)
    records = list(tf.io.tf_record_iterator(path))
    assert len(records) == sidecar["counts"]["examples"]
    for record in records:
        feature = tf.train.Example.FromString(record).features.feature
        assert set(feature) == {declared.name for declared in CHUNK_FEATURES}
        num_tokens = len(feature["token_ids"].int64_list.value)
        assert 0 < num_tokens <= 29
        assert feature["unit_starts"].int64_list.value[0] == 0
        assert all(0 < cut < num_tokens for cut in feature["cuts"].int64_list.value)


def test_a_user_dictionary(folder):
    words = folder / "words.txt"
    words.write_text("去公园散步\n", encoding="utf-8")
    make(folder, do_whole_word_mask=True, user_dictionary=words)
    path = str(folder / "out" / "zh.tfrecord")
    assert read_sidecar(path)["settings"]["user_dictionary"] == hashlib.sha256(words.read_bytes()).hexdigest()
    with_words = (folder / "out" / "zh.tfrecord").read_bytes()
    make(folder, do_whole_word_mask=True, overwrite=True)
    assert (folder / "out" / "zh.tfrecord").read_bytes() != with_words


# In a process of its own: training a model crashes where TensorFlow 1.15 was imported first (using one does not).
TRAIN_SENTENCEPIECE = """
import sys, sentencepiece
sentencepiece.SentencePieceTrainer.train(
    input=sys.argv[1], model_prefix=sys.argv[2], vocab_size=150, hard_vocab_limit=False, minloglevel=2,
    pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]", "[MASK]"])
"""


def test_a_sentencepiece_model(folder):
    text, model = str(folder / "text.txt"), str(folder / "zh")
    subprocess.run([sys.executable, "-c", TRAIN_SENTENCEPIECE, text, model], check=True)
    make(folder, vocab_file=None, spm_model_file=folder / "zh.model", do_whole_word_mask=True)
    sidecar = read_sidecar(str(folder / "out" / "zh.tfrecord"))
    assert sidecar["tokenizer"] == "sentencepiece"
    assert sidecar["vocabulary"]["sha256"] == hashlib.sha256((folder / "zh.model").read_bytes()).hexdigest()
    assert sidecar["counts"]["documents"] == 5
    assert sidecar["counts"]["examples"] > 5


def test_as_a_process(folder):
    command = [sys.executable, os.path.join(ROOT, "create_pretraining_data.py")]
    done = subprocess.run(
        command + arguments(folder, num_workers=2), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(folder)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert b"next: python run_pretraining.py" in done.stderr
    assert count_records(str(folder / "out" / "zh.tfrecord")) > 5
    failed = subprocess.run(
        command + arguments(folder, vocab_file="missing.txt"), stderr=subprocess.PIPE, cwd=str(folder)
    )
    assert failed.returncode == 1
    assert failed.stderr.decode().count("\n") == 1
    assert failed.stderr.startswith(b"error: vocabulary missing.txt does not exist")


def test_masked_words_are_whole_in_the_records(folder):
    write_text(folder, long_text())
    make(folder, do_whole_word_mask=True, ngram=1, short_seq_prob=0)
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    edges = np.flatnonzero(segmentation.WordFinder().word_starts(TEXT)).tolist()
    words = {TEXT[start:end].strip() for start, end in zip(edges, edges[1:])}
    runs = set()
    for record in tf.io.tf_record_iterator(str(folder / "out" / "zh.tfrecord")):
        feature = tf.train.Example.FromString(record).features.feature
        count = int(sum(feature["masked_lm_weights"].float_list.value))
        positions = list(feature["masked_lm_positions"].int64_list.value)[:count]
        labels = [vocabulary[label].replace("##", "") for label in feature["masked_lm_ids"].int64_list.value[:count]]
        run = ""
        for index, label in enumerate(labels):
            run = run + label if index and positions[index] == positions[index - 1] + 1 else label
            if index + 1 == count or positions[index + 1] > positions[index] + 1:
                runs.add(run)
    lower_words = {word.lower() for word in words}
    assert all(is_joined(run, lower_words) for run in runs)
    assert {"今天天气", "公园", "模型"} & runs or {"今天", "模型"} & runs


def is_joined(run, words):
    return not run or any(run.startswith(word) and is_joined(run[len(word) :], words) for word in words if word)
