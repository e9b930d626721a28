"""Real text for the tests: what ships with the product, and corpora that are read where the developers have them."""

import os

import pytest

from albert.base.paths import ROOT

NEWS = os.path.join(ROOT, "data", "news_zh_1.txt")
CORPORA = ("corpus/lctt_linux_articles.txt", "corpus/classics_modern.txt")


def real_path(name):
    """The path of a file of the real data; the test is skipped where there is none."""
    path = os.path.join(os.path.dirname(ROOT), "shared", "data", name)
    if not os.path.exists(path):
        pytest.skip("the real corpora are not part of the product")
    return path


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [line.rstrip("\n") for line in lines]


def read_documents(path, num_bytes):
    """The first documents of a file, about `num_bytes` of text: lists of lines."""
    documents = [[]]
    for line in read_lines(path):
        num_bytes -= len(line.encode("utf-8"))
        if line.strip():
            documents[-1].append(line.strip())
        elif num_bytes < 0:
            break
        elif documents[-1]:
            documents.append([])
    return [document for document in documents if document]
