import glob
import hashlib
import os
import pickle
import random

import pytest
import tokenizers

import tokenization
from albert.base.errors import UserError
from albert.base.paths import ROOT
from tests.support.odd_texts import (
    ODD_STRINGS,
    SPM_SENTENCES,
    build_oracle,
    comparable_characters,
    random_texts,
    train_sentencepiece,
)
from tests.support.real_text import CORPORA, NEWS, read_lines, real_path
from tokenization import BasicTokenizer, FullTokenizer, Token, WordpieceTokenizer, is_chinese_character

REAL_FILES = CORPORA + ("lcqmc/train.txt", "lcqmc/dev.txt")
REAL_LINES = 3000
TINY_VOCAB = "[PAD] [UNK] [CLS] [SEP] [MASK] un ##want ##ed wa runn ##ing , 中 国".split()


def assert_equals_oracle(tokenizer, oracle, texts):
    for text in texts:
        encoding = oracle.encode(text, add_special_tokens=False)
        expected = [Token(token, start, end) for token, (start, end) in zip(encoding.tokens, encoding.offsets)]
        assert tokenizer.tokenize_with_offsets(text) == expected, ascii(text)
        tokens = tokenizer.tokenize(text)
        assert tokens == encoding.tokens, ascii(text)
        assert tokenizer.convert_tokens_to_ids(tokens) == encoding.ids, ascii(text)


# --- equality with the oracle ---


def test_odd_strings_equal_oracle(tokenizer, oracle):
    assert_equals_oracle(tokenizer, oracle, ODD_STRINGS)


def test_random_strings_equal_oracle(tokenizer, oracle):
    texts = random_texts(random.Random(20240501), 4000)
    assert_equals_oracle(tokenizer, oracle, texts)


@pytest.mark.parametrize("length", [199, 200, 201])
def test_long_words_equal_oracle(tokenizer, oracle, length):
    units = ("a", "é", "e\u0301", "中", "한", "##", "z\u200b", "ab9")
    texts = [unit * length for unit in units] + [("a" * length + " ") * 3, "x" + "," * length]
    assert_equals_oracle(tokenizer, oracle, texts)


def test_cased_equals_oracle(vocab_file):
    tokenizer = FullTokenizer(vocab_file, do_lower_case=False)
    oracle = build_oracle(vocab_file, do_lower_case=False)
    assert_equals_oracle(tokenizer, oracle, ODD_STRINGS + ("iPhone 14 Pro售价", "ÀÉ e\u0301 Σ ≠"))


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_every_character_is_treated_as_by_the_oracle(do_lower_case):
    basic = BasicTokenizer(do_lower_case)
    normalizer = tokenizers.normalizers.BertNormalizer(lowercase=do_lower_case)
    pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    characters = comparable_characters()
    assert len(characters) > 90000
    for char in characters[:20000] + characters[20000::7]:
        text = "a" + char + "b" + char
        expected = [word for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text))]
        assert basic.tokenize(text) == expected, ascii(text)


def test_shipped_news_equals_oracle(tokenizer, oracle):
    lines = read_lines(NEWS)
    assert len(lines) > 100
    assert_equals_oracle(tokenizer, oracle, lines)


def test_shipped_pairs_equal_oracle(tokenizer, oracle):
    paths = sorted(glob.glob(os.path.join(ROOT, "data", "sample_pairs", "*.txt")))
    lines = [line for path in paths for line in read_lines(path)]
    assert len(lines) >= 2000
    assert_equals_oracle(tokenizer, oracle, lines)


