"""Whether a Python call's arguments fit a signature, and if not, why.

In: a `Signature` and values. Out: an exception to raise, which names the argument, what was given and what to pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.ma import MaskedArray  # Ctrl-C in the first call must not come into an import, whose lock would stay held.

from symbiont_jit.signature.elements import Element, Scalar
from symbiont_jit.signature.model import ArrayType, Mode, Signature

__all__ = ["check_arguments"]


def check_arguments(signature: Signature, args: Sequence[Any]) -> Exception | None:
    """Find what is wrong with the arguments of a Python call: returns a `TypeError`, a `ValueError`, or None.

    Checks number, dtype, contiguity, dimensions, lengths and writability, in that order.
    """
    if len(args) != len(signature.params):
        return TypeError(f"{signature.name}() takes {len(signature.params)} arguments, got {len(args)}: {signature}")
    lengths: dict[str, tuple[int, str]] = {}
    for param, value in zip(signature.params, args, strict=True):
        problem = (
            _scalar_problem(param.type, value)
            if isinstance(param.type, Scalar)
            else _array_problem(param.type, param.mode, value)
            or _length_problem(param.type, param.name, value, lengths)
        )
        if problem is not None:
            kind, text = problem
            return kind(f"{signature.name}(): argument {param.name!r} {text}; wanted {signature}")
    return None


Problem = tuple[type[Exception], str]


def _scalar_problem(scalar: Scalar, value: Any) -> Problem | None:
    if isinstance(value, np.ndarray) or not isinstance(value, int | float | complex | np.generic):
        return TypeError, f"is {_describe(value)}, not a scalar {scalar}"
    kind = value.dtype.kind if isinstance(value, np.generic) else _kind(value)
    if kind not in _ACCEPTED_KINDS[scalar.kind]:
        return TypeError, f"is {_describe(value)}, which does not convert to {scalar} without loss"
    if scalar.kind in "fc" and isinstance(value, int) and abs(value) > int(np.finfo(np.float64).max):
        return OverflowError, f"is {_describe(value)}, outside float64"
    if scalar.kind in "iu":
        info = np.iinfo(scalar.dtype)
        if not info.min <= int(value.real) <= info.max:
            return OverflowError, f"is {_describe(value)}, outside {scalar} ({info.min} to {info.max})"
    return None


def _kind(value: Any) -> str:
    return next((kind for typ, kind in _KINDS.items() if isinstance(value, typ)), "i")


_KINDS: Final[Mapping[type, str]] = {bool: "b", float: "f", complex: "c"}

#: The kinds of value that a scalar parameter takes, by the kind of the parameter.
_ACCEPTED_KINDS: Final[Mapping[str, str]] = {"c": "cfiub", "f": "fiub", "i": "iub", "u": "iub", "b": "b"}


def _array_problem(array: ArrayType, mode: Mode, value: Any) -> Problem | None:
    dtype = array.dtype.dtype
    if array.is_record and isinstance(value, np.void):
        value = np.asarray(value)  # The array is a view of the record's own memory.
    if not isinstance(value, np.ndarray):
        return TypeError, f"is {_describe(value)}, not {'a record' if array.is_record else 'a NumPy array'} of {dtype}"
    if isinstance(value, MaskedArray):
        return (
            TypeError,
            "is a masked array, whose mask C does not see; pass x.filled(value), or x.data for all elements",
        )
    is_written = mode is not Mode.IN
    if value.dtype != dtype:
        advice = _spell_dtype(dtype) if is_written else _conversion(array.dtype, value.dtype)
        return TypeError, f"has dtype {value.dtype}, not {dtype}{advice}"
    if not array.dims:
        if value.size != 1 or value.ndim > 1:
            return ValueError, f"has shape {value.shape}; one value by reference is a 0-d or one-element array"
    elif value.ndim != len(array.dims):
        return TypeError, f"has {value.ndim} dimensions, not {len(array.dims)}"
    if not value.flags.c_contiguous:
        return (
            ValueError,
            f"is not C-contiguous{_spell_dtype(dtype) if is_written else '; pass np.ascontiguousarray(...)'}",
        )
    # NumPy calls a packed dtype aligned wherever it lies; C wants the fields where their types can be read.
    if not value.flags.aligned or value.ctypes.data % dtype.alignment:
        return ValueError, f"is not aligned{_spell_dtype(dtype) if is_written else '; pass a copy'}"
    if is_written and not value.flags.writeable:
        return ValueError, f"is read-only, but the kernel writes it ({mode})"
    return None


def _spell_dtype(dtype: np.dtype[Any]) -> str:
    """Advise on an array that the kernel writes: a copy that is made for the call would take the result with it."""
    name = "the same dtype as the kernel's" if dtype.names else f"dtype {dtype}"
    return f"; the kernel writes it: make a new array, contiguous and of {name}, and pass that one"


def _conversion(element: Element, given: np.dtype[Any]) -> str:
    """Advise on an array of another dtype that the kernel only reads."""
    if isinstance(element, Scalar):
        return "; convert it with .astype()"
    is_packed = given.names == element.dtype.names and given.itemsize < element.dtype.itemsize
    return f"; convert it with .astype({element}.dtype), or make its dtype with align=True" if is_packed else ""


def _length_problem(array: ArrayType, name: str, value: Any, lengths: dict[str, tuple[int, str]]) -> Problem | None:
    for axis, (dim, length) in enumerate(zip(array.dims, value.shape, strict=False)):
        if isinstance(dim, int):
            if length != dim:
                return ValueError, f"has shape {value.shape}; axis {axis} must have length {dim}"
            continue
        known, first = lengths.setdefault(dim, (length, name))
        if length != known:
            return ValueError, f"has {dim} = {length} (axis {axis}), but {first!r} has {dim} = {known}"
    return None


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} with shape {value.shape}"
    try:
        shown = f"{value!r:.60}"
    except Exception:  # An object may refuse to be printed, and an int may have too many digits.
        shown = "something"
    return f"{shown} of type {type(value).__name__}"
