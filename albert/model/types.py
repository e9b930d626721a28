"""Types in annotations of graphs: tensors and their dimensions."""

from __future__ import annotations

from typing import Any, Union

Tensor = Any  # of a graph; the TensorFlow versions share no type for it
Dimension = Union[int, Tensor]  # a number, or a scalar tensor where it is known only at run time
