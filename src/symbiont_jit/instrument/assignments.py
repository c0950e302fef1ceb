"""Assignments: of values, of pointers with their bounds, and in place (`x op= y`, `x++`).

In: nodes of the candidate. Out: `Value`s. Where the operation is checked, the object's address is computed once.
"""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import has_effects
from symbiont_jit.c.types import INT, Arithmetic, PointerTo, Refused, StructOf
from symbiont_jit.instrument.bounds import NULL_BOUNDS
from symbiont_jit.instrument.context import Context, Value
from symbiont_jit.instrument.nodes import (
    BOOL_TYPE,
    ONE,
    VOID_TYPE,
    ZERO,
    Check,
    Hidden,
    StatementExpr,
    assign,
    cast,
    comma,
    declare_auto,
    is_zero,
    name,
    ternary,
    unary,
)
from symbiont_jit.instrument.operators import check_overflow, compute, is_overflow_checked, shift
from symbiont_jit.instrument.values import (
    BOOL,
    convert,
    count_large,
    evaluate_value,
    point_at,
    read_bool,
    require_bounded,
    require_bounds,
)

__all__ = ["assign_pointer", "evaluate_assignment", "evaluate_step"]


def evaluate_assignment(context: Context, node: Any) -> Value:
    """Evaluate `x = y` and `x op= y`."""
    target = context.evaluate(node.lvalue)
    if isinstance(target.type, PointerTo):
        _require_variable(node.lvalue)
        if node.op == "=":
            return assign_pointer(context, node.lvalue.name, node.rvalue)
        moved = assign(target.node, evaluate_value(context, node.rvalue).node, node.op)
        return Value(moved, target.type, target.bounds)
    if node.op == "=":
        source = convert(context, evaluate_value(context, node.rvalue), target.type, node).node
        if isinstance(target.type, StructOf) and context.watches_frees and has_effects(node.rvalue):
            # clang takes the address of a struct first, and the right side may free the block where it lies.
            whole = [declare_auto("sj_t", source), assign(target.node, name("sj_t"))]
            return Value(StatementExpr([*count_large(context, node, target.type), *whole]), target.type)
        steps = count_large(context, node, target.type)
        if steps:
            source = StatementExpr([*steps, source])
        return _assign_value(target, source, "=")
    return _update(context, node, target)


def _assign_value(target: Value, source: Any, operator: str) -> Value:
    """Evaluate an assignment to an object; the value of a bit-field has its type in an expression."""
    made = assign(target.node, source, operator)
    return Value(made if target.bit_field is None else unary("+", made), target.operand_type)


def _update(context: Context, node: Any, target: Value) -> Value:
    """Evaluate `x op= y`; a checked operation works on the object's address, which is computed once."""
    operator, operand = node.op[:-1], evaluate_value(context, node.rvalue)
    pointer, place = point_at(target)
    is_bool = target.type == BOOL and target.bit_field is None
    old = Value(read_bool(place), INT) if is_bool else Value(place, target.operand_type)
    right = Value(name("sj_v"), operand.type)
    plain = c_ast.BinaryOp(operator, node.lvalue, node.rvalue, node.coord)
    is_shift = operator in ("<<", ">>")
    computed = shift(context, plain, old, right) if is_shift else compute(context, plain, operator, old, right)
    changed = convert(context, computed, target.type, node)
    is_checked = isinstance(changed.node, Check) or changed.node is not computed.node
    if not is_checked and not is_shift and not is_bool:
        return _assign_value(target, operand.node, node.op)
    require_bounded(context, node, changed.node, target.node)
    context.has_replaced |= is_bool
    kept = [assign(place, changed.node)]
    if is_bool:
        kept = [Hidden(BOOL_TYPE, "sj_b", kept[0]), name("sj_b")]
    elif target.bit_field is not None:
        kept = [declare_auto("sj_b", unary("+", kept[0])), name("sj_b")]
    # As clang does it, the right side is evaluated first.
    result = StatementExpr([declare_auto("sj_v", operand.node), pointer, *kept])
    return Value(result, INT if is_bool else target.operand_type)


def evaluate_step(context: Context, node: Any) -> Value:
    """Evaluate `x++`, `x--`, `++x` and `--x`."""
    target = context.evaluate(node.expr)
    sign, is_postfix = node.op[-1], node.op.startswith("p")
    if isinstance(target.type, PointerTo):
        _require_variable(node.expr)
    elif target.type == BOOL and target.bit_field is None:
        return _step_bool(context, target, sign, is_postfix)
    elif is_overflow_checked(context, target.type):
        result = _evaluate_checked_step(context, node, target, sign, is_postfix)
        return Value(result, target.operand_type, None if target.bit_field is not None else target.bounds)
    if target.bit_field is None:
        return Value(unary(node.op, target.node), target.type, target.bounds)
    # What a bit-field was before a step has the type that it was declared with; what it is has the promoted one.
    return Value(unary(node.op, target.node), target.type if is_postfix else target.operand_type)


def _step_bool(context: Context, target: Value, sign: str, is_postfix: bool) -> Value:
    context.has_replaced = True
    pointer, place = point_at(target)
    now = unary("!", name("sj_old")) if sign == "-" else ONE
    kept = [Hidden(BOOL_TYPE, "sj_old", read_bool(place)), Hidden(BOOL_TYPE, "sj_b", now), assign(place, name("sj_b"))]
    return Value(StatementExpr([pointer, *kept, name("sj_old" if is_postfix else "sj_b")]), INT)


def _evaluate_checked_step(context: Context, node: Any, target: Value, sign: str, is_postfix: bool) -> Any:
    pointer, place = point_at(target)
    typ = target.operand_type
    changed = check_overflow(context, node, sign, Value(place, typ), Value(ONE, INT), typ)
    old = name("sj_old")
    kept = [declare_auto("sj_old", unary("+", place)), assign(place, changed.node), cast(VOID_TYPE, old)]
    return StatementExpr([pointer, *kept, old if is_postfix else place])


def assign_pointer(context: Context, variable: str, source: Any) -> Value:
    """Set a pointer variable together with its bounds."""
    symbol = context.symbol(variable)
    assert symbol is not None
    assert symbol.bounds is not None
    if isinstance(source, c_ast.TernaryOp):
        condition = evaluate_value(context, source.cond)
        a, b = (assign_pointer(context, variable, n).node for n in (source.iftrue, source.iffalse))
        return Value(ternary(condition.node, a, b), symbol.type, symbol.bounds)
    value = evaluate_value(context, source)
    if isinstance(value.type, Arithmetic):
        if not is_zero(value.node):
            raise Refused(source, "a pointer made of a number points nowhere; take the address of an object")
        value = Value(ZERO, symbol.type, NULL_BOUNDS)
    bounds, own, target = require_bounds(source, value), symbol.bounds, name(symbol.name)
    context.assign_bounds(symbol, bounds, source)
    made = assign(target, value.node)
    if bounds == own:
        return Value(made, symbol.type, own)
    return Value(comma(made, assign(own.low, bounds.low), assign(own.high, bounds.high), target), symbol.type, own)


def _require_variable(node: Any) -> None:
    if not isinstance(node, c_ast.ID):
        raise Refused(node, "pointers are followed in variables only; use an index into the array")
