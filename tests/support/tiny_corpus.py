"""A few documents and a vocabulary that covers them, for tests of the data commands."""

import string

# Documents of several lines, of one line, without a token, with characters that the vocabulary lacks.
TEXT = """今天天气很好，我们一起去公园散步。
公园里有很多人，孩子们在草地上放风筝。
下午三点，我们坐地铁回家。

研究人员发布了新的语言模型，它的参数更少，速度更快。
这个模型在10个任务上取得了很好的成绩。
The model was trained on Chinese news.
作者说：“代码已经公开。”

只有一行的文档；它没有第二句。

🙂🙂

没有标点的一行

"""


def write_text(folder, text=TEXT, name="text.txt"):
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return str(path)


def write_vocab(folder, text=TEXT, without="“”🙂"):
    """Writes a WordPiece vocabulary of the text's characters, ASCII, and pieces that cannot occur in text."""
    tokens = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<S>"]
    tokens += sorted(set(text.lower() + string.ascii_lowercase + string.digits) - set(without) - set(" \n"))
    tokens += ["##" + character for character in string.ascii_lowercase + string.digits + "天公园"]
    path = folder / "vocab.txt"
    path.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return str(path)
