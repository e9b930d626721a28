"""Parameters, file size and speed of every model size against BERT-base, on this machine.

    python -m benchmarks.model_sizes
    python -m benchmarks.model_sizes --sizes=tiny,base --batch_sizes=1,8,32 --runs=20

Parameters and file are those of a checkpoint with both pre-training heads, in float32, without optimizer slots. The
time is that of a forward pass through the encoder and its pooler with random weights. The models and BERT-base take
turns, and a ratio is the median of the ratios of the turns, so that a disturbance of the machine affects both.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import os
import sys
import tempfile
import time
from typing import Any, Dict, List, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.paths import CONFIGS
from albert.base.terminal import table
from albert.checkpoints import families
from albert.model import heads
from benchmarks.processes import median, median_ratio

BERT = "BERT-base"
_NEARLY = 0.9  # a claim of 10 times nearly holds if 9 times are measured


class Size(NamedTuple):
    """Published model size: its config in albert_config/, its family, and further arguments of the model class."""

    config_file: str
    family: families.Family
    options: Dict[str, Any]


SIZES = {
    BERT: Size("bert_config.json", families.ZH, {"share_parameter_across_layers": False}),
    "tiny": Size("albert_config_tiny.json", families.ZH, {}),
    "base": Size("albert_config_base.json", families.ZH, {}),
    "large": Size("albert_config_large.json", families.ZH, {}),
    "xlarge": Size("albert_config_xlarge.json", families.ZH, {}),
    "tiny (google)": Size("albert_config_tiny_google.json", families.GOOGLE, {}),
    "small (google)": Size("albert_config_small_google.json", families.GOOGLE, {}),
}


class Claim(NamedTuple):
    """Published claim: a size is smaller or faster than BERT-base by a factor."""

    text: str
    size: str
    quantity: str
    factor: float


FILE, PARAMETERS, SPEED = "file", "parameters", "speed"
CLAIMS = (
    Claim("tiny is 10 times faster than BERT-base", "tiny", SPEED, 10.0),
    Claim("tiny has 1/25 of the size of BERT-base", "tiny", FILE, 25.0),
    Claim("small is 4 times faster than BERT-base", "small (google)", SPEED, 4.0),
    Claim("base has a tenth of the parameters of BERT-base", "base", PARAMETERS, 10.0),
)


class Weights(NamedTuple):
    """Size of a model's weights.

    Attributes:
      encoder_parameters: number of parameters of the encoder with its pooler.
      parameters: number of parameters with both pre-training heads.
      file_bytes: size of their checkpoint.
    """

    encoder_parameters: int
    parameters: int
    file_bytes: int


class SizedModel:
    """Model of a published size with random weights, in a session of its own."""

    def __init__(self, size: Size, seq_length: int) -> None:
        """Builds it."""
        config = size.family.config_class.from_json_file(os.path.join(CONFIGS, size.config_file))
        graph = tf.Graph()
        with graph.as_default():
            self.input_ids = tf.placeholder(tf.int32, [None, seq_length])
            model = size.family.model_class(config, False, self.input_ids, scope="bert", **size.options)
            heads.masked_lm_logits(model, tf.zeros([1, 1], tf.int32))
            heads.sentence_order_logits(model)
            self.pooled_output = model.get_pooled_output()
            self.variables = tf.trainable_variables()
            self._initializer = tf.global_variables_initializer()
            self._saver = tf.train.Saver(self.variables)
        self.vocab_size, self._seq_length = config.vocab_size, seq_length
        self._session = tf.Session(graph=graph)

    def count_parameters(self, prefix: str = "") -> int:
        """Number of trainable parameters in the variables whose names begin with `prefix`."""
        return sum(v.shape.num_elements() for v in self.variables if v.op.name.startswith(prefix))

    def start(self) -> Weights:
        """Initializes the weights and writes a checkpoint; returns their size."""
        self._session.run(self._initializer)
        with self._session.graph.as_default(), tempfile.TemporaryDirectory() as folder:
            self._saver.save(self._session, os.path.join(folder, "model.ckpt"), write_meta_graph=False)
            size = sum(entry.stat().st_size for entry in os.scandir(folder) if "ckpt" in entry.name)
        return Weights(self.count_parameters("bert/"), self.count_parameters(), size)

    def seconds_of(self, batch_size: int) -> float:
        """Measures the seconds of a forward pass."""
        shape = [batch_size, self._seq_length]
        ids = np.random.RandomState(1).randint(0, self.vocab_size, shape)
        start = time.perf_counter()
        self._session.run(self.pooled_output, {self.input_ids: ids})
        return time.perf_counter() - start


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.string("sizes", ",".join(name for name in SIZES if name != BERT), "sizes to compare with BERT-base")
    flags.string("batch_sizes", "1,8", "batch sizes to time")
    flags.integer("max_seq_length", 128, "tokens per row", minimum=1)
    flags.integer("runs", 5, "turns; the table shows the medians", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Measures; prints the table and a verdict on each claim."""
    names = [BERT] + flags.sizes.split(",")
    for name in names:
        if name not in SIZES:
            raise UserError("there is no size {!r}: known are {}".format(name, ", ".join(SIZES)))
    batch_sizes = list(map(int, flags.batch_sizes.split(",")))
    models = {name: SizedModel(SIZES[name], flags.max_seq_length) for name in names}
    weights = {name: model.start() for name, model in models.items()}
    times = {batch_size: time_in_turns(models, batch_size, flags.runs) for batch_size in batch_sizes}
    header = ["model", "encoder parameters", "with both heads", "file"]
    for batch_size in batch_sizes:
        header += ["batch {}".format(batch_size), "times faster"]
    sys.stdout.write(table(header, [row_of(name, weights, times) for name in names]) + "\n")
    sys.stdout.write("".join(line + "\n" for line in judge(weights, times)))


