"""The words that masking units must be: jieba's, and the rule by which some of its cuts are undone."""

import functools
import re
import tempfile

# Where jieba's cut may be undone: between letters with case, digits and accents (written down apart from the code).
INSIDE_WORD = re.compile("[0-9A-Za-zµÀ-ÖØ-öø-ɏͰ-ϿЀ-ӿḀ-ỿＡ-Ｚａ-ｚ０-９\u0300-\u036f\ufe0f]")


def load_jieba(cache_folder):
    """jieba as it comes, but for the place of its cache."""
    import jieba

    jieba.setLogLevel("WARNING")
    oracle = jieba.Tokenizer()
    oracle.tmp_dir = str(cache_folder)
    return oracle


@functools.lru_cache(maxsize=None)
def jieba_lcut():
    """The cut of a jieba that nothing is added to, loaded once."""
    with tempfile.TemporaryDirectory() as folder:
        oracle = load_jieba(folder)
        oracle.initialize()
    return oracle.lcut


def jieba_spans(cut, line):
    """jieba's words, but for cuts within letters and digits; and how many cuts there are, and how many undone."""
    expected = []
    cuts = undone = position = 0
    for word in cut(line):
        start, position = position, position + len(word)
        if not word.strip():
            continue
        cuts += 1
        inside = expected and expected[-1][1] == start
        if inside and INSIDE_WORD.match(line[start - 1]) and INSIDE_WORD.match(line[start]):
            undone += 1
            expected[-1] = (expected[-1][0], position)
        else:
            expected.append((start, position))
    return expected, cuts, undone
