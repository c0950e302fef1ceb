"""Where a text defines its types.

In: a tree as the candidate wrote it. Out: nothing, or `Refused` for a type that is defined inside something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.tree import walk
from symbiont_jit.c.types import Refused

__all__ = ["check_definitions"]

_TYPES: Final = c_ast.Struct | c_ast.Union | c_ast.Enum
#: Where declarations may define types: the lists of items that nodes have.
_PLACES: Final = {c_ast.FileAST: "ext", c_ast.Compound: "block_items", c_ast.Case: "stmts", c_ast.Default: "stmts"}


def check_definitions(tree: c_ast.FileAST) -> None:
    """Refuse structs, unions and enums that are defined anywhere but in a declaration: C gives them other scopes."""
    defined: list[Any] = []
    allowed: set[int] = set()
    for node in walk(tree):
        for item in getattr(node, _PLACES.get(type(node), ""), None) or ():
            if isinstance(item, c_ast.Decl | c_ast.Typedef) and not isinstance(item.type, c_ast.FuncDecl):
                allowed.update(map(id, _find_types(item.type)))
        if isinstance(node, _TYPES) and ((node.values if isinstance(node, c_ast.Enum) else node.decls) is not None):
            defined.append(node)
    for node in defined:
        if id(node) not in allowed:
            raise Refused(node, "a struct, union or enum is defined on a line of its own, not inside something else")


def _find_types(node: Any) -> Iterator[Any]:
    """Yield the struct, union or enum of a declarator, and those of its fields."""
    while isinstance(node, c_ast.TypeDecl | c_ast.ArrayDecl | c_ast.PtrDecl):
        node = node.type
    if isinstance(node, _TYPES):
        yield node
        for field in getattr(node, "decls", None) or ():
            yield from _find_types(getattr(field, "type", None))