def time_in_turns(models: Dict[str, SizedModel], batch_size: int, runs: int) -> Dict[str, List[float]]:
    """Measures the seconds of each run of each model; the first turn warms up and is not counted."""
    times: Dict[str, List[float]] = {name: [] for name in models}
    for turn in range(runs + 1):
        for name, model in models.items():
            seconds = model.seconds_of(batch_size)
            if turn:
                times[name].append(seconds)
    return times


def speed_of(name: str, times: Dict[str, List[float]]) -> float:
    """Factor by which a size is faster than BERT-base."""
    return median_ratio(times[BERT], times[name])


def row_of(name: str, weights: Dict[str, Weights], times: Dict[int, Dict[str, List[float]]]) -> List[str]:
    """Row of the table for a size."""
    own = weights[name]
    cells = [name, "{:,}".format(own.encoder_parameters), "{:,}".format(own.parameters)]
    cells.append("{:.1f} MB".format(own.file_bytes / 1e6))
    for of_batch in times.values():
        cells += ["{:.0f} ms".format(median(of_batch[name]) * 1e3), "{:.2f}x".format(speed_of(name, of_batch))]
    return cells


def judge(weights: Dict[str, Weights], times: Dict[int, Dict[str, List[float]]]) -> List[str]:
    """Verdicts on the published claims whose size was measured, a line each."""
    lines = []
    for claim in CLAIMS:
        if claim.size in weights:
            factors = factors_of(claim, weights, times)
            found = ["{}{:.1f} times, {}".format(at, factors[at], verdict(factors[at], claim)) for at in factors]
            lines.append("- {}: {}".format(claim.text, "; ".join(found)))
    return lines


def factors_of(claim: Claim, weights: Dict[str, Weights], times: Dict[int, Dict[str, List[float]]]) -> Dict[str, float]:
    """Factors by which a size is smaller or faster than BERT-base, by the text of where it was measured."""
    bert, own = weights[BERT], weights[claim.size]
    if claim.quantity == SPEED:
        return {"batch {}: ".format(batch_size): speed_of(claim.size, times[batch_size]) for batch_size in times}
    if claim.quantity == FILE:
        return {"": bert.file_bytes / own.file_bytes}
    return {"": bert.parameters / own.parameters}


def verdict(factor: float, claim: Claim) -> str:
    """Verdict on a claim: holds, nearly holds, does not hold."""
    if factor >= claim.factor:
        return "holds"
    return "nearly holds" if factor >= _NEARLY * claim.factor else "does not hold"


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
