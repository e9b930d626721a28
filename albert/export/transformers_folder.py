"""Folder of the library `transformers` with an ALBERT: config.json, model.safetensors, the tokenizer's files.

It is written and read without that library and without torch.
"""

from __future__ import annotations

import os
from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.checkpoints.description import ModelFolder, classifier_values, reader_values
from albert.checkpoints.parts import lack_of, usable_heads
from albert.export.numpy_albert import SEVERAL_LABELS
from albert.export.sentence_transformers import read_modules
from albert.export.transformers_names import VECTOR_MAP, Values, head_names, with_prefix
from albert.export.transformers_weights import WEIGHTS_FILE, read_weights, safetensors_numpy
from albert.files.complete import write_json
from albert.files.json_reading import Description, read_description
from albert.model.config import ModelConfig
from albert.model.outputs import CLASSIFIER, HEADS, SPANS, TAGS

CONFIG_FILE = "config.json"

# Names of activations in transformers. Its gelu is the erf form, which is missing here (docs/en/models.md, "Common").
ACTIVATION_NAMES = {"gelu": "gelu_new", "relu": "relu", "tanh": "tanh", "linear": "linear"}
_ACTIVATION_SYNONYMS = {"gelu_pytorch_tanh": "gelu_new"}
# Keys that a config.json may leave out: the defaults of transformers' AlbertConfig.
_DEFAULTS = {
    "vocab_size": 30000,
    "embedding_size": 128,
    "hidden_size": 4096,
    "num_hidden_layers": 12,
    "num_hidden_groups": 1,
    "num_attention_heads": 64,
    "intermediate_size": 16384,
    "inner_group_num": 1,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0,
    "attention_probs_dropout_prob": 0,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
}
_LAYER_NORM_EPSILON = 1e-12
_TASK_TYPE = "single_label_classification"
_LABELLED = "classifier.bias"  # as long as there are labels
# How a model answers: names in a description, and in what a config.json says of a task of the library.
_TASKS = "task_specific_params"
_TASK_OF = {SPANS: "question-answering", CLASSIFIER: "text-classification"}
_NAMES = {
    "doc_stride": "doc_stride",
    "max_query_length": "max_question_len",
    "max_answer_length": "max_answer_len",
    "thresholds": "thresholds",
    "long_text": "long_text",
}
_THRESHOLD = 0.5  # of a label where nothing names another
_SPAN_ENDS = 2  # rows of a head of spans
_TOKEN_WEIGHTS = {TAGS: "classifier.weight", SPANS: "qa_outputs.weight"}


class TransformersFolder(NamedTuple):
    """ALBERT that was read from a folder.

    Attributes:
      path: the folder.
      config: the JSON object of its config.json, with the library's defaults for missing keys.
      values: float32 weights by their whole names.
      head: what its weights and its architecture can answer, named as in `outputs.HEADS`.
      pooling: of its sentence vectors; None without them.
    """

    path: str
    config: Dict[str, Any]
    values: Values
    head: str
    pooling: Optional[str] = None

    def labels(self) -> Tuple[str, ...]:
        """Returns the labels of a classifier of texts or of tokens by id; empty for other heads.

        Raises:
          UserError: config.json names another number of labels, or one twice.
        """
        if _LABELLED not in self.values:
            return ()
        count, names = len(self.values[_LABELLED]), self.config.get("id2label") or {}
        path = os.path.join(self.path, CONFIG_FILE)
        if not isinstance(names, dict) or (names and len(names) != count):
            raise UserError("{} names {} labels in id2label, its head has {}".format(path, len(names), count))
        ids = [str(index) for index in range(count)]
        if names and set(names) != set(ids):
            raise UserError("{} has other ids than 0 to {} in id2label: {}".format(path, count - 1, ", ".join(names)))
        labels = tuple(str(names.get(index, index)) for index in ids)
        if len(set(labels)) < count:
            raise UserError("{} names a label twice in id2label: {}".format(path, ", ".join(labels)))
        return labels

    @property
    def is_multilabel(self) -> bool:
        """Whether it is a classifier of texts whose labels do not exclude each other."""
        return self.head == CLASSIFIER and self.config.get("problem_type") == SEVERAL_LABELS

    def answering(self, num_labels: int) -> Dict[str, Any]:
        """Returns how the model answers, by names of `ModelFolder`, as far as config.json says it.

        Args:
          num_labels: of the head. Without thresholds, a label whose probability is 0.5 counts.

        Raises:
          UserError: a value is not such as a description may have.
        """
        tasks = self.config.get(_TASKS)
        given = tasks.get(_TASK_OF.get(self.head)) if isinstance(tasks, dict) else None
        values = Description(
            {ours: given.get(theirs) for ours, theirs in _NAMES.items()} if isinstance(given, dict) else {}
        )
        try:
            if self.head == SPANS:
                return dict(reader_values(values))
            found = classifier_values(values, self.head, num_labels) if self.head == CLASSIFIER else {}
        except UserError as error:
            raise UserError("{}, {}: {}".format(os.path.join(self.path, CONFIG_FILE), _TASKS, error)) from error
        if self.is_multilabel:
            return dict({"thresholds": (_THRESHOLD,) * num_labels}, **found)
        return {name: value for name, value in found.items() if name != "thresholds"}


