"""Functions of numbers: those of `math`, of NumPy and of Python -> C's.

In: the function that a name means, and `Quantity`s. Out: a `Quantity`. A table says which function of C each is; Numba
says for which types there is one, and what it returns.
"""

from __future__ import annotations

import ast
import cmath
import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numba import types

from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, int_value, is_true
from symbiont_jit.translation.extents import extent_of
from symbiont_jit.translation.scalars import Applied, apply_binary, apply_unary, compare, negate, ternary
from symbiont_jit.translation.typing import (
    BOOLEAN,
    FLOAT64,
    INT64,
    c_name,
    dtype_of,
    is_complex,
    is_float,
    is_integer,
    operation,
    unify,
)
from symbiont_jit.translation.values import ATOMIC, UNARY, Quantity, bracketed

__all__ = ["apply_function", "is_elementwise", "is_scalar_function"]

#: Functions of real numbers whose results are real, by their names in C.
_REAL: Final[Mapping[Any, str]] = {
    **{getattr(math, name): name for name in "sqrt exp expm1 log log2 log10 log1p sin cos tan asin acos atan".split()},
    **{getattr(math, name): name for name in "sinh cosh tanh asinh acosh atanh erf erfc fabs lgamma".split()},
    math.gamma: "tgamma",
    **{getattr(math, name): name for name in "atan2 copysign fmod hypot pow".split()},
    **{
        getattr(np, name): name
        for name in "sqrt exp expm1 exp2 log log2 log10 log1p sin cos tan sinh cosh tanh".split()
    },
    np.cbrt: "cbrt",
    np.arcsin: "asin",
    np.arccos: "acos",
    np.arctan: "atan",
    np.arcsinh: "asinh",
    np.arccosh: "acosh",
    np.arctanh: "atanh",
    np.fabs: "fabs",
    np.arctan2: "atan2",
    np.copysign: "copysign",
    np.fmod: "fmod",
    np.hypot: "hypot",
    np.power: "pow",
    np.trunc: "trunc",
    np.rint: "rint",
}
if hasattr(math, "cbrt"):
    _REAL = {**_REAL, math.cbrt: "cbrt", math.exp2: "exp2"}  # type: ignore[misc]

#: Functions of complex numbers, where C's are what Numba computes.
_COMPLEX: Final[Mapping[Any, str]] = {np.exp: "complex_exp", cmath.exp: "complex_exp"}
_OF_COMPLEX: Final[Mapping[Any, str]] = {
    getattr(module, name): f"c{name}"
    for module in (np, cmath)
    for name in "sqrt log sin cos tan sinh cosh tanh".split()
}

#: Functions that are computed now where their arguments stand in the text.
_FOLDED: Final = frozenset("sqrt exp expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh pow".split())

#: What rounds to a whole number, by its name in C: `math` returns integers, NumPy does not.
_ROUNDING: Final[Mapping[Any, str]] = {math.floor: "floor", math.ceil: "ceil", math.trunc: "trunc"}
_REAL_ROUNDING: Final[Mapping[Any, str]] = {np.floor: "floor", np.ceil: "ceil", np.trunc: "trunc", np.rint: "rint"}

_OPERATORS: Final[Mapping[Any, str]] = {
    np.add: "Add",
    np.subtract: "Sub",
    np.multiply: "Mult",
    np.divide: "Div",
    np.true_divide: "Div",
    np.floor_divide: "FloorDiv",
    np.remainder: "Mod",
    np.mod: "Mod",
    np.bitwise_and: "BitAnd",
    np.bitwise_or: "BitOr",
    np.bitwise_xor: "BitXor",
    np.left_shift: "LShift",
    np.right_shift: "RShift",
    np.less: "Lt",
    np.less_equal: "LtE",
    np.greater: "Gt",
    np.greater_equal: "GtE",
    np.equal: "Eq",
    np.not_equal: "NotEq",
}


def is_elementwise(function: Any) -> bool:
    """Whether NumPy applies a function to each element of an array."""
    return isinstance(function, np.ufunc) or function in (np.real, np.imag, np.conj, np.absolute, abs)


def is_scalar_function(function: Any) -> bool:
    """Whether a function of numbers is known here."""
    try:
        return function in _REAL or function in _SPECIAL or function in _OPERATORS or dtype_of(function) is not None
    except TypeError:
        return False


