"""The structs of declared records: given to every candidate, which may repeat them exactly.

In: a tree and `Record`s. Out: what a candidate says differently, and the nodes that define the structs in the canonical
text.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from pycparser import c_ast
from pycparser.c_parser import Coord

from symbiont_jit.c.constants import literal_value
from symbiont_jit.c.scopes import DeclaredTypes
from symbiont_jit.c.tree import FILE, parse, position, walk
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.signature import Record

__all__ = ["fields_of", "is_forward_declaration", "struct_nodes", "struct_problems", "take_repeated_structs"]


def struct_nodes(records: Iterable[Record]) -> list[Any]:
    """Define the structs of records as nodes at line 0, because they belong to every text with the records."""
    return [_struct_node(record.c_definition) for record in records]


@functools.lru_cache(maxsize=256)
def _struct_node(definition: str) -> Any:
    tree = parse(definition)
    assert isinstance(tree, c_ast.FileAST), "generated C is well formed"
    for node in walk(tree):
        node.coord = Coord(FILE, 0, 0)  # No author wrote this node.
    return tree.ext[0]


def struct_problems(tree: c_ast.FileAST, records: Sequence[Record], types: DeclaredTypes) -> list[Diagnostic]:
    """Report each definition of a declared struct that differs from the declared one."""
    return [
        Diagnostic(
            Stage.CHECK,
            "struct",
            f"'{record.c}' is declared already, and differently; leave it out, or repeat it exactly: "
            f"{' '.join(record.c_definition.split())}",
            *position(node),
        )
        for node, record in _definitions(tree, records)
        if fields_of(node, types) != _fields(record)
    ]


def take_repeated_structs(tree: c_ast.FileAST, records: Sequence[Record]) -> None:
    """Turn each definition of a declared struct into a mention of it, in place."""
    for node, _ in list(_definitions(tree, records)):
        node.decls = None


def is_forward_declaration(node: Any) -> bool:
    """Whether a node says only that there is such a struct."""
    is_bare = isinstance(node, c_ast.Decl) and node.name is None and isinstance(node.type, c_ast.Struct)
    return is_bare and node.type.decls is None


def _definitions(tree: c_ast.FileAST, records: Sequence[Record]) -> list[tuple[Any, Record]]:
    by_name = {r.name: r for r in records}
    return [
        (node, by_name[node.name])
        for node in (walk(tree) if records else ())
        if isinstance(node, c_ast.Struct) and node.decls is not None and node.name in by_name
    ]


#: The name, the exact type and the lengths that a field's declaration gives.
DeclaredField = tuple[str, str, tuple[int, ...]]


def _fields(record: Record) -> list[DeclaredField]:
    return [(f.name, f.type.c, f.dims) for f in record.fields]


def fields_of(node: Any, types: DeclaredTypes) -> list[DeclaredField] | None:
    """Read the fields of a struct's node; None where one is no scalar, struct or array of literal lengths of them."""
    fields = []
    for decl in node.decls or ():
        inner, dims = getattr(decl, "type", None), []
        while isinstance(inner, c_ast.ArrayDecl) and (length := literal_value(inner.dim)) is not None:
            dims.append(length)
            inner = inner.type
        element = types.spelling(inner)
        if not isinstance(decl, c_ast.Decl) or not decl.name or decl.bitsize or decl.quals or element is None:
            return None
        fields.append((decl.name, element, tuple(dims)))
    return fields
