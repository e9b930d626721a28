"""How alike two sentences are, by a model that was fine-tuned on sentence pairs.

    python similarity.py [--model_dir=albert_lcqmc_checkpoints]

From a program: BertSim().predict_sentences([("我喜欢妈妈做的汤", "妈妈做的汤我很喜欢喝")]).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

import args
import command_line
from command_line import Flags
from errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from predictor import ModelFiles

EXAMPLES = (
    ("我喜欢妈妈做的汤", "妈妈做的汤我很喜欢喝"),
    ("明天北京会下雨吗", "北京明天有雨吗"),
    ("明天北京会下雨吗", "北京明天有雨吗，算了不用回答"),
)


class BertSim:
    """Scores sentence pairs with a model that is loaded once."""

    def __init__(
        self,
        batch_size: Optional[int] = None,
        model_dir: Optional[str] = None,
        max_seq_len: Optional[int] = None,
    ) -> None:
        """Creates the scorer; `start_model` loads the model.

        Args:
          batch_size: pairs in one pass; args.batch_size by default.
          model_dir: the folder that fine-tuning wrote; args.model_dir by default.
          max_seq_len: tokens of a pair; args.max_seq_len by default.
        """
        self.batch_size = batch_size or args.batch_size
        self.model_dir = model_dir or args.model_dir
        self.max_seq_len = max_seq_len or args.max_seq_len
        self._predictor = None

    def start_model(self) -> None:
        """Loads the model.

        Raises:
          UserError: there is none, or it does not fit.
        """
        import quiet_tensorflow  # noqa: F401

        # isort: split
        from predictor import Predictor

        files = self._find_files()
        if len(files.labels) != 2:
            raise UserError(
                "the model in {} tells {} labels apart, not similar from different".format(
                    self.model_dir, len(files.labels)
                )
            )
        self._predictor = Predictor(
            files._replace(max_seq_length=self.max_seq_len),
            batch_size=self.batch_size,
            gpu_memory_fraction=args.gpu_memory_fraction,
        )

    def _find_files(self) -> ModelFiles:
        import checkpoint
        import families
        import predictor

        files = predictor.find_model(self.model_dir)
        if files is not None:
            return files
        is_default = os.path.abspath(self.model_dir) == os.path.abspath(args.model_dir)
        place = args.ckpt_name if is_default and os.path.exists(args.ckpt_name + ".index") else self.model_dir
        if not os.path.exists(place) and place != args.ckpt_name:
            raise UserError(_no_model_message(self.model_dir))
        return predictor.ModelFiles(
            checkpoint.find_checkpoint(place), args.config_name, args.vocab_file, families.ZH, ("0", "1")
        )

    def predict_sentences(self, sentences: Sequence[Tuple[str, str]]) -> np.ndarray:
        """The probabilities [n, 2] of n pairs in their order: column 0 different, column 1 similar.

        Raises:
          UserError: a pair that is none, or an empty sentence.
        """
        if self._predictor is None:
            self.start_model()
        return self._predictor.predict(sentences)


def _no_model_message(model_dir: str) -> str:
    return (
        "there is no model in {}: run `bash quickstart.sh`, or fine-tune one with `python run_classifier.py "
        "--task_name=lcqmc_pair --do_train=true --do_eval=true --data_dir={} --vocab_file={} --bert_config_file={} "
        "--num_train_epochs={} --learning_rate={} --output_dir={}`".format(
            model_dir,
            args.data_dir,
            args.vocab_file,
            args.config_name,
            args.num_train_epochs,
            args.learning_rate,
            args.output_dir,
        )
    )


def score_lines(pairs: Sequence[Tuple[str, str]], probabilities: np.ndarray) -> List[str]:
    """A readable line for each pair."""
    return [
        "{:6.1%} similar | {} | {}".format(float(row[1]), first, second)
        for (first, second), row in zip(pairs, probabilities)
    ]


def declare_flags() -> Flags:
    """The flags of the command; args.py holds the defaults."""
    flags = Flags()
    flags.string("model_dir", None, "the folder that fine-tuning wrote (default: args.model_dir)")
    flags.integer("batch_size", None, "pairs in one pass (default: args.batch_size)", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Scores a few pairs."""
    model = BertSim(batch_size=flags.batch_size, model_dir=flags.model_dir)
    model.start_model()
    sys.stdout.write("\n".join(score_lines(EXAMPLES, model.predict_sentences(EXAMPLES))) + "\n")


if __name__ == "__main__":
    command_line.run(__doc__, declare_flags(), main)
