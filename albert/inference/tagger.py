"""Tagger: a model that run_ner.py fine-tuned, loaded once, that finds the entities of any number of texts.

    with tagger.open_tagger("weibo_ner_checkpoints") as model:
        model.tag(["我在北京大学读书"])

The model is a folder that run_ner.py filled, or an export of one. Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.checkpoints.variables import listed
from albert.inference.fine_tuned_model import FineTunedModel, find_fine_tuned
from albert.inference.model_files import ModelFiles
from albert.inference.sentence_parts import parts_of, token_places
from albert.inference.tag_reading import other_labels, read_entities, token_answers
from albert.inference.text_batches import Place, check_text
from albert.model.outputs import TAGS
from albert.tasks.ner_rows import Sentence
from albert.tasks.registry import TAGGER


class TaggedEntity(NamedTuple):
    """Entity that was found in a text.

    Attributes:
      start, end: its place [start, end) in the text, in characters.
      type: its type.
      text: its characters.
      score: the mean probability of the tags of its tokens, 0 to 1.
    """

    start: int
    end: int
    type: str
    text: str
    score: float


class Tagger(FineTunedModel):
    """Finds entities. Safe to call from several threads.

    Attributes:
      reads_characters: whether letters and digits are tokens one by one.
    """

    head = TAGS

    def __init__(self, files: ModelFiles, **options: Any) -> None:
        """Loads the model; arguments and errors are those of `FineTunedModel`.

        Raises:
          UserError: a label is no tag of entities, as may be in a model that another program trained.
        """
        others = other_labels(files.labels)
        if others:
            raise UserError(
                "the labels of {} are no tags of entities such as B-PER, I-PER and O: {}. No entity can be read from "
                "them".format(files.checkpoint, listed(tuple(others)))
            )
        super().__init__(files, **options)
        self.reads_characters = files.reads_characters

    def tag(self, texts: Sequence[str], place: Place = "row {}".format) -> List[List[TaggedEntity]]:
        """Returns the entities of each text in the order of their places, none for a text in which nothing is read.

        A text that is too long for one sequence is read in parts that overlap.

        Args:
          texts: of any length.
          place: what messages call a text, by its number from 1.

        Raises:
          UserError: a value is not a text.
        """
        for number, text in enumerate(texts, start=1):
            check_text(text, place(number))
        tokens = [token_places(text, self.reads_characters) for text in texts]
        sentences = [Sentence(row, text, tokens[row], None, 1 + row) for row, text in enumerate(texts)]
        parts = list(parts_of(sentences, self.tokenizer, self.max_seq_length))
        answers = token_answers(parts, self._answer_tokens([part.encoded for part in parts]), len(sentences))
        return [self._entities(sentence, answer) for sentence, answer in zip(sentences, answers)]

    def _entities(self, sentence: Sentence, probabilities: np.ndarray) -> List[TaggedEntity]:
        likeliest = probabilities.max(axis=1) if len(probabilities) else probabilities
        return [
            TaggedEntity(
                start=found.entity.start,
                end=found.entity.end,
                type=found.entity.type,
                text=sentence.text[found.entity.start : found.entity.end],
                score=float(likeliest[found.first : found.last].mean()),
            )
            for found in read_entities(self.labels, sentence, probabilities)
        ]


def open_tagger(path: str, engine: Optional[str] = None, **options: Any) -> Tagger:
    """Opens the tagger of a folder that run_ner.py filled, or of an export.

    Args:
      path: the folder.
      engine: one of ENGINES; by default the one that opens it.
      **options: see `FineTunedModel`.

    Raises:
      UserError: there is no such model, or it cannot be loaded.
    """
    return Tagger(find_fine_tuned(path, TAGGER), engine=engine, **options)
