"""Checkpoints to export, and what the published implementations answered with their weights."""

import numpy as np

import export_model
from albert.checkpoints import families
from albert.checkpoints.description import ModelFolder, write_description
from albert.checkpoints.folder import Companions, write_companions
from tests.support import model_fixtures, published_checkpoints, tiny_model

INPUT_NAMES = ("input_ids", "input_mask", "segment_ids")
LABELS = ("否", "是", "不知道")
TAG_LABELS = ("O", "B-人", "I-人", "B-地", "I-地")
READING = {"doc_stride": 3, "max_query_length": 4, "max_answer_length": 3}
VECTOR_SIZE = 7


def write_fixture(folder, name):
    """A folder with checkpoint, config and vocabulary of a fixture; returns its path."""
    published_checkpoints.save(folder / "albert_model.ckpt", published_checkpoints.published_values(name))
    arrays = model_fixtures.load(name)
    (folder / "albert_config_x.json").write_text(str(arrays["config"]))
    size = model_fixtures.config_of(name, arrays).vocab_size
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(0x4E00 + number) for number in range(size - 5)]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return str(folder)


def write_classifier(folder, family=families.ZH, labels=LABELS, **sizes):
    """A model folder as run_classifier leaves it, with random weights; returns its path."""
    source = folder / "source"
    source.mkdir(parents=True)
    config_path = tiny_model.write_config(source, **sizes)
    config = family.config_class.from_json_file(config_path)
    values = published_checkpoints.model_values(family, config, num_labels=len(labels))
    random = np.random.RandomState(7)
    values["output_weights"] = random.randn(*values["output_weights"].shape).astype(np.float32)
    published_checkpoints.save(folder / "best" / "model.ckpt-9", values)
    description = ModelFolder("some_task", labels, family.name, "tiny.json", "vocab.txt", False, 12)
    companions = Companions(config, vocab_file=tiny_model.write_vocab(source), description=description)
    write_companions(str(folder / "best"), companions)
    return str(folder / "best")


def write_tagger(folder, family=families.ZH, labels=TAG_LABELS, **sizes):
    """A model folder as run_ner.py leaves it, with random weights; returns its path."""
    return _write_token_model(folder, family, "cls/tagging/", len(labels), sizes, labels=labels, head="tags")


def write_reader(folder, family=families.ZH, **sizes):
    """A model folder as run_mrc.py leaves it, with random weights; returns its path."""
    return _write_token_model(folder, family, "cls/squad/", 2, sizes, labels=(), head="spans", **READING)


def _write_token_model(folder, family, scope, num_labels, sizes, **described):
    folder.mkdir(parents=True)
    config = family.config_class.from_json_file(tiny_model.write_config(folder, **sizes))
    values = published_checkpoints.model_values(family, config, num_labels=num_labels)
    random = np.random.RandomState(7)
    for name in ("output_weights", "output_bias"):
        values[scope + name] = random.randn(*values.pop(name).shape).astype(np.float32)
    for name in [name for name in values if name.startswith("loss/")]:  # the norm of a preln model
        values[scope + name[len("loss/") :]] = values.pop(name)
    published_checkpoints.save(folder / "best" / "model.ckpt-9", values)
    description = ModelFolder(
        task="some_task",
        family=family.name,
        config_file="tiny.json",
        vocab_file="vocab.txt",
        do_lower_case=False,
        max_seq_length=12,
        **described,
    )
    companions = Companions(config, vocab_file=tiny_model.write_vocab(folder), description=description)
    write_companions(str(folder / "best"), companions)
    return str(folder / "best")


def vector_weights(name):
    """Random weights of a sentence-vector head for a fixture, by their names in a checkpoint."""
    config = model_fixtures.config_of(name, model_fixtures.load(name))
    random, width = np.random.RandomState(11), config.hidden_size
    values = {"dense/kernel": random.randn(width, VECTOR_SIZE), "dense/bias": random.randn(VECTOR_SIZE)}
    if getattr(config, "ln_type", "postln") == "preln":
        values.update({"LayerNorm/gamma": random.rand(width) + 0.5, "LayerNorm/beta": random.randn(width)})
    return {"cls/sentence_vector/" + key: value.astype(np.float32) for key, value in values.items()}


def write_vectors(folder, name="zh_postln", pooling="mean"):
    """A model folder with the heads of a fixture and one of sentence vectors; returns its path."""
    folder.mkdir(parents=True)
    write_fixture(folder, name)
    weights = model_fixtures.variables_of(model_fixtures.load(name))
    published_checkpoints.save(folder / "albert_model.ckpt", dict(weights, **vector_weights(name)))
    family = model_fixtures.FAMILY_OF[name].name
    description = ModelFolder("some_vectors", (), family, "albert_config_x.json", "vocab.txt", True, 24)
    write_description(str(folder), description._replace(pooling=pooling))
    return str(folder)


def vectors_of(name, pooling):
    """Sentence vectors of the fixture's inputs in float64, from the last layer of the published implementation."""
    arrays, weights = model_fixtures.load(name), vector_weights(name)
    weights = {key[len("cls/sentence_vector/") :]: value.astype(float) for key, value in weights.items()}
    pool = {"cls": lambda x: x[0], "mean": lambda x: x.mean(axis=0), "max": lambda x: x.max(axis=0)}[pooling]
    vectors = []
    for tokens, mask in zip(arrays["out/sequence_output"].astype(float), arrays["in/input_mask"].astype(bool)):
        x = pool(tokens[mask])
        if "LayerNorm/gamma" in weights:
            x = (x - x.mean()) / x.std() * weights["LayerNorm/gamma"] + weights["LayerNorm/beta"]
        x = x @ weights["dense/kernel"] + weights["dense/bias"]
        vectors.append(x / np.sqrt((x * x).sum()))
    return np.array(vectors)


def inputs_of(name):
    """The ids that the fixture's outputs belong to, int32 [3, 24] by name."""
    arrays = model_fixtures.load(name)
    return {key: arrays["in/" + key].astype(np.int32) for key in INPUT_NAMES}


def check_pretraining(name, probabilities, sentence_order_probabilities, atol):
    """Compares probabilities [3, 24, V] and [3, 2] with what the published implementation answered."""
    arrays = model_fixtures.load(name)
    positions = arrays["in/masked_lm_positions"]
    at_positions = np.take_along_axis(probabilities, positions[:, :, None], axis=1)  # [3, 5, V]
    expected = arrays["out/masked_lm_log_probs"].reshape(at_positions.shape)
    np.testing.assert_allclose(np.log(at_positions), expected, atol=atol)
    np.testing.assert_allclose(np.log(sentence_order_probabilities), arrays["out/sop_log_probs"], atol=atol)


def run(**flags):
    """Runs export_model.py in this process."""
    parsed = export_model.declare_flags()
    parsed.parse(["--{}={}".format(name, value) for name, value in flags.items()])
    export_model.main(parsed)
