"""Results that are new arrays: what a call makes room for, and what it returns.

In: a signature with `results`, and the other arguments of a call. Out: buffers for the last parameters, and the arrays
and numbers that the Python function would return.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from types import CodeType
from typing import Any, Final

import numpy as np

from symbiont_jit.signature.model import ArrayType, Signature

__all__ = ["make_room", "take_results"]

_BUILTINS: Final = {"__builtins__": {}, "min": min, "max": max}


def make_room(signature: Signature, args: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    """Make the buffers that a call's results are written into.

    Args:
        signature: A signature with results.
        args: The other arguments, one for each of `signature.inputs`.

    Returns:
        One array for each result; a number is an array without axes.
    """
    assert signature.results is not None
    scope: dict[str, Any] = dict(_BUILTINS)
    for param, value in zip(signature.inputs, args, strict=True):
        scope[param.name] = value
        if isinstance(param.type, ArrayType):
            scope |= {d: n for d, n in zip(param.type.dims, np.shape(value), strict=False) if isinstance(d, str)}
    made = []
    for param, lengths in zip(signature.params[len(args) :], signature.results.lengths, strict=True):
        assert isinstance(param.type, ArrayType)
        shape = tuple(int(eval(_compiled(text), scope)) for text in lengths)  # noqa: S307  the translator's own text
        made.append(np.zeros(shape, param.type.dtype.dtype))
    return made


@functools.lru_cache(maxsize=1024)
def _compiled(text: str) -> CodeType:
    return compile(text, "<length of a result>", "eval")


def take_results(signature: Signature, buffers: Sequence[np.ndarray[Any, Any]]) -> Any:
    """Return what the Python function would return: arrays, and numbers for buffers without axes."""
    assert signature.results is not None
    found = tuple(buffer if buffer.ndim else buffer[()] for buffer in buffers)
    return found if signature.results.is_tuple else found[0]
