"""A checkpoint by its path alone: family, config, head, vocabulary; and what is refused."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.base.paths import CONFIGS
from albert.checkpoints import families
from albert.checkpoints.description import ModelFolder
from albert.checkpoints.folder import Companions, companions_of, write_companions
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.tokenizer_file import read_do_lower_case
from tests.support import model_fixtures, published_checkpoints

NAMES = sorted(model_fixtures.FAMILY_OF)
# docs/en/models.md, "Configurations": (encoder parameters, with both heads).
PARAMETERS = {
    "tiny": (4175152, 4295186),
    "base": (10877440, 11492234),
    "tiny_google": (4080520, 4142594),
    "small_google": (4742272, 4813706),
}


def family_of_config(name):
    return families.GOOGLE if name.endswith("google") else families.ZH


def config_path(name):
    return os.path.join(CONFIGS, "albert_config_{}.json".format(name))


def read_config(name):
    return family_of_config(name).config_class.from_json_file(config_path(name))


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory):
    """A folder with checkpoint and config for each fixture."""
    folder = tmp_path_factory.mktemp("fixtures")
    for name in NAMES:
        published_checkpoints.save(folder / name / "albert_model.ckpt", published_checkpoints.published_values(name))
        config = str(model_fixtures.load(name)["config"])
        (folder / name / "albert_config_x.json").write_text(config)
    return folder


@pytest.fixture
def fixture_copy(fixtures, tmp_path):
    """Makes a copy of a fixture's folder."""

    def copy(name):
        folder = tmp_path / name
        shutil.copytree(str(fixtures / name), str(folder))
        return folder

    return copy


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_says_all_of_its_model(fixtures, name):
    arrays = model_fixtures.load(name)
    weights = model_fixtures.variables_of(arrays)
    model = open_checkpoint(str(fixtures / name))
    assert model.family is model_fixtures.FAMILY_OF[name]
    assert model.config == model_fixtures.config_of(name, arrays)
    assert model.config_source == "file" and model.config_file.endswith("albert_config_x.json")
    assert model.shapes == {key: list(value.shape) for key, value in weights.items()}
    assert model.num_parameters == sum(value.size for value in weights.values())
    assert model.heads == ("encoder", "masked_lm", "pretraining") and model.head == "pretraining"
    assert model.num_labels is None and model.labels is None and model.vocab_file is None
    assert model.slots == (
        "Adam", "Adam_1", "LAMB/adam_m", "Momentum", "adam_m", "adam_v", "lamb_m", "lamb_v"
    )  # fmt: skip
    assert model.has_slots and model.step == 17


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_published_sizes_are_known_without_a_config(tmp_path, name):
    config = read_config(name)
    # Another vocabulary and other positions do not change what size a model has.
    small = dataclasses.replace(config, vocab_size=50, max_position_embeddings=20)
    values = published_checkpoints.model_values(family_of_config(name), small)
    prefix = published_checkpoints.save(tmp_path / "a.ckpt", values)
    model = open_checkpoint(prefix)
    assert model.config == small
    assert model.config_source == "inferred" and model.config_file is None
    assert model.slots == () and not model.has_slots and model.step == 0
    left_out = (config.vocab_size - 50) * config.embedding_size + (config.max_position_embeddings - 20) * (
        config.embedding_size if model.family is families.GOOGLE else config.hidden_size
    )
    assert model.num_encoder_parameters == PARAMETERS[name][0] - left_out
    assert model.num_parameters == PARAMETERS[name][1] - left_out - (config.vocab_size - 50)


def test_an_unknown_size_asks_for_the_config_by_its_flag(fixture_copy):
    for name, flag in (("zh_postln", "bert_config_file"), ("google_g2", "albert_config_file")):
        folder = fixture_copy(name)
        config = str(folder / "albert_config_x.json")
        moved = str(folder / "elsewhere")
        os.rename(config, moved)
        with pytest.raises(UserError, match="with hidden_size 48: .* name the config with --{}$".format(flag)):
            open_checkpoint(str(folder))
        with pytest.raises(UserError, match="name the config with --config_file$"):
            open_checkpoint(str(folder), config_flag="config_file")
        assert open_checkpoint(str(folder), config_file=moved).config_source == "named"


def test_a_google_size_of_groups_is_not_a_published_one(tmp_path):
    config = dataclasses.replace(read_config("tiny_google"), vocab_size=20, num_hidden_groups=2)
    prefix = published_checkpoints.save(
        tmp_path / "a.ckpt", published_checkpoints.model_values(families.GOOGLE, config)
    )
    with pytest.raises(UserError, match="name the config with --albert_config_file"):
        open_checkpoint(prefix)


