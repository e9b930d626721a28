"""Fine-tuned model behind an engine: base of the models that classify, tag and answer questions.

Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

from typing import Optional

from albert.base.errors import UserError
from albert.inference.engines import EngineOptions, open_engine
from albert.inference.model_files import ModelFiles, find_model
from albert.inference.text_batches import MAX_BATCH_TOKENS
from albert.inference.text_model import BATCH_SIZE, TextModel


class FineTunedModel(TextModel):
    """Base of models with a fine-tuned head. Safe to call from several threads.

    Attributes:
      head: the name of the head (`outputs.FINE_TUNED_HEADS`).
      labels: of the model, by id.
      engine_name: one of ENGINES.
    """

    head: str

    def __init__(
        self,
        files: ModelFiles,
        *,
        engine: Optional[str] = None,
        batch_size: int = BATCH_SIZE,
        max_batch_tokens: int = MAX_BATCH_TOKENS,
        graph_file: Optional[str] = None,
        gpu_memory_fraction: float = 1.0,
    ) -> None:
        """Loads the model.

        Args:
          files: see `ModelFiles`.
          engine, graph_file, gpu_memory_fraction: see `EngineOptions`.
          batch_size, max_batch_tokens: see `TextModel`.

        Raises:
          UserError: a file is missing or does not fit, the model does not have this head, or the engine does not open
            such files or is not installed.
        """
        tokenizer = files.tokenizer()
        opened = open_engine(files, self.head, tokenizer, EngineOptions(engine, graph_file, gpu_memory_fraction))
        super().__init__(
            opened.engine, tokenizer, opened.max_seq_length, batch_size=batch_size, max_batch_tokens=max_batch_tokens
        )
        self.labels = files.labels
        self.engine_name = opened.name


def find_fine_tuned(path: str, runner: str) -> ModelFiles:
    """Finds the fine-tuned model of a folder or of an export.

    Args:
      path: the folder.
      runner: the command that fills such folders, for the message.

    Raises:
      UserError: nothing describes a fine-tuned model there.
    """
    files = find_model(path)
    if files is None:
        raise UserError(
            "{} has no description of a fine-tuned model: name a folder that {} filled, or an export of one".format(
                path, runner
            )
        )
    return files
