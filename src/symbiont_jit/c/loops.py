"""Counted loops: recognise them in a tree, and write them back.

In: pycparser trees in canonical form. Out: `Loop` records for `for (T i = lo; i < hi; i += step)` and its spellings;
anything else is no `Loop`, and no transformation touches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.build import assign, binary, block, constant, declare, name
from symbiont_jit.c.constants import plain_integer
from symbiont_jit.c.names import assigned_names, declared_names, names_in
from symbiont_jit.c.tree import walk

__all__ = [
    "Loop",
    "PlacedLoop",
    "body_statements",
    "is_loop_pragma",
    "is_short",
    "loop_of",
    "loops_in",
    "main_loops",
    "make_for",
    "count_unrolled_copies",
]

#: A loop of at most so many iterations, known beforehand, is short: clang unrolls it.
SHORT: Final = 32


@dataclass(frozen=True, slots=True)
class Loop:
    """`for (type var = low; var < high; var += step) body`; `body` is the loop's own compound statement."""

    var: str
    type: tuple[str, ...]
    low: Any
    high: Any
    step: int
    body: Any
    node: Any


@dataclass(frozen=True, slots=True)
class PlacedLoop:
    """A loop and the list of statements it stands in."""

    statements: list[Any]
    index: int
    loop: Loop

    def replace(self, statements: list[Any], keep_pragmas: bool = False) -> None:
        """Put other statements in the loop's place; pragmas of the old loop go unless it stays one."""
        start = self.index
        while not keep_pragmas and start > 0 and is_loop_pragma(self.statements[start - 1]):
            start -= 1
        self.statements[start : self.index + 1] = statements

    @property
    def pragma_start(self) -> int:
        """The index at which the loop's pragmas begin in the list; the loop's own index if it has no pragmas."""
        start = self.index
        while start > 0 and is_loop_pragma(self.statements[start - 1]):
            start -= 1
        return start


def is_loop_pragma(node: Any) -> bool:
    """Whether a node is a pragma that has to stand before a loop."""
    return (
        isinstance(node, c_ast.Pragma) and node.string.split("(")[0].split()[0] != "STDC" and " fp " not in node.string
    )


def loop_of(node: Any) -> Loop | None:
    """Read a statement as a counted loop; None where it is none.

    The body may not change the counter, nor anything the bounds are made of.
    """
    if not isinstance(node, c_ast.For) or not isinstance(node.stmt, c_ast.Compound):
        return None
    start = _read_start(node.init)
    if start is None:
        return None
    var, c_type, low = start
    high = _read_limit(node.cond, var)
    step = _read_step(node.next, var)
    if high is None or step is None:
        return None
    changed = assigned_names(node.stmt)
    if changed & ({var} | names_in(low) | names_in(high)) or var in declared_names(node.stmt):
        return None
    return Loop(var, c_type, low, high, step, node.stmt, node)


def _read_start(init: Any) -> tuple[str, tuple[str, ...], Any] | None:
    if not isinstance(init, c_ast.DeclList) or len(init.decls) != 1:
        return None
    decl = init.decls[0]
    if not isinstance(decl.type, c_ast.TypeDecl) or not isinstance(decl.type.type, c_ast.IdentifierType):
        return None
    return None if decl.init is None else (decl.name, tuple(decl.type.type.names), decl.init)


def _read_limit(cond: Any, var: str) -> Any | None:
    """Return the bound that the counter of a loop stays below; None for a condition of another kind."""
    if not isinstance(cond, c_ast.BinaryOp):
        return None
    left, right, operator = cond.left, cond.right, cond.op
    if operator in (">", ">="):
        left, right, operator = right, left, {">": "<", ">=": "<="}[operator]
    if not (isinstance(left, c_ast.ID) and left.name == var) or var in names_in(right):
        return None
    if operator in ("<", "!="):
        return right
    return binary("+", right, constant(1)) if operator == "<=" else None


def _read_step(node: Any, var: str) -> int | None:
    match node:
        case c_ast.UnaryOp(op="p++" | "++", expr=c_ast.ID(name=counted)) if counted == var:
            return 1
        case c_ast.Assignment(op="+=", lvalue=c_ast.ID(name=counted), rvalue=amount) if counted == var:
            return plain_integer(amount) or None
        case c_ast.Assignment(op="=", lvalue=c_ast.ID(name=counted), rvalue=c_ast.BinaryOp(op="+", left=a, right=b)):
            if counted == var and isinstance(a, c_ast.ID) and a.name == var:
                return plain_integer(b) or None
    return None


def make_for(var: str, c_type: tuple[str, ...], low: Any, high: Any, step: int, statements: list[Any]) -> c_ast.For:
    """Make a counted loop."""
    init = c_ast.DeclList([declare(var, list(c_type), low)])
    following = c_ast.UnaryOp("p++", name(var)) if step == 1 else assign(name(var), constant(step), "+=")
    return c_ast.For(init, c_ast.BinaryOp("<", name(var), high), following, block(statements))


def body_statements(loop: Loop) -> list[Any]:
    """Return the list of statements in a loop's body; changing the list changes the tree."""
    if loop.body.block_items is None:
        loop.body.block_items = []
    items: list[Any] = loop.body.block_items
    return items


def loops_in(tree: Any) -> Iterator[PlacedLoop]:
    """Yield every counted loop with its place, outer ones first."""
    for node in walk(tree):
        if isinstance(node, c_ast.Compound):
            yield from _place_loops(node.block_items or [])


def main_loops(tree: Any) -> list[PlacedLoop]:
    """Find the counted loops in which time is spent.

    Loops that only count copies are left out, and so are the rest loops of earlier transformations with their contents.
    """
    found = []
    stack = [tree]
    while stack:
        node = stack.pop()
        skipped: set[int] = set()
        if isinstance(node, c_ast.Compound):
            for site in _place_loops(node.block_items or []):
                if _is_rest(site):
                    skipped.add(id(site.loop.node))
                elif not is_short(site.loop):
                    found.append(site)
        stack.extend(child for _, child in reversed(node.children()) if id(child) not in skipped)
    return found


def _place_loops(statements: list[Any]) -> Iterator[PlacedLoop]:
    for index, statement in enumerate(statements):
        loop = loop_of(statement)
        if loop is not None:
            yield PlacedLoop(statements, index, loop)


def is_short(loop: Loop) -> bool:
    """Whether a loop has so few iterations, known beforehand, that it is unrolled anyway."""
    low, high = plain_integer(loop.low), plain_integer(loop.high)
    return low is not None and high is not None and high - low <= SHORT * loop.step


def count_unrolled_copies(node: Any) -> int:
    """Return how many copies of a statement there are at most when all short loops below a node are unrolled."""
    inside = max((count_unrolled_copies(child) for _, child in node.children()), default=1)
    loop = loop_of(node)
    if loop is None or not is_short(loop):
        return inside
    return inside * max(1, ((plain_integer(loop.high) or 0) - (plain_integer(loop.low) or 0)) // loop.step)


def _is_rest(site: PlacedLoop) -> bool:
    """Whether a loop goes on where an earlier one in the same list, of larger steps, ended."""
    low = site.loop.low
    if not isinstance(low, c_ast.ID):
        return False
    earlier = (loop_of(s) for s in site.statements[: site.index])
    return any(e is not None and isinstance(e.high, c_ast.ID) and e.high.name == low.name for e in earlier)
