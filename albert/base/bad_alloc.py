"""std::bad_alloc in words: what ends a process when C++ finds no memory.

A tensor that does not fit becomes an error of TensorFlow. What its kernels allocate beside tensors does not: C++ ends
the process with "Aborted".
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, List

_BAD_ALLOC = b"St9bad_alloc"  # the type's name in the C++ ABI of gcc and clang
_FAILED = 1
_STANDARD_ERROR = 2

_Handler = ctypes.CFUNCTYPE(None)
_handlers: List[Any] = []  # C++ holds no reference to the one that it calls


def explain_bad_alloc(sentence: str) -> bool:
    """Makes the process end with a sentence on standard error, status 1, where C++ finds no memory.

    Returns:
      Whether the C++ library took it; elsewhere the process is aborted as before.
    """
    try:
        library = ctypes.CDLL("libstdc++.so.6")
        set_terminate, current_type = library._ZSt13set_terminatePFvvE, library.__cxa_current_exception_type
    except (AttributeError, OSError):  # another system, or another C++ library
        return False
    current_type.restype = set_terminate.restype = ctypes.c_void_p
    set_terminate.argtypes = [ctypes.c_void_p]

    def terminate() -> None:
        if _type_name(current_type()) == _BAD_ALLOC:
            os.write(_STANDARD_ERROR, "error: {}\n".format(sentence).encode("utf-8"))
            os._exit(_FAILED)
        previous()

    handler = _Handler(terminate)
    previous = _Handler(set_terminate(ctypes.cast(handler, ctypes.c_void_p)))
    _handlers.append(handler)
    return True


def _type_name(type_info: Any) -> bytes:
    """Reads the name of a std::type_info: its second pointer, behind that to its methods."""
    if not type_info:
        return b""
    name = ctypes.cast(type_info, ctypes.POINTER(ctypes.c_char_p))[1]
    return name or b""
