"""Jumps that would leave something without a value: `goto` and `case` past declarations.

In: the body of a function as the candidate wrote it. Out: nothing, or `Refused`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import walk
from symbiont_jit.c.types import Refused

__all__ = ["check_jumps"]


@dataclass(frozen=True, slots=True)
class _Position:
    """A position in a block: which of its items a statement is in; `block` is the identity of the block."""

    block: int
    items: list[Any]
    index: int


def check_jumps(body: Any) -> None:
    """Refuse jumps past the declaration of something that is used behind them: it would not be initialised.

    A switch jumps to each of its cases. A jump back past an array of variable length ends it, whoever points there.
    """
    labels: dict[str, list[_Position]] = {}
    gotos: list[tuple[Any, list[_Position]]] = []

    def visit(block: Any, path: list[_Position], switch: list[_Position]) -> None:
        items = list(_walk_items(block.block_items or ()))
        for index, item in enumerate(items):
            here = [*path, _Position(id(block), items, index)]
            if isinstance(item, c_ast.Label):
                labels[item.name] = here
                continue
            if isinstance(item, c_ast.Case | c_ast.Default):
                _check_jump(item, switch, here, "a case")
                continue
            if isinstance(item, c_ast.Goto):
                gotos.append((item, here))
            if isinstance(item, c_ast.For) and isinstance(item.init, c_ast.DeclList):
                inside = [*item.init.decls, item]
                here = [*here, _Position(id(item.init), inside, len(inside) - 1)]
            for inner in _find_blocks(item):
                visit(inner, here, here if isinstance(item, c_ast.Switch) else switch)

    visit(body, [], [])
    for node, start in gotos:
        end = labels.get(node.name, [])
        _check_jump(node, start, end, f"'goto {node.name}'")
        _check_jump_back(node, start, end)


def _check_jump(node: Any, start: Sequence[_Position], end: Sequence[_Position], what: str) -> None:
    begins = {position.block: position.index for position in start}
    for position in end:
        skipped = position.items[begins.get(position.block, -1) + 1 : position.index]
        names = {item.name for item in skipped if isinstance(item, c_ast.Decl)}
        used = names & _find_used_behind_labels(position.items, skipped)
        if used:
            raise Refused(node, f"{what} jumps past the declaration of '{min(used)}'; declare it before")


def _check_jump_back(node: Any, start: Sequence[_Position], end: Sequence[_Position]) -> None:
    begins = {position.block: position.index for position in start}
    for position in end:
        for item in position.items[position.index : begins.get(position.block, -1) + 1]:
            is_declared = isinstance(item, c_ast.Decl) and isinstance(item.type, c_ast.ArrayDecl)
            if is_declared and any(
                isinstance(n, c_ast.ArrayDecl) and n.dim is not None and _has_names(n.dim) for n in walk(item.type)
            ):
                raise Refused(node, f"'goto {node.name}' jumps back past the array '{item.name}'; use a loop")


def _has_names(node: Any) -> bool:
    return any(isinstance(n, c_ast.ID | c_ast.FuncCall) for n in walk(node))


def _walk_items(nodes: Sequence[Any]) -> Iterator[Any]:
    """Yield the statements of a block in order: a label and what it stands before, the contents of a case."""
    for node in nodes:
        yield node
        if isinstance(node, c_ast.Case | c_ast.Default):
            yield from _walk_items(node.stmts or ())
        if isinstance(node, c_ast.Label):
            yield from _walk_items([node.stmt])


def _find_used_behind_labels(items: Sequence[Any], skipped: Sequence[Any]) -> set[str]:
    """Find the names used from the first labelled statement on that comes behind the first skipped declaration.

    Whoever jumps into the block arrives at a label; a loop around one may go back to what is before it.
    """
    first = next((i for i, item in enumerate(items) if any(item is s for s in skipped)), len(items))
    behind = items[first:]
    arrivals = c_ast.Label | c_ast.Case | c_ast.Default
    arrival = next((i for i, item in enumerate(behind) if any(isinstance(n, arrivals) for n in walk(item))), 0)
    return {n.name for item in behind[arrival:] for n in walk(item) if isinstance(n, c_ast.ID)}


def _find_blocks(item: Any) -> list[Any]:
    """Find the blocks directly inside of a statement."""
    found, stack = [], [child for _, child in item.children()] if not isinstance(item, c_ast.Compound) else [item]
    while stack:
        node = stack.pop(0)
        if isinstance(node, c_ast.Compound):
            found.append(node)
        else:
            stack = [*(child for _, child in node.children()), *stack]
    return found
