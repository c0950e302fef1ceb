"""Addresses of `long double` variables: six of the sixteen bytes of each belong to nobody.

In: a checked text. Out: findings. The compiler writes ten bytes of such a number; where it lies in a variable of its
own, the others stay what they were. `safe` and `checked` clear them (`instrument/whole.py`); code without checks could
leave something there for its next call, so it takes no such address. An array or struct is cleared as a whole.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.contents import is_wide
from symbiont_jit.c.scopes import DeclaredTypes
from symbiont_jit.c.tree import first_position, walk
from symbiont_jit.c.types import Refused
from symbiont_jit.errors import Diagnostic, Stage

__all__ = ["find_wide_addresses"]

MESSAGE: Final = "code without checks takes no address of a 'long double'; make it an array of one, 'long double x[1]'"


def find_wide_addresses(tree: c_ast.FileAST) -> list[Diagnostic]:
    """Find each `&` of a variable, parameter or literal that is a `long double`, complex ones too."""
    nodes, types = list(walk(tree)), DeclaredTypes()
    for node in nodes:
        if isinstance(node, c_ast.Typedef):
            with contextlib.suppress(Refused):  # Another rule says what is wrong with it.
                types.declare(node)
    names = {node.name for node in nodes if isinstance(node, c_ast.Decl) and _is_wide(node.type, types)}
    return [
        Diagnostic(Stage.CHECK, "long-double", MESSAGE, *first_position(node))
        for node in nodes
        if isinstance(node, c_ast.UnaryOp) and node.op == "&" and _is_wide_object(node.expr, names, types)
    ]


def _is_wide_object(node: Any, names: set[str], types: DeclaredTypes) -> bool:
    match node:
        case c_ast.ID(name=name):
            return name in names
        case c_ast.CompoundLiteral(type=made):
            return _is_wide(made.type, types)
    return False


def _is_wide(declarator: Any, types: DeclaredTypes) -> bool:
    """Whether a declarator is that of one `long double`; what cannot be read is another rule's matter."""
    if not isinstance(declarator, c_ast.TypeDecl):
        return False
    try:
        return is_wide(types.read(declarator))
    except Refused:
        return False
