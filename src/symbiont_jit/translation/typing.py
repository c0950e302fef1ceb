"""What Numba says of types: of operations on them, and of what two of them have in common.

In: Numba's types. Out: Numba's types, and how C spells them. Nothing here guesses: each answer is Numba's own, asked
once. The typing context that is asked is not public; `docs/internals.md` lists what is used of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import types
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target
from numba.np import numpy_support

from symbiont_jit.signature import SCALARS, Scalar

__all__ = [
    "BOOLEAN",
    "FLOAT64",
    "INT64",
    "Operation",
    "accumulator_of",
    "array_result",
    "c_name",
    "declared_scalar",
    "dtype_of",
    "is_complex",
    "is_float",
    "is_integer",
    "is_number",
    "natural_type",
    "operation",
    "type_of_constant",
    "unify",
]

INT64: Final = types.int64
FLOAT64: Final = types.float64
BOOLEAN: Final = types.boolean


@dataclass(frozen=True, slots=True)
class Operation:
    """What Numba does with some operands: it converts them to these types, and the result has that one."""

    operands: tuple[Any, ...]
    result: Any


@functools.cache
def operation(function: Callable[..., Any], operands: tuple[Any, ...]) -> Operation | None:
    """Ask Numba for the operation that a function is on operands of some types; None where there is none."""
    context = cpu_target.typing_context
    context.refresh()
    try:
        found = context.resolve_function_type(function, operands, {})
    except (NumbaError, ValueError, TypeError, AssertionError):  # Numba raises more than its own errors here.
        return None
    return None if found is None else Operation(tuple(found.args), types.unliteral(found.return_type))


@functools.cache
def array_result(function: Callable[..., Any], operands: tuple[Any, ...], ranks: tuple[int, ...]) -> Any:
    """Ask Numba for the element type of an operation on arrays, where a rank of 0 stands for a scalar; or None."""
    given = tuple(
        types.Array(operand, rank, "C") if rank else operand for operand, rank in zip(operands, ranks, strict=True)
    )
    found = operation(function, given)
    return found.result.dtype if found is not None and isinstance(found.result, types.Array) else None


@functools.cache
def unify(left: Any, right: Any) -> Any:
    """Return the type of a variable that is one type on one way and the other on another; None for none."""
    return left if left == right else cpu_target.typing_context.unify_pairs(left, right)


def is_integer(typ: Any) -> bool:
    """Whether a type is that of whole numbers."""
    return isinstance(typ, types.Integer)


def is_float(typ: Any) -> bool:
    """Whether a type is that of real numbers."""
    return isinstance(typ, types.Float)


def is_complex(typ: Any) -> bool:
    """Whether a type is that of complex numbers."""
    return isinstance(typ, types.Complex)


def is_number(typ: Any) -> bool:
    """Whether a type is that of numbers or truth values."""
    return isinstance(typ, types.Number | types.Boolean)


def c_name(typ: Any) -> str:
    """Return how C spells a scalar type; raise `KeyError` for one that C does not have."""
    return declared_scalar(typ).c


def declared_scalar(typ: Any) -> Scalar:
    """Return the scalar of signatures that a type of Numba is; raise `KeyError` for one that C does not have."""
    return SCALARS[{"bool": "boolean"}.get(str(typ), str(typ))]


def type_of_constant(value: Any) -> Any:
    """Return the type of a number that stands in the text or is a global; None for anything else."""
    if isinstance(value, bool | np.bool_):
        return BOOLEAN
    if isinstance(value, int):
        return INT64 if -(2**63) <= value < 2**63 else types.uint64
    if isinstance(value, float) and not isinstance(value, np.generic):
        return FLOAT64
    if isinstance(value, complex) and not isinstance(value, np.generic):
        return types.complex128
    if isinstance(value, np.generic):
        return dtype_of(value.dtype)
    return None


def dtype_of(given: Any) -> Any:
    """Return the element type that a dtype of NumPy, or a type of Numba or Python, stands for; else None."""
    if isinstance(given, types.Type):
        return given.instance_type if isinstance(given, types.NumberClass) else given if is_number(given) else None
    named = {int: INT64, float: FLOAT64, bool: BOOLEAN, complex: types.complex128}
    if isinstance(given, type) and given in named:
        return named[given]
    try:
        return numpy_support.from_dtype(np.dtype(given))
    except (TypeError, NumbaError):
        return None


def natural_type(*operands: Any) -> Any:
    """Return the type that C computes in when operands of these types meet: its usual arithmetic conversions."""
    promoted = [types.int32 if _is_narrow(each) else each for each in operands]
    complexes = [each for each in promoted if is_complex(each)]
    floats = [each.underlying_float if is_complex(each) else each for each in promoted if not is_integer(each)]
    if complexes:
        return types.complex128 if types.float64 in floats else types.complex64
    if floats:
        return types.float64 if types.float64 in floats else types.float32
    width = max(each.bitwidth for each in promoted)
    widest = [each for each in promoted if each.bitwidth == width]
    signed = all(each.signed for each in widest)
    return types.Integer.from_bitwidth(width, signed)


def _is_narrow(typ: Any) -> bool:
    return typ == BOOLEAN or (is_integer(typ) and typ.bitwidth < 32)


def accumulator_of(typ: Any) -> Any:
    """Return the type in which NumPy and Numba sum elements of a type."""
    if typ == BOOLEAN:
        return INT64
    if is_integer(typ) and typ.bitwidth < 64:
        return INT64 if typ.signed else types.uint64
    return typ