@pytest.mark.parametrize(
    "name,changes,message",
    [
        ("zh_postln", {"hidden_size": 96}, "albert_config_x.json says otherwise: hidden_size 48, not 96"),
        ("zh_postln", {"type_vocab_size": 3}, "type_vocab_size 2, not 3"),
        ("google_g2", {"num_hidden_groups": 1}, "num_hidden_groups 2, not 1"),
        ("google_g1", {"vocab_size": 7, "embedding_size": 9}, "vocab_size 211, not 7, embedding_size 16, not 9"),
    ],
)
def test_a_config_that_contradicts_the_weights_names_both_sides(fixture_copy, name, changes, message):
    folder = fixture_copy(name)
    path = folder / "albert_config_x.json"
    path.write_text(json.dumps(dict(json.loads(path.read_text()), **changes)))
    for named in (None, str(path)):
        with pytest.raises(UserError, match=message) as error:
            open_checkpoint(str(folder), config_file=named)
        assert "is {} with hidden_size 48".format(name.split("_")[0]) in str(error.value)
        assert "\n" not in str(error.value)


def test_a_config_of_the_other_family_is_named(fixture_copy):
    folder = fixture_copy("zh_postln")
    with pytest.raises(UserError, match="is zh with hidden_size 48, the config .*google.json is of the google family"):
        open_checkpoint(str(folder), config_file=config_path("tiny_google"))
    shutil.copy(config_path("tiny_google"), str(folder / "albert_config_x.json"))
    with pytest.raises(UserError, match="is zh with .*albert_config_x.json is of the google family"):
        open_checkpoint(str(folder))


def test_a_config_that_cannot_be_read_is_named_and_not_passed_over(fixture_copy):
    folder = fixture_copy("zh_postln")
    (folder / "albert_config_x.json").write_text('{"vocab_size": 211,')
    with pytest.raises(UserError, match="albert_config_x.json is no BertConfig"):
        open_checkpoint(str(folder))


def test_the_fitting_config_is_chosen_among_other_files(fixture_copy):
    folder = fixture_copy("google_g1")
    shutil.copy(config_path("tiny"), str(folder))
    shutil.copy(config_path("small_google"), str(folder))
    (folder / "albert_config_broken.json").write_text("{")
    (folder / "run_config.json").write_text("{}")
    assert os.path.basename(open_checkpoint(str(folder)).config_file) == "albert_config_x.json"
    values = json.loads((folder / "albert_config_x.json").read_text())
    (folder / "same.json").write_text(json.dumps(values))
    assert open_checkpoint(str(folder)).config == model_fixtures.config_of(
        "google_g1", model_fixtures.load("google_g1")
    )
    (folder / "same.json").write_text(json.dumps(dict(values, hidden_act="relu")))
    with pytest.raises(UserError, match="albert_config_x.json and .*same.json both fit .* but differ: name one with"):
        open_checkpoint(str(folder))


LIBRARY_KEYS = {"architectures": ["AlbertForMaskedLM"], "model_type": "albert", "layer_norm_eps": 1e-12}


def test_a_config_with_a_librarys_keys_is_read_and_not_passed_over(tmp_path):
    """Weights of tiny's width, whose shapes alone would be taken for tiny's four layers."""
    config = dataclasses.replace(read_config("tiny"), vocab_size=20, max_position_embeddings=9, num_hidden_layers=6)
    published_checkpoints.save(tmp_path / "m.ckpt", published_checkpoints.model_values(families.ZH, config))
    values = dict(json.loads(config.to_json_string()), **LIBRARY_KEYS)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values))
    model = open_checkpoint(str(tmp_path))
    assert model.config.num_hidden_layers == 6 and model.config_file == str(path)


@pytest.mark.parametrize(
    "content, message",
    [
        ({"layer_norm_eps": 1e-5}, "config.json is no BertConfig: layer_norm_eps 1e-05 is not supported"),
        ({"num_hidden_layer": 6}, "config.json is no BertConfig: unknown key 'num_hidden_layer'"),
        (
            {"model_type": "bert", "hidden_size": 768},
            "is zh tiny, the config .*config.json says otherwise: hidden_size",
        ),
        ('{"num_hidden_layers": 6,', "config.json is no BertConfig: "),
    ],
)
def test_a_config_beside_the_weights_that_cannot_be_used_is_named(tmp_path, content, message):
    config = dataclasses.replace(read_config("tiny"), vocab_size=20, max_position_embeddings=9)
    published_checkpoints.save(tmp_path / "m.ckpt", published_checkpoints.model_values(families.ZH, config))
    assert open_checkpoint(str(tmp_path)).config_source == "inferred"
    if isinstance(content, dict):
        content = json.dumps(dict(json.loads(config.to_json_string()), **content))
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError, match=message):
        open_checkpoint(str(tmp_path))


def test_a_json_file_of_something_else_is_no_config(tmp_path, caplog):
    caplog.set_level("INFO")
    config = dataclasses.replace(read_config("tiny"), vocab_size=20, max_position_embeddings=9)
    published_checkpoints.save(tmp_path / "m.ckpt", published_checkpoints.model_values(families.ZH, config))
    (tmp_path / "config.json").write_text('{"colour": "red"}')
    assert open_checkpoint(str(tmp_path)).config_source == "inferred" and not caplog.text
    (tmp_path / "albert_config_own.json").write_text(config.to_json_string())
    (tmp_path / "config.json").write_text(json.dumps(dict(config.to_dict(), layer_norm_eps=1e-5)))
    assert open_checkpoint(str(tmp_path)).config_source == "file"
    assert "albert_config_own.json is used; passed over: " in caplog.text and "layer_norm_eps 1e-05" in caplog.text