def config_for(config: ModelConfig, head: str, labels: Optional[Sequence[str]]) -> Dict[str, Any]:
    """Makes the config.json of a model; there a zh model's embeddings are as wide as its encoder.

    Args:
      config: of the model.
      head: one of `outputs.HEADS`.
      labels: of a classifier of texts or of tokens, by id; None for other heads.
    """
    theirs = {name: getattr(config, name) for name in _DEFAULTS if hasattr(config, name)}
    theirs.update(
        model_type="albert",
        architectures=[HEADS[head].architecture],
        hidden_act=ACTIVATION_NAMES[config.hidden_act],
        layer_norm_eps=_LAYER_NORM_EPSILON,
        pad_token_id=0,
    )
    if not hasattr(config, "num_hidden_groups"):
        theirs.update(num_hidden_groups=1, inner_group_num=1, embedding_size=config.hidden_size)
    if labels:
        theirs["id2label"] = {str(index): label for index, label in enumerate(labels)}
        theirs["label2id"] = {label: index for index, label in enumerate(labels)}
        theirs["classifier_dropout_prob"] = 0.1
    if head == CLASSIFIER:
        theirs["problem_type"] = _TASK_TYPE
    return theirs


def task_values(description: Optional[ModelFolder]) -> Dict[str, Any]:
    """Makes what config.json keeps of a description: the task, and how the model answers."""
    if description is None:
        return {}
    values: Dict[str, Any] = {"finetuning_task": description.task}
    answering = {theirs: getattr(description, ours) for ours, theirs in _NAMES.items()}
    answering = {name: value for name, value in answering.items() if value is not None}
    kind = _TASK_OF.get(description.head or "")
    return dict(values, **{_TASKS: {kind: answering}}) if kind and answering else values


def tokenizer_config(do_lower_case: bool, max_length: int) -> Dict[str, Any]:
    """Makes the tokenizer_config.json of a WordPiece vocabulary: BERT's tokenizer, not ALBERT's of sentencepiece."""
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": do_lower_case,
        "model_max_length": max_length,
        "tokenize_chinese_chars": True,
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }


def write(folder: str, config: Dict[str, Any], values: Values) -> None:
    """Writes config.json and model.safetensors.

    Raises:
      UserError: the package safetensors is missing.
    """
    safetensors_numpy().save_file(values, os.path.join(folder, WEIGHTS_FILE), metadata={"format": "pt"})
    write_json(os.path.join(folder, CONFIG_FILE), config)


def read(path: str) -> TransformersFolder:
    """Reads a folder.

    Raises:
      UserError: the folder holds no ALBERT, the model differs from the google family, or only torch can read it.
    """
    config = _read_config(path)
    values = with_prefix(read_weights(path))
    modules = read_modules(path)
    if modules:
        values.update(modules.values)
    _check_weights(path, config, values)
    return TransformersFolder(path, config, values, _head_of(path, config, values), modules and modules.pooling)


