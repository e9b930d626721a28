"""Keys of a configuration file that belong to a library or to nothing: which are left out, and which must not vary."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from albert.base.errors import UserError

# They change no answer of an encoder: names, versions, ids of tokens, labels and switches of the library transformers.
_UNUSED = frozenset(
    """
    _attn_implementation _name_or_path _num_labels architectures attn_implementation bos_token_id
    chunk_size_feed_forward classifier_dropout classifier_dropout_prob cls_token_id dtype eos_token_id finetuning_task
    gradient_checkpointing id2label label2id language mask_token_id name num_labels output_attentions
    output_hidden_states output_past pad_token_id problem_type return_dict sep_token_id task_specific_params
    tokenizer_class torch_dtype torchscript transformers_version unk_token_id use_bfloat16 use_cache
    layers_to_keep
    """.split()  # layers_to_keep is in files that Google published; its code does not read it
)
# Keys that change the model: the values that both families have.
_ONLY: Dict[str, Tuple[Any, ...]] = {
    "add_cross_attention": (False,),
    "is_decoder": (False,),
    "is_encoder_decoder": (False,),
    "layer_norm_eps": (1e-12,),
    "model_type": ("albert", "bert"),
    "position_embedding_type": ("absolute", None),
    "pruned_heads": ({},),
    "tie_word_embeddings": (True,),
}
_ACTIVATIONS = {"gelu_new": "gelu", "gelu_pytorch_tanh": "gelu"}  # the tanh form, which is called gelu here


def without_library_keys(values: Dict[str, Any], known: Tuple[str, ...]) -> Dict[str, Any]:
    """Returns the keys of a model without those of a library.

    Args:
      values: the JSON object of a configuration file.
      known: keys of the model, which are kept.

    Raises:
      UserError: a library's key has a value that no model here has.
    """
    kept = {}
    for key, value in values.items():
        if key in known or not (key in _UNUSED or key in _ONLY):
            kept[key] = value
        elif key in _ONLY and value not in _ONLY[key]:
            raise UserError("{} {!r} is not supported: it must be {!r}".format(key, value, _ONLY[key][0]))
    activation = kept.get("hidden_act")
    if isinstance(activation, str):
        kept["hidden_act"] = _ACTIVATIONS.get(activation, activation)
    return kept
