"""Similarity of sentence pairs, by a model that was fine-tuned on such pairs or by a model of sentence vectors.

    python similarity.py                                     a few examples
    python similarity.py --sentence_a=明天会下雨吗 --sentence_b=明天有雨吗
    python similarity.py --input_file=pairs.tsv --output_file=scored.tsv
    python similarity.py --sentence_a=明天会下雨吗 --input_file=lines.txt --top_k=5
    python similarity.py --prompt

A model that was fine-tuned on pairs answers with the probability that both mean the same, a model of sentence vectors
with the cosine of both vectors.

From a program: BertSim().predict_sentences([("我喜欢妈妈做的汤", "妈妈做的汤我很喜欢喝")]).
"""

from __future__ import annotations

import logging
import os
from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

import args
from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.paths import STARTER_MODEL
from albert.downloads.published_files import download_command
from albert.inference.engines import EngineOptions
from albert.inference.flags import build_question, declare_similarity_flags
from albert.inference.model_files import ENGINES, ModelFiles, find_model
from albert.inference.predictor import Predictor
from albert.inference.similarity_command import COSINE, PROBABILITY, Score
from albert.inference.text_batches import Place
from albert.inference.vector_model import VectorModel, load_vectors
from albert.model.outputs import SENTENCE_VECTOR

_log = logging.getLogger(__name__)

EXAMPLES = (
    ("我喜欢妈妈做的汤", "妈妈做的汤我很喜欢喝"),
    ("明天北京会下雨吗", "北京明天有雨吗"),
    ("怎么换手机号码", "手机号码多少钱"),
    ("苹果手机怎么截图", "如何用iphone截屏"),
    ("今天天气不错", "股票大跌"),
)


