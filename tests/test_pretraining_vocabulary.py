import pytest
from tiny_corpus import write_vocab

import pretraining_vocabulary
from basic_tokenization import BasicTokenizer
from errors import UserError
from pretraining_vocabulary import replacement_ids
from tokenization import FullTokenizer


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
    vocabulary = pretraining_vocabulary.from_tokenizer(tokenizer)
    special = [tokenizer.vocab[token] for token in ("[CLS]", "[SEP]", "[MASK]", "[UNK]")]
    assert special[:3] == [vocabulary.cls_id, vocabulary.sep_id, vocabulary.mask_id]
    assert vocabulary.unmaskable_ids == set(special)
    assert set(tokenizer.convert_ids_to_tokens(vocabulary.clause_end_ids)) == set("，；：。.")
    replacements = set(tokenizer.convert_ids_to_tokens(vocabulary.replacement_ids))
    assert "公" in replacements and "##x" in replacements
    assert replacements.isdisjoint({"[PAD]", "[unused1]", "<S>", "##公", "[MASK]"})


def test_the_real_vocabulary(vocab_file):
    tokenizer = FullTokenizer(vocab_file)
    vocabulary = pretraining_vocabulary.from_tokenizer(tokenizer)
    replacements = set(tokenizer.convert_ids_to_tokens(vocabulary.replacement_ids))
    for token in replacements:
        if not token.startswith("##"):
            assert tokenizer.tokenize(token) == [token]
    assert 0.6 < len(replacements) / len(tokenizer.vocab) < 0.7  # a third of the vocabulary is ##字
    assert len(vocabulary.clause_end_ids) == 13


def test_a_vocabulary_of_specials_only(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    with pytest.raises(UserError, match="no token that can occur"):
        pretraining_vocabulary.from_tokenizer(FullTokenizer(str(path)))
