"""Dynamic records: chunks as they are written, and as they are read to be masked anew.

A chunk record holds its tokens, where its units start and where it may be cut (`features.CHUNK_FEATURES`). The order
of its segments and its masks are drawn when it is read.
"""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from albert.files.record_encoding import Ragged
from albert.pretraining_data.chunks import Chunks
from albert.text.arrays import ranges


def chunk_columns(chunks: Chunks) -> Dict[str, Any]:
    """The fields of `features.CHUNK_FEATURES` as ragged columns; places count from the start of the chunk."""
    lengths = chunks.ends - chunks.starts
    tokens = ranges(chunks.starts, lengths)
    place_in_chunk = ranges(np.zeros_like(lengths), lengths)
    starts_unit = chunks.starts_unit[tokens] | (place_in_chunk == 0)
    cuts = chunks.cuts[ranges(chunks.first_cuts, chunks.num_cuts)] - np.repeat(chunks.starts, chunks.num_cuts)
    num_units = np.add.reduceat(starts_unit, np.cumsum(lengths) - lengths, dtype=np.int64)
    return {
        "token_ids": Ragged(chunks.token_ids[tokens], lengths),
        "unit_starts": Ragged(place_in_chunk[starts_unit], num_units),
        "cuts": Ragged(cuts, chunks.num_cuts),
    }


def chunks_of_columns(columns: Dict[str, Ragged]) -> Chunks:
    """The chunks of a batch of records; `chunk_columns` turned back."""
    lengths, num_cuts = columns["token_ids"].lengths, columns["cuts"].lengths
    starts = np.cumsum(lengths) - lengths
    starts_unit = np.zeros(int(lengths.sum()), dtype=bool)
    starts_unit[columns["unit_starts"].values + np.repeat(starts, columns["unit_starts"].lengths)] = True
    return Chunks(
        token_ids=columns["token_ids"].values,
        starts_unit=starts_unit,
        starts=starts,
        ends=starts + lengths,
        cuts=columns["cuts"].values + np.repeat(starts, num_cuts),
        first_cuts=np.cumsum(num_cuts) - num_cuts,
        num_cuts=num_cuts,
    )
