"""Building blocks of transformations: make C syntax, replace names and expressions.

In and out: pycparser trees. Nothing here decides whether a change is a good one, or even a legal one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.constants import fold, plain_integer

__all__ = [
    "assign",
    "binary",
    "block",
    "clone",
    "constant",
    "declare",
    "jumps_out",
    "name",
    "rewrite",
    "substitute",
]


def clone(node: Any) -> Any:
    """Return a deep copy, because no node may stand in two places of a tree."""
    return copy.deepcopy(node)


def constant(value: int) -> c_ast.Constant:
    """Make an integer literal."""
    return c_ast.Constant("int", str(value))


def name(text: str) -> c_ast.ID:
    """Make a use of a name."""
    return c_ast.ID(text)


#: Operators whose result for two literals is a literal again; a difference may be negative, and C has no such literal.
_FOLDED: Final = frozenset({"+", "*"})


def binary(operator: str, left: Any, right: Any) -> Any:
    """Make `left operator right`, with the arithmetic of two literals and of zero and one done."""
    a, b = plain_integer(left), plain_integer(right)
    if operator == "+" and b == 0:
        return left
    if operator == "*" and b == 1:
        return left
    if operator == "*" and a == 1:
        return right
    value = fold(operator, a, b) if operator in _FOLDED and a is not None and b is not None else None
    if value is not None:
        return constant(value)
    return c_ast.BinaryOp(operator, left, right)


def assign(target: Any, value: Any, operator: str = "=") -> c_ast.Assignment:
    """Make an assignment statement."""
    return c_ast.Assignment(operator, target, value)


def block(statements: list[Any]) -> c_ast.Compound:
    """Make a compound statement."""
    return c_ast.Compound(statements)


def declare(
    text: str, c_type: list[str], value: Any = None, length: int | None = None, quals: Any = None
) -> c_ast.Decl:
    """Make a declaration of a scalar, or of an array of `length`."""
    inner: Any = c_ast.TypeDecl(text, list(quals or []), None, c_ast.IdentifierType(list(c_type)))
    if length is not None:
        inner = c_ast.ArrayDecl(inner, constant(length), [])
    return c_ast.Decl(text, list(quals or []), [], [], [], inner, value, None)


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


def rewrite(node: Any, change: Callable[[Any], Any | None]) -> Any:
    """Replace every node for which `change` gives another by that other one, children first, and return the tree.

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
    """Replace names in a node by copies of expressions, and return the node."""

    def change(n: Any) -> Any | None:
        if isinstance(n, c_ast.ID) and n.name in replacements:
            return clone(replacements[n.name])
        return None

    return rewrite(node, change)
