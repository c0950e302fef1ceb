"""Reductions: scalars that a loop only adds to, multiplies, or keeps the largest or smallest value in.

In: a counted loop. Out: a `Reduction` for each such scalar, which says how partial results start and how they are
joined. Reordering them rounds differently; whether that is acceptable is for the check of the result to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.build import assign, block, clone, constant, name
from symbiont_jit.c.loops import Loop
from symbiont_jit.c.names import declared_names
from symbiont_jit.c.tree import print_tree, walk

__all__ = ["Reduction", "find_reductions"]

_FLIPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


@dataclass(frozen=True, slots=True)
class Reduction:
    """A scalar that a loop only reduces into.

    `start` is the expression that a partial result begins with; `join(partial)` makes the statement that takes a
    partial result into the scalar.
    """

    scalar: str
    start: Any
    join: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Update:
    """A statement that changes a scalar in the way of a reduction, and how often it names the scalar."""

    scalar: str
    kind: str
    uses: int


def find_reductions(loop: Loop) -> list[Reduction]:
    """Find the scalars from outside that the body of a loop uses only to reduce into, all in one way."""
    updates: dict[str, list[_Update]] = {}
    for update in _find_updates(loop.body):
        updates.setdefault(update.scalar, []).append(update)
    local = set(declared_names(loop.body))
    return [
        _make_reduction(scalar, found[0].kind)
        for scalar, found in updates.items()
        if scalar not in local
        and len({u.kind for u in found}) == 1
        and sum(u.uses for u in found) == _count_uses(loop.body, scalar)
    ]


def _count_uses(node: Any, scalar: str) -> int:
    return sum(1 for n in walk(node) if isinstance(n, c_ast.ID) and n.name == scalar)


def _find_updates(body: Any) -> Iterator[_Update]:
    for node in walk(body):
        match node:
            case c_ast.Assignment(op="+=" | "-=", lvalue=c_ast.ID(name=scalar)):
                yield _Update(scalar, "+", 1)
            case c_ast.Assignment(op="*=", lvalue=c_ast.ID(name=scalar)):
                yield _Update(scalar, "*", 1)
            case c_ast.Assignment(op="=", lvalue=c_ast.ID(name=scalar), rvalue=c_ast.TernaryOp() as choice):
                kept = isinstance(choice.iffalse, c_ast.ID) and choice.iffalse.name == scalar
                order = _find_order(choice.cond, choice.iftrue, scalar) if kept else None
                if order is not None:
                    yield _Update(scalar, order, 3)
            case c_ast.If(
                iffalse=None,
                iftrue=c_ast.Compound(
                    block_items=[c_ast.Assignment(op="=", lvalue=c_ast.ID(name=scalar), rvalue=value)]
                ),
            ):
                order = _find_order(node.cond, value, scalar)
                if order is not None:
                    yield _Update(scalar, order, 2)


def _find_order(cond: Any, value: Any, scalar: str) -> str | None:
    """Find the operator of `value OP scalar`, where the condition compares just these two; None elsewhere."""
    if not isinstance(cond, c_ast.BinaryOp) or cond.op not in _FLIPPED:
        return None
    for one, other, operator in ((cond.left, cond.right, cond.op), (cond.right, cond.left, _FLIPPED[cond.op])):
        is_scalar = isinstance(other, c_ast.ID) and other.name == scalar
        if is_scalar and print_tree(one) == print_tree(value) and _count_uses(one, scalar) == 0:
            return str(operator)
    return None


def _make_reduction(scalar: str, kind: str) -> Reduction:
    if kind in ("+", "*"):
        start = constant(0 if kind == "+" else 1)
        return Reduction(scalar, start, lambda partial: assign(name(scalar), partial, f"{kind}="))
    return Reduction(
        scalar,
        name(scalar),
        lambda partial: c_ast.If(
            c_ast.BinaryOp(kind, partial, name(scalar)), block([assign(name(scalar), clone(partial))]), None
        ),
    )
