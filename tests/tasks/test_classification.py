import json

import pytest

import run_classifier
from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.metrics import METRICS
from albert.tasks.registry import get_task


@pytest.mark.parametrize("name", sorted(CLASSIFICATION_TASKS))
def test_a_declaration_is_complete(name):
    task = CLASSIFICATION_TASKS[name]
    assert task.name == name == name.lower()
    assert len(set(task.labels)) == len(task.labels) >= 2
    assert set(task.files) == {"train", "dev", "test"}
    assert all(names for names in task.files.values())
    assert task.metric in METRICS
    assert task.num_choices in (0, len(task.labels))


@pytest.mark.parametrize("name", sorted(CLASSIFICATION_TASKS))
def test_a_preset_is_made_of_flags_of_the_runner(name):
    flags = run_classifier.declare_flags()
    flags.parse(["--{}={}".format(flag, value) for flag, value in CLASSIFICATION_TASKS[name].preset._asdict().items()])
    assert {flag: getattr(flags, flag) for flag in CLASSIFICATION_TASKS[name].preset._fields} == CLASSIFICATION_TASKS[
        name
    ].preset._asdict()


# docs/en/tasks.md, "Presets": max_seq_length, batch, learning rate, epochs, save every.
PUBLISHED_PRESETS = {
    "afqmc": (128, 16, 2e-5, 3, 300),
    "cmnli": (128, 64, 3e-5, 2, 300),
    "csl": (128, 16, 1e-5, 5, 100),
    "iflytek": (128, 32, 2e-5, 3, 300),
    "tnews": (128, 16, 2e-5, 3, 300),
    "wsc": (128, 16, 1e-5, 10, 10),
}


@pytest.mark.parametrize("name", sorted(PUBLISHED_PRESETS))
def test_the_published_presets(name):
    assert tuple(CLASSIFICATION_TASKS[name].preset) == PUBLISHED_PRESETS[name]


def test_the_labels_are_those_of_the_specification():
    for name in ("lcqmc", "lcqmc_pair", "sentence_pair", "afqmc", "csl", "copa", "chnsenticorp"):
        assert CLASSIFICATION_TASKS[name].labels == ("0", "1")
    for name in ("xnli", "cmnli", "ocnli"):
        assert CLASSIFICATION_TASKS[name].labels == ("contradiction", "entailment", "neutral")
    assert CLASSIFICATION_TASKS["wsc"].labels == ("true", "false")
    assert CLASSIFICATION_TASKS["tnews"].labels == tuple(str(n) for n in range(100, 117) if n not in (105, 111))
    assert CLASSIFICATION_TASKS["iflytek"].labels == tuple(str(n) for n in range(119))


def test_only_tnews_describes_its_labels():
    assert [name for name in sorted(CLASSIFICATION_TASKS) if CLASSIFICATION_TASKS[name].label_descriptions] == ["tnews"]
    assert set(CLASSIFICATION_TASKS["tnews"].label_descriptions) == set(CLASSIFICATION_TASKS["tnews"].labels)
    assert CLASSIFICATION_TASKS["tnews"].label_descriptions["115"] == "news_agriculture"


def test_the_files_are_those_of_the_specification():
    assert CLASSIFICATION_TASKS["lcqmc"].files == CLASSIFICATION_TASKS["lcqmc_pair"].files
    assert CLASSIFICATION_TASKS["lcqmc"].files == {"train": ("train.txt",), "dev": ("dev.txt",), "test": ("test.txt",)}
    assert CLASSIFICATION_TASKS["sentence_pair"].files["dev"] == ("dev.tsv", "dev.txt")
    assert CLASSIFICATION_TASKS["xnli"].files["train"][0] == "multinli/multinli.train.zh.tsv"
    for name in ("afqmc", "cmnli", "csl", "tnews", "iflytek", "wsc", "copa"):
        assert CLASSIFICATION_TASKS[name].files == {split: (split + ".json",) for split in ("train", "dev", "test")}


def test_columns_differ_between_the_tasks(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b"0\t1\t1\n")
    lcqmc, sentence_pair = (list(get_task(name).read_rows(str(path)))[0] for name in ("lcqmc", "sentence_pair"))
    assert lcqmc[1:4] == ("0", "1", "1")
    assert sentence_pair[1:4] == ("1", "1", "0")


WSC = {"span1_text": "树叶", "span1_index": 0, "span2_text": "它", "span2_index": 5}
COPA = {"premise": "他摔倒了。", "choice0": "地滑。", "choice1": "天晴。", "question": "cause"}


@pytest.mark.parametrize(
    "name, values, texts",
    [
        ("afqmc", {"sentence1": "甲", "sentence2": "乙"}, ("甲", "乙", ())),
        ("cmnli", {"sentence1": "甲", "sentence2": "乙"}, ("甲", "乙", ())),
        ("ocnli", {"sentence1": "甲", "sentence2": "乙"}, ("甲", "乙", ())),
        ("csl", {"keyword": ["甲", "乙丙"], "abst": "丁"}, ("甲 乙丙", "丁", ())),
        ("tnews", {"sentence": "甲", "keywords": "乙"}, ("甲", None, ())),
        ("iflytek", {"sentence": "甲\u2028乙"}, ("甲\u2028乙", None, ())),
        ("wsc", {"text": "树叶落了，它黄了", "target": WSC}, ("_树叶_落了，[它]黄了", None, ())),
        ("copa", COPA, ("他摔倒了。原因是什么？", None, ("地滑。", "天晴。"))),
        ("copa", dict(COPA, question="effect"), ("他摔倒了。结果是什么？", None, ("地滑。", "天晴。"))),
        ("xnli", {"premise": "甲", "hypo": "乙"}, ("甲", "乙", ())),
    ],
)
def test_what_the_model_reads_of_a_json_row(tmp_path, name, values, texts):
    path = tmp_path / "test.json"
    path.write_text(json.dumps(dict(values, id=7), ensure_ascii=False) + "\n", encoding="utf-8")
    (row,) = get_task(name).read_rows(str(path))
    assert (row.text_a, row.text_b, row.choices) == texts
    assert (row.own_id, row.label, row.line) == (7, None, 1)
