"""Texts that try a tokenizer, and a second implementation to compare it with."""

import io
import unicodedata

import tokenizers

ODD_STRINGS = (
    "",
    " ",
    "\n\t\r\x0b\x0c",
    "[MASK] [CLS]中[SEP]##国 [unused1] [UNK]",
    "a\x00b\ufffdc\u200bd\u00ade\ufefff\x7fg\x85h",
    "a\u2028b\u2029c\u3000d\u00a0e\u2003f",
    "中\u0301国 \u0301 e\u0301\u0302e\u0301f \u0301x x\u0301",
    "“引号”‘单’——破折……省略，。！？；：、《书》（括）【】",
    "ＡＢＣａｂｃ１２３，．！ﬁ㍿①Ⅷ",
    "İstanbul ß ŉ ǰ ǅ Å K Ω ΐ ᾈ ≠x≮y≯ \u037e \u0387 \u1fef",
    "한국어 こんにちは カタカナ Привет мир नमस्ते مرحبا שלום ไทย",
    "𠀀𠀁𪚥龘𠮷野家豈更",
    "😂👨‍👩‍👧‍👦❤️🇨🇳#️⃣👍🏽🥲",
    "$1,234.56 50% C++ C# e-mail a_b foo@bar.com https://example.com/?q=1&r=2 `~^|<>=+",
    "\ue000中\uf8ff x\U000f0000y",
)


SPM_SENTENCES = ("linux 是一个操作系统", "今天 天气 很 好 , ok ?", "我们用 python 3 写程序", "cafe 里没有人")


def train_sentencepiece(path, special_tokens):
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SPM_SENTENCES * 5),
        model_writer=model,
        vocab_size=60,
        hard_vocab_limit=False,
        control_symbols=special_tokens,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
    return str(path)


def build_oracle(vocab_file, do_lower_case):
    """The tokenizers library, put together as BERT: a second implementation that shares no line with ours."""
    with open(vocab_file, encoding="utf-8", newline="\n") as lines:
        vocab = {line.rstrip("\n"): index for index, line in enumerate(lines)}
    model = tokenizers.models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=200)
    oracle = tokenizers.Tokenizer(model)
    oracle.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=do_lower_case)
    oracle.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return oracle


def comparable_characters():
    """Characters on whose kind the oracle and this Python agree: both know their versions of Unicode.

    Left out are the four that changed their category since, and the two things in which the oracle differs from the
    published tokenizer (see the tests of their names below): capital sigma and a part of CJK extension E, which
    Unicode 3.2 did not have.
    """
    changed = {"\u03a3", "\u166d", "\u1734", "\u1885", "\u1886"}
    old = unicodedata.ucd_3_2_0
    every = (chr(code) for code in range(0x30000) if not 0xD800 <= code <= 0xDFFF)
    return [char for char in every if old.category(char) != "Cn" and char not in changed]


def random_texts(rng, count):
    """Texts without line ends, of characters on which the oracle and this Python agree."""
    common = "的一是在不了有和人这中大为上个国" + "abcdeXYZéÉ019" + " \t,.，。#-"
    characters = [char for char in comparable_characters() if char != "\n"]
    emoji = [chr(code) for code in range(0x1F300, 0x1F650)]
    marks = [chr(code) for code in range(0x300, 0x345)] + ["\u200d", "\ufe0f", "\x00", "\x08"]
    pools = (common, common, common, characters, characters[:1000], emoji, marks)
    texts = []
    for _ in range(count):
        chosen = rng.choices(pools, k=rng.randint(1, 4))
        texts.append("".join(rng.choice(rng.choice(chosen)) for _ in range(rng.randint(0, 40))))
    return texts
