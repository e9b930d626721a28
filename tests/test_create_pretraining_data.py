import hashlib
import logging
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
import tensorflow.compat.v1 as tf
from tiny_corpus import TEXT, write_text, write_vocab

import command_line
import create_pretraining_data
import segmentation
import worker_pool
from corpus import plan_shards
from errors import UserError
from features import NO_SENTENCE_ORDER, pretraining_features
from masking import MaskingSettings
from pretraining_examples import ExampleSettings
from pretraining_shards import BuildSettings, ShardTask
from record_files import count_records, read_sidecar

ROOT = os.path.dirname(os.path.abspath(create_pretraining_data.__file__))


@pytest.fixture
def folder(tmp_path):
    write_text(tmp_path)
    write_vocab(tmp_path)
    return tmp_path


def arguments(folder, **changes):
    values = {
        "input_file": folder / "text.txt",
        "output_file": folder / "out" / "zh.tfrecord",
        "vocab_file": folder / "vocab.txt",
        "max_seq_length": 32,
        "max_predictions_per_seq": 5,
        "dupe_factor": 2,
        "num_workers": 1,
    }
    values.update(changes)
    return ["--{}={}".format(name, value) for name, value in values.items() if value is not None]


def make(folder, **changes):
    create = create_pretraining_data
    command_line.run(create.__doc__, create.declare_flags(), create.main, arguments(folder, **changes))


def refusal(folder, capsys, **changes):
    """The one sentence and the exit status of a command that must fail and leave nothing."""
    before = files_below(folder)
    with pytest.raises(SystemExit) as end:
        make(folder, **changes)
    assert files_below(folder) == before
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    return error, end.value.code


def files_below(folder):
    """The bytes of every file, by path."""
    return {
        os.path.relpath(os.path.join(base, name), str(folder)): open(os.path.join(base, name), "rb").read()
        for base, _, names in os.walk(str(folder))
        for name in names
    }


def records_of(files):
    return {name: content for name, content in files.items() if name.endswith(".tfrecord")}


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
    ]
    first = str(folder / "out" / "zh-00000-of-00002.tfrecord")
    sidecar = read_sidecar(first)
    assert sidecar["format_version"] == 1
    assert sidecar["settings"] == {
        "do_lower_case": True,
        "dupe_factor": 2,
        "favor_shorter_ngram": True,
        "heldout_share": 0.0,
        "mask_draw": "unit",
        "masked_lm_prob": 0.15,
        "max_predictions_per_seq": 5,
        "max_seq_length": 32,
        "ngram": 3,
        "num_shards": 2,
        "random_seed": 12345,
        "short_seq_prob": 0.1,
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
        make(folder, num_shards=2)
    report = "\n".join(caplog.messages)
    assert "zh-*-of-00002.tfrecord: " in report
    assert "from 5 documents, 10 sentences" in report
    assert "single tokens" in report and "--do_whole_word_mask=True" in report
    assert re.search(r"unknown tokens: \d\.\d\d %: many", report)
    assert "not used: 2 chunks in which nothing can be masked" in report
    assert re.search(r"next: python run_pretraining.py .*zh-\*-of-00002.tfrecord' .*max_seq_length=32 .*seq=5", report)
    assert any(record.levelno == logging.WARNING and "unknown" in record.message for record in caplog.records)


def test_progress_is_told(folder, capsys, monkeypatch):
    monkeypatch.setattr("progress._PERIOD_SECONDS", 0.0)
    make(folder)
    assert re.search(r"\d+\.\d % \| 5 documents \| \d+\.\d\d MB/s", capsys.readouterr().err)


def long_text(num_documents=60):
    rng = random.Random(5)
    lines = [line for line in TEXT.splitlines() if line]
    return "\n".join(
        "\n".join(rng.choice(lines) for _ in range(rng.randrange(1, 8))) + "\n" for _ in range(num_documents)
    )


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
    add_to_journal = create_pretraining_data.pretraining_output.add_to_journal
    noted = []

    def interrupt_after_two(output_file, shard):
        add_to_journal(output_file, shard)
        noted.append(shard.path)
        if len(noted) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(create_pretraining_data.pretraining_output, "add_to_journal", interrupt_after_two)
    with pytest.raises(SystemExit) as end:
        make(folder, num_shards=4)
    assert end.value.code == 130
    left = os.listdir(str(folder / "out"))
    assert "zh.tfrecord.partial.jsonl" in left and "zh.tfrecord.json" not in left
    with open(str(folder / "out" / "zh.tfrecord.partial.jsonl"), "a") as journal:
        journal.write('{"half a li')
    monkeypatch.setattr(create_pretraining_data.pretraining_output, "add_to_journal", add_to_journal)
    times = {path: os.stat(path).st_mtime_ns for path in noted}
    make(folder, num_shards=4)
    assert {path: os.stat(path).st_mtime_ns for path in noted} == times
    assert files_below(folder / "out") == whole


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
    assert "nothing tells how it was made" in refusal(folder, capsys)[0]
    make(folder, overwrite=True)
    assert count_records(str(folder / "out" / "zh.tfrecord")) > 5
    (folder / "out" / "zh.tfrecord.json").write_text('{"shards": 7}')
    assert "other settings (format_version None, not 1)" in refusal(folder, capsys)[0]


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
        ({"do_permutation": True}, "--do_permutation=True is not available", 2),
        ({"random_next_sentence": True}, "--random_next_sentence=True is not available", 2),
        ({"output_file": "a,b"}, "--output_file must be one name", 2),
        ({"vocab_file": "missing.txt"}, "missing.txt does not exist", 1),
        ({"input_file": "missing*.txt"}, "no file matches missing", 1),
    ],
)
def test_bad_flags(folder, capsys, changes, message, status):
    assert (message in refusal(folder, capsys, **changes)[0], refusal(folder, capsys, **changes)[1]) == (True, status)


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
        (b"\xe2\x80\x8b\n", "no example could be made"),
    ],
)
def test_bad_text(folder, capsys, content, message):
    (folder / "text.txt").write_bytes(content)
    assert (message in refusal(folder, capsys)[0], refusal(folder, capsys)[1]) == (True, 1)


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
    make(folder)
    counts = read_sidecar(str(folder / "out" / "zh.tfrecord"))["counts"]
    assert counts["documents"] == 3
    assert (counts["examples"], counts["sentence_order_pairs"]) == (6, 2)


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


