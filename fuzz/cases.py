"""What is tried: a text for a signature, and arguments for it.

In: C declarations and a seed. Out: `Case`s, `Signature`s, and arguments that are the same for the same seed:
mostly small numbers, which texts use as indices, sometimes extreme ones.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from symbiont_jit.backend.preprocessor import preprocess
from symbiont_jit.frontend.from_c import read_signature
from symbiont_jit.signature import ArrayType, Signature

__all__ = ["Case", "drawn", "signature_in"]

_LENGTHS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16)
_INTEGERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3)
_EXTREMES = (-1, 1 << 28, (1 << 63) - 1, -(1 << 63), 1 << 61, -7, 255, 1 << 32)
_REALS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, -1.0, 4.0)
_WILD = (float("nan"), float("inf"), -1e300, 1e18, 5e-324, -0.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A candidate: where it is from, the declaration in C with the structs in front, and the text.

    `is_exact` says that every correct compilation of it computes the same bits.
    """

    origin: str
    declaration: str
    text: str | bytes
    is_exact: bool = False


@functools.cache
def signature_in(declaration: str) -> Signature:
    """The signature of a C declaration that is called `k` or whatever its only function is called."""
    is_void = declaration.rpartition("}")[2].rpartition(";")[2].split()[0] == "void"
    return read_signature(declaration + (" { }" if is_void else " { return 0; }"), None, preprocess)


def drawn(signature: Signature, random: Random, is_tame: bool = False) -> list[Any]:
    """Arguments for a signature, tame ones without extremes; arrays are their own memory still."""
    lengths = {name: random.choice(_LENGTHS) for name in signature.dimensions}
    wild = random.choice((0.0, 0.0, 0.05, 0.3)) * (not is_tame)
    made = []
    for param in signature.params:
        if isinstance(param.type, ArrayType):
            shape = [lengths[d] if isinstance(d, str) else d for d in param.type.dims]
            array = np.zeros(shape, param.type.dtype.dtype)
            _fill(array, random, wild)
            made.append(array)
        else:
            one = np.zeros(1, param.type.dtype)
            _fill(one, random, wild)
            made.append(one[0])
    return made


def _fill(array: np.ndarray[Any, Any], random: Random, wild: float) -> None:
    """Numbers for every element, field by field."""
    if array.dtype.names:
        for name in array.dtype.names:
            _fill(array[name], random, wild)
        return
    with np.errstate(all="ignore"):
        for index in np.ndindex(array.shape):
            array[index] = _number(array.dtype, random, wild)


def _number(dtype: np.dtype[Any], random: Random, wild: float) -> Any:
    is_wild = random.random() < wild
    if dtype.kind == "b":
        return random.random() < 0.5
    if dtype.kind in "fc":
        return dtype.type(random.choice(_WILD if is_wild else _REALS))
    number = random.choice(_EXTREMES if is_wild else _INTEGERS)
    return np.array(number & ((1 << 64) - 1), np.uint64).astype(dtype)
