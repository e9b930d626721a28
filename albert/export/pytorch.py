"""Export to the library `transformers`: a folder that it opens as an ALBERT, made without it and without torch."""

from __future__ import annotations

import os
from typing import Dict, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.checkpoints.parts import POOLER
from albert.checkpoints.tokenizer_file import TOKENIZER_CONFIG_FILE
from albert.checkpoints.values import read_weights
from albert.checkpoints.variables import ENCODER_PREFIX
from albert.export import transformers_folder
from albert.export.format import FLOAT32_TOLERANCE, Request, Written
from albert.export.numpy_albert import SEVERAL_LABELS, NumpyAlbert
from albert.export.sentence_transformers import VectorModules, encoder_values, write_modules
from albert.export.transformers_names import to_transformers
from albert.files.complete import write_json
from albert.model.outputs import (
    CLASSIFIER,
    ENCODER,
    FINE_TUNED_HEADS,
    HEADS,
    LABELLED_HEADS,
    SENTENCE_VECTOR,
    SPANS,
    TAGS,
    Arrays,
)


def write_pytorch(request: Request, folder: str) -> Written:
    """Writes config.json, model.safetensors and, for a WordPiece vocabulary, tokenizer_config.json.

    With a sentence-vector head, sentence-transformers opens the folder too.

    Raises:
      UserError: a preln model, a classifier on the mean of the tokens, or a weight without a name in transformers.
    """
    model = request.model
    if request.head == CLASSIFIER and not model.use_pooled_output:
        raise UserError(
            "the classifier stands on the mean of the tokens, that of transformers on the pooler: export it as "
            "savedmodel, frozen, tflite or onnx, or its encoder with --head=encoder"
        )
    values = to_transformers(_weights_of(request), model.family.name, model.config)
    config = transformers_folder.config_for(model.config, request.head, _labels_of(request))
    if request.head in FINE_TUNED_HEADS:
        config.update(transformers_folder.task_values(model.description))
    if request.is_multilabel:
        config["problem_type"] = SEVERAL_LABELS
    if model.vocab_file:
        config["tokenizer_class"] = "BertTokenizer"  # AutoTokenizer would take ALBERT's own, for sentencepiece
    transformers_folder.write(folder, config, encoder_values(values))
    bare = request.head in (ENCODER, SENTENCE_VECTOR) and not model.has_pooler
    opened_by = "transformers.{}.from_pretrained('{{}}'{})".format(
        HEADS[request.head].auto_class, ", add_pooling_layer=False" if bare else ""
    )
    if request.head == SENTENCE_VECTOR:
        write_modules(folder, VectorModules(model.pooling, values), request.text_length)
        opened_by = "sentence_transformers.SentenceTransformer('{}'), " + opened_by
    if model.vocab_file:
        write_json(
            os.path.join(folder, TOKENIZER_CONFIG_FILE),
            transformers_folder.tokenizer_config(request.do_lower_case, request.text_length),
        )
        opened_by += " and AutoTokenizer.from_pretrained('{}')"
    return Written(lambda inputs: _answer(folder, request.head, inputs), FLOAT32_TOLERANCE, opened_by)


def _labels_of(request: Request) -> Optional[Sequence[str]]:
    """The labels of the head by id; numbered where nothing names them, None for a head without labels."""
    if request.head not in LABELLED_HEADS:
        return None
    return request.model.labels or tuple(map("LABEL_{}".format, range(request.model.num_labels or 0)))


def _weights_of(request: Request) -> Dict[str, np.ndarray]:
    prefixes = (ENCODER_PREFIX,) + HEADS[request.head].weight_prefixes
    # The library's classes for tokens have no pooler, and would say that its weights are unexpected.
    left_out = (POOLER,) if request.head in (TAGS, SPANS) else ()
    values = read_weights(request.model.prefix)
    return {
        name: value for name, value in values.items() if name.startswith(prefixes) and not name.startswith(left_out)
    }


def _answer(folder: str, head: str, inputs: Arrays) -> Arrays:
    written = transformers_folder.read(folder)
    if written.head != head:
        raise UserError("the export is wrong: it holds a {} head, not {}".format(written.head, head))
    return NumpyAlbert(written.config, written.values, written.pooling).answer(inputs, head)
