import numpy as np
import pytest

from albert.text.encoded_text import TextEncoder
from albert.text.segmentation import WordFinder, unit_starts
from tests.support.real_text import NEWS, read_documents
from tests.support.tiny_corpus import TEXT, write_vocab
from tokenization import FullTokenizer


@pytest.fixture
def tokenizer(tmp_path):
    return FullTokenizer(write_vocab(tmp_path))


def columns(text):
    return [column.tolist() for column in text]


def sentence_by_sentence(documents, tokenizer, word_finder):
    """The same in plain Python: each sentence by itself."""
    ids, starts, sentences, firsts = [], [], [], []
    for document in documents:
        before = len(ids)
        for line in document:
            tokens = tokenizer.tokenize_with_offsets(line)
            if not tokens:
                continue
            sentences.append(len(ids))
            ids.extend(tokenizer.convert_tokens_to_ids(token.text for token in tokens))
            if word_finder:
                spans = np.array([(token.start, token.end) for token in tokens])
                starts.extend(unit_starts(word_finder.word_starts(line), spans[:, 0], spans[:, 1]).tolist())
            else:
                starts.extend([True] * len(tokens))
        if len(ids) > before:
            firsts.append(before)
    return [ids, starts, sentences, firsts]


def test_units_sentences_and_documents(tokenizer):
    documents = [["今天去公园", "\u200b", "abc。"], ["\u200b"], ["天"], ["\ufeff", "公园"]]
    text = TextEncoder(tokenizer, WordFinder()).encode(documents)
    tokens = tokenizer.convert_ids_to_tokens(text.token_ids.tolist())
    assert tokens == ["今", "天", "去", "公", "园", "a", "##b", "##c", "。", "天", "公", "园"]
    assert np.flatnonzero(text.starts_unit).tolist() == [0, 2, 3, 5, 8, 9, 10]
    assert text.sentence_starts.tolist() == [0, 5, 9, 10]
    assert text.document_starts.tolist() == [0, 9, 10]
    assert (text.token_ids.dtype, text.starts_unit.dtype) == (np.int32, bool)


def test_without_words_every_token_is_a_unit(tokenizer):
    text = TextEncoder(tokenizer).encode([["今天去公园", "abc"]])
    assert text.starts_unit.tolist() == [True] * 8
    assert text.sentence_starts.tolist() == [0, 5]


@pytest.mark.parametrize("documents", [[], [["\u200b"]], [["\u200b", "\ufeff"], ["\u200b"]]])
@pytest.mark.parametrize("words", [True, False])
def test_no_token_at_all(tokenizer, documents, words):
    assert columns(TextEncoder(tokenizer, WordFinder() if words else None).encode(documents)) == [[], [], [], []]


def test_documents_without_a_token_at_both_ends(tokenizer):
    text = TextEncoder(tokenizer, WordFinder()).encode([["\u200b"], ["天"], ["\u200b"], ["天", "\u200b"], ["\u200b"]])
    assert columns(text)[1:] == [[True, True], [0, 1], [0, 1]]


def test_a_word_never_reaches_over_two_sentences(tokenizer):
    text = TextEncoder(tokenizer, WordFinder()).encode([["公", "园"], ["天气", "很好"], ["a", "b"]])
    assert text.sentence_starts.tolist() == [0, 1, 2, 4, 6, 7]
    assert text.starts_unit[text.sentence_starts].all()


@pytest.mark.parametrize("language", ["chinese", "other", None])
def test_equals_sentence_by_sentence(tokenizer, vocab_file, language):
    word_finder = WordFinder(language) if language else None
    tiny = [block.splitlines() for block in TEXT.split("\n\n") if block.strip()]
    expected = sentence_by_sentence(tiny, tokenizer, word_finder)
    assert columns(TextEncoder(tokenizer, word_finder).encode(tiny)) == expected
    real, news = FullTokenizer(vocab_file), read_documents(NEWS, 50000)
    assert len(news) > 10
    assert columns(TextEncoder(real, word_finder).encode(news)) == sentence_by_sentence(news, real, word_finder)