@pytest.mark.parametrize("name", REAL_FILES)
def test_real_lines_equal_oracle(tokenizer, oracle, name):
    lines = read_lines(real_path(name))
    # TOKENIZATION_ALL_LINES=1 compares every line: some minutes.
    step = 1 if os.environ.get("TOKENIZATION_ALL_LINES") else max(1, len(lines) // REAL_LINES)
    assert_equals_oracle(tokenizer, oracle, lines[::step])


# --- where the published tokenizer and the oracle part ---


def test_final_sigma_is_lower_cased_in_its_word(tokenizer):
    assert BasicTokenizer().tokenize("ΟΔΟΣ ΣΟΣ,Σ. ΑΣΑ İΟΣ") == ["οδος", "σος", ",", "σ", ".", "ασα", "iος"]
    assert [token.end for token in tokenizer.tokenize_with_offsets("ΟΔΟΣ")] == [1, 2, 3, 4]
    assert tokenizer.tokenize("ΟΔΟΣ")[-1] == "##ς"


def test_whole_cjk_extension_e_stands_alone(tokenizer):
    assert is_chinese_character("\U0002b820")
    assert BasicTokenizer().tokenize("\U0002b820\U0002b821") == ["\U0002b820", "\U0002b821"]


# --- by hand ---


@pytest.fixture
def tiny_vocab_file(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes("\n".join(TINY_VOCAB).encode("utf-8"))
    return str(path)


def test_tiny_vocabulary(tiny_vocab_file):
    tokenizer = FullTokenizer(tiny_vocab_file)
    text = "UNwantéd,running 中国x"
    assert tokenizer.tokenize_with_offsets(text) == [
        Token("un", 0, 2),
        Token("##want", 2, 6),
        Token("##ed", 6, 8),
        Token(",", 8, 9),
        Token("runn", 9, 13),
        Token("##ing", 13, 16),
        Token("中", 17, 18),
        Token("国", 18, 19),
        Token("[UNK]", 19, 20),
    ]
    ids = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
    assert ids == [5, 6, 7, 11, 9, 10, 12, 13, 1]
    assert tokenizer.convert_ids_to_tokens(ids) == tokenizer.tokenize(text)
    assert tokenizer.vocab == {token: index for index, token in enumerate(TINY_VOCAB)}
    special = (tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id)
    assert special == (0, 1, 2, 3, 4)
    assert tokenizer.vocab_hash == hashlib.sha256("\n".join(TINY_VOCAB).encode("utf-8")).hexdigest()
    assert not tokenizer.is_sentencepiece


def test_token_outside_of_the_vocabulary_is_a_key_error(tiny_vocab_file):
    tokenizer = FullTokenizer(tiny_vocab_file)
    with pytest.raises(KeyError, match="nowhere"):
        tokenizer.convert_tokens_to_ids(["un", "nowhere"])


def test_published_step_classes():
    assert BasicTokenizer().tokenize("  \tHeLLo!how  \n Are yoU? 中文é") == "hello ! how are you ? 中 文 e".split()
    assert BasicTokenizer(do_lower_case=False).tokenize("HéLLo!") == ["HéLLo", "!"]
    wordpiece = WordpieceTokenizer({token: index for index, token in enumerate(TINY_VOCAB)})
    assert wordpiece.tokenize("unwanted running unwantedX") == ["un", "##want", "##ed", "runn", "##ing", "[UNK]"]
    short = WordpieceTokenizer({"a": 0, "##a": 1}, "?", max_input_chars_per_word=3)
    assert short.tokenize("aaa aaaa") == ["a", "##a", "##a", "?"]


def test_published_helpers(tiny_vocab_file):
    vocab = tokenization.load_vocab(tiny_vocab_file)
    inv_vocab = {index: token for token, index in vocab.items()}
    assert tokenization.convert_tokens_to_ids(vocab, ["un", "##ed"]) == [5, 7]
    assert tokenization.convert_ids_to_tokens(inv_vocab, [12, 13]) == ["中", "国"]
    assert tokenization.convert_by_vocab(vocab, iter(["[PAD]"])) == [0]
    with pytest.raises(KeyError, match="nowhere"):
        tokenization.convert_tokens_to_ids(vocab, ["nowhere"])
    assert tokenization.whitespace_tokenize(" \t a  b\n") == ["a", "b"]
    assert tokenization.whitespace_tokenize(" ") == []
    for function in (tokenization.convert_to_unicode, tokenization.printable_text):
        assert function("中国".encode("utf-8")) == function("中国") == "中国"


@pytest.mark.parametrize(
    "folder, is_lower_case",
    [
        ("uncased_L-12_H-768_A-12", True),
        ("chinese_L-12_H-768_A-12", True),
        ("multilingual_L-12_H-768_A-12", True),
        ("cased_L-24_H-1024_A-16", False),
        ("multi_cased_L-12_H-768_A-12", False),
    ],
)
def test_case_of_a_published_checkpoint(folder, is_lower_case):
    checkpoint = "/models/{}/bert_model.ckpt".format(folder)
    tokenization.validate_case_matches_checkpoint(is_lower_case, checkpoint)
    with pytest.raises(ValueError, match="give do_lower_case={}".format(is_lower_case)):
        tokenization.validate_case_matches_checkpoint(not is_lower_case, checkpoint)


@pytest.mark.parametrize("checkpoint", [None, "", "albert_tiny/albert_model.ckpt", "cased_L-24/other.ckpt"])
def test_other_checkpoints_have_no_known_case(checkpoint):
    for do_lower_case in (True, False):
        tokenization.validate_case_matches_checkpoint(do_lower_case, checkpoint)


@pytest.mark.parametrize("text", ["a\ud800b", "\udfff", "\ud83d\ude00"[::-1]])
def test_lone_surrogates_are_dropped(tokenizer, text):
    expected = "".join(char for char in text if char < "\ud800")
    assert tokenizer.tokenize(text) == ([expected] if expected else [])


def test_bytes_are_decoded(tokenizer):
    assert tokenizer.tokenize("中国Linux".encode("utf-8")) == tokenizer.tokenize("中国Linux")
    assert tokenizer.tokenize(b"\xe4\xb8\xad\xff\xe5\x9b") == ["中"]
    with pytest.raises(TypeError, match="int"):
        tokenizer.tokenize(5)


def test_characters_unknown_to_unicode_tables_are_kept(tokenizer):
    assert tokenizer.tokenize("中\u0378\U0001fadf") == ["中", "[UNK]"]


def test_one_line_of_a_megabyte(tokenizer):
    assert len(tokenizer.tokenize("中" * 350000)) == 350000
    assert tokenizer.tokenize_with_offsets("x" * 1000000) == [Token("[UNK]", 0, 1000000)]


def test_cache_is_bounded_and_changes_nothing(tokenizer, vocab_file, monkeypatch):
    monkeypatch.setattr(tokenization, "MAX_CACHED_WORDS", 3)
    small = FullTokenizer(vocab_file)
    text = "one two three four five one two 一二三四五六 " * 3 + "y" * 100
    assert small.tokenize_with_offsets(text) == tokenizer.tokenize_with_offsets(text)
    assert 1 <= len(small._cached_pieces) <= 3


def test_pickled_tokenizer_works(tokenizer):
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.tokenize_with_offsets(ODD_STRINGS[9]) == tokenizer.tokenize_with_offsets(ODD_STRINGS[9])


# --- vocabulary files ---


def write_vocab(tmp_path, content):
    path = tmp_path / "some_vocab.txt"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_marks_of_a_vocabulary(tmp_path, ending, encoding):
    joint = ending or "\n"
    tokens = TINY_VOCAB + ["\u2028", "##\u3000", "\x85", "\ufeff", "\u200b"]
    path = write_vocab(tmp_path, (joint.join(tokens) + ending).encode(encoding))
    assert list(tokenization.load_vocab(path)) == tokens


@pytest.mark.parametrize(
    "content, message",
    [
        ("[PAD]\n\n[UNK]\n", "some_vocab.txt line 2 is empty"),
        ("[PAD]\n[UNK]\n\n", "some_vocab.txt line 3 is empty"),
        ("[PAD]\na\nb\na\n", "some_vocab.txt line 4 repeats the token 'a' of line 2"),
        ("", r"some_vocab.txt has no \[PAD\], \[UNK\], \[CLS\], \[SEP\], \[MASK\]"),
        ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", r"some_vocab.txt has no \[MASK\]"),
    ],
)
def test_bad_vocabulary(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        FullTokenizer(write_vocab(tmp_path, content.encode("utf-8")))


def test_vocabulary_that_is_not_utf8(tmp_path):
    with pytest.raises(UserError, match="some_vocab.txt line 2 is not UTF-8"):
        FullTokenizer(write_vocab(tmp_path, b"[PAD]\n\xd6\xd0\n"))


def test_missing_vocabulary_names_the_command(tmp_path):
    with pytest.raises(UserError, match="none.txt does not exist: `bash scripts/setup.sh` brings"):
        FullTokenizer(str(tmp_path / "none.txt"))
    with pytest.raises(UserError, match="cannot be read"):
        FullTokenizer(str(tmp_path))
    with pytest.raises(UserError, match="--vocab_file or --spm_model_file"):
        FullTokenizer()


def test_vocabulary_of_another_size_than_the_config(tokenizer):
    tokenization.check_vocab_size(tokenizer, 21128)
    with pytest.raises(UserError, match="vocab.txt has 21128 tokens, tiny.json says vocab_size 30000"):
        tokenization.check_vocab_size(tokenizer, 30000, "tiny.json")


@pytest.mark.parametrize(
    "rows, tokens, is_right",
    [
        (7240, 7239, True),  # rounded up to a multiple of 8
        (7296, 7239, True),
        (21248, 21128, True),
        (7240, 7240, True),
        (7240, 7241, False),  # an id without a row
        (7240, 7112, False),
        (21128, 8021, False),
        (27, 5, False),
    ],
)
def test_a_table_may_have_rows_to_spare_but_never_too_few(rows, tokens, is_right):
    assert tokenization.takes_vocabulary(rows, tokens) == is_right


# --- sentencepiece ---


@pytest.fixture(scope="module")
def spm_model_file(tmp_path_factory):
    return train_sentencepiece(tmp_path_factory.mktemp("spm") / "zh.model", ["[CLS]", "[SEP]", "[MASK]"])


def test_sentencepiece_equals_the_library(spm_model_file):
    import sentencepiece

    library = sentencepiece.SentencePieceProcessor(model_file=spm_model_file)
    tokenizer = FullTokenizer(spm_model_file=spm_model_file, do_lower_case=False)
    assert tokenizer.is_sentencepiece
    assert len(tokenizer.vocab) == library.get_piece_size()
    for text in SPM_SENTENCES + ("", "   ", "龘 x", "①②ﬁ", "[MASK]是"):
        expected = [library.id_to_piece(index) for index in library.encode(text)]
        assert tokenizer.tokenize(text) == expected
        assert tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) == library.encode(text)


def test_sentencepiece_offsets(spm_model_file):
    tokenizer = FullTokenizer(spm_model_file=spm_model_file)
    text = "  LINUX\x00 是 Café\ud800里  Ok "
    tokens = tokenizer.tokenize_with_offsets(text)
    assert [token.text for token in tokens] == tokenizer.tokenize("linux 是 cafe里 ok")
    for token in tokens:
        source = text[token.start : token.end].replace("é", "e").replace("\ud800", "").lower()
        assert source == token.text.lstrip("\u2581")
    assert tokens[-1].end == len(text) - 1


def test_sentencepiece_special_ids(spm_model_file):
    tokenizer = FullTokenizer("unused.txt", spm_model_file=spm_model_file)
    special = [tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id, tokenizer.mask_id]
    assert tokenizer.convert_ids_to_tokens(special) == ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    assert tokenizer.convert_tokens_to_ids(tokenizer.tokenize("龘"))[-1] == tokenizer.unk_id


def test_bad_sentencepiece_models(tmp_path):
    with pytest.raises(UserError, match=r"has no \[MASK\]"):
        FullTokenizer(spm_model_file=train_sentencepiece(tmp_path / "a.model", ["[CLS]", "[SEP]"]))
    for content in (b"", b"no model\xff"):
        path = tmp_path / "b.model"
        path.write_bytes(content)
        with pytest.raises(UserError, match="b.model is not a sentencepiece model"):
            FullTokenizer(spm_model_file=str(path))
    with pytest.raises(UserError, match="c.model does not exist: give the .model file"):
        FullTokenizer(spm_model_file=str(tmp_path / "c.model"))
