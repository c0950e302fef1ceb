"""Building blocks of transformations: make C syntax, replace names, find what an expression touches.

In and out: pycparser trees. Nothing here decides whether a change is a good one, or even a legal one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import walk

__all__ = [
    "assign",
    "assigned_names",
    "binary",
    "block",
    "call_names",
    "clone",
    "constant",
    "declare",
    "declared_names",
    "fresh_name",
    "integer_value",
    "jumps_out",
    "name",
    "names_in",
    "rewrite",
    "substitute",
]


def clone(node: Any) -> Any:
    """A deep copy; transformations never share nodes between two places of a tree."""
    return copy.deepcopy(node)


def constant(value: int) -> c_ast.Constant:
    """An integer literal."""
    return c_ast.Constant("int", str(value))


def name(text: str) -> c_ast.ID:
    """A use of a name."""
    return c_ast.ID(text)


def binary(operator: str, left: Any, right: Any) -> Any:
    """`left operator right`, with the arithmetic of two literals and of zero and one done."""
    a, b = integer_value(left), integer_value(right)
    if operator == "+" and b == 0:
        return left
    if operator == "*" and b == 1:
        return left
    if operator == "*" and a == 1:
        return right
    if a is not None and b is not None and operator in _FOLDED:
        return constant(_FOLDED[operator](a, b))
    return c_ast.BinaryOp(operator, left, right)


_FOLDED: Mapping[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
}


def integer_value(node: Any) -> int | None:
    """The value of a plain decimal literal, else None."""
    if (
        isinstance(node, c_ast.Constant)
        and node.value.isdigit()
        and len(node.value) < 19
        and (node.value == "0" or node.value[0] != "0")
    ):
        return int(node.value)
    return None


def assign(target: Any, value: Any, operator: str = "=") -> c_ast.Assignment:
    """An assignment statement."""
    return c_ast.Assignment(operator, target, value)


def block(statements: list[Any]) -> c_ast.Compound:
    """A compound statement."""
    return c_ast.Compound(statements)


def declare(
    text: str, c_type: list[str], value: Any = None, length: int | None = None, quals: Any = None
) -> c_ast.Decl:
    """A declaration of a scalar, or of an array of `length`."""
    inner: Any = c_ast.TypeDecl(text, list(quals or []), None, c_ast.IdentifierType(list(c_type)))
    if length is not None:
        inner = c_ast.ArrayDecl(inner, constant(length), [])
    return c_ast.Decl(text, list(quals or []), [], [], [], inner, value, None)


def names_in(node: Any) -> set[str]:
    """Every name an expression or statement uses, fields and labels aside."""
    if node is None:
        return set()
    fields = {id(n.field) for n in walk(node) if isinstance(n, c_ast.StructRef)}
    return {n.name for n in walk(node) if isinstance(n, c_ast.ID) and id(n) not in fields}


def declared_names(node: Any) -> list[str]:
    """Every name that is declared below a node, with repetitions."""
    return [n.name for n in walk(node) if isinstance(n, c_ast.Decl) and n.name is not None]


def assigned_names(node: Any) -> set[str]:
    """Every name whose value a node may change: by assignment, `++`, `--`, or by taking its address."""
    changed = set()
    for n in walk(node):
        if isinstance(n, c_ast.Assignment):
            changed.add(_root_name(n.lvalue))
        elif isinstance(n, c_ast.UnaryOp) and n.op in ("++", "--", "p++", "p--", "&"):
            changed.add(_root_name(n.expr))
    return {n for n in changed if n is not None}


def _root_name(node: Any) -> str | None:
    while isinstance(node, c_ast.ArrayRef | c_ast.StructRef):
        node = node.name
    return node.name if isinstance(node, c_ast.ID) else None


def call_names(node: Any) -> set[str]:
    """Every function a node calls."""
    return {n.name.name for n in walk(node) if isinstance(n, c_ast.FuncCall) and isinstance(n.name, c_ast.ID)}


def jumps_out(node: Any) -> bool:
    """Whether control may leave a node other than by its end: return, goto, a break or continue of its own level."""

    def leaves(current: Any, in_loop: bool, in_switch: bool) -> bool:
        match current:
            case c_ast.Return() | c_ast.Goto() | c_ast.Label():
                return True
            case c_ast.Break():
                return not (in_loop or in_switch)
            case c_ast.Continue():
                return not in_loop
            case c_ast.For() | c_ast.While() | c_ast.DoWhile():
                in_loop = True
            case c_ast.Switch():
                in_switch = True
        return any(leaves(child, in_loop, in_switch) for _, child in current.children())

    return leaves(node, False, False)


def fresh_name(tree: Any, stem: str) -> str:
    """A name that nothing in the tree has."""
    taken = {n.name for n in walk(tree) if isinstance(n, c_ast.ID)} | set(declared_names(tree))
    taken |= {n.declname for n in walk(tree) if isinstance(n, c_ast.TypeDecl) and n.declname}
    base = stem.rstrip("0123456789_") or "v"
    return next(candidate for candidate in _numbered(base) if candidate not in taken)


def _numbered(base: str) -> Iterator[str]:
    number = 1
    while True:
        yield f"{base}_{number}"
        number += 1


def rewrite(node: Any, change: Callable[[Any], Any | None]) -> Any:
    """A tree in which every node for which `change` gives another is that other one; children are rewritten first.

    Field names, labels and declared names are strings in pycparser's nodes and are left alone.
    """
    if isinstance(node, c_ast.StructRef):
        node.name = rewrite(node.name, change)
    elif isinstance(node, c_ast.NamedInitializer):
        node.expr = rewrite(node.expr, change)
    elif isinstance(node, c_ast.FuncCall):
        node.args = None if node.args is None else rewrite(node.args, change)
    else:
        _rewrite_children(node, change)
    replaced = change(node)
    return node if replaced is None else replaced


def _rewrite_children(node: Any, change: Callable[[Any], Any | None]) -> None:
    for slot in node.__slots__:
        if slot in ("coord", "__weakref__"):
            continue
        value = getattr(node, slot)
        if isinstance(value, c_ast.Node):
            setattr(node, slot, rewrite(value, change))
        elif isinstance(value, list):
            setattr(node, slot, [rewrite(v, change) if isinstance(v, c_ast.Node) else v for v in value])


def substitute(node: Any, replacements: Mapping[str, Any]) -> Any:
    """The node with names replaced by copies of expressions."""

    def change(n: Any) -> Any | None:
        if isinstance(n, c_ast.ID) and n.name in replacements:
            return clone(replacements[n.name])
        return None

    return rewrite(node, change)
