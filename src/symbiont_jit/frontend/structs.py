"""The structs of declared records: given to every candidate, which may repeat them exactly.

In: a tree and `Record`s. Out: what a candidate says differently, and the nodes that define the structs in the canonical
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pycparser import c_ast

from symbiont_jit.c.tree import parse, position, resolve_element, walk
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.signature import Field, Record

__all__ = ["fields_of", "is_forward_declaration", "struct_nodes", "struct_problems", "take_repeated_structs"]


def struct_nodes(records: Iterable[Record]) -> list[Any]:
    """The definitions of the records' structs, as nodes."""
    tree = parse("".join(r.c_definition for r in records))
    assert isinstance(tree, c_ast.FileAST), "generated C is well formed"
    return list(tree.ext)


def struct_problems(tree: c_ast.FileAST, records: Sequence[Record], typedefs: Mapping[str, Any]) -> list[Diagnostic]:
    """Where a candidate defines a declared struct in another way."""
    return [
        Diagnostic(
            Stage.CHECK,
            "struct",
            f"'{record.c}' is declared already, and differently; leave it out, or repeat it exactly: "
            f"{' '.join(record.c_definition.split())}",
            *position(node),
        )
        for node, record in _definitions(tree, records)
        if fields_of(node, typedefs) != _written(record)
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


#: A field as C writes it: name, type, lengths.
Written = tuple[str, str, tuple[int, ...]]


def _written(record: Record) -> list[Written]:
    return [(f.name, _exact(f), f.dims) for f in record.fields]


def _exact(field: Field) -> str:
    node = parse(f"{field.type.c} x;")
    assert isinstance(node, c_ast.FileAST), "a field's type is C"
    return resolve_element(node.ext[0].type, {}) or ""


def fields_of(node: Any, typedefs: Mapping[str, Any]) -> list[Written] | None:
    """The fields of a struct's node; None where one is no scalar, struct or array of literal lengths of them."""
    fields = []
    for decl in node.decls or ():
        inner, dims = getattr(decl, "type", None), []
        while isinstance(inner, c_ast.ArrayDecl) and isinstance(inner.dim, c_ast.Constant):
            dims.append(_length(inner.dim.value))
            inner = inner.type
        element = resolve_element(inner, typedefs)
        if not isinstance(decl, c_ast.Decl) or not decl.name or decl.bitsize or decl.quals or element is None:
            return None
        fields.append((decl.name, element, tuple(dims)))
    return fields


def _length(text: str) -> int:
    try:
        return int(text.rstrip("uUlL"), 0)
    except ValueError:  # a float, or an octal without its `o`
        return -1
