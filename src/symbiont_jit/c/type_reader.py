"""The types of declarations, with what names mean where they stand.

In: pycparser's declarations. Out: types of `types.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.tree import parse
from symbiont_jit.c.types import (
    INT,
    VOID,
    Arithmetic,
    ArrayOf,
    CType,
    FunctionOf,
    Length,
    PointerTo,
    Refused,
    StructOf,
    decay,
    scalar_of,
)

__all__ = ["TypeReader", "library_functions"]


class TypeReader:
    """Types of declarations, with the typedefs and tags of the scopes that are open."""

    def __init__(self) -> None:
        self.typedefs: list[dict[str, CType]] = [{}]
        self.tags: list[dict[str, StructOf]] = [{}]
        self.enums: list[dict[str | None, Arithmetic]] = [{}]
        # These three need the names of variables, so whoever knows the names sets them.
        self.on_enumerator: Callable[[str, int], None] = lambda name, value: None
        self.value_of: Callable[[Any], int | None] = lambda node: None
        self.length_of: Callable[[Any], Length | None] = lambda node: None

    def open(self) -> None:
        """Enter a block."""
        for scopes in (self.typedefs, self.tags, self.enums):
            scopes.append({})

    def close(self) -> None:
        """Leave the innermost block: names that were declared in it mean again what they meant before."""
        for scopes in (self.typedefs, self.tags, self.enums):
            scopes.pop()

    def read(self, node: Any) -> CType:
        """Read the type of a declarator or type name."""
        match node:
            case c_ast.PtrDecl():
                return PointerTo(self.read(node.type), self.is_const(node.type))
            case c_ast.ArrayDecl():
                length = self.read_length(node)
                return ArrayOf(self.read(node.type), length, self.is_const(node.type))
            case c_ast.FuncDecl():
                params = [p for p in (node.args.params if node.args else ()) if not isinstance(p, c_ast.EllipsisParam)]
                # A K&R parameter is a name without a type.
                types = [decay(self.read_loosely(getattr(p, "type", None))) for p in params]
                return FunctionOf(self.read(node.type), tuple(t for t in types if t != VOID))
            case c_ast.TypeDecl() | c_ast.Typename():
                return self.read(node.type)
            case c_ast.Struct() | c_ast.Union():
                return self._struct(node)
            case c_ast.Enum():
                return self._enum(node)
            case c_ast.IdentifierType():
                return self._read_name(node.names)
        return INT

    def read_length(self, node: Any) -> Length | None:
        """Read the length of an array's declarator and write it there as a number, so that clang computes the same."""
        length = self.length_of(node.dim)
        if length is not None and length.number is not None:
            node.dim = c_ast.Constant("int", str(length.number), node.dim.coord)
        return length

    def is_const(self, node: Any) -> bool:
        """Whether an object with this declarator can never be written: the object itself, not what it points to."""
        while isinstance(node, c_ast.ArrayDecl):  # `const` of an array is `const` of its elements (C11, 6.7.3)
            node = node.type
        return "const" in (getattr(node, "quals", None) or ())

    def read_loosely(self, node: Any) -> CType:
        """Read a parameter's type without lengths, which other parameters may give."""
        length_of, self.length_of = self.length_of, lambda node: None if node is None else Length()
        try:
            return self.read(node)
        finally:
            self.length_of = length_of

    def _enum(self, node: Any) -> Arithmetic:
        """Choose the type of an enumeration as clang does: int if an enumerator is negative, else unsigned.

        Raises:
            Refused: An enumerator is no int.
        """
        if node.values is None:
            scopes = (scope[node.name] for scope in reversed(self.enums) if node.name in scope)
            return next(scopes, Arithmetic("u", 32))
        value, least = -1, 0
        for enumerator in node.values.enumerators:
            found = value + 1 if enumerator.value is None else self.value_of(enumerator.value)
            if found is None or found >= 2**31:
                message = f"the value of the enumerator '{enumerator.name}' is no plain int; write it as a number"
                raise Refused(enumerator, message)
            value, least = found, min(least, found)
            enumerator.value = c_ast.Constant("int", str(value), enumerator.coord)
            self.on_enumerator(enumerator.name, value)
        made = Arithmetic("i" if least < 0 else "u", 32)
        self.enums[-1][node.name] = made
        return made

    def _read_name(self, names: Sequence[str]) -> CType:
        if len(names) == 1:
            for scope in reversed(self.typedefs):
                if names[0] in scope:
                    return scope[names[0]]
        return scalar_of(names) or INT

    def declare_forward(self, node: Any) -> None:
        """Declare `struct name;`: the tag means a struct of this scope, whatever it means outside."""
        self.tags[-1].setdefault(node.name, _declare_tag(node))

    def _struct(self, node: Any) -> StructOf:
        if node.decls is not None:
            self._require_members(node)
            fields = tuple((d.name or "", self.read(d.type)) for d in node.decls if isinstance(d, c_ast.Decl))
            self._require_fields(node, fields)
            bits = self._bit_fields(node, dict(fields))
            mentioned = self.tags[-1].get(node.name)
            made = _declare_tag(node) if mentioned is None or mentioned.is_defined else mentioned
            made.fields, made.bit_fields, made.is_defined = fields, bits, True
            if node.name is not None:
                self.tags[-1][node.name] = made
            return made
        for scope in reversed(self.tags):
            if node.name in scope:
                return scope[node.name]
        return self.tags[-1].setdefault(node.name, _declare_tag(node))

    def _require_fields(self, node: Any, fields: Sequence[Any]) -> None:
        """Refuse a struct of nothing."""
        if not fields:
            raise Refused(node, "a struct without members has no size in C; give it one")

    def _require_members(self, node: Any) -> None:
        """Refuse unnamed members that declare nothing in C: their author meant something else."""
        for decl in node.decls:
            if not isinstance(decl, c_ast.Decl) or decl.name or decl.bitsize is not None:
                continue
            inner = decl.type
            is_anonymous = isinstance(inner, c_ast.Struct | c_ast.Union) and inner.name is None
            if not (is_anonymous and inner.decls is not None) and not isinstance(inner, c_ast.Enum):
                raise Refused(decl, "this member has no name; give it one, or leave the tag of its struct out")

    def _bit_fields(self, node: Any, types: Mapping[str, CType]) -> Mapping[str, CType]:
        """Return the types that a struct's bit-fields have in an expression."""
        return {
            d.name: _promote_bits(d, types[d.name], self.value_of(d.bitsize))
            for d in node.decls
            if isinstance(d, c_ast.Decl) and d.bitsize is not None and d.name
        }


def _declare_tag(node: Any) -> StructOf:
    """Make the type of a struct or union of which only the tag is known."""
    keyword = "union" if isinstance(node, c_ast.Union) else "struct"
    return StructOf(name=f"{keyword} {node.name}" if node.name else keyword)


def _promote_bits(node: Any, typ: CType, width: int | None) -> CType:
    """Return the type of a bit-field in an expression: int if that has all its values (C11, 6.3.1.1), else unsigned."""
    if width is None:
        raise Refused(node, f"the width of the bit-field '{node.name}' is a plain number")
    if not isinstance(typ, Arithmetic) or width > 32:
        return typ
    return Arithmetic("u", 32) if width == 32 and typ.kind == "u" else INT


@functools.cache
def library_functions() -> Mapping[str, FunctionOf]:
    """Return the types of the table's functions that have prototypes."""
    rows = [f.prototype for f in vocabulary.FUNCTIONS.values() if f.prototype]
    tree = parse("\n".join(rows))
    assert isinstance(tree, c_ast.FileAST), "the table is C"
    reader = TypeReader()
    types = ((node.name, reader.read(node.type)) for node in tree.ext if isinstance(node, c_ast.Decl))
    return {name: typ for name, typ in types if isinstance(typ, FunctionOf)}
