"""Phone example: its short tokenizer and its answers against the project's own."""

import pathlib

import numpy as np
import pytest

from albert.base.paths import ROOT
from albert.inference import predictor
from albert.text.sequences import encode_pair, pad_batch
from tests.support import exports, real_text
from tokenization import FullTokenizer

EXAMPLES = pathlib.Path(ROOT) / "examples"
ODD_LINES = (
    "",
    "  ",
    "一",
    "喜欢打篮球的男生喜欢什么样的女生？",
    "这款ＯＰＰＯ手机（R9s）多少钱,4G+64G的￥2,499.00元！",
    "Café RESUME naïve İstanbul",
    "qq号:12345678能改吗~~~ http://www.baidu.com/a_b?c=1&d=2",
    "“你好”‘再见’——《三国》…、。；￥℃№①Ⅱ㎡",
    "[MASK] [CLS]中[SEP]##国 [UNK]",
    "한국어 ひらがな カタカナ Привет ไทย",
    "豈更車 龘㐀鿿 😂👍",
    "a\tb\nc\u3000d\u00a0e",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
)


@pytest.fixture(scope="module")
def example():
    from examples import tflite_classify

    return tflite_classify


def ids_by_example(example, vocab_file, do_lower_case):
    """The example's tokenizer without a model."""
    classifier = example.Classifier.__new__(example.Classifier)
    tokens = pathlib.Path(vocab_file).read_text("utf-8").split("\n")
    classifier.vocab = {token: index for index, token in enumerate(tokens)}
    classifier.settings = {"do_lower_case": do_lower_case}
    return classifier.ids


def sample_texts():
    path = pathlib.Path(ROOT) / "data" / "sample_pairs" / "dev.txt"
    return [text for line in real_text.read_lines(str(path)) for text in line.split("\t")]


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_the_short_tokenizer_equals_the_full_one(example, vocab_file, do_lower_case):
    tokenizer = FullTokenizer(vocab_file, do_lower_case)
    ids_of = ids_by_example(example, vocab_file, do_lower_case)
    texts = list(ODD_LINES) + sample_texts()
    assert len(texts) > 1000
    for text in texts:
        assert ids_of(text) == tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)), text


def test_the_short_tokenizer_equals_the_full_one_on_lcqmc(example, vocab_file):
    tokenizer, ids_of = FullTokenizer(vocab_file), ids_by_example(example, vocab_file, True)
    lines = real_text.read_lines(real_text.real_path("lcqmc/dev.txt"))
    texts = [text for line in lines for text in line.split("\t")]
    assert len(texts) == 26406
    for text in texts:
        assert ids_of(text) == tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)), text


@pytest.mark.parametrize("text", ["𠮷𠮷野家", "中\ue056", "a\u200bb", "x" * 201])
def test_what_it_leaves_out_is_what_it_says(example, vocab_file, text):
    tokenizer = FullTokenizer(vocab_file)
    assert ids_by_example(example, vocab_file, True)(text) != tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A fine-tuned folder of three labels, length 12, and its export."""
    folder = tmp_path_factory.mktemp("model")
    checkpoint = exports.write_classifier(folder)
    exports.run(checkpoint=checkpoint, format="tflite", output_dir=folder / "out", max_seq_length=12)
    return checkpoint, folder / "out"


PAIRS = [
    ("我喜欢吃苹果", "你喜欢吃香蕉吗"),
    ("明天下雨吗", None),
    ("北京" * 9, "上海" * 9),
    ("好", "不" * 20),
]


def test_inputs_are_cut_and_padded_as_the_model_was_trained(example, model):
    _, export = model
    classifier = example.Classifier(export)
    tokenizer = FullTokenizer(str(export / "vocab.txt"), do_lower_case=False)
    for pair in PAIRS:
        inputs = classifier.inputs([classifier.ids(text) for text in pair if text is not None])
        expected = pad_batch([encode_pair(tokenizer, *pair, max_seq_length=12)], tokenizer.pad_id, 12)
        assert sorted(inputs) == sorted(expected)
        for name, values in expected.items():
            assert inputs[name].dtype == np.int32
            np.testing.assert_array_equal(inputs[name], values)


def test_it_answers_as_the_fine_tuned_model(example, model):
    checkpoint, export = model
    loaded = predictor.Predictor(predictor.find_model(checkpoint))
    expected = loaded.predict(PAIRS)
    loaded.close()
    classifier = example.Classifier(export)
    answers = [classifier.classify(*pair) for pair in PAIRS]
    assert all(list(answer) == list(exports.LABELS) for answer in answers)
    np.testing.assert_allclose([list(answer.values()) for answer in answers], expected, atol=1e-5)
    assert expected.std(axis=0).min() > 1e-4
