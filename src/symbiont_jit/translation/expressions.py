"""Which operation a node of Python's syntax is: numbers, arrays, tuples, and what is known before the program runs.

In: a node. Out: a `Quantity`, a `Grid`, a `Tuple` or something `Known`; what has to run before it is written already.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, is_true
from symbiont_jit.translation.elementwise import combine
from symbiont_jit.translation.facts import BoundNumber
from symbiont_jit.translation.products import matmul
from symbiont_jit.translation.scalars import (
    OPERATORS,
    UNARY_OPERATORS,
    apply_binary,
    apply_unary,
    negate,
    ternary,
)
from symbiont_jit.translation.state import NodeHandler, State
from symbiont_jit.translation.tables import static_table
from symbiont_jit.translation.typing import BOOLEAN, c_name, type_of_constant, unify
from symbiont_jit.translation.values import Grid, Known, Quantity, Tuple, bracketed

__all__ = [
    "EXPRESSIONS",
    "as_array",
    "as_number",
    "binary",
    "evaluate",
    "evaluate_condition",
    "evaluate_number",
    "kind_of",
    "known",
    "operand",
]


def evaluate(state: State, node: ast.expr) -> Any:
    """Translate an expression."""
    handler = state.expressions.get(type(node))
    if handler is None:
        state.fail(node, f"{_describe(node)} has no C form; write it with numbers, arrays and loops")
    try:
        return handler(state, node)
    except UntranslatableError as error:
        state.fail(node, str(error))


def _describe(node: ast.AST) -> str:
    known = {
        ast.ListComp: "a list comprehension",
        ast.GeneratorExp: "a generator",
        ast.Dict: "a dictionary",
        ast.Set: "a set",
        ast.Lambda: "a lambda",
        ast.JoinedStr: "a formatted text",
        ast.Await: "await",
        ast.Yield: "yield",
        ast.Starred: "a starred expression",
    }
    return known.get(type(node), f"{type(node).__name__}")


def evaluate_number(state: State, node: ast.expr) -> Quantity:
    """Translate an expression that has to be a number."""
    found = as_number(evaluate(state, node))
    if not isinstance(found, Quantity):
        state.fail(node, f"a number is needed here, and this is {kind_of(found)}")
    return found


def as_number(found: Any) -> Any:
    """Return an array without axes as the number that it holds."""
    if isinstance(found, Grid) and found.rank == 0:
        return convert(found.at([]), found.dtype)
    return found


def as_array(state: State, found: Any) -> Any:
    """Return a global array as the table that it is."""
    if isinstance(found, Known) and isinstance(found.value, np.ndarray):
        return static_table(state, found.value)
    return found


def kind_of(found: Any) -> str:
    """Say what something is, for messages."""
    if isinstance(found, Grid):
        return "an array"
    if isinstance(found, Tuple):
        return "a tuple"
    return f"{found.value!r:.60}" if isinstance(found, Known) else "a number"


# -- names and constants ---------------------------------------------------------------------------------------------


def _constant(state: State, node: ast.Constant) -> Any:
    if type_of_constant(node.value) is not None:
        return constant(node.value)
    return Known(node.value)


def _name(state: State, node: ast.Name) -> Any:
    frame = state.frame
    bound = frame.bindings.get(node.id)
    if isinstance(bound, BoundNumber):
        return state.read(node.id, bound)
    if bound is not None:
        return bound
    if node.id in frame.stores:
        state.fail(node, f"{node.id!r} has no value on every way that leads here; set it before")
    if node.id not in frame.function.scope:
        state.fail(node, f"the name {node.id!r} is not defined")
    return known(frame.function.scope[node.id])


def known(value: Any) -> Any:
    """Return what a global stands for: a number is one that stands in the text."""
    if isinstance(value, int | float | complex | np.generic) and type_of_constant(value) is not None:
        return constant(value.item() if isinstance(value, np.generic) else value, type_of_constant(value))
    if isinstance(value, tuple):
        return Tuple(tuple(known(item) for item in value))
    return Known(value)


# -- operators -------------------------------------------------------------------------------------------------------


def _binary(state: State, node: ast.BinOp) -> Any:
    left, right = operand(state, node.left), operand(state, node.right)
    return binary(state, type(node.op), left, right)


def operand(state: State, node: ast.expr) -> Any:
    """Translate an operand: a number, an array or a tuple."""
    return as_array(state, as_number(evaluate(state, node)))


def binary(state: State, kind: type[ast.AST], left: Any, right: Any) -> Any:
    """Apply an operator to numbers or arrays."""
    if isinstance(left, Tuple) and isinstance(right, Tuple) and kind is ast.Add:
        return Tuple((*left.items, *right.items))
    if isinstance(left, Tuple) and isinstance(right, Quantity) and kind is ast.Mult and isinstance(right.constant, int):
        return Tuple(left.items * right.constant)
    if not (isinstance(left, Quantity | Grid) and isinstance(right, Quantity | Grid)):
        raise UntranslatableError(f"an operator between {kind_of(left)} and {kind_of(right)} has no C form")
    if kind is ast.MatMult:
        if not (isinstance(left, Grid) and isinstance(right, Grid)):
            raise UntranslatableError("'@' takes two arrays; multiply by a number with '*'")
        return matmul(state, left, right)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return _binary_numbers(state, kind, left, right)

    return combine(state, OPERATORS[kind].function, [left, right], lambda values: _binary_numbers(state, kind, *values))


def _binary_numbers(state: State, kind: type[ast.AST], left: Quantity, right: Quantity) -> Quantity:
    is_small_power = kind is ast.Pow and isinstance(right.constant, int) and 2 <= right.constant <= 3
    if is_small_power and not left.is_simple and left.constant is None:
        left = state.keep(left, "base")
    result, helpers = apply_binary(kind, left, right, bool(state.quiet))
    state.helpers |= helpers
    return result


def _unary(state: State, node: ast.UnaryOp) -> Any:
    if isinstance(node.op, ast.Not):
        return negate(evaluate_condition(state, node.operand))
    value = operand(state, node.operand)
    kind = type(node.op)
    if isinstance(value, Grid):
        return combine(state, UNARY_OPERATORS[kind].function, [value], lambda values: apply_unary(kind, values[0]))
    if not isinstance(value, Quantity):
        raise UntranslatableError(f"an operator before {kind_of(value)} has no C form")
    return apply_unary(kind, value)


def _compare(state: State, node: ast.Compare) -> Any:
    if isinstance(node.ops[0], ast.Is | ast.IsNot):
        return _compare_identity(state, node)
    if isinstance(node.ops[0], ast.In | ast.NotIn):
        return _compare_membership(state, node)
    left = operand(state, node.left)
    found: Any = None
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = operand(state, right_node)
        if len(node.ops) > 1 and isinstance(right, Quantity) and not right.is_simple and right.constant is None:
            right = state.keep(right, "middle")
        each = _compare_two(state, type(op), left, right)
        found = each if found is None else _and(found, each)
        left = right
    return found


def _compare_two(state: State, kind: type[ast.AST], left: Any, right: Any) -> Any:
    if isinstance(left, Known) or isinstance(right, Known):
        values = [each.value if isinstance(each, Known) else getattr(each, "constant", None) for each in (left, right)]
        if kind in (ast.Eq, ast.NotEq):
            return constant((values[0] == values[1]) == (kind is ast.Eq))
    if isinstance(left, Tuple) and isinstance(right, Tuple) and kind in (ast.Eq, ast.NotEq):
        return _compare_tuples(state, kind, left, right)
    return binary(state, kind, left, right)


def _compare_tuples(state: State, kind: type[ast.AST], left: Tuple, right: Tuple) -> Quantity:
    if len(left.items) != len(right.items):
        return constant(kind is ast.NotEq)
    found = constant(True)
    for one, other in zip(left.items, right.items, strict=True):
        found = _and(found, _compare_two(state, ast.Eq, one, other))
    return found if kind is ast.Eq else negate(found)


def _and(left: Quantity, right: Quantity) -> Quantity:
    if not (isinstance(left, Quantity) and isinstance(right, Quantity)):
        raise UntranslatableError("a chain of comparisons of arrays has no meaning; write np.logical_and")
    if left.constant is not None:
        return right if left.constant else left
    if right.constant is not None and right.constant:
        return left
    return Quantity(f"{bracketed(left, 5)} && {bracketed(right, 6)}", BOOLEAN, 5)


def _compare_identity(state: State, node: ast.Compare) -> Quantity:
    values = [evaluate(state, each) for each in (node.left, node.comparators[0])]
    is_same = all(isinstance(each, Known) for each in values) and values[0].value is values[1].value
    return constant(is_same == isinstance(node.ops[0], ast.Is))


def _compare_membership(state: State, node: ast.Compare) -> Quantity:
    right = evaluate(state, node.comparators[0])
    if not isinstance(right, Tuple):
        raise UntranslatableError("'in' takes a tuple here; write a loop")
    left = evaluate_number(state, node.left)
    left = left if left.is_simple else state.keep(left, "each")
    found = constant(False)
    for item in right.items:
        each = _compare_two(state, ast.Eq, left, item)
        found = (
            each if found.constant is False else Quantity(f"{bracketed(found, 4)} || {bracketed(each, 5)}", BOOLEAN, 4)
        )
    return found if isinstance(node.ops[0], ast.In) else negate(found)


# -- truth -----------------------------------------------------------------------------------------------------------


def _truth(found: Any) -> Quantity:
    """Ask whether something is true."""
    if isinstance(found, Quantity):
        return is_true(found)
    if isinstance(found, Known):
        return constant(bool(found.value))
    if isinstance(found, Tuple):
        return constant(bool(found.items))
    raise UntranslatableError("the truth of an array is not defined; write np.any, np.all or len")


def evaluate_condition(state: State, node: ast.expr) -> Quantity:
    """Translate a condition."""
    if isinstance(node, ast.BoolOp):
        return _condition_chain(state, node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return negate(evaluate_condition(state, node.operand))
    found = as_number(evaluate(state, node))
    try:
        return _truth(found)
    except UntranslatableError as error:
        state.fail(node, str(error))


def _condition_chain(state: State, node: ast.BoolOp) -> Quantity:
    """Translate `and` and `or` in a condition; what a later part needs is computed only where Python gets there."""
    is_and = isinstance(node.op, ast.And)
    sign, level = ("&&", 5) if is_and else ("||", 4)
    found = evaluate_condition(state, node.values[0])
    for each in node.values[1:]:
        if found.constant is not None:
            if bool(found.constant) != is_and:
                return found
            found = evaluate_condition(state, each)
            continue
        with state.writer.aside() as lines, state.assume(node.values[0] if is_and else None):
            right = evaluate_condition(state, each)
        if lines.items:
            found = _write_lazily(state, found, right, lines, is_and)
        elif right.constant is not None:
            found = found if bool(right.constant) == is_and else constant(not is_and)
        else:
            found = Quantity(f"{bracketed(found, level)} {sign} {bracketed(right, level + 1)}", BOOLEAN, level)
    return found


def _write_lazily(state: State, found: Quantity, right: Quantity, lines: Any, is_and: bool) -> Quantity:
    word = state.names.take("holds")
    state.writer.line(f"bool {word} = {found.text};")
    with state.writer.within(f"if ({word})" if is_and else f"if (!{word})") as block:
        block.items += lines.items
        state.writer.line(f"{word} = {right.text};")
    return Quantity(word, BOOLEAN)


def _bool_op(state: State, node: ast.BoolOp) -> Any:
    """Translate `and` and `or` as a value: one of the operands, as Python has it."""
    with state.writer.aside() as lines:
        values = [as_number(evaluate(state, each)) for each in node.values]
    kinds = {each.type for each in values if isinstance(each, Quantity)}
    if kinds == {BOOLEAN} or not all(isinstance(each, Quantity) for each in values):
        return evaluate_condition(state, node)
    if lines.items:
        raise UntranslatableError("'and' and 'or' of such numbers have no C form; write an 'if'")
    found = values[0]
    for each in values[1:]:
        typ = unify(found.type, each.type)
        if not found.is_simple:
            found = state.keep(found, "either")
        one, other = convert(each, typ), convert(found, typ)
        pair = (one, other) if isinstance(node.op, ast.And) else (other, one)
        found = ternary(is_true(found), *pair)
    return found


def _if_expression(state: State, node: ast.IfExp) -> Any:
    condition = evaluate_condition(state, node.test)
    if condition.constant is not None:
        return evaluate(state, node.body if condition.constant else node.orelse)
    with state.writer.aside() as first, state.assume(node.test):
        chosen = operand(state, node.body)
    with state.writer.aside() as second:
        other = operand(state, node.orelse)
    if not (isinstance(chosen, Quantity) and isinstance(other, Quantity)):
        raise UntranslatableError("'if' and 'else' choose between numbers here; write the statement")
    typ = unify(chosen.type, other.type)
    if typ is None:
        raise UntranslatableError(f"{chosen.type} and {other.type} have no type in common")
    one, two = convert(chosen, typ), convert(other, typ)
    if not first.items and not second.items:
        return ternary(condition, one, two)
    word = state.names.take("chosen")
    state.writer.line(f"{c_name(typ)} {word};")
    for head, lines, value in ((f"if ({condition.text})", first, one), ("else", second, two)):
        with state.writer.within(head) as block:
            block.items += lines.items
            state.writer.line(f"{word} = {value.text};")
    return Quantity(word, typ)


# -- parts -----------------------------------------------------------------------------------------------------------


def _tuple(state: State, node: ast.Tuple | ast.List) -> Tuple:
    return Tuple(tuple(as_number(evaluate(state, each)) for each in node.elts))


#: The functions for all expressions but calls, which need the rest of the translation.
EXPRESSIONS: Final[Mapping[type[ast.AST], NodeHandler]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _bool_op,
    ast.IfExp: _if_expression,
    ast.Tuple: _tuple,
    ast.List: _tuple,
}
