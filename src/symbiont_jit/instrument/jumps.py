"""Jumps that would leave something without a value: `goto` and `case` past declarations.

In: the body of a function as the candidate wrote it. Out: nothing, or `Refused`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from pycparser import c_ast

from symbiont_jit.c.constants import Constants
from symbiont_jit.c.tree import walk
from symbiont_jit.c.types import Refused, scalar_of, size_of
from symbiont_jit.lazy import lazy

__all__ = ["check_jumps"]


_KEYWORDS: Final = frozenset("char short int long signed unsigned float double _Bool".split())


def _size_of_keywords(node: Any) -> int | None:
    """Return the size of a type that is spelled in keywords, which no declaration gives another meaning."""
    match node:
        case c_ast.Typename(type=c_ast.TypeDecl(type=c_ast.IdentifierType(names=names))) if _KEYWORDS.issuperset(names):
            typ = scalar_of(names)
            return None if typ is None else size_of(typ)
    return None


#: Computes lengths of literals and keywords alone. Every other length counts as one that is computed when the
#: declaration is met: what a name means at a declaration is not known here.
_LITERALS: Final = Constants(lambda name: None, _size_of_keywords, lambda node: None)


class _StatementList:
    """A block's statements in order; what is asked of them for every jump is found out once, for all."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    @lazy
    def declarations(self) -> list[tuple[int, str]]:
        """Return the names that are declared, with the index of each declaration, in order."""
        return [(index, item.name) for index, item in enumerate(self.items) if isinstance(item, c_ast.Decl)]

    @lazy
    def variable_arrays(self) -> list[tuple[int, str]]:
        """Return the arrays whose lengths are computed, with the index of each declaration, in order."""
        return [(index, item.name) for index, item in enumerate(self.items) if _is_variable_array(item)]

    @lazy
    def arrivals(self) -> list[int]:
        """Return the indices of the statements that have a label in them, in order."""
        kinds = c_ast.Label | c_ast.Case | c_ast.Default
        return [index for index, item in enumerate(self.items) if any(isinstance(n, kinds) for n in walk(item))]

    @lazy
    def last_uses(self) -> dict[str, int]:
        """Return the index of the last statement that uses a name."""
        return {n.name: i for i, item in enumerate(self.items) for n in walk(item) if isinstance(n, c_ast.ID)}

    def find_skipped(self, start: int, end: int) -> set[str]:
        """Find the names that are declared from `start` to before `end`, which a jump there skips, and used behind.

        Whoever jumps into the block arrives at a label; a loop around one may go back to what is before it. So a use
        counts from the first labelled statement on that comes behind the first skipped declaration.
        """
        skipped = self.declarations[bisect_left(self.declarations, (start,)) : bisect_left(self.declarations, (end,))]
        if not skipped:
            return set()
        following = bisect_left(self.arrivals, start)
        arrival = self.arrivals[following] if following < len(self.arrivals) else start
        return {name for _, name in skipped if self.last_uses.get(name, -1) >= arrival}

    def find_array(self, start: int, end: int) -> str | None:
        """Find the first array whose length is computed from `start` up to `end`."""
        following = bisect_left(self.variable_arrays, (start,))
        found = self.variable_arrays[following : following + 1]
        return found[0][1] if found and found[0][0] <= end else None


class _ItemPlace(NamedTuple):
    """A position in a block: which of its items a statement is in."""

    block: _StatementList
    at: int


def check_jumps(body: Any) -> None:
    """Refuse jumps past the declaration of something that is used behind them: it would not be initialised.

    A switch jumps to each of its cases. A jump back past an array of variable length ends it, whoever points there.
    """
    labels: dict[str, list[_ItemPlace]] = {}
    gotos: list[tuple[Any, list[_ItemPlace]]] = []

    def visit(node: Any, path: list[_ItemPlace], switch: list[_ItemPlace]) -> None:
        block = _StatementList(list(_walk_items(node.block_items or ())))
        for index, item in enumerate(block.items):
            here = [*path, _ItemPlace(block, index)]
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
                here = [*here, _ItemPlace(_StatementList(inside), len(inside) - 1)]
            for inner in _find_blocks(item):
                visit(inner, here, here if isinstance(item, c_ast.Switch) else switch)

    visit(body, [], [])
    for node, start in gotos:
        end = labels.get(node.name, [])
        _check_jump(node, start, end, f"'goto {node.name}'")
        _check_jump_back(node, start, end)


def _check_jump(node: Any, start: Sequence[_ItemPlace], end: Sequence[_ItemPlace], what: str) -> None:
    begins = dict(start)
    for block, index in end:
        used = block.find_skipped(begins.get(block, -1) + 1, index)
        if used:
            raise Refused(node, f"{what} jumps past the declaration of '{min(used)}'; declare it before")


def _check_jump_back(node: Any, start: Sequence[_ItemPlace], end: Sequence[_ItemPlace]) -> None:
    begins = dict(start)
    for block, index in end:
        name = block.find_array(index, begins.get(block, -1))
        if name is not None:
            raise Refused(node, f"'goto {node.name}' jumps back past the array '{name}'; use a loop")


def _is_variable_array(item: Any) -> bool:
    """Whether a statement declares an array whose length is computed."""
    if not (isinstance(item, c_ast.Decl) and isinstance(item.type, c_ast.ArrayDecl)):
        return False
    lengths = (n.dim for n in walk(item.type) if isinstance(n, c_ast.ArrayDecl) and n.dim is not None)
    return any(_LITERALS.value(length) is None for length in lengths)


def _walk_items(nodes: Sequence[Any]) -> Iterator[Any]:
    """Yield the statements of a block in order: a label and what it stands before, the contents of a case."""
    for node in nodes:
        yield node
        if isinstance(node, c_ast.Case | c_ast.Default):
            yield from _walk_items(node.stmts or ())
        if isinstance(node, c_ast.Label):
            yield from _walk_items([node.stmt])


def _find_blocks(item: Any) -> list[Any]:
    """Find the blocks directly inside of a statement."""
    found, stack = [], [item] if isinstance(item, c_ast.Compound) else _children(item)
    while stack:
        node = stack.pop()
        if isinstance(node, c_ast.Compound):
            found.append(node)
        else:
            stack += _children(node)
    return found


def _children(node: Any) -> list[Any]:
    """Return the parts of a node, the last one first."""
    return [child for _, child in reversed(node.children())]
