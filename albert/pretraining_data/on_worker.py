"""Makes a shard on a worker of a cluster: the entry that an engine calls there.

It imports nothing but the standard library, so that a worker whose Python lacks a package can say so.
"""

from __future__ import annotations

import socket
import sys
from typing import Any, Tuple


def make_shard(work: bytes, task: bytes) -> Tuple[Any, str]:
    """Makes a shard.

    Args:
      work: the packed `shipping.ShippedWork`.
      task: the packed task.

    Returns:
      The shard's `ShardResult` as a plain tuple, and an empty text; or None and the sentence that says why there is
      none. An error is not raised: an engine would try the same again.
    """
    host = socket.gethostname()
    try:
        from albert.pretraining_data import shipping

        return shipping.make_packed(work, task, host)
    except ImportError as error:
        return None, (
            "the Python of host {} ({}) lacks a package: {}; install requirements/spark.txt there and run the same "
            "command again".format(host, sys.executable, error)
        )
