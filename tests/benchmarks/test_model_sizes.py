"""Benchmark of the model sizes: parameters as published, and a run with tiny models."""

import dataclasses
import json

import pytest

from albert.base.errors import UserError
from albert.checkpoints import families
from benchmarks import model_sizes
from tests.support import tiny_model

# Encoder, with both heads. BERT-base: the parameters of BERT-Base, Chinese, as its users count them.
PARAMETERS = {
    "tiny": (4175152, 4295186),
    "base": (10877440, 11492234),
    "large": (17009664, 18084490),
    "xlarge": (58577920, 62803594),
    "tiny (google)": (4080520, 4142594),
    "small (google)": (4742272, 4813706),
    model_sizes.BERT: (102267648, 102882442),
}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_those_of_the_published_model(name, monkeypatch):
    size = model_sizes.SIZES[name]
    if not size.options:  # shared layers weigh the same however often they are applied, and one is built sooner
        read = size.family.config_class.from_json_file
        monkeypatch.setattr(
            size.family.config_class,
            "from_json_file",
            lambda path: dataclasses.replace(read(path), num_hidden_layers=1),
        )
    model = model_sizes.SizedModel(size, seq_length=2)
    assert (model.count_parameters("bert/"), model.count_parameters()) == PARAMETERS[name]


def test_all_shared_layers_of_a_model_weigh_as_one():
    model = model_sizes.SizedModel(model_sizes.SIZES["tiny"], seq_length=2)
    assert model.count_parameters() == PARAMETERS["tiny"][1]


@pytest.fixture
def tiny_sizes(tmp_path, monkeypatch):
    """Sizes of a few numbers each in place of the published ones."""
    with open(tiny_model.write_config(tmp_path)) as file:
        values = json.load(file)
    without_factors = {key: value for key, value in values.items() if key != "embedding_size"}
    for name, content in (("bert", dict(without_factors, hidden_size=64, intermediate_size=256)), ("tiny", values)):
        (tmp_path / (name + ".json")).write_text(json.dumps(content))
    unshared = {"share_parameter_across_layers": False}
    sizes = {
        model_sizes.BERT: model_sizes.Size("bert.json", families.ZH, unshared),
        "tiny": model_sizes.Size("tiny.json", families.ZH, {}),
    }
    monkeypatch.setattr(model_sizes, "CONFIGS", str(tmp_path))
    monkeypatch.setattr(model_sizes, "SIZES", sizes)


def run(**values):
    flags = model_sizes.declare_flags()
    flags.parse(["--{}={}".format(name, value) for name, value in values.items()])
    model_sizes.main(flags)


def test_the_table_and_the_claims(tiny_sizes, capsys):
    run(sizes="tiny", batch_sizes="1,2", max_seq_length=5, runs=2)
    lines = capsys.readouterr().out.splitlines()
    header, rule, bert, tiny = (line.strip("| ").split("|") for line in lines[:4])
    assert [cell.strip() for cell in header[:4]] == ["model", "encoder parameters", "with both heads", "file"]
    assert {len(header), len(rule), len(bert), len(tiny)} == {8} and len({len(line) for line in lines[:4]}) == 1
    assert [cell.strip() for cell in bert[5::2]] == ["1.00x", "1.00x"]
    assert int(bert[2].replace(",", "")) > 20 * int(tiny[2].replace(",", ""))
    assert [line.split(":")[0] for line in lines[5:]] == [
        "- tiny is 10 times faster than BERT-base",
        "- tiny has 1/25 of the size of BERT-base",
    ]


def test_verdicts():
    claim = model_sizes.Claim("ten times", "tiny", model_sizes.FILE, 10.0)
    verdicts = [model_sizes.verdict(factor, claim) for factor in (10.0, 9.99, 9.0, 8.9)]
    assert verdicts == ["holds", "nearly holds", "nearly holds", "does not hold"]


def test_an_unknown_size_is_refused():
    with pytest.raises(UserError, match="no size 'tinny': known are BERT-base, tiny, base"):
        run(sizes="tinny")