def test_the_vocabulary_of_a_table_with_rows_to_spare_is_preferred_to_one_that_does_not_fit(fixture_copy):
    folder = fixture_copy("zh_postln")
    (folder / "a_vocab.txt").write_text("\n".join("t{}".format(number) for number in range(300)))
    (folder / "b_vocab.txt").write_text("\n".join("t{}".format(number) for number in range(209)))
    assert open_checkpoint(str(folder)).vocab_file.endswith("b_vocab.txt")


@pytest.mark.parametrize("case", [True, False])
def test_the_case_of_the_text_is_read_beside_a_pre_trained_checkpoint(fixture_copy, case):
    folder = fixture_copy("zh_postln")
    assert open_checkpoint(str(folder)).do_lower_case is None
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": case, "model_max_length": 512}))
    model = open_checkpoint(str(folder))
    assert model.do_lower_case is case
    write_companions(str(folder / "copy"), companions_of(model))
    assert read_do_lower_case(str(folder / "copy")) is case


def test_a_case_that_is_neither_true_nor_false_is_named(fixture_copy):
    folder = fixture_copy("zh_postln")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": "no"}')
    with pytest.raises(UserError, match="tokenizer_config.json: 'do_lower_case' must be true or false, not \"no\""):
        open_checkpoint(str(folder))


def test_the_vocabulary_beside_it_is_found(fixture_copy):
    folder = fixture_copy("zh_postln")
    (folder / "vocab_other.txt").write_text("[PAD]\n")
    assert open_checkpoint(str(folder)).vocab_file.endswith("vocab_other.txt")
    (folder / "vocab_own.txt").write_text("\n".join("t{}".format(number) for number in range(211)))
    assert open_checkpoint(str(folder)).vocab_file.endswith("vocab_own.txt")


def test_a_sentencepiece_model_is_found_where_there_is_no_vocabulary(fixture_copy):
    folder = fixture_copy("google_g1")
    (folder / "zh.model").write_bytes(b"")
    model = open_checkpoint(str(folder))
    assert model.spm_model_file.endswith("zh.model") and model.vocab_file is None


def fine_tuned(folder, labels, num_labels=3, ln_type="postln"):
    """A folder as fine-tuning leaves it."""
    config = dataclasses.replace(read_config("tiny"), vocab_size=20, max_position_embeddings=9, ln_type=ln_type)
    values = published_checkpoints.model_values(families.ZH, config, num_labels)
    (folder / "config.json").write_text(config.to_json_string())
    (folder / "words.txt").write_text("x")
    description = ModelFolder("lcqmc", labels, "zh", "config.json", "words.txt", True, 9)
    for place in (folder, folder / "best"):
        write_companions(str(place), Companions(config, vocab_file=str(folder / "words.txt"), description=description))
    published_checkpoints.save(folder / "model.ckpt-9", dict(values, global_step=np.int64(9)))
    published_checkpoints.save(folder / "best" / "model.ckpt-4", values)
    return folder


def test_of_a_fine_tuning_run_the_best_model_is_opened(tmp_path):
    folder = fine_tuned(tmp_path, ("a", "b", "c"))
    model = open_checkpoint(str(folder))
    assert model.prefix == str(folder / "best" / "model.ckpt-4")
    assert model.heads == ("encoder", "classifier") and model.head == "classifier"
    assert model.num_labels == 3 and model.labels == ("a", "b", "c")
    assert model.vocab_file == str(folder / "best" / "words.txt") and model.config_source == "file"
    assert open_checkpoint(str(folder / "model.ckpt-9")).step == 9


def test_labels_that_are_not_as_many_as_the_head_has_are_refused(tmp_path):
    folder = fine_tuned(tmp_path, ("a", "b"))
    with pytest.raises(UserError, match="model.ckpt-4 has 3 labels, .*task.json names 2"):
        open_checkpoint(str(folder))


def test_a_fine_tuned_preln_model_is_told_from_a_postln_one(tmp_path):
    folder = fine_tuned(tmp_path, ("a", "b", "c"), ln_type="preln")
    assert open_checkpoint(str(folder)).config.ln_type == "preln"
    with pytest.raises(UserError, match="name the config with --bert_config_file"):
        prefix = str(shutil.copytree(str(folder / "best"), str(folder / "bare")))
        os.remove(os.path.join(prefix, "task.json"))
        os.remove(os.path.join(prefix, "config.json"))
        open_checkpoint(prefix)
    values = json.loads((folder / "best" / "config.json").read_text())
    (folder / "best" / "config.json").write_text(json.dumps(dict(values, ln_type="postln")))
    with pytest.raises(UserError, match="ln_type preln, not postln"):
        open_checkpoint(str(folder))


def test_shipped_configs_are_found_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert os.path.isfile(os.path.join(CONFIGS, "albert_config_tiny.json"))
