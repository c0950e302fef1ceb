"""Numbers in the text, and numbers of one type as numbers of another.

In: what is known of a number, or a `Quantity`. Out: a `Quantity` whose C text has the type that is asked for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types

from symbiont_jit.translation.extents import Extent, extent_of
from symbiont_jit.translation.typing import BOOLEAN, INT64, c_name, is_complex, is_float, is_integer, type_of_constant
from symbiont_jit.translation.values import ADDITIVE, ATOMIC, MULTIPLICATIVE, UNARY, Quantity, bracketed

__all__ = ["UntranslatableError", "assigned", "constant", "convert", "int_value", "is_true"]


class UntranslatableError(Exception):
    """Raised where something has no C form here; whoever knows the place makes a `TranslationError` of it."""


def constant(value: Any, typ: Any = None) -> Quantity:
    """Write a number that is known."""
    typ = type_of_constant(value) if typ is None else typ
    if typ is None:
        raise UntranslatableError(f"{value!r:.60} is no number that C knows")
    if is_complex(typ):
        return Quantity(_complex_text(complex(value), typ), typ, ATOMIC, complex(value))
    if is_float(typ):
        return _float_constant(float(value), typ)
    number = int(value)
    if typ == BOOLEAN:
        return Quantity("true" if number else "false", typ, constant=bool(number), low=number)
    text = _int_text(number, typ)
    level = UNARY if number < 0 and number != -(2**63) else ATOMIC
    return Quantity(text, typ, level, number, extent_of(number), number)


def _int_text(number: int, typ: Any) -> str:
    if number == -(2**63):
        return "INT64_MIN"
    return f"{number}u" if number >= 2**63 or (not typ.signed and typ.bitwidth == 64 and number > 0) else str(number)


def _float_constant(value: float, typ: Any) -> Quantity:
    suffix = "f" if typ == types.float32 else ""
    if math.isnan(value):
        return Quantity("NAN" if not suffix else "(float)NAN", typ, UNARY if suffix else ATOMIC, value)
    if math.isinf(value):
        text = "INFINITY" if not suffix else "(float)INFINITY"
        return Quantity(f"-{text}" if value < 0 else text, typ, UNARY if suffix or value < 0 else ATOMIC, value)
    text = str(np.float32(value)) if suffix else repr(value)
    if not any(mark in text for mark in ".e"):
        text += ".0"
    return Quantity(text + suffix, typ, UNARY if text.startswith("-") else ATOMIC, value)


def _complex_text(value: complex, typ: Any) -> str:
    part = typ.underlying_float
    macro = "CMPLXF" if part == types.float32 else "CMPLX"
    return f"{macro}({_float_constant(value.real, part).text}, {_float_constant(value.imag, part).text})"


def int_value(extent: Extent) -> Quantity:
    """Write a sum as a number."""
    if extent.number is not None:
        return constant(extent.number)
    level = ADDITIVE if extent.is_sum else (ATOMIC if extent.c.isidentifier() else MULTIPLICATIVE)
    return Quantity(extent.c, INT64, level, None, extent, extent.low)


def convert(value: Quantity, typ: Any) -> Quantity:
    """Convert a number to a type, as Numba does where it stores or passes it; C does it by itself in most places."""
    if value.type == typ:
        return value
    if value.constant is not None and not (is_complex(value.type) and not is_complex(typ)):
        known = _convert_constant(value.constant, typ)
        if known is not None:
            return known
    if typ == BOOLEAN:
        return is_true(value)
    extent = value.extent if typ == INT64 and is_integer(value.type) else None
    low = value.low if is_integer(typ) and is_integer(value.type) and _holds(typ, value.type) else None
    return Quantity(f"({c_name(typ)}){bracketed(value, UNARY)}", typ, UNARY, None, extent, low)


def _holds(typ: Any, other: Any) -> bool:
    return bool(typ.bitwidth > other.bitwidth or (typ.bitwidth == other.bitwidth and typ.signed == other.signed))


def _convert_constant(value: Any, typ: Any) -> Quantity | None:
    """Convert a known number now, unless the conversion would lose something."""
    if is_complex(typ) or (is_float(typ) and not isinstance(value, complex)):
        return constant(value, typ)
    if is_integer(typ) and isinstance(value, int) and typ.minval <= value <= typ.maxval:
        return constant(value, typ)
    return None


def assigned(value: Quantity, typ: Any) -> Quantity:
    """Return a number as it stands behind `=`: C converts by itself what it converts as Numba does."""
    if value.type == typ or (value.constant is not None and not is_complex(value.type)):
        return convert(value, typ)
    if typ == BOOLEAN or is_complex(typ) or is_complex(value.type):
        return convert(value, typ)
    return Quantity(value.text, typ, value.level, None, value.extent, value.low)


def is_true(value: Quantity) -> Quantity:
    """Ask whether a number is true: whether it is not zero."""
    if value.type == BOOLEAN:
        return value
    if value.constant is not None:
        return constant(bool(value.constant))
    return Quantity(f"{bracketed(value, 10)} != 0", BOOLEAN, 9)
