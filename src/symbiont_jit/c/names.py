"""The names in a tree: those that are used, declared or changed, and new ones.

In: pycparser trees. Out: names. Scopes are not looked at: a name counts wherever it stands.
"""

from __future__ import annotations

import itertools
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import walk

__all__ = ["assigned_names", "declared_names", "fresh_name", "names_in"]


def names_in(node: Any) -> set[str]:
    """Return every name that an expression or statement uses, except fields and labels."""
    if node is None:
        return set()
    fields = {id(n.field) for n in walk(node) if isinstance(n, c_ast.StructRef)}
    return {n.name for n in walk(node) if isinstance(n, c_ast.ID) and id(n) not in fields}


def declared_names(node: Any) -> list[str]:
    """Return every name that is declared below a node, with repetitions."""
    return [n.name for n in walk(node) if isinstance(n, c_ast.Decl) and n.name is not None]


def assigned_names(node: Any, *, with_parts: bool = True) -> set[str]:
    """Find every name whose value a node may change: by assignment, `++`, `--`, or by taking its address.

    `with_parts` counts changes of an array's elements and a struct's fields as changes of the name itself.
    """
    changed = set()
    for n in walk(node):
        if isinstance(n, c_ast.Assignment):
            changed.add(_changed_name(n.lvalue, with_parts))
        elif isinstance(n, c_ast.UnaryOp) and n.op in ("++", "--", "p++", "p--", "&"):
            changed.add(_changed_name(n.expr, with_parts))
    return {n for n in changed if n is not None}


def _changed_name(node: Any, with_parts: bool) -> str | None:
    while with_parts and isinstance(node, c_ast.ArrayRef | c_ast.StructRef):
        node = node.name
    return node.name if isinstance(node, c_ast.ID) else None


def fresh_name(tree: Any, stem: str) -> str:
    """Invent a name that nothing in the tree has."""
    taken = {n.name for n in walk(tree) if isinstance(n, c_ast.ID)} | set(declared_names(tree))
    taken |= {n.declname for n in walk(tree) if isinstance(n, c_ast.TypeDecl) and n.declname}
    base = stem.rstrip("0123456789_") or "v"
    return next(name for name in (f"{base}_{number}" for number in itertools.count(1)) if name not in taken)
