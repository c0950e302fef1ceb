"""Operations on numbers, with the types and the rules of Numba: what C does otherwise is written out.

In: `Quantity`s. Out: `Quantity`s, and the names of the helpers that their text calls (`helpers` has their C). C
converts operands by rules of its own, so a conversion is written exactly where these rules would give another type.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from numba import types

from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, int_value, is_true
from symbiont_jit.translation.extents import Extent, named_extent, product
from symbiont_jit.translation.typing import (
    BOOLEAN,
    FLOAT64,
    INT64,
    is_complex,
    is_float,
    is_integer,
    natural_type,
    operation,
)
from symbiont_jit.translation.values import ADDITIVE, ATOMIC, CONDITIONAL, MULTIPLICATIVE, UNARY, Quantity, bracketed

__all__ = ["OPERATORS", "UNARY_OPERATORS", "apply_binary", "apply_unary", "compare", "negate", "ternary"]


#: A result, and the helpers that its text calls.
Applied = tuple[Quantity, set[str]]


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of Python: Numba's name of it, C's, and how tightly that binds."""

    function: Callable[..., Any]
    c: str
    level: int = 0


OPERATORS: Final[dict[type[ast.AST], Operator]] = {
    ast.Add: Operator(operator.add, "+", ADDITIVE),
    ast.Sub: Operator(operator.sub, "-", ADDITIVE),
    ast.Mult: Operator(operator.mul, "*", MULTIPLICATIVE),
    ast.Div: Operator(operator.truediv, "/", MULTIPLICATIVE),
    ast.FloorDiv: Operator(operator.floordiv, "//"),
    ast.Mod: Operator(operator.mod, "%"),
    ast.Pow: Operator(operator.pow, "**"),
    ast.LShift: Operator(operator.lshift, "<<", 11),
    ast.RShift: Operator(operator.rshift, ">>", 11),
    ast.BitAnd: Operator(operator.and_, "&", 8),
    ast.BitXor: Operator(operator.xor, "^", 7),
    ast.BitOr: Operator(operator.or_, "|", 6),
    ast.Lt: Operator(operator.lt, "<", 10),
    ast.LtE: Operator(operator.le, "<=", 10),
    ast.Gt: Operator(operator.gt, ">", 10),
    ast.GtE: Operator(operator.ge, ">=", 10),
    ast.Eq: Operator(operator.eq, "==", 9),
    ast.NotEq: Operator(operator.ne, "!=", 9),
}

#: The operators whose result is a truth value.
_COMPARISONS: Final = frozenset({ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq})

UNARY_OPERATORS: Final[dict[type[ast.AST], Operator]] = {
    ast.USub: Operator(operator.neg, "-"),
    ast.UAdd: Operator(operator.pos, "+"),
    ast.Invert: Operator(operator.invert, "~"),
}

_BY_FUNCTION: Final = {each.function: kind for kind, each in OPERATORS.items()}


# -- numbers in the text ---------------------------------------------------------------------------------------------


# -- conversions -----------------------------------------------------------------------------------------------------


def _as_operands(left: Quantity, right: Quantity, typ: Any) -> tuple[Quantity, Quantity]:
    """Convert operands so that C computes in a type, with as few conversions in the text as it takes."""
    left = convert(left, typ) if left.constant is not None else left
    right = convert(right, typ) if right.constant is not None else right
    if is_complex(typ):
        return convert(left, typ), convert(right, typ)
    if _meets(left, right) == typ:
        return left, right
    one = convert(left, typ)
    if _meets(one, right) == typ:
        return one, right
    return one, convert(right, typ)


def _meets(left: Quantity, right: Quantity) -> Any:
    """Return the type that C computes in; a whole number in the text has the type of what it meets."""
    for one, other in ((left, right), (right, left)):
        is_small = isinstance(one.constant, int) and not isinstance(one.constant, bool) and abs(one.constant) < 2**31
        if is_small and is_integer(other.type) and other.constant is None and one.text.lstrip("-").isdigit():
            return natural_type(other.type)
    if isinstance(left.constant, int) and isinstance(right.constant, int):
        return types.int32  # Both are of C's int, which is too narrow for what Numba computes in.
    return natural_type(left.type, right.type)


# -- arithmetic ------------------------------------------------------------------------------------------------------


