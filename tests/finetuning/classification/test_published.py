"""Published names of run_classifier.py: what programs get for the calls that they make."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import run_classifier
import run_classifier_sp_google
from albert.finetuning.classification import published
from modeling import BertConfig
from modeling_google import AlbertConfig
from tests.support import tiny_model
from tokenization import FullTokenizer

LENGTH = 9
ROWS = [
    ("我喜欢苹果", "他喜欢香蕉", "0"),
    ("明天下雨吗", "明天下雨吗", "1"),
    ("你好", None, "1"),
    ("北京", "上海", None),
]


@pytest.fixture
def tokenizer(tmp_path):
    return FullTokenizer(tiny_model.write_vocab(tmp_path))


def examples():
    return [published.InputExample(number, *row) for number, row in enumerate(ROWS)]


@pytest.mark.parametrize("module", [run_classifier, run_classifier_sp_google])
def test_the_names_are_found_in_the_published_modules(module):
    for name in published.PUBLISHED_NAMES:
        assert getattr(module, name) is getattr(published, name)
    with pytest.raises(AttributeError, match="module '{}' has no attribute 'ColaProcessor'".format(module.__name__)):
        module.ColaProcessor  # noqa: B018


def test_an_example_becomes_padded_features(tokenizer):
    pair, _, single, unlabelled = published.convert_examples_to_features(examples(), ["0", "1"], LENGTH, tokenizer)
    texts = [
        "[CLS]",
        "我",
        "喜",
        "欢",
        "[SEP]",
        "他",
        "喜",
        "欢",
        "[SEP]",
    ]  # the longer text loses its end, then the second
    assert tokenizer.convert_ids_to_tokens(pair.input_ids) == texts
    assert pair.segment_ids == [0] * 5 + [1] * 4 and pair.input_mask == [1] * LENGTH
    assert (pair.label_id, single.label_id, unlabelled.label_id) == (0, 1, 0)
    assert single.input_mask == [1] * 4 + [0] * 5 and single.input_ids[4:] == [tokenizer.pad_id] * 5
    filler = published.convert_single_example(7, published.PaddingInputExample(), ["0"], LENGTH, tokenizer)
    assert filler.input_mask == [0] * LENGTH and not filler.is_real_example
    with pytest.raises(ValueError, match="x has the label '2', the labels are 0, 1"):
        example = published.InputExample("x", "你", None, "2")
        published.convert_single_example(0, example, ["0", "1"], LENGTH, tokenizer)


class Own(published.DataProcessor):
    """A task as programs write it."""

    def get_train_examples(self, data_dir):
        rows = self._read_tsv(str(data_dir / "train.tsv"))
        return [published.InputExample("train-%d" % i, a, b, label) for i, (label, a, b) in enumerate(rows[1:])]

    def get_labels(self):
        return ["0", "1"]


def test_a_processor_of_ones_own_reads_its_files(tmp_path):
    (tmp_path / "train.tsv").write_text('label\ta\tb\n1\t他说"好"\t你好\n', encoding="utf-8")
    (example,) = Own().get_train_examples(tmp_path)
    assert (example.guid, example.text_a, example.text_b, example.label) == ("train-0", '他说"好"', "你好", "1")
    with pytest.raises(NotImplementedError):
        Own().get_dev_examples(tmp_path)
    with pytest.raises(ValueError, match="quotes are ordinary characters"):
        Own._read_tsv(str(tmp_path / "train.tsv"), quotechar='"')


def test_processors_of_declared_tasks_read_theirs(tmp_path):
    (tmp_path / "test.txt").write_text("你好\t你们好\t1\n北京\t上海\t0\n", encoding="utf-8")
    processor = published.LCQMCPairClassificationProcessor()
    assert processor.get_labels() == ["0", "1"] == published.SentencePairClassificationProcessor().get_labels()
    first, second = processor.get_test_examples(str(tmp_path))
    assert (first.guid, first.text_b, second.label) == ("test-0", "你们好", "0")
    assert published.XnliProcessor().get_labels() == ["contradiction", "entailment", "neutral"]
    with pytest.raises(ValueError, match="a row of copa has choices"):
        published.TaskProcessor("copa")


def config_of(family):
    return family(**tiny_model.SIZES)


@pytest.mark.parametrize("family", [BertConfig, AlbertConfig])
def test_create_model_gives_the_published_tensors(family, tokenizer):
    rows = published.convert_examples_to_features(examples(), ["0", "1"], LENGTH, tokenizer)
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = [tf.constant([getattr(row, name) for row in rows], tf.int32)
                  for name in ("input_ids", "input_mask", "segment_ids")]  # fmt: skip
        labels = tf.constant([row.label_id for row in rows])
        loss, example_loss, logits, probabilities = session_values = published.create_model(
            config_of(family), False, *inputs, labels, 3, False
        )
        assert logits.shape.as_list() == [4, 3]
        names = {variable.op.name for variable in tf.trainable_variables()}
        assert {"output_weights", "output_bias", "bert/pooler/dense/kernel"} < names
        session.run(tf.global_variables_initializer())
        loss, example_loss, logits, probabilities = session.run(session_values)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    expected = -np.log(probabilities[range(4), [row.label_id for row in rows]])
    np.testing.assert_allclose(example_loss, expected, rtol=1e-4)
    np.testing.assert_allclose(loss, expected.mean(), rtol=1e-4)


def estimator(folder, num_train_steps):
    model_fn = published.model_fn_builder(
        bert_config=config_of(BertConfig),
        num_labels=2,
        init_checkpoint=None,
        learning_rate=0.003,
        num_train_steps=num_train_steps,
        num_warmup_steps=0,
        use_tpu=False,
        use_one_hot_embeddings=False,
    )
    config = tf.estimator.tpu.RunConfig(model_dir=str(folder), tf_random_seed=1)
    return tf.estimator.tpu.TPUEstimator(
        model_fn, use_tpu=False, config=config, train_batch_size=3, eval_batch_size=3, predict_batch_size=3
    )


def test_a_program_trains_evaluates_and_predicts_as_with_the_published_code(tmp_path, tokenizer):
    labelled = examples()[:3] + [published.PaddingInputExample()]
    path = str(tmp_path / "train.tf_record")
    published.file_based_convert_examples_to_features(labelled[:3], ["0", "1"], LENGTH, tokenizer, path)
    model = estimator(tmp_path / "out", 60)
    model.train(published.file_based_input_fn_builder(path, LENGTH, True, True, seed=1), max_steps=60)
    features = published.convert_examples_to_features(labelled, ["0", "1"], LENGTH, tokenizer)
    in_memory = published.input_fn_builder(features, LENGTH, is_training=False, drop_remainder=False)
    results = model.evaluate(in_memory)
    assert results["global_step"] == 60 and results["eval_accuracy"] == 1.0  # the filler does not count
    from_file = published.file_based_input_fn_builder(path, LENGTH, False, False)
    probabilities = np.array([row["probabilities"] for row in model.predict(from_file)])
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 1]


def test_two_lists_are_shortened_in_place():
    a, b = list("abcdef"), list("xyz")
    published.truncate_seq_pair(a, b, 5)
    assert (a, b) == (list("abc"), list("xy"))
