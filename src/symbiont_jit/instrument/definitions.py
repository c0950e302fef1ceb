"""What a text defines and calls: where its types are defined, who calls whom, which variables are assigned to.

In: trees as the candidate wrote them. Out: sets of names; `Refused` for a type that is defined inside something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c.tree import walk
from symbiont_jit.c.types import Refused

__all__ = ["CallGraph", "find_assigned_variables", "check_definitions", "find_calls"]

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
        if isinstance(node, _TYPES) and (node.values if isinstance(node, c_ast.Enum) else node.decls):
            defined.append(node)
    for node in defined:
        if id(node) not in allowed:
            raise Refused(node, "a struct, union or enum is defined on a line of its own, not inside something else")


def _find_types(node: Any) -> Iterator[Any]:
    """The struct, union or enum of a declarator, and those of its fields."""
    while isinstance(node, c_ast.TypeDecl | c_ast.ArrayDecl | c_ast.PtrDecl):
        node = node.type
    if isinstance(node, _TYPES):
        yield node
        for field in getattr(node, "decls", None) or ():
            yield from _find_types(getattr(field, "type", None))


@dataclass(frozen=True, slots=True)
class CallGraph:
    """`called` are the names that are called anywhere; `calling` the functions that call a function of the text.

    The stack is looked at where the functions of `calling` begin.
    """

    called: frozenset[str]
    calling: frozenset[str]


def find_calls(tree: c_ast.FileAST) -> CallGraph:
    """Who calls in a text, and who is called."""
    own = {n.decl.name for n in tree.ext if isinstance(n, c_ast.FuncDef)}
    called: set[str] = set()
    calling: set[str] = set()
    for node in tree.ext:
        for part in [child for _, child in node.children()]:
            calls = {n.name.name for n in walk(part) if isinstance(n, c_ast.FuncCall)}
            called |= calls
            if isinstance(node, c_ast.FuncDef) and part is node.body and calls & own:
                calling.add(node.decl.name)
    return CallGraph(frozenset(called), frozenset(calling))


def find_assigned_variables(body: Any) -> set[str]:
    """Variables that are assigned or stepped anywhere in a function, or whose address is taken."""
    names = set()
    for node in walk(body):
        target = None
        if isinstance(node, c_ast.Assignment):
            target = node.lvalue
        elif isinstance(node, c_ast.UnaryOp) and node.op in ("++", "--", "p++", "p--", "&"):
            target = node.expr
        if isinstance(target, c_ast.ID):
            names.add(target.name)
    return names
