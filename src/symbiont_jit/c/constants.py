"""Constant expressions of C, computed here: what a length is must not depend on what clang makes of it.

In: an expression, what names and sizes are worth. Out: its value, or None for what is no constant, or leaves 32 bits on
the way (then C's types would decide).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.tree import walk

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
        found = self._compute(node)
        if found is None or found not in _RANGE:
            return None
        return None if found < 0 and self._is_unsigned(node) else int(found)

    def _compute(self, node: Any) -> int | None:
        match node:
            case c_ast.Constant():
                return literal_value(node)
            case c_ast.ID():
                return self.value_of(node.name)
            case c_ast.UnaryOp(op="sizeof"):
                return self.size_of(node.expr)
            case c_ast.UnaryOp() if node.op in _UNARY:
                inner = self.value(node.expr)
                return None if inner is None else _UNARY[node.op](inner)
            case c_ast.BinaryOp() if node.op in _FOLDED:
                left, right = self.value(node.left), self.value(node.right)
                if left is None or right is None:
                    return None
                if min(left, right) < 0 and (self._is_unsigned(node.left) or self._is_unsigned(node.right)):
                    return None
                return fold(node.op, left, right)
            case c_ast.TernaryOp():
                parts = [self.value(part) for part in (node.cond, node.iftrue, node.iffalse)]
                return None if None in parts else parts[1] if parts[0] else parts[2]
            case c_ast.Cast():
                inner, allowed = self.value(node.expr), self.range_of(node.to_type)
                return inner if inner is not None and allowed is not None and inner in allowed else None
        return None

    @staticmethod
    def _is_unsigned(node: Any) -> bool:
        """Whether C may compute an expression in an unsigned type, where a number that is negative here is large."""
        return any(
            (isinstance(n, c_ast.UnaryOp) and n.op == "sizeof")
            or isinstance(n, c_ast.Cast)
            or (isinstance(n, c_ast.Constant) and "u" in n.value.lower().lstrip("'"))
            for n in walk(node)
        )


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