def apply_function(function: Any, arguments: Sequence[Quantity], quiet: bool = False) -> Applied:
    """Apply a function to numbers.

    Args:
        function: What the name means.
        arguments: The numbers.
        quiet: Whether a division by zero gives a number, as in expressions of arrays.

    Returns:
        The result, and the helpers that its text calls.

    Raises:
        UntranslatableError: There is no such function here, or not for these types.
    """
    if function in _OPERATORS:
        return _apply_operator(function, arguments, quiet)
    special = _SPECIAL.get(function)
    if special is not None:
        return special(function, arguments)
    if isinstance(function, type | types.NumberClass | types.Type):
        return _cast(function, arguments)
    return _call(function, arguments)


def _apply_operator(function: Any, arguments: Sequence[Quantity], quiet: bool) -> Applied:
    kind = getattr(ast, _OPERATORS[function])
    left, right = _require(arguments, 2)
    return apply_binary(kind, left, right, quiet)


def _require(arguments: Sequence[Quantity], count: int) -> Sequence[Quantity]:
    if len(arguments) != count:
        raise UntranslatableError(f"it takes {count} arguments here, not {len(arguments)}")
    return arguments


def _typed(function: Any, arguments: Sequence[Quantity]) -> Any:
    """Return the type of a function's result."""
    found = operation(function, tuple(each.type for each in arguments))
    if found is None:
        given = ", ".join(str(each.type) for each in arguments)
        raise UntranslatableError(f"Numba has no {getattr(function, '__name__', function)} of {given}")
    return found.result


def _call(function: Any, arguments: Sequence[Quantity]) -> Applied:
    """Call the function of the C library that a function is."""
    typ = _typed(function, arguments)
    if is_complex(typ) or any(is_complex(each.type) for each in arguments):
        return _call_complex(function, arguments, typ)
    name = _REAL.get(function)
    if name is None or not is_float(typ):
        if name in ("trunc", "rint") and is_integer(typ):
            return arguments[0], set()
        if function is np.power:
            helper = f"power_{typ}"
            return Quantity(f"{helper}({convert(arguments[0], typ).text}, {convert(arguments[1], INT64).text})", typ), {
                helper
            }
        raise UntranslatableError(f"{getattr(function, '__name__', function)} is not translated")
    return _call_real(name, arguments, typ), set()


def _call_real(name: str, arguments: Sequence[Quantity], typ: Any) -> Quantity:
    suffix = "f" if typ == types.float32 else ""
    known = [each.constant for each in arguments]
    if typ == FLOAT64 and name in _FOLDED and all(isinstance(each, int | float) for each in known):
        # The compiler would compute it by a library of its own, whose last bit may be another.
        with contextlib.suppress(ValueError, OverflowError):
            return constant(getattr(math, name)(*map(float, known)))
    given = ", ".join(_argument(each, typ).text for each in arguments)
    return Quantity(f"{name}{suffix}({given})", typ)


def _argument(value: Quantity, typ: Any) -> Quantity:
    """Return a number as an argument: C converts it by itself."""
    return convert(value, typ) if value.constant is not None or is_complex(value.type) else value


def _call_complex(function: Any, arguments: Sequence[Quantity], typ: Any) -> Applied:
    suffix = "f" if typ == types.complex64 else ""
    given = ", ".join(convert(each, typ).text for each in arguments)
    helper = _COMPLEX.get(function)
    if helper is not None:
        return Quantity(f"{helper}{suffix}({given})", typ), {f"{helper}{suffix}"}
    name = "cpow" if function is np.power else _OF_COMPLEX.get(function)
    if name is None:
        raise UntranslatableError(f"{getattr(function, '__name__', function)} of complex numbers is not translated")
    return Quantity(f"{name}{suffix}({given})", typ), set()


def _cast(function: Any, arguments: Sequence[Quantity]) -> Applied:
    typ = dtype_of(function)
    if typ is None:
        raise UntranslatableError(f"{function!r:.60} is no type of numbers")
    if not arguments:
        return convert(int_value_of(0), typ), set()
    (value,) = _require(arguments, 1)
    if is_complex(value.type) and not is_complex(typ):
        raise UntranslatableError("a complex number has no order; write .real or .imag")
    return convert(value, typ), set()


def int_value_of(number: int) -> Quantity:
    """Write a whole number."""
    return int_value(extent_of(number))


# -- what is no plain call -------------------------------------------------------------------------------------------


