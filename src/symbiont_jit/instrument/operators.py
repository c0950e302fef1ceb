"""Operators that compute values: arithmetic, shifts, comparisons, conditions, casts.

In: nodes of the candidate. Out: `Value`s. Divisions are checked in both profiles; overflow and shifts in `checked`,
while `safe` takes the hardware's answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.contents import has_wide_float, require_traceable
from symbiont_jit.c.types import (
    INT,
    LONG,
    VOID,
    Arithmetic,
    ArrayOf,
    CType,
    PointerTo,
    Refused,
    common_type,
    has_variable_length,
    promote,
    same_rows,
)
from symbiont_jit.instrument.bounds import NULL_BOUNDS
from symbiont_jit.instrument.context import Context, Value
from symbiont_jit.instrument.nodes import (
    INT64,
    INTPTR,
    ZERO,
    Check,
    StatementExpr,
    assign,
    binary,
    cast,
    comma,
    declare_auto,
    dereference,
    first_of,
    name,
    number,
    size_of,
    ternary,
    type_of,
    unary,
)
from symbiont_jit.instrument.objects import move_pointer
from symbiont_jit.instrument.scopes import Symbol
from symbiont_jit.instrument.values import convert, evaluate_value, require_bounded, require_bounds

__all__ = [
    "check_overflow",
    "compute",
    "evaluate_binary",
    "evaluate_cast",
    "evaluate_comma",
    "evaluate_sign",
    "evaluate_ternary",
    "is_overflow_checked",
    "shift",
]

#: The depth of the bounds that `?:` makes, which is deeper than any block.
MAX_DEPTH: Final = 1 << 20
#: Operators whose overflow is undefined, by the name of their check.
_OVERFLOWING: Final = {"+": "add", "-": "sub", "*": "mul"}
_DIVIDING: Final = {"/": "div", "%": "rem"}
_COMPARING: Final = frozenset({"&&", "||", "==", "!=", "<", "<=", ">", ">="})


def evaluate_sign(context: Context, node: Any) -> Value:
    """Evaluate `-`, `+`, `~` or `!` of a value."""
    operand = evaluate_value(context, node.expr)
    if node.op == "!":
        return Value(unary("!", operand.node), INT)
    typ = promote(operand.type)
    if node.op == "-" and is_overflow_checked(context, typ):
        return check_overflow(context, node, "-", Value(ZERO, typ), operand, typ)
    return Value(unary(node.op, operand.node), typ)


def evaluate_binary(context: Context, node: Any) -> Value:
    """Evaluate an operator with two operands."""
    left, right = evaluate_value(context, node.left), evaluate_value(context, node.right)
    pointers = [isinstance(v.type, PointerTo) for v in (left, right)]
    if node.op in ("+", "-") and any(pointers):
        if all(pointers):
            return _subtract_pointers(context, node, left, right)
        return move_pointer(node, node.op, *((left, right) if pointers[0] else (right, left)))
    if node.op in _COMPARING:
        return Value(binary(node.op, left.node, right.node), INT)
    if node.op in ("<<", ">>"):
        return shift(context, node, left, right)
    return compute(context, node, node.op, left, right)


def _subtract_pointers(context: Context, node: Any, left: Value, right: Value) -> Value:
    """Evaluate `pointer - pointer`, with names: `sizeof` evaluates an operand whose rows have a variable length."""
    site = context.new_site("division", node, "/")
    a, b = name("sj_l"), name("sj_r")
    distance = binary("-", cast(INTPTR, a), cast(INTPTR, b))
    divided = Check("sj_divi64", site, [distance, cast(INT64, size_of(dereference(a)))])
    return Value(StatementExpr([declare_auto("sj_l", left.node), declare_auto("sj_r", right.node), divided]), LONG)


def compute(context: Context, node: Any, operator: str, left: Value, right: Value) -> Value:
    """Evaluate an arithmetic operator that is no shift and no comparison."""
    typ = common_type(left.type, right.type)
    if operator in _DIVIDING and isinstance(typ, Arithmetic) and typ.is_integer:
        site = context.new_site("division", node, operator)
        check = Check(f"sj_{_DIVIDING[operator]}{typ.kind}{typ.bits}", site, [left.node, right.node])
        return Value(check, typ)
    if operator in _OVERFLOWING and is_overflow_checked(context, typ):
        return check_overflow(context, node, operator, left, right, typ)
    return Value(binary(operator, left.node, right.node), typ)


def is_overflow_checked(context: Context, typ: CType) -> bool:
    """Whether arithmetic of a type is checked for overflow."""
    return context.checked and isinstance(typ, Arithmetic) and typ.kind == "i" and typ.bits >= 32


def check_overflow(context: Context, node: Any, operator: str, a: Value, b: Value, typ: CType) -> Value:
    """Evaluate `a operator b` of a signed type, checked."""
    assert isinstance(typ, Arithmetic)
    site = context.new_site("overflow", node, operator, f"int{typ.bits}_t")
    return Value(Check(f"sj_{_OVERFLOWING[operator]}{typ.bits}", site, [a.node, b.node]), typ)


def shift(context: Context, node: Any, left: Value, right: Value) -> Value:
    """Evaluate `left << right` or `left >> right`; the width that clang has for the type decides."""
    typ = promote(left.type)
    assert isinstance(typ, Arithmetic)
    shifted = name("sj_s")
    if not context.checked:  # `safe` takes the hardware's answer, which C leaves open.
        context.has_replaced = True
        last = cast(INT64, binary("-", binary("*", size_of(shifted), number(8)), number(1)))
        by = binary("&", cast(INT64, right.node), last)
    else:
        site = context.new_site("shift", node, "", str(typ.bits))
        width = binary("*", cast(INT64, size_of(shifted)), number(8))
        by = Check("sj_shift", site, [cast(INT64, right.node), width])
    result = binary(node.op, shifted, by)
    return Value(StatementExpr([declare_auto("sj_s", unary("+", left.node)), result]), typ)


def evaluate_comma(context: Context, node: Any) -> Value:
    """Evaluate expressions one after the other."""
    values = [evaluate_value(context, part) for part in node.exprs]
    return Value(comma(*(v.node for v in values)), values[-1].type, values[-1].bounds)


# -- conditions -------------------------------------------------------------------------------------------------------


def evaluate_ternary(context: Context, node: Any) -> Value:
    """Evaluate `condition ? a : b`."""
    condition, a, b = (evaluate_value(context, n) for n in (node.cond, node.iftrue, node.iffalse))
    chosen = ternary(condition.node, a.node, b.node)
    if not isinstance(a.type, PointerTo) and not isinstance(b.type, PointerTo):
        return Value(chosen, common_type(a.type, b.type))
    typ: CType = a.type if isinstance(a.type, PointerTo) and a.type.to != VOID else b.type
    if isinstance(a.type, PointerTo) and isinstance(b.type, PointerTo) and VOID not in (a.type.to, b.type.to):
        _require_same_rows(node, a.type, b.type)
    bounds = {v.bounds for v in (a, b)} - {NULL_BOUNDS, None}
    if len(bounds) < 2:
        return Value(chosen, typ, bounds.pop() if bounds else NULL_BOUNDS)
    return _choose(context, node, condition, (a, b), typ)


def _require_same_rows(node: Any, a: CType, b: CType) -> None:
    if not same_rows(a, b):
        raise Refused(node, "both sides of '?:' have rows of the same length; use an if")


def _choose(context: Context, node: Any, condition: Value, pointers: Sequence[Value], typ: CType) -> Value:
    """Choose one of two pointers, and keep which it was; clang evaluates arguments from left to right."""
    bounds = context.declare_shadow("either", 0)
    chosen = Symbol(typ, MAX_DEPTH, "", bounds)
    sides = []
    for part, value in zip((node.iftrue, node.iffalse), pointers, strict=True):
        own = require_bounds(part, value)
        context.assign_bounds(chosen, own, part)
        # The pointer is evaluated before its bounds are read, because evaluating it may set them in passing.
        kept = [assign(bounds.low, own.low), assign(bounds.high, own.high)]
        sides.append(StatementExpr([declare_auto("sj_q", value.node), *kept, name("sj_q")]))
    names = " or ".join(dict.fromkeys(v.bounds.name for v in pointers if v.bounds is not None and v.bounds.name))
    result = ternary(condition.node, *sides)
    require_bounded(context, node, result)
    return Value(result, typ, replace(bounds, name=names))


# -- casts ------------------------------------------------------------------------------------------------------------


def evaluate_cast(context: Context, node: Any) -> Value:
    """Evaluate `(type)value`."""
    context.name_lengths(node.to_type)
    context.require_constant_type(node.to_type)
    typ, operand = context.types.read(node.to_type), evaluate_value(context, node.expr)
    if isinstance(typ, PointerTo):
        return _cast_pointer(node, typ, operand)
    return Value(cast(node.to_type, convert(context, operand, typ, node).node), typ)


def _through_elements(to_type: Any, row: CType, pointer: Any) -> Any:
    """Cast a pointer to rows by way of one to their elements: between rows of other lengths clang overlooks a const."""
    if not isinstance(row, ArrayOf) or has_variable_length(row):
        return pointer
    element = dereference(cast(to_type, ZERO))
    while isinstance(row, ArrayOf):
        element, row = first_of(element), row.of
    return cast(type_of(unary("&", element)), pointer)


def _cast_pointer(node: Any, typ: PointerTo, operand: Value) -> Value:
    if isinstance(typ.to, PointerTo):
        raise Refused(node, "a pointer to a pointer is not followed; use an index")
    if has_wide_float(typ.to):
        raise Refused(node, "a 'long double' may not lie where a pointer is made to point; use double")
    require_traceable(node, typ)
    if isinstance(operand.type, PointerTo):
        return Value(cast(node.to_type, _through_elements(node.to_type, typ.to, operand.node)), typ, operand.bounds)
    if isinstance(node.expr, c_ast.Constant) and node.expr.value.rstrip("uUlL") == "0":
        return Value(name("NULL"), typ, NULL_BOUNDS)
    raise Refused(node, "a pointer made of a number points nowhere; take the address of an object")