def _read_config(path: str) -> Dict[str, Any]:
    file_name = os.path.join(path, CONFIG_FILE)
    if not os.path.isfile(file_name):
        raise UserError("{} is not a folder of transformers: cannot read {}".format(path, file_name))
    config = dict(_DEFAULTS, **read_description(file_name, "a config of transformers").values)
    if config.get("model_type") != "albert":
        raise UserError("{} is of the type {}, not albert".format(file_name, config.get("model_type")))
    config["hidden_act"] = _ACTIVATION_SYNONYMS.get(config["hidden_act"], config["hidden_act"])
    if config["hidden_act"] == "gelu":
        raise UserError(
            "{} has hidden_act gelu, the erf form, which this family does not have; if the folder was made from a "
            "TensorFlow checkpoint, gelu_new is right: change it there".format(file_name)
        )
    fixed = {
        "hidden_act": tuple(ACTIVATION_NAMES.values()),
        "layer_norm_eps": (_LAYER_NORM_EPSILON,),
        "position_embedding_type": ("absolute", None),
    }
    for key, allowed in fixed.items():
        if config.get(key) not in allowed:
            raise UserError("{} has {} {!r}, which this family does not have".format(file_name, key, config[key]))
    return config


def _check_weights(path: str, config: Dict[str, Any], values: Values) -> None:
    table = values.get("albert.embeddings.word_embeddings.weight")
    sizes = (config["vocab_size"], config["embedding_size"])
    if table is None or table.shape != sizes:
        raise UserError(
            "the weights in {} do not belong to its {}: the word embeddings are {}, not {} by {}".format(
                path, CONFIG_FILE, "missing" if table is None else "{} by {}".format(*table.shape), *sizes
            )
        )
    vector_map = values.get(VECTOR_MAP + ".weight")
    if vector_map is not None and vector_map.shape[1] != config["hidden_size"]:
        raise UserError(
            "the linear map of the sentence vectors in {} takes {} numbers, the encoder gives {}".format(
                path, vector_map.shape[1], config["hidden_size"]
            )
        )


def _head_of(path: str, config: Dict[str, Any], values: Values) -> str:
    architecture = (config.get("architectures") or [None])[0]
    for head, name in _TOKEN_WEIGHTS.items():
        if architecture == HEADS[head].architecture:
            _check_token_head(path, head, values.get(name))
            return head
    shapes = _named_as_here(values)
    head = usable_heads(shapes)[-1]
    if "classifier.weight" not in values:
        return head
    # Classifiers of other architectures have the same name and another meaning.
    if architecture not in (None, HEADS[CLASSIFIER].architecture):
        raise UserError("a model of the architecture {} has a head that no checkpoint here has".format(architecture))
    lack = lack_of(shapes, CLASSIFIER)
    if lack:
        raise UserError("{} has {}".format(path, lack))
    kind = config.get("problem_type")
    if kind not in (None, _TASK_TYPE, SEVERAL_LABELS):
        raise UserError("{} is for {}, the classifiers here choose labels: nothing was made".format(path, kind))
    return head


def _check_token_head(path: str, head: str, weight: Optional[np.ndarray]) -> None:
    name, architecture = _TOKEN_WEIGHTS[head], HEADS[head].architecture
    if weight is None:
        raise UserError(
            "the weights in {} have no {}, which the architecture {} needs".format(path, name, architecture)
        )
    if head == SPANS and len(weight) != _SPAN_ENDS:
        raise UserError(
            "{} of {} has {} rows; a head of spans has one for the first token and one for the last".format(
                name, path, len(weight)
            )
        )


def _named_as_here(values: Values) -> Dict[str, Any]:
    """Returns the shapes of the pooler and the heads of texts by their names in a checkpoint."""
    names = head_names(CLASSIFIER)
    return {ours: list(values[theirs].shape) for ours, theirs in names.items() if theirs in values}