def apply_binary(kind: type[ast.AST], left: Quantity, right: Quantity, quiet: bool = False) -> Applied:
    """Apply an operator to two numbers.

    Args:
        kind: The operator's node in Python's syntax.
        left: The first operand.
        right: The second one.
        quiet: Whether a division by zero gives a number, as in expressions of arrays, and is no error.

    Returns:
        The result, and the helpers that its text calls.

    Raises:
        UntranslatableError: Numba has no such operation.
    """
    sign = OPERATORS[kind]
    if kind in _COMPARISONS:
        return compare(kind, left, right), set()
    if kind is ast.Pow:
        return _power(left, right)
    found = operation(sign.function, (left.type, right.type))
    if found is None:
        raise UntranslatableError(f"Numba has no '{sign.c}' of {left.type} and {right.type}")
    if kind in (ast.FloorDiv, ast.Mod):
        return _divide_down(kind, left, right, found.result, quiet)
    if kind is ast.Div:
        return _divide(left, right, found.result)
    if kind in (ast.LShift, ast.RShift):
        return _shift(sign, left, right, found), set()
    known = _fold(kind, left, right, found.result)
    if known is not None:
        return known, set()
    if found.result == BOOLEAN and left.type == right.type == BOOLEAN:
        # Who reads `a & b < c` takes it for something else.
        parts = [
            bracketed(each, 11 if each.level in (9, 10) else level)
            for each, level in ((left, sign.level), (right, sign.level + 1))
        ]
        return Quantity(f"{parts[0]} {sign.c} {parts[1]}", BOOLEAN, sign.level), set()
    one, other = _as_operands(left, right, found.result)
    text = f"{bracketed(one, sign.level)} {sign.c} {bracketed(other, sign.level + 1)}"
    extent, low = _sum_of(kind, left, right, found.result)
    if extent is not None and extent.number is None:
        return _with_low(int_value(extent), low), set()
    return Quantity(text, found.result, sign.level, None, extent, low), set()


def _with_low(value: Quantity, low: int | None) -> Quantity:
    return value if low is None else Quantity(value.text, value.type, value.level, value.constant, value.extent, low)


def _fold(kind: type[ast.AST], left: Quantity, right: Quantity, typ: Any) -> Quantity | None:
    """Compute small whole numbers and real numbers now."""
    if kind not in (ast.Add, ast.Sub, ast.Mult):
        return None
    if typ == FLOAT64 and all(isinstance(each.constant, int | float) for each in (left, right)):
        return constant(OPERATORS[kind].function(float(left.constant), float(right.constant)))
    if typ != INT64:
        return None
    if not (isinstance(left.constant, int) and isinstance(right.constant, int)):
        return None
    result = OPERATORS[kind].function(int(left.constant), int(right.constant))
    return constant(result) if abs(result) < 2**62 else None


def _sum_of(kind: type[ast.AST], left: Quantity, right: Quantity, typ: Any) -> tuple[Extent | None, int | None]:
    """Return the result as a sum where both operands are, and what it is at least."""
    low = _low_of(kind, left, right) if is_integer(typ) else None
    if typ != INT64 or left.extent is None or right.extent is None:
        return None, low
    if kind is ast.Add:
        return left.extent + right.extent, low
    if kind is ast.Sub:
        return left.extent - right.extent, low
    if kind is ast.Mult:
        return product(left.extent, right.extent), low
    return None, low


def _low_of(kind: type[ast.AST], left: Quantity, right: Quantity) -> int | None:
    if kind is ast.Sub and left.low is not None and isinstance(right.constant, int):
        return left.low - right.constant
    if kind is ast.BitAnd and (_is_natural(left) or _is_natural(right)):
        return 0
    if left.low is None or right.low is None:
        return None
    if kind is ast.Add:
        return left.low + right.low
    if kind is ast.Mult and min(left.low, right.low) >= 0:
        return left.low * right.low
    return 0 if kind in (ast.BitOr, ast.BitXor) and min(left.low, right.low) >= 0 else None


def _is_natural(value: Quantity) -> bool:
    return value.low is not None and value.low >= 0


