"""Settings of a fine-tuning run, for each kind of task."""

from __future__ import annotations

import dataclasses
from typing import Optional, Tuple

from albert.model.pooling import MEAN
from albert.tasks.splits import TEST
from albert.text.long_texts import CUT
from albert.training.settings import TrainingSettings


@dataclasses.dataclass(frozen=True)
class FineTuningSettings(TrainingSettings):
    """Settings of fine-tuning, beside those that all training shares; enough for tagging.

    Attributes:
      task_name: a declared task.
      task_file: a task of one's own, described in a JSON file, in place of task_name.
      data_dir: the folder with the task's files.
      vocab_file: the WordPiece vocabulary; None for the one beside the checkpoint.
      spm_model_file: a sentencepiece model, in place of the vocabulary.
      do_lower_case: whether text is lower-cased and loses its accents.
      do_predict: whether the test split is predicted.
      predict_file: a file of one's own texts or questions, predicted in place of the test split; None for that.
      predict_batch_size: rows of a prediction step.
      num_train_epochs: passes over the train split.
      try_learning_rates: rates of which a short training finds the best, in place of learning_rate; empty for none.
      warmup_proportion: the share of the steps in which the learning rate rises.
      eval_each_epoch: whether checkpoints are saved at the end of each epoch.
      bucket_by_length: whether rows of like length share a batch (not on TPU).
    """

    task_name: Optional[str] = None
    task_file: Optional[str] = None
    data_dir: Optional[str] = None
    vocab_file: Optional[str] = None
    spm_model_file: Optional[str] = None
    do_lower_case: bool = True
    do_predict: bool = False
    predict_file: Optional[str] = None
    predict_batch_size: int = 8
    num_train_epochs: float = 3.0
    try_learning_rates: Tuple[float, ...] = ()
    warmup_proportion: float = 0.1
    keep_checkpoint_max: int = 20
    eval_each_epoch: bool = False
    bucket_by_length: bool = True

    def num_train_steps(self, num_rows: int) -> int:
        """Returns the steps of training on a split of `num_rows`."""
        return max(1, int(num_rows / self.train_batch_size * self.num_train_epochs))


@dataclasses.dataclass(frozen=True)
class ClassificationSettings(FineTuningSettings):
    """Settings of classification.

    Attributes:
      use_pooled_output: whether the pooler's first token is classified, or the mean of all tokens.
      predict_split: the split that is predicted.
      teacher_predictions: a file of a teacher's predictions for the train split; None without a teacher.
      teacher_weight: of the teacher in the loss, 0 to 1; the labels have the rest.
      teacher_temperature: divides the logits of teacher and student, over 0.
      class_weights: "balanced", or a file with a weight of each label in the loss; None where all are 1.
      label_smoothing: the share of a label's probability that training gives to all labels alike, 0 to 1.
      long_text: how a text that is longer than max_seq_length is read, see `albert.text.long_texts`.
      num_folds: parts of the train split, on each of which a model is compared that the others trained; None for one
        model, which the dev split compares.
    """

    use_pooled_output: bool = True
    predict_split: str = TEST
    teacher_predictions: Optional[str] = None
    teacher_weight: float = 0.5
    teacher_temperature: float = 2.0
    class_weights: Optional[str] = None
    label_smoothing: float = 0.0
    long_text: str = CUT
    num_folds: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class ReadingSettings(FineTuningSettings):
    """Settings of reading comprehension.

    Attributes:
      doc_stride: tokens of the context from one window to the next.
      max_query_length: tokens of a question; a longer one loses its end.
      max_answer_length: tokens of an answer.
      n_best_size: answers of a question in <task>_nbest.json.
    """

    max_seq_length: int = 512
    doc_stride: int = 128
    max_query_length: int = 64
    max_answer_length: int = 50
    n_best_size: int = 20


@dataclasses.dataclass(frozen=True)
class VectorSettings(FineTuningSettings):
    """Settings of sentence vectors, whatever they are trained on.

    Attributes:
      eval_pairs: a file of scored pairs, on which checkpoints are compared.
      pooling: how the vectors of a sentence's tokens become one, see `albert.model.pooling`.
      group_size: rows of a batch that are compared with one another; None for those of a slice on a device.
    """

    max_seq_length: int = 64
    eval_pairs: Optional[str] = None
    pooling: str = MEAN
    group_size: Optional[int] = None

    @property
    def rows_of_group(self) -> int:
        """Rows that are compared with one another."""
        return self.group_size or self.rows_of_slice

    @property
    def rows_of_slice(self) -> int:
        """Rows of a batch that a device computes at once."""
        return self.train_batch_size // (self.gradient_accumulation_steps * self.devices.num_replicas)


@dataclasses.dataclass(frozen=True)
class DistillationSettings(VectorSettings):
    """Settings of a distillation.

    Attributes:
      input_file: files of sentences, names and globs, separated by commas.
      teacher_vectors: .npy files of their vectors, likewise and in the same order.
      center_teacher: whether the mean of the teacher's vectors is taken away from each.
      cosine_weight, structure_weight: see `sentence_vectors.model.DistillationLoss`.
    """

    input_file: str = ""
    teacher_vectors: str = ""
    learning_rate: float = 1e-3
    center_teacher: bool = True
    cosine_weight: float = 1.0
    structure_weight: float = 10.0


@dataclasses.dataclass(frozen=True)
class PairSettings(VectorSettings):
    """Settings of sentence vectors that are trained on pairs: those of a task, or of files.

    Attributes:
      train_pairs, test_pairs: files of scored pairs, in place of a task.
      vector_size: numbers of a vector; None for those of the head to start from, else the hidden size.
      ranking_weight, negatives_weight, positive_score: see `sentence_vectors.model.PairLoss`.
    """

    train_pairs: Optional[str] = None
    test_pairs: Optional[str] = None
    vector_size: Optional[int] = None
    ranking_weight: float = 1.0
    negatives_weight: float = 0.0
    positive_score: Optional[float] = None