def _absolute(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    typ = _typed(abs if function is abs else np.absolute, arguments)
    if is_complex(value.type):
        return Quantity(f"cabs{'f' if typ == types.float32 else ''}({value.text})", typ), set()
    if is_float(typ):
        return _call_real("fabs", arguments, typ), set()
    if value.type == BOOLEAN or not typ.signed:
        return convert(value, typ), set()
    name = "labs" if typ.bitwidth == 64 else "abs"
    return Quantity(
        f"{name}({convert(value, typ).text})" if typ.bitwidth >= 32 else f"({c_name(typ)})abs({value.text})",
        typ,
        ATOMIC if typ.bitwidth >= 32 else UNARY,
        low=0,
    ), set()


def _round_to_int(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    typ = _typed(function, arguments)
    if not is_float(value.type):
        return convert(value, typ), set()
    rounded = _call_real(_ROUNDING[function], arguments, value.type)
    return Quantity(f"({c_name(typ)}){rounded.text}", typ, UNARY), set()


def _round_real(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    typ = _typed(function, arguments)
    if is_integer(typ):
        return convert(value, typ), set()
    return _call_real(_REAL_ROUNDING[function], arguments, typ), set()


def _round(function: Any, arguments: Sequence[Quantity]) -> Applied:
    """Round half to even: to a whole number, or to some digits."""
    typ = _typed(round, arguments)
    value = arguments[0] if is_float(arguments[0].type) else convert(arguments[0], FLOAT64)
    if len(arguments) == 1:
        return Quantity(f"({c_name(typ)}){_call_real('rint', [value], value.type).text}", typ, UNARY), set()
    digits = arguments[1].constant
    if not isinstance(digits, int) or not 0 <= digits <= 22:
        raise UntranslatableError("round takes a number of digits from 0 to 22 that stands in the text")
    suffix = "f" if typ == types.float32 else ""
    scale = convert(int_value_of(10**digits), typ).text if digits < 10 else f"1e{digits}{suffix}"
    return Quantity(f"rint{suffix}({bracketed(value, 13)} * {scale}) / {scale}", typ, 13), set()


def _extreme(function: Any, arguments: Sequence[Quantity]) -> Applied:
    """Take the larger or smaller of numbers, the first of those that are equal."""
    kind = ast.Gt if function is max else ast.Lt
    if len(arguments) < 2:
        raise UntranslatableError(f"{function.__name__} takes two numbers or more here")
    chosen = arguments[0]
    for value in arguments[1:]:
        typ = unify(chosen.type, value.type)
        one, other = convert(value, typ), convert(chosen, typ)
        lows = [each.low for each in (one, other) if each.low is not None]
        picked = ternary(compare(kind, one, other), one, other)
        low = (max(lows) if lows else None) if function is max else picked.low
        chosen = Quantity(f"({picked.text})", typ, low=low)
    return chosen, set()


def _elementwise_extreme(function: Any, arguments: Sequence[Quantity]) -> Applied:
    typ = _typed(function, arguments)
    left, right = (convert(each, typ) for each in _require(arguments, 2))
    name = {np.maximum: "maximum", np.minimum: "minimum", np.fmax: "fmaximum", np.fmin: "fminimum"}[function]
    if is_complex(typ):
        raise UntranslatableError(f"{function.__name__} of complex numbers is not translated")
    if typ == BOOLEAN:
        sign = "||" if "max" in name else "&&"
        level = 4 if sign == "||" else 5
        return Quantity(f"{bracketed(left, level)} {sign} {bracketed(right, level)}", typ, level), set()
    helper = f"{name}_{typ}"
    lows = [each.low for each in (left, right) if each.low is not None]
    low = max(lows) if lows and "max" in name else (min(lows) if len(lows) == 2 else None)
    return Quantity(f"{helper}({left.text}, {right.text})", typ, low=low if is_integer(typ) else None), {helper}


def _sign(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    typ = _typed(function, arguments)
    if is_complex(typ):
        raise UntranslatableError("np.sign of complex numbers is not translated")
    helper = f"sign_{typ}"
    return Quantity(f"{helper}({convert(value, typ).text})", typ), {helper}


def _square(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    typ = _typed(function, arguments)
    one = convert(value, typ)
    if not one.is_simple:
        raise UntranslatableError("np.square takes a name here; write x * x")
    return Quantity(f"{one.text} * {one.text}", typ, 13), set()


def _negative(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    return apply_unary({np.negative: ast.USub, np.positive: ast.UAdd, np.invert: ast.Invert}[function], value), set()


def _logical(function: Any, arguments: Sequence[Quantity]) -> Applied:
    if function is np.logical_not:
        return negate(_require(arguments, 1)[0]), set()
    left, right = (is_true(each) for each in _require(arguments, 2))
    if function is np.logical_xor:
        return Quantity(f"{bracketed(left, 10)} != {bracketed(right, 10)}", BOOLEAN, 9), set()
    sign, level = ("&&", 5) if function is np.logical_and else ("||", 4)
    return Quantity(f"{bracketed(left, level)} {sign} {bracketed(right, level + 1)}", BOOLEAN, level), set()


_CLASSES: Final[Mapping[Any, str]] = {
    math.isnan: "isnan",
    np.isnan: "isnan",
    math.isinf: "isinf",
    np.isinf: "isinf",
    math.isfinite: "isfinite",
    np.isfinite: "isfinite",
    np.signbit: "signbit",
}


def _classify(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    if is_complex(value.type):
        raise UntranslatableError(f"{function.__name__} of complex numbers is not translated; ask .real and .imag")
    if not is_float(value.type):
        return constant(_CLASSES[function] == "isfinite"), set()
    return Quantity(f"({_CLASSES[function]}({value.text}) != 0)", BOOLEAN), set()


def _part(function: Any, arguments: Sequence[Quantity]) -> Applied:
    (value,) = _require(arguments, 1)
    if not is_complex(value.type):
        if function is np.imag:
            return convert(int_value_of(0), value.type), set()
        return value, set()
    suffix = "f" if value.type == types.complex64 else ""
    name = {np.real: "creal", np.imag: "cimag"}.get(function, "conj")
    typ = value.type if name == "conj" else value.type.underlying_float
    return Quantity(f"{name}{suffix}({value.text})", typ), set()


def _complex(function: Any, arguments: Sequence[Quantity]) -> Applied:
    typ = _typed(function, arguments)
    if len(arguments) == 1:
        return convert(arguments[0], typ), set()
    macro = "CMPLXF" if typ == types.complex64 else "CMPLX"
    real, imaginary = (_argument(each, typ.underlying_float).text for each in arguments)
    return Quantity(f"{macro}({real}, {imaginary})", typ), set()


def _divmod(function: Any, arguments: Sequence[Quantity]) -> Applied:
    raise UntranslatableError("divmod is not translated; write // and %")


def _gcd(function: Any, arguments: Sequence[Quantity]) -> Applied:
    left, right = (convert(each, INT64) for each in _require(arguments, 2))
    return Quantity(f"greatest_divisor({left.text}, {right.text})", INT64, low=0), {"greatest_divisor"}


def _degrees(function: Any, arguments: Sequence[Quantity]) -> Applied:
    typ = _typed(function, arguments)
    value = _argument(_require(arguments, 1)[0], typ)
    factor = math.pi / 180.0 if function in (math.radians, np.radians, np.deg2rad) else 180.0 / math.pi
    if typ != FLOAT64:
        raise UntranslatableError(f"{function.__name__} of {typ} is not translated")
    if not is_float(value.type):
        value = convert(value, typ)
    return Quantity(f"{bracketed(value, 13)} * {factor!r}", typ, 13), set()


def _ldexp(function: Any, arguments: Sequence[Quantity]) -> Applied:
    typ = _typed(function, arguments)
    value, exponent = _require(arguments, 2)
    return Quantity(
        f"ldexp{'f' if typ == types.float32 else ''}({value.text}, {convert(exponent, types.int32).text})", typ
    ), set()


_SPECIAL: Final[Mapping[Any, Callable[[Any, Sequence[Quantity]], Applied]]] = {
    abs: _absolute,
    np.absolute: _absolute,
    **dict.fromkeys(_ROUNDING, _round_to_int),
    **dict.fromkeys(_REAL_ROUNDING, _round_real),
    round: _round,
    max: _extreme,
    min: _extreme,
    np.maximum: _elementwise_extreme,
    np.minimum: _elementwise_extreme,
    np.fmax: _elementwise_extreme,
    np.fmin: _elementwise_extreme,
    np.sign: _sign,
    np.square: _square,
    np.negative: _negative,
    np.positive: _negative,
    np.invert: _negative,
    np.logical_and: _logical,
    np.logical_or: _logical,
    np.logical_xor: _logical,
    np.logical_not: _logical,
    **dict.fromkeys(_CLASSES, _classify),
    np.real: _part,
    np.imag: _part,
    np.conj: _part,
    complex: _complex,
    divmod: _divmod,
    math.gcd: _gcd,
    np.gcd: _gcd,
    math.radians: _degrees,
    math.degrees: _degrees,
    np.radians: _degrees,
    np.deg2rad: _degrees,
    math.ldexp: _ldexp,
}
