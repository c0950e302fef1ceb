"""Constant expressions of C, computed here: what a length is must not depend on what clang makes of it.

In: an expression, what names and sizes are worth. Out: its value, or None for what is no constant, or leaves 32 bits on
the way (then C's types would decide).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pycparser import c_ast

__all__ = ["LIMITS", "Constants", "fold", "integer", "literal_value", "plain_integer"]

#: The standard constants that lengths are made of.
LIMITS: Final[Mapping[str, int]] = {
    "CHAR_BIT": 8,
    "SCHAR_MAX": 127,
    "SCHAR_MIN": -128,
    "UCHAR_MAX": 255,
    "SHRT_MAX": 2**15 - 1,
    "SHRT_MIN": -(2**15),
    "USHRT_MAX": 2**16 - 1,
    "INT_MAX": 2**31 - 1,
    "INT_MIN": -(2**31),
    "true": 1,
    "false": 0,
    **{f"INT{bits}_MAX": 2 ** (bits - 1) - 1 for bits in (8, 16, 32)},
    **{f"INT{bits}_MIN": -(2 ** (bits - 1)) for bits in (8, 16, 32)},
    **{f"UINT{bits}_MAX": 2**bits - 1 for bits in (8, 16)},
}

_RANGE: Final = range(-(2**31), 2**31)

_FOLDED: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: _quotient(a, b),
    "%": lambda a, b: a - b * _quotient(a, b),
    "<<": operator.lshift,
    ">>": operator.rshift,
    "|": operator.or_,
    "&": operator.and_,
    "^": operator.xor,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "&&": lambda a, b: a != 0 and b != 0,
    "||": lambda a, b: a != 0 or b != 0,
}

#: The right operands for which C defines shifts and divisions.
_RIGHT_SIDES: Final = {"<<": range(31), ">>": range(31), "/": range(1, 2**31), "%": range(1, 2**31)}

_UNARY: Final[Mapping[str, Callable[[int], int]]] = {
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
    "!": operator.not_,
}

_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, "'": 39, '"': 34, "a": 7, "b": 8, "f": 12, "v": 11}


def _quotient(a: int, b: int) -> int:
    """Return the quotient of two integers, rounded towards zero as in C."""
    return a // b if a >= 0 else -(-a // b)


def fold(op: str, left: int, right: int) -> int | None:
    """Compute a binary operator of C; None where C leaves the result undefined or has no such operator.

    The numbers are as large as Python's: whether the result fits a type is for the caller to look at.
    """
    allowed = _RIGHT_SIDES.get(op)
    if op not in _FOLDED or (allowed is not None and right not in allowed):
        return None
    return int(_FOLDED[op](left, right))


@dataclass(frozen=True, slots=True)
class Constants:
    """Constant expressions of one place in a text: `value` computes them from what is known of names and types there.

    `value_of` gives the value of a name, `size_of` the bytes of an operand of `sizeof`, `range_of` the values of an
    integer type; each gives None for what is not known.
    """

    value_of: Callable[[str], int | None]
    size_of: Callable[[Any], int | None]
    range_of: Callable[[Any], range | None]

    def value(self, node: Any) -> int | None:
        """Compute a constant expression; None where it has no value that is certain."""
        found = self._evaluate(node)
        return None if found is None else found.value

    def _evaluate(self, node: Any) -> _Number | None:
        """Compute an expression, each part once; in an unsigned type a number that is negative here is large."""
        found = self._compute(node)
        if found is None or found.value not in _RANGE or (found.value < 0 and found.is_unsigned):
            return None
        return found

    def _compute(self, node: Any) -> _Number | None:
        match node:
            case c_ast.Constant():
                return _Number.of(literal_value(node), "u" in node.value.lower().lstrip("'"))
            case c_ast.ID():
                return _Number.of(self.value_of(node.name), False)
            case c_ast.UnaryOp(op="sizeof"):
                return _Number.of(self.size_of(node.expr), True)
            case c_ast.UnaryOp() if node.op in _UNARY:
                inner = self._evaluate(node.expr)
                return inner and _Number(int(_UNARY[node.op](inner.value)), inner.is_unsigned)
            case c_ast.BinaryOp() if node.op in _FOLDED:
                left, right = self._evaluate(node.left), self._evaluate(node.right)
                if left is None or right is None:
                    return None
                is_unsigned = left.is_unsigned or right.is_unsigned
                if is_unsigned and min(left.value, right.value) < 0:
                    return None
                return _Number.of(fold(node.op, left.value, right.value), is_unsigned)
            case c_ast.TernaryOp():
                parts = [self._evaluate(part) for part in (node.cond, node.iftrue, node.iffalse)]
                known = [part for part in parts if part is not None]
                if len(known) < len(parts):
                    return None
                condition, yes, no = known
                return _Number((yes if condition.value else no).value, any(part.is_unsigned for part in known))
            case c_ast.Cast():
                inner, allowed = self._evaluate(node.expr), self.range_of(node.to_type)
                fits = inner is not None and allowed is not None and inner.value in allowed
                return _Number(inner.value, inner.value >= 0) if inner is not None and fits else None
        return None


class _Number(NamedTuple):
    """The value of a constant expression, and whether C may compute it in an unsigned type."""

    value: int
    is_unsigned: bool

    @classmethod
    def of(cls, value: int | None, is_unsigned: bool) -> _Number | None:
        """Return a number, or None for none."""
        return None if value is None else cls(int(value), is_unsigned)


def literal_value(node: Any) -> int | None:
    """Read an integer or character literal, in any base and with any suffix; None for every other node."""
    if not isinstance(node, c_ast.Constant):
        return None
    if node.type == "char":
        text = node.value[1:-1]
        if len(text) == 1:
            return ord(text)
        return _ESCAPES.get(text[1:]) if text[0] == "\\" else None
    try:
        return integer(node.value) if "int" in node.type else None
    except ValueError:  # The literal has more digits than Python converts.
        return None


def plain_integer(node: Any) -> int | None:
    """Read a decimal literal without a suffix, which stays what it is when it is printed; None for every other node."""
    is_plain = isinstance(node, c_ast.Constant) and node.value.isdigit() and len(node.value) < 19
    return int(node.value) if is_plain and (node.value == "0" or node.value[0] != "0") else None


def integer(text: str) -> int:
    """Read an integer literal in any base and with any suffix."""
    digits = text.rstrip("lLuU")
    return int(digits, 8 if digits[0] == "0" and digits.isdigit() else 0)
