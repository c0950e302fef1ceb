"""Texts that are simpler than a text by one change of its tree: something is left out, or stands on its own.

In: canonical C. Out: texts, those with much less in them first. Whether a change matters is nobody's business here: who
asks tries each text, takes one that is as good, and asks again (delta debugging: Zeller and Hildebrandt, Simplifying
and Isolating Failure-Inducing Input, IEEE Transactions on Software Engineering 28, 2002; on trees: Misherghi and Su,
HDD: Hierarchical Delta Debugging, ICSE 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import brace, parse, print_tree, walk
from symbiont_jit.errors import Diagnostic

__all__ = ["list_simpler"]

Undo = Callable[[], None]


def list_simpler(source: str) -> Iterator[str]:
    """Yield each text that is simpler than a canonical text by one change, the shortest ones first.

    Args:
        source: Canonical C; for any other text there is none.

    Yields:
        Texts, none of them twice and none of them the given one.
    """
    tree = parse(source)
    if isinstance(tree, Diagnostic):
        return
    brace(tree)
    seen = {source, print_tree(tree)}
    found = []
    for change in _list_changes(tree):
        undo = change()
        text = print_tree(tree)
        undo()
        if text not in seen:
            seen.add(text)
            found.append(text)
    yield from sorted(found, key=len)


def _list_changes(tree: c_ast.FileAST) -> Iterator[Callable[[], Undo]]:
    """Yield changes of a tree; each one is made by calling it, and taken back by calling what it returns."""
    yield from _leave_out(tree, "ext")
    for node in list(walk(tree)):
        match node:
            case c_ast.Compound() if node.block_items:
                yield from _leave_out(node, "block_items")
        for slot, child in node.children():
            for simpler in _list_replacements(child):
                yield _replacement(node, slot, simpler)


def _leave_out(node: Any, slot: str) -> Iterator[Callable[[], Undo]]:
    """Yield changes that leave out parts of a list: halves of it, quarters, and so on to each item."""
    items = list(getattr(node, slot))
    size = max(len(items) // 2, 1)
    while True:
        for start in range(0, len(items), size):
            yield _replacement(node, slot, [*items[:start], *items[start + size :]])
        if size == 1:
            return
        size //= 2


def _replacement(node: Any, slot: str, value: Any) -> Callable[[], Undo]:
    """Make a change of one slot of a node; an item of a list is `slot[index]`."""
    name, _, index = slot.partition("[")

    def change() -> Undo:
        before = getattr(node, name)
        if index:
            number = int(index.rstrip("]"))
            setattr(node, name, [*before[:number], value, *before[number + 1 :]])
        else:
            setattr(node, name, value)
        return lambda: setattr(node, name, before)

    return change


def _list_replacements(node: Any) -> list[Any]:
    """List what may stand in place of a node: its parts, or the same said more shortly."""
    match node:
        case c_ast.BinaryOp(op="-", left=c_ast.Constant(value="0")):
            return [c_ast.UnaryOp("-", node.right), node.right]
        case c_ast.BinaryOp():
            return [node.left, node.right]
        case c_ast.TernaryOp():
            return [node.iftrue, node.iffalse]
        case c_ast.If():
            return [node.iftrue, *([] if node.iffalse is None else [node.iffalse])]
        case c_ast.For() | c_ast.While() | c_ast.DoWhile():
            return [node.stmt]
        case c_ast.Cast():
            return [node.expr]
        case c_ast.Compound(block_items=[inner]) if not isinstance(inner, c_ast.Decl):
            return [inner]
    return []
