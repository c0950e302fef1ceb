"""Statements with checks: blocks, loops, labels.

In: statements of the candidate, which are changed in place. Out: what stands for each of them, in order. `checked`
counts the steps of loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.types import StructOf
from symbiont_jit.instrument.context import Context
from symbiont_jit.instrument.declarations import instrument_declaration
from symbiont_jit.instrument.nodes import Check
from symbiont_jit.instrument.values import convert, evaluate_value
from symbiont_jit.instrument.whole import give_result

__all__ = ["instrument_block", "open_scope", "place_after_pragmas"]


@contextmanager
def open_scope(context: Context) -> Iterator[None]:
    """Open a scope of names and types; a text that is refused needs no scope any more."""
    context.scopes.append({})
    context.types.open()
    yield
    context.types.close()
    context.scopes.pop()


def instrument_block(context: Context, items: Sequence[Any]) -> list[Any]:
    """Instrument the statements of a block, in a scope of their own."""
    with open_scope(context):
        return _instrument_statements(context, items)


def _instrument_statements(context: Context, items: Sequence[Any]) -> list[Any]:
    done: list[Any] = []
    for item in items:
        context.place = item
        made = _instrument_statement(context, item)
        # The loop is inside of a block now, and its pragmas have to follow it there.
        if isinstance(item, c_ast.For) and made[0] is not item:
            inner = made[0].block_items
            while done and _is_about_a_loop(done[-1]):
                inner.insert(len(inner) - 1, done.pop())
        done += made
    return done


def _instrument_statement(context: Context, node: Any) -> list[Any]:
    handler = _HANDLERS.get(type(node))
    return [evaluate_value(context, node).node] if handler is None else handler(context, node)


def _instrument_expression(context: Context, node: Any) -> Any:
    return None if node is None else evaluate_value(context, node).node


def _instrument_controlled(context: Context, node: Any) -> Any:
    made = _instrument_statement(context, node)
    return made[0] if len(made) == 1 else c_ast.Compound(made)


def _count_step(context: Context, node: Any) -> list[Any]:
    """Make the check that ends an endless loop in `checked`."""
    return [Check("sj_step", context.new_site("endless", node))] if context.checked else []


def _is_about_a_loop(item: Any) -> bool:
    """Whether a statement is a pragma that has to stand before a loop; others stand where their block begins."""
    return isinstance(item, c_ast.Pragma) and ("loop" in item.string or "roll" in item.string)


def place_after_pragmas(items: list[Any], new: list[Any]) -> list[Any]:
    """Put new statements in front of others, but behind the pragmas that have to come first in a block."""
    first = [item for item in items if isinstance(item, c_ast.Pragma) and not _is_about_a_loop(item)]
    if items[: len(first)] != first:
        return [*new, *items]
    return [*first, *new, *(item for item in items if item not in first)]


# -- by kind ----------------------------------------------------------------------------------------------------------


def _keep(_: Context, node: Any) -> list[Any]:
    return [node]


def _instrument_compound(context: Context, node: Any) -> list[Any]:
    node.block_items = instrument_block(context, node.block_items or [])
    return [node]


def _instrument_declarations(context: Context, node: Any) -> list[Any]:
    return [made for decl in node.decls for made in instrument_declaration(context, decl)]


def _instrument_if(context: Context, node: Any) -> list[Any]:
    node.cond = _instrument_expression(context, node.cond)
    node.iftrue = _instrument_controlled(context, node.iftrue)
    node.iffalse = None if node.iffalse is None else _instrument_controlled(context, node.iffalse)
    return [node]


def _instrument_loop(context: Context, node: Any) -> list[Any]:
    node.cond = _instrument_expression(context, node.cond)
    node.stmt = _instrument_body(context, node)
    return [node]


def _instrument_body(context: Context, node: Any) -> Any:
    body = node.stmt
    steps = _count_step(context, node)
    items = body.block_items or [] if isinstance(body, c_ast.Compound) else [body]
    return c_ast.Compound(place_after_pragmas(instrument_block(context, items), steps))


def _instrument_for(context: Context, node: Any) -> list[Any]:
    before: list[Any] = []
    with open_scope(context):
        if isinstance(node.init, c_ast.DeclList):
            made = _instrument_statement(context, node.init)
            # A pointer has statements for its bounds, which a `for` cannot hold.
            if any(not isinstance(m, c_ast.Decl) for m in made):
                before, node.init = made, None
            else:
                node.init = c_ast.DeclList(made)
        else:
            node.init = _instrument_expression(context, node.init)
        node.cond = _instrument_expression(context, node.cond)
        node.next = _instrument_expression(context, node.next)
        node.stmt = _instrument_body(context, node)
    return [c_ast.Compound([*before, node])] if before else [node]


def _instrument_switch(context: Context, node: Any) -> list[Any]:
    node.cond = _instrument_expression(context, node.cond)
    node.stmt = _instrument_controlled(context, node.stmt)
    return [node]


def _instrument_case(context: Context, node: Any) -> list[Any]:
    node.stmts = _instrument_statements(context, node.stmts or ())
    return [node]


def _instrument_label(context: Context, node: Any) -> list[Any]:
    steps = _count_step(context, node)
    following = _instrument_statement(context, node.stmt)
    node.stmt = c_ast.EmptyStatement()
    return [node, *steps, *following]


def _instrument_return(context: Context, node: Any) -> list[Any]:
    if node.expr is not None:
        value = evaluate_value(context, node.expr)
        if isinstance(context.function.result, StructOf):
            node.expr = None
            return [*give_result(value.node), node]
        node.expr = convert(context, value, context.function.result, node.expr).node
    return [node]


#: The function that instruments each kind of statement; every other node is an expression.
_HANDLERS: Final[Mapping[type, Callable[[Context, Any], list[Any]]]] = {
    c_ast.Compound: _instrument_compound,
    c_ast.Decl: instrument_declaration,
    c_ast.Typedef: instrument_declaration,
    c_ast.DeclList: _instrument_declarations,
    c_ast.If: _instrument_if,
    c_ast.While: _instrument_loop,
    c_ast.DoWhile: _instrument_loop,
    c_ast.For: _instrument_for,
    c_ast.Switch: _instrument_switch,
    c_ast.Case: _instrument_case,
    c_ast.Default: _instrument_case,
    c_ast.Label: _instrument_label,
    c_ast.Return: _instrument_return,
    **dict.fromkeys(
        (c_ast.Goto, c_ast.Break, c_ast.Continue, c_ast.EmptyStatement, c_ast.Pragma, c_ast.StaticAssert), _keep
    ),
}
