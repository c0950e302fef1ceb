"""Types of declarations in their scopes, for readers that change no tree: what typedefs and tags mean at each place.

In: declarations in the order of the text. Out: their types and whether they are const, also through typedefs. Lengths
stay as they are written, and nothing is refused: what is no C is left to clang.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.constants import integer
from symbiont_jit.c.tree import print_tree
from symbiont_jit.c.type_reader import TypeReader
from symbiont_jit.c.types import Arithmetic, ArrayOf, CType, Enumeration, Length, scalar_of, spelling_of

__all__ = ["DeclaredTypes", "read_declared_types", "is_redundant_typedef"]


#: The type of words that name no type of C; no declared type is equal to it.
_FOREIGN: Final = Enumeration("i", 32)


class DeclaredTypes(TypeReader):
    """Types of declarations, with the typedefs and tags of the scopes that are open; no tree is changed."""

    def __init__(self) -> None:
        super().__init__()
        self._const_typedefs: list[dict[str, bool]] = [{}]

    def open(self) -> None:
        """Enter a block."""
        super().open()
        self._const_typedefs.append({})

    def close(self) -> None:
        """Leave the innermost block and forget its typedefs and tags."""
        super().close()
        self._const_typedefs.pop()

    def declare(self, node: Any) -> None:
        """Let a typedef's name mean its type from here to the end of the block."""
        typ, is_const = self.read(node.type), self.is_const(node.type)
        self.typedefs[-1][node.name], self._const_typedefs[-1][node.name] = typ, is_const

    def has_typedef(self, name: str) -> bool:
        """Whether a name means a type of the text in the scopes that are open."""
        return any(name in scope for scope in self.typedefs)

    def read(self, node: Any) -> CType:
        """Read the type of a declarator or type name."""
        typ = super().read(node)
        is_array = isinstance(node, c_ast.TypeDecl) and isinstance(typ, ArrayOf)
        return _make_elements_const(typ) if is_array and self.is_const(node) else typ

    def spelling(self, node: Any) -> str | None:
        """Spell the type of a declarator in exact widths; None where it is no scalar and no named struct."""
        return spelling_of(self.read(node)) if isinstance(node, c_ast.TypeDecl) else None

    def read_length(self, node: Any) -> Length | None:
        """Return the length of an array as it is written, and the number where it is a literal."""
        match node.dim:
            case None:
                return None
            case c_ast.ID(name=name):
                return Length(name=str(name))
            case c_ast.Constant(value=value):
                return Length(_number(value), name=str(value))
        return Length(name=print_tree(node.dim).strip())

    def is_const(self, node: Any) -> bool:
        """Whether an object with this declarator can never be written: itself or through the typedef of its type."""
        while isinstance(node, c_ast.ArrayDecl):
            node = node.type
        if super().is_const(node):
            return True
        inner = node.type if isinstance(node, c_ast.TypeDecl) else None
        return isinstance(inner, c_ast.IdentifierType) and len(inner.names) == 1 and self._is_const_name(inner.names[0])

    def _is_const_name(self, name: str) -> bool:
        return next((scope[name] for scope in reversed(self._const_typedefs) if name in scope), False)

    def _read_name(self, names: Sequence[str]) -> CType:
        is_known = scalar_of(names) is not None or (len(names) == 1 and self.has_typedef(names[0]))
        return super()._read_name(names) if is_known else _FOREIGN

    def _enum(self, node: Any) -> Arithmetic:
        return Enumeration("u", 32)

    def _require_fields(self, node: Any, fields: Sequence[Any]) -> None:
        """Accept a struct of nothing: what has to know sizes refuses it."""

    def _require_members(self, node: Any) -> None:
        """Accept members without a name: clang decides about them."""

    def _bit_fields(self, node: Any, types: Mapping[str, CType]) -> Mapping[str, CType]:
        return {}


def read_declared_types(tree: c_ast.FileAST) -> DeclaredTypes:
    """Read the types that a file declares outside of functions."""
    types = DeclaredTypes()
    for node in tree.ext:
        if isinstance(node, c_ast.Typedef):
            types.declare(node)
    return types


def _number(literal: str) -> int | None:
    with contextlib.suppress(ValueError):  # It is a literal that is no integer.
        return integer(literal)
    return None


def _make_elements_const(typ: CType) -> CType:
    """Make the elements of an array const, however many dimensions it has."""
    return ArrayOf(_make_elements_const(typ.of), typ.length, True) if isinstance(typ, ArrayOf) else typ


def is_redundant_typedef(node: Any) -> bool:
    """Whether a node declares a standard type's name once more, as the type it is.

    `char` is a type of its own (C11, 6.2.5), although it has the values of `int8_t`.
    """
    if not isinstance(node, c_ast.Typedef) or node.name not in vocabulary.TYPEDEFS:
        return False
    inner = getattr(node.type, "type", None)
    if not isinstance(inner, c_ast.IdentifierType) or node.quals or node.type.quals or inner.names == ["char"]:
        return False
    return scalar_of(inner.names) == scalar_of([node.name])