def _divide(left: Quantity, right: Quantity, typ: Any) -> Applied:
    """Divide as Python's `/` does: whole numbers become real ones first."""
    one, other = convert_loosely(left, typ), convert_loosely(right, typ)
    if (not is_complex(typ) and natural_type(one.type, other.type) != typ) or (
        not is_complex(typ) and not (one.type == typ or other.type == typ)
    ):
        one = convert(one, typ)
    return Quantity(f"{bracketed(one, MULTIPLICATIVE)} / {bracketed(other, UNARY)}", typ, MULTIPLICATIVE), set()


def convert_loosely(value: Quantity, typ: Any) -> Quantity:
    """Convert a number in the text, or one that has to be complex; leave the rest to the operator."""
    return convert(value, typ) if value.constant is not None or is_complex(typ) else value


def _divide_down(kind: type[ast.AST], left: Quantity, right: Quantity, typ: Any, quiet: bool) -> Applied:
    """Divide as Python's `//` and `%` do: the quotient is rounded down, and the rest has the divisor's sign."""
    name = "floor_div" if kind is ast.FloorDiv else "floor_mod"
    one, other = convert(left, typ), convert(right, typ)
    if is_integer(typ):
        sign = "/" if kind is ast.FloorDiv else "%"
        is_plain = not typ.signed or (_is_natural(left) and _is_natural(right))
        if is_plain and (not quiet or (isinstance(right.constant, int) and right.constant)):
            low = 0 if _is_natural(left) else None
            extent = None
            if typ == INT64 and left.extent is not None and right.extent is not None and left.extent.number is None:
                extent = _quotient(one, other, sign)
            text = f"{bracketed(one, MULTIPLICATIVE)} {sign} {bracketed(other, UNARY)}"
            return Quantity(text, typ, MULTIPLICATIVE, None, extent, low), set()
        suffix = "_or_zero" if quiet and not right.constant else ""
        helper = f"{name}{suffix}{'' if typ == INT64 else '_' + str(typ)}"
        low = 0 if kind is ast.Mod and right.low is not None and right.low >= 0 else None
        return Quantity(f"{helper}({one.text}, {other.text})", typ, low=low), {helper}
    if not is_float(typ):
        raise UntranslatableError(f"Numba has no '{OPERATORS[kind].c}' of {typ}")
    helper = f"real_{name}{'f' if typ == types.float32 else ''}"
    return Quantity(f"{helper}({one.text}, {other.text})", typ), {helper}


def _quotient(left: Quantity, right: Quantity, sign: str) -> Extent:
    """Return the quotient of two lengths as a length of its own."""
    python = {"/": "//", "%": "%"}[sign]
    assert left.extent is not None
    assert right.extent is not None
    texts = left.extent.python, right.extent.python
    known = f"(({texts[0]}) {python} ({texts[1]}))" if all(texts) else ""
    return named_extent(f"{bracketed(left, MULTIPLICATIVE)} {sign} {bracketed(right, UNARY)}", known, 0)


def _shift(sign: Operator, left: Quantity, right: Quantity, found: Any) -> Quantity:
    one = convert(left, found.result) if left.constant is not None or left.type != found.result else left
    low = 0 if _is_natural(left) and sign.c == ">>" else None
    return Quantity(
        f"{bracketed(one, sign.level)} {sign.c} {bracketed(right, sign.level + 1)}",
        found.result,
        sign.level,
        None,
        None,
        low,
    )


# -- powers ----------------------------------------------------------------------------------------------------------

#: The most multiplications that a power is written as.
_MOST_FACTORS: Final = 3


def _power(left: Quantity, right: Quantity) -> Applied:
    """Raise to a power as Numba does: by squaring where the exponent is whole, else by the C library."""
    found = operation(operator.pow, (left.type, right.type))
    if found is None:
        raise UntranslatableError(f"Numba has no '**' of {left.type} and {right.type}")
    typ = found.result
    if is_complex(typ):
        if right.constant == 2:
            return _product_of(convert(left, typ), 2), set()
        name = "cpowf" if typ == types.complex64 else "cpow"
        return Quantity(f"{name}({convert(left, typ).text}, {convert(right, typ).text})", typ), set()
    if isinstance(right.constant, int) and not isinstance(right.constant, bool) and is_integer(right.type):
        exponent = int(right.constant)
        base = convert(left, typ)
        if 1 <= exponent <= _MOST_FACTORS and base.is_simple:
            return _product_of(base, exponent), set()
        if exponent == 0:
            return constant(1, typ), set()
    if is_integer(right.type) and not is_float(found.operands[1]):
        helper = f"power_{typ}"
        return Quantity(f"{helper}({convert(left, typ).text}, {convert(right, INT64).text})", typ), {helper}
    name = "powf" if typ == types.float32 else "pow"
    return Quantity(f"{name}({convert(left, typ).text}, {convert(right, typ).text})", typ), set()