def endless_tasks(folder):
    """Two shards that take minutes, and their settings."""
    path = write_text(folder, long_text(400))
    tasks = [
        ShardTask(str(folder / "zh-{}.tfrecord".format(number)), number, ranges, False)
        for number, ranges in enumerate(plan_shards([path], 2))
    ]
    examples = ExampleSettings(128, 0.1, MaskingSettings())
    return tasks, BuildSettings(write_vocab(folder), None, True, None, 1, 2000, 0.0, examples)


def unfinished(folder):
    """Path and process of each file that is being written."""
    found = [name.split(".unfinished-") for name in os.listdir(str(folder)) if ".unfinished-" in name]
    return {str(folder / name): int(process) for name, process in found}


def build_until(folder, stop):
    """Builds endless shards; `stop` is called as soon as both are being written."""

    def on_progress(totals):
        if totals.documents and len(unfinished(folder)) == 2:
            stop()

    tasks, settings = endless_tasks(folder)
    worker_pool.build_shards(tasks, settings, 2, on_finished=lambda result: None, on_progress=on_progress)


def test_a_killed_worker_ends_the_run(tmp_path):
    victim = []

    def kill_one():
        if not victim:
            victim.append(sorted(unfinished(tmp_path))[1])
            os.kill(unfinished(tmp_path)[victim[0]], signal.SIGKILL)

    with pytest.raises(UserError) as error:
        build_until(tmp_path, kill_one)
    assert "while making {}: ".format(victim[0]) in str(error.value)
    assert not [name for name in os.listdir(str(tmp_path)) if name.endswith(".tfrecord")]
    assert not multiprocessing.active_children()


def test_an_interrupt_ends_the_workers(tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_until(tmp_path, interrupt)
    assert not unfinished(tmp_path)
    assert not [name for name in os.listdir(str(tmp_path)) if name.endswith(".tfrecord")]
    assert not multiprocessing.active_children()


def test_workers_end_when_their_parent_was_killed(folder):
    write_text(folder, long_text(400))
    command = [sys.executable, os.path.join(ROOT, "create_pretraining_data.py")]
    killed = subprocess.Popen(
        command + arguments(folder, dupe_factor=2000, num_shards=2, num_workers=2), stderr=subprocess.DEVNULL
    )
    wait_until(lambda: (folder / "out").is_dir() and len(unfinished(folder / "out")) == 2)
    workers = list(unfinished(folder / "out").values())
    killed.kill()
    killed.wait()
    wait_until(lambda: not any(is_running(worker) for worker in workers))
    write_text(folder)
    make(folder, overwrite=True, num_shards=2)
    assert not unfinished(folder / "out")
    assert read_sidecar(str(folder / "out" / "zh.tfrecord"))["counts"]["documents"] == 5


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("waited half a minute in vain")


def is_running(process):
    try:
        with open("/proc/{}/stat".format(process)) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_masked_words_are_whole_in_the_records(folder):
    write_text(folder, long_text())
    make(folder, do_whole_word_mask=True, ngram=1, short_seq_prob=0)
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    words = {line[a:b] for line in TEXT.splitlines() for a, b in segmentation.unit_spans(line)}
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
