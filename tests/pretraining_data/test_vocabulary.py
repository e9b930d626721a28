import json

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.pretraining_data.vocabulary import (
    clause_ends,
    replacement_ids,
    vocabulary_from_json,
    vocabulary_from_tokenizer,
    vocabulary_to_json,
)
from tests.support.odd_texts import train_sentencepiece
from tests.support.tiny_corpus import write_vocab
from tokenization import BasicTokenizer, FullTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def tokens_where(tokenizer, mask):
    return set(tokenizer.convert_ids_to_tokens(np.flatnonzero(mask).tolist()))


def test_what_can_occur_in_text():
    possible = ["天", "ab", "##cd", "，", "##7", "[", "#", "é"]
    impossible = ["[PAD]", "[UNK]", "[unused1]", "<S>", "##天", "##。", "Ab", "##É", "a b", "##", "..."]
    vocab = {token: index for index, token in enumerate(impossible + possible)}
    ids = replacement_ids(vocab, BasicTokenizer(do_lower_case=True).tokenize)
    assert [token for token in vocab if vocab[token] in ids] == possible[:-1]  # é is lower-cased to e


def test_cased_text_can_hold_capitals_and_accents():
    vocab = {"Ab": 0, "##É": 1, "é": 2, "[MASK]": 3}
    assert replacement_ids(vocab, BasicTokenizer(do_lower_case=False).tokenize) == [0, 1, 2]


def test_parts_of_a_vocabulary(tmp_path):
    tokenizer = FullTokenizer(write_vocab(tmp_path))
    vocabulary = vocabulary_from_tokenizer(tokenizer)
    ids = [vocabulary.pad_id, tokenizer.unk_id, vocabulary.cls_id, vocabulary.sep_id, vocabulary.mask_id]
    assert tokenizer.convert_ids_to_tokens(ids) == list(SPECIAL)
    assert vocabulary.is_maskable.shape == (len(tokenizer.vocab),)
    assert tokens_where(tokenizer, ~vocabulary.is_maskable) == set(SPECIAL)
    assert tokens_where(tokenizer, clause_ends(tokenizer.vocab)) == set("，；：。.")
    assert vocabulary.replacement_ids.tolist() == sorted(set(vocabulary.replacement_ids.tolist()))
    replacements = set(tokenizer.convert_ids_to_tokens(vocabulary.replacement_ids.tolist()))
    assert "公" in replacements and "##x" in replacements
    assert replacements.isdisjoint({"[unused1]", "<S>", "##公", *SPECIAL})


def test_the_real_vocabulary(vocab_file):
    tokenizer = FullTokenizer(vocab_file)
    vocabulary = vocabulary_from_tokenizer(tokenizer)
    replacements = set(tokenizer.convert_ids_to_tokens(vocabulary.replacement_ids.tolist()))
    for token in replacements:
        if not token.startswith("##"):
            assert tokenizer.tokenize(token) == [token]
    assert 0.6 < len(replacements) / len(tokenizer.vocab) < 0.7  # a third of the vocabulary is ##字
    assert tokens_where(tokenizer, clause_ends(tokenizer.vocab)) == set("，；：、,;:。！？!?.")


def test_a_sentencepiece_model(tmp_path):
    tokenizer = FullTokenizer(spm_model_file=train_sentencepiece(tmp_path / "zh.model", ["[CLS]", "[SEP]", "[MASK]"]))
    vocabulary = vocabulary_from_tokenizer(tokenizer)
    special = {"<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"}
    assert tokens_where(tokenizer, ~vocabulary.is_maskable) == special
    replacements = set(tokenizer.convert_ids_to_tokens(vocabulary.replacement_ids.tolist()))
    assert replacements == set(tokenizer.vocab) - special
    assert tokens_where(tokenizer, clause_ends(tokenizer.vocab)) == {",", "?"}
    assert np.flatnonzero(clause_ends({"x": 0, "\u2581，": 1, "。": 2, "。。": 3})).tolist() == [1, 2]


def test_a_vocabulary_of_specials_only(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(SPECIAL) + "\n")
    with pytest.raises(UserError, match="no token that can occur"):
        vocabulary_from_tokenizer(FullTokenizer(str(path)))


def assert_comes_back(vocabulary):
    """Through JSON as it stands in a sidecar."""
    text = json.dumps(vocabulary_to_json(vocabulary))
    again = vocabulary_from_json(json.loads(text))
    for value, expected in zip(again, vocabulary):
        np.testing.assert_array_equal(value, expected)
        assert np.asarray(value).dtype == np.asarray(expected).dtype
    return text


def test_a_vocabulary_comes_back_from_json(tmp_path, vocab_file):
    assert_comes_back(vocabulary_from_tokenizer(FullTokenizer(write_vocab(tmp_path))))
    assert len(assert_comes_back(vocabulary_from_tokenizer(FullTokenizer(vocab_file)))) < 10000


@pytest.mark.parametrize("replacements", [[0], [7], [0, 7], list(range(8)), [2, 4, 6]])
def test_edges_of_a_vocabulary_come_back(tmp_path, replacements):
    vocabulary = vocabulary_from_tokenizer(FullTokenizer(write_vocab(tmp_path)))
    is_maskable = np.isin(np.arange(8), replacements)
    assert_comes_back(vocabulary._replace(is_maskable=is_maskable, replacement_ids=np.array(replacements, np.int32)))
