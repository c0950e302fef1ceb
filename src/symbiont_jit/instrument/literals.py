"""Literals and names: the leaves of expressions, with their C types.

In: nodes of the candidate. Out: `Value`s.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.constants import integer
from symbiont_jit.c.types import DOUBLE, INT, VOID, Arithmetic, ArrayOf, CType, Length, PointerTo, Refused
from symbiont_jit.instrument.bounds import NULL_BOUNDS, array_bounds
from symbiont_jit.instrument.context import Context, Value
from symbiont_jit.instrument.nodes import name

__all__ = ["evaluate_constant", "evaluate_name"]

#: The types of characters by their prefixes: `wchar_t` is `int`, and the others are unsigned.
_CHARACTERS: Final[dict[str, CType]] = {"": INT, "L": INT, "u": Arithmetic("u", 16), "U": Arithmetic("u", 32)}
_SINGLE: Final = Arithmetic("f", 32)
_FLOAT_CONSTANTS: Final = re.compile(r"(DBL|FLT)_(EPSILON|MAX|MIN|TRUE_MIN)$|HUGE_VALF?$|INFINITY$|NAN$|M_")


def evaluate_constant(context: Context, node: Any) -> Value:
    """Evaluate a literal."""
    if node.type == "string":
        return _place_string(context, node)
    if "'" in node.value:
        return Value(node, _type_of_character(node))
    return Value(node, _type_of_number(node))


def _type_of_character(node: Any) -> CType:
    prefix = node.value.partition("'")[0]
    if prefix not in _CHARACTERS:
        raise Refused(node, "write the character without a prefix")
    return _CHARACTERS[prefix]


def _place_string(context: Context, node: Any) -> Value:
    """Give each call an array of its own for a string: writing to it, undefined in C, then disturbs no other call."""
    if node.value[0] != '"':
        raise Refused(node, "write the string without a prefix")
    text = f"sj_text{context.new_number()}"
    characters = c_ast.TypeDecl(text, [], None, c_ast.IdentifierType(["char"]))
    context.hidden.append(c_ast.Decl(text, [], [], [], [], c_ast.ArrayDecl(characters, None, []), node, None))
    return Value(name(text), ArrayOf(Arithmetic("i", 8), Length()), array_bounds(text, 0, "a string"))


def _type_of_number(node: Any) -> CType:
    if "double" not in node.type and "float" not in node.type:
        return _integer_type(node.value)
    if "long" in node.type:
        return Arithmetic("f", 80)
    # A hexadecimal number has its exponent behind a `p`, before which an `f` is a digit.
    is_single = node.value[-1] in "fF" and ("x" not in node.value.lower() or "p" in node.value.lower())
    return _SINGLE if is_single else DOUBLE


def _integer_type(text: str) -> Arithmetic:
    """Return the type of an integer literal (C11, 6.4.4.1)."""
    digits, suffix = text.rstrip("uUlL"), text[len(text.rstrip("uUlL")) :].lower()
    number = integer(text)
    kinds = ["u"] if "u" in suffix else ["i"] if digits[0] != "0" else ["i", "u"]
    for bits in (64,) if "l" in suffix else (32, 64):
        for kind in kinds:
            if number < 1 << (bits - (kind == "i")):
                return Arithmetic(kind, bits)
    return Arithmetic("u", 64)


def evaluate_name(context: Context, node: Any) -> Value:
    """Evaluate a variable, an enumerator, or a constant of the standard headers."""
    known = context.symbol(node.name)
    if known is None:
        return _standard_constant(node)
    if known.value is not None:
        return Value(name(known.name), known.type)
    return Value(name(known.name), known.type, context.bounds_of(known))


def _standard_constant(node: Any) -> Value:
    if node.name == "NULL":
        return Value(node, PointerTo(VOID), NULL_BOUNDS)
    if node.name == "_Complex_I":
        return Value(node, Arithmetic("c", 64))
    if _FLOAT_CONSTANTS.match(node.name):
        is_single = node.name.startswith("FLT") or node.name in ("INFINITY", "NAN", "HUGE_VALF")
        return Value(node, _SINGLE if is_single else DOUBLE)
    bits = 64 if re.search("64|LONG|LLONG|SIZE|PTRDIFF", node.name) else 32
    is_unsigned = re.match("UINT_MAX|UINT32_MAX|UINT64_MAX|ULONG_MAX|ULLONG_MAX|SIZE_MAX", node.name)
    return Value(node, Arithmetic("u" if is_unsigned else "i", bits))