class Match(NamedTuple):
    """Line that is similar to a sentence.

    Attributes:
      index: its place among the lines, from 0.
      score: the probability that both are similar, or the cosine of their vectors.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    score: float


class BertSim:
    """Scores sentence pairs with a model that is loaded once: probabilities, or cosines of sentence vectors.

    Safe to call from several threads once it is started.
    """

    def __init__(
        self,
        batch_size: Optional[int] = None,
        model_dir: Optional[str] = None,
        max_seq_len: Optional[int] = None,
        engine: Optional[str] = None,
        symmetric: bool = False,
    ) -> None:
        """Creates the scorer; `start_model` loads the model.

        Args:
          batch_size: pairs in one pass; args.batch_size by default.
          model_dir: the folder that fine-tuning wrote, or an export of it; args.model_dir by default.
          max_seq_len: tokens of a pair; args.max_seq_len by default.
          engine: "tensorflow" or "tflite"; by default the one that opens the folder.
          symmetric: return the mean of both orders of each pair; a cosine has no order.
        """
        self.batch_size = batch_size or args.batch_size
        self.model_dir = model_dir or _default_model_dir()
        self.max_seq_len = max_seq_len or args.max_seq_len
        self.engine = engine
        self.symmetric = symmetric
        self._model: Union[Predictor, VectorModel, None] = None
        self._similar_id = 1  # set where the model is loaded

    def start_model(self) -> None:
        """Loads the model.

        Raises:
          UserError: there is none, it does not fit, or nothing says which of its labels means similar.
        """
        self._model = self._loaded()

    @property
    def score(self) -> Score:
        """The kind of the scores: a probability, or the cosine of sentence vectors. Loads the model."""
        self._model = self._model or self._loaded()
        return COSINE if isinstance(self._model, VectorModel) else PROBABILITY

    def _loaded(self) -> Union[Predictor, VectorModel]:
        files = self._find_files()
        files = files._replace(max_seq_length=min(self.max_seq_len, files.max_seq_length))
        options = EngineOptions(self.engine, self._graph_file(), args.gpu_memory_fraction)
        if files.head == SENTENCE_VECTOR:
            return load_vectors(files, options, batch_size=self.batch_size)
        self._similar_id = files.similar_id()
        return Predictor(files, batch_size=self.batch_size, **options._asdict())

    def _find_files(self) -> ModelFiles:
        files = find_model(self.model_dir)
        if files is not None:
            return files
        from albert.checkpoints.files import find_checkpoint

        place = args.ckpt_name if self._is_default() and os.path.exists(args.ckpt_name + ".index") else self.model_dir
        if not os.path.exists(place) and place != args.ckpt_name:
            raise _no_model_error(self.model_dir)
        return ModelFiles(
            checkpoint=find_checkpoint(place),
            config_file=args.config_name,
            vocab_file=args.vocab_file,
            labels=("0", "1"),
            max_seq_length=self.max_seq_len,
        )

    def _is_default(self) -> bool:
        return os.path.abspath(self.model_dir) == os.path.abspath(args.model_dir)

    def _graph_file(self) -> Optional[str]:
        if args.graph_file is None or self._is_default():
            return args.graph_file
        return os.path.join(self.model_dir, os.path.basename(args.graph_file))

    def predict_sentences(self, sentences: Sequence[Tuple[str, str]], place: Place = "row {}".format) -> np.ndarray:
        """Returns the scores [n, 2] of n pairs in their order.

        Column 0 is the probability of different, column 1 that of similar. Of a model of sentence vectors column 1 is
        the cosine of both vectors, and column 0 is one less the cosine.

        Args:
          sentences: the pairs.
          place: what messages call a pair, by its number from 1.

        Raises:
          UserError: a value is not a pair, or a sentence is empty or holds nothing that can be read.
        """
        self._model = self._model or self._loaded()
        if isinstance(self._model, VectorModel):
            cosines = self._model.cosines(sentences, place)
            return np.stack([1.0 - cosines, cosines], axis=1)
        probabilities = self._model.predict(sentences, self.symmetric, place)
        return probabilities[:, [1 - self._similar_id, self._similar_id]]

    def top_k(self, sentence: str, lines: Sequence[str], k: int, place: Place = "line {}".format) -> List[Match]:
        """Finds the k lines most similar to a sentence, the most similar first; of equals the first.

        Args:
          sentence: the first sentence of all pairs.
          lines: the second ones.
          k: the number of lines; all where there are fewer.
          place: what messages call a line, by its number from 1.

        Raises:
          UserError: see `predict_sentences`.
        """
        scores = self.predict_sentences([(sentence, line) for line in lines], place)[:, 1]
        return [Match(index, float(scores[index])) for index in np.argsort(-scores, kind="stable")[:k].tolist()]


def _default_model_dir() -> str:
    """The folder that args.py names, or the starter model where nothing is there."""
    if os.path.isdir(args.model_dir) or not os.path.isdir(STARTER_MODEL):
        return str(args.model_dir)
    _log.info("There is no model in %s: the starter model answers (%s).", args.model_dir, STARTER_MODEL)
    return STARTER_MODEL


def _no_model_error(model_dir: str) -> UserError:
    """Logs the command that fine-tunes a model, by the values of args.py, and returns the error."""
    _log.info(
        "A model is fine-tuned by: python run_classifier.py --task_name=lcqmc_pair --do_train=True --do_eval=True "
        "--data_dir=%s --vocab_file=%s --bert_config_file=%s --num_train_epochs=%s --learning_rate=%s --output_dir=%s",
        *map(os.path.relpath, (args.data_dir, args.vocab_file, args.config_name)),
        args.num_train_epochs,
        args.learning_rate,
        os.path.relpath(args.output_dir),
    )
    command = download_command(model_dir)
    advice = "`{}` brings the published model, to be fine-tuned".format(command) if command else "fine-tune one"
    return UserError("there is no model in {}: {}, or give --model_dir=starter".format(model_dir, advice))


def declare_flags() -> Flags:
    """Declares the flags of the command; args.py holds the defaults."""
    flags = Flags()
    flags.group("Model")
    flags.model_location(
        "model_dir",
        None,
        "the folder that fine-tuning wrote, or an export of it (default: args.model_dir, or the starter model where "
        "there is none)",
    )
    flags.integer("batch_size", None, "batch size: pairs in one pass (default: args.batch_size)", minimum=1)
    flags.choice("engine", None, ENGINES, "the engine; by default the one that opens the folder")
    flags.boolean("symmetric", False, "return the mean of both orders of each pair")
    declare_similarity_flags(flags)
    return flags


def main(flags: Flags) -> None:
    """Scores what the flags name; a few pairs without them."""
    ask = build_question(flags, EXAMPLES)
    model = BertSim(
        batch_size=flags.batch_size, model_dir=flags.model_dir, engine=flags.engine, symmetric=flags.symmetric
    )
    model.start_model()
    ask(model)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
