"""What Numba knows of a function that it has compiled: the types, and which arrays it only reads."""

from __future__ import annotations

from typing import Any

import numba
from numba.core import errors, types
from numba.extending import is_jitted

from symbiont_jit.errors import SignatureError
from symbiont_jit.signature import InOut

__all__ = ["compiled_types", "is_compiled"]


def is_compiled(function: Any) -> bool:
    """Whether it is a function made by `numba.njit` or `numba.jit`."""
    return bool(is_jitted(function))


def compiled_types(function: Any) -> list[Any]:
    """Annotations for each parameter and the result of a compiled function.

    Numba does not say which arrays a function writes, so each is tried as a read-only one: what then still compiles is
    const in C. Raises `SignatureError` unless it was compiled for exactly one list of types.
    """
    name = function.py_func.__name__
    if len(function.signatures) != 1:
        found = "; ".join(map(str, function.signatures)) or "none"
        raise SignatureError(
            f"{name}: an njit function without annotations has to be compiled for one list of types, so that the "
            f"signature is known (compiled for: {found}); call it once, give njit the types, or annotate it"
        )
    (given,) = function.signatures
    returns = function.overloads[given].signature.return_type
    plain = [types.unliteral(t) for t in given]
    return [*(_annotation(function, plain, i) for i in range(len(plain))), None if returns == types.none else returns]


def _annotation(function: Any, given: list[types.Type], index: int) -> Any:
    typ = given[index]
    if not isinstance(typ, types.Array) or not typ.mutable:
        return typ
    read_only = [typ.copy(readonly=True) if i == index else t for i, t in enumerate(given)]
    try:
        numba.njit(tuple(read_only))(function.py_func)
    except errors.NumbaError:
        return InOut.__class_getitem__(typ)
    return typ