def _product_of(base: Quantity, count: int) -> Quantity:
    """Write a power as Numba multiplies it: the number times its square."""
    factor = bracketed(base, UNARY)
    if count == 1:
        return base
    text = f"{factor} * {factor}" if count == 2 else f"{factor} * ({factor} * {factor})"
    low = 0 if is_integer(base.type) and _is_natural(base) else None
    return Quantity(text, base.type, MULTIPLICATIVE, None, None, low)


# -- truth -----------------------------------------------------------------------------------------------------------


def compare(kind: type[ast.AST], left: Quantity, right: Quantity) -> Quantity:
    """Compare two numbers."""
    sign = OPERATORS[kind]
    found = operation(sign.function, (left.type, right.type))
    if found is None:
        raise UntranslatableError(f"Numba has no '{sign.c}' of {left.type} and {right.type}")
    typ = found.operands[0]
    if typ == BOOLEAN:
        one, other = left, right
    elif is_integer(typ) and is_integer(left.type) and is_integer(right.type):
        one, other = _as_comparable(left, right)
    else:
        one, other = _as_operands(left, right, typ)
    return Quantity(
        f"{bracketed(one, sign.level + 1)} {sign.c} {bracketed(other, sign.level + 1)}", BOOLEAN, sign.level
    )


def _as_comparable(left: Quantity, right: Quantity) -> tuple[Quantity, Quantity]:
    """Let C compare whole numbers by their values: narrow ones are widened by C itself."""
    if left.type.signed == right.type.signed or left.constant is not None or right.constant is not None:
        return left, right
    return (
        (left, right)
        if max(left.type.bitwidth, right.type.bitwidth) < 64
        else (convert(left, INT64), convert(right, INT64))
    )


def negate(value: Quantity) -> Quantity:
    """Say the contrary of a truth value."""
    value = is_true(value)
    if value.constant is not None:
        return constant(not value.constant)
    if value.text.startswith("!") and value.level == UNARY:
        return Quantity(value.text[1:], BOOLEAN, ATOMIC)
    return Quantity(f"!{bracketed(value, UNARY)}", BOOLEAN, UNARY)


def ternary(condition: Quantity, chosen: Quantity, other: Quantity) -> Quantity:
    """Choose one of two numbers of the same type."""
    lows = chosen.low, other.low
    low = min(lows) if lows[0] is not None and lows[1] is not None else None  # type: ignore[type-var]
    asked, first = bracketed(condition, CONDITIONAL + 1), bracketed(chosen, CONDITIONAL + 1)
    text = f"{asked} ? {first} : {bracketed(other, CONDITIONAL)}"
    return Quantity(text, chosen.type, CONDITIONAL, None, None, low)


def apply_unary(kind: type[ast.AST], operand: Quantity) -> Quantity:
    """Apply `-`, `+` or `~`."""
    sign = UNARY_OPERATORS[kind]
    found = operation(sign.function, (operand.type,))
    if found is None:
        raise UntranslatableError(f"Numba has no '{sign.c}' of {operand.type}")
    typ = found.result
    is_known = operand.constant is not None and not isinstance(operand.constant, bool) and not is_complex(typ)
    if kind is ast.USub and is_known and not (is_float(typ) and operand.constant == 0):
        return constant(-operand.constant, typ)
    if kind is ast.UAdd:
        return convert(operand, typ)
    if kind is ast.Invert and typ == BOOLEAN:
        return negate(operand)
    operand = convert(operand, typ)
    extent = operand.extent.times(-1) if kind is ast.USub and operand.extent is not None and typ == INT64 else None
    inner = bracketed(operand, UNARY)
    text = f"{sign.c}({inner})" if inner.startswith("-") else f"{sign.c}{inner}"
    return Quantity(text, typ, UNARY, None, extent)
