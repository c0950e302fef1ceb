"""Which names are needed later: classical liveness, on the syntax tree.

In: the body of a function. Out: for each loop, the names that are read again after its body has begun anew or after it
has ended; for each statement, the names that are read after it. A name that is needed across a loop must have one place
in C; one that is not can have a new one in each pass.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["Liveness", "assigned_names", "count_stores", "read_names", "rebound_names"]

NameSet = frozenset[str]


@dataclass(slots=True)
class Liveness:
    """NameSet that are live at the head of each loop and after each statement."""

    heads: dict[ast.stmt, NameSet] = field(default_factory=dict)
    after: dict[ast.stmt, NameSet] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Sequence[ast.stmt]) -> Liveness:
        """Analyse a body."""
        made = cls()
        made._before(body, frozenset(), frozenset(), frozenset())
        return made

    def _before(self, body: Sequence[ast.stmt], live: NameSet, at_break: NameSet, at_continue: NameSet) -> NameSet:
        for statement in reversed(body):
            self.after[statement] = live
            live = self._step(statement, live, at_break, at_continue)
        return live

    def _step(self, statement: ast.stmt, live: NameSet, at_break: NameSet, at_continue: NameSet) -> NameSet:
        if isinstance(statement, ast.Return):
            return frozenset(read_names(statement))
        if isinstance(statement, ast.Break):
            return at_break
        if isinstance(statement, ast.Continue):
            return at_continue
        if isinstance(statement, ast.If):
            inside = [self._before(each, live, at_break, at_continue) for each in (statement.body, statement.orelse)]
            return inside[0] | inside[1] | frozenset(read_names(statement.test))
        if isinstance(statement, ast.For | ast.While):
            return self._loop(statement, live, at_break, at_continue)
        return (live - frozenset(_killed(statement))) | frozenset(read_names(statement))

    def _loop(self, loop: ast.For | ast.While, live: NameSet, at_break: NameSet, at_continue: NameSet) -> NameSet:
        ended = self._before(loop.orelse, live, at_break, at_continue)
        is_for = isinstance(loop, ast.For)
        header = frozenset(read_names(loop.iter if isinstance(loop, ast.For) else loop.test))
        head = ended | (frozenset() if is_for else header)
        while True:
            inside = self._before(loop.body, head, live, head)
            targets = frozenset(assigned_names([loop.target])) if isinstance(loop, ast.For) else frozenset()
            new = head | (inside - targets)
            if new == head:
                break
            head = new
        self.heads[loop] = head
        return head | header


def read_names(node: ast.AST) -> Iterator[str]:
    """Return the names that a node reads; `x += 1` reads `x`, and so does `x[0] = 1`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            yield each.id
        elif isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
            yield each.target.id


def _killed(statement: ast.stmt) -> Iterator[str]:
    """Return the names that a statement certainly sets."""
    if isinstance(statement, ast.Assign):
        yield from assigned_names(statement.targets)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield from assigned_names([statement.target])


def assigned_names(nodes: Sequence[ast.AST]) -> set[str]:
    """Return the names that something in some nodes may set."""
    found = set()
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                found.add(each.id)
    return found


def rebound_names(nodes: Sequence[ast.AST]) -> set[str]:
    """Return the names that something in some nodes may lead elsewhere; `x += 1` changes an array where it is."""
    found = set()
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Assign | ast.For):
                targets = each.targets if isinstance(each, ast.Assign) else [each.target]
                found |= assigned_names(targets)
            elif isinstance(each, ast.AnnAssign | ast.NamedExpr):
                found |= assigned_names([each.target])
    return found


def count_stores(body: Sequence[ast.stmt]) -> dict[str, int]:
    """Return how many places of a body set each name; `x += 1` counts twice, because it sets what is there anew."""
    counts: dict[str, int] = {}
    for statement in body:
        for each in ast.walk(statement):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                counts[each.id] = counts.get(each.id, 0) + 1
            if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
                counts[each.target.id] = counts.get(each.target.id, 0) + 1
    return counts
