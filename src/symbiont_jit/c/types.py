"""C types, as far as it takes to know what an expression is: arithmetic, pointer, array, struct.

In: pycparser's declarations. Out: frozen records, and the conversions of C11, 6.3.1, on a 64-bit Unix.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.tree import first_position, parse, resolve_scalar
from symbiont_jit.errors import Diagnostic, Stage

__all__ = [
    "DOUBLE",
    "INT",
    "LONG",
    "SIZE",
    "VOID",
    "Arithmetic",
    "ArrayOf",
    "CType",
    "FunctionOf",
    "PointerTo",
    "Refused",
    "StructOf",
    "TypeReader",
    "VoidType",
    "common",
    "decayed",
    "has_variable_length",
    "has_wide_float",
    "library_functions",
    "promoted",
    "require_traceable",
    "same_rows",
    "size_of",
]


class Refused(Exception):  # noqa: N818  an answer, not an error of anybody's
    """A construct that cannot be traced: the diagnostic says how to write it."""

    def __init__(self, node: Any, message: str) -> None:
        line, column = first_position(node)
        super().__init__(message)
        self.diagnostic = Diagnostic(Stage.CHECK, "untraceable", message, line, column)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """An integer (`kind` i, u or b), floating (f) or complex (c) type of so many bits."""

    kind: str
    bits: int

    @property
    def is_integer(self) -> bool:
        """Whether it counts."""
        return self.kind in "iub"


@dataclass(frozen=True, slots=True)
class VoidType:
    """No value."""


@dataclass(frozen=True, slots=True)
class PointerTo:
    """An address of something."""

    to: CType


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """Several of something.

    `length` is a number as text, or the name of a hidden constant that holds it; empty where an initialiser says it,
    and None where C lets it out.
    """

    of: CType
    length: Any = field(default=None, compare=False)


@dataclass(slots=True, eq=False)
class StructOf:
    """A struct or union: itself and no other. One that is only mentioned gets its fields where it is defined.

    `bit_fields` are the types that bit-fields have in an expression.
    """

    fields: tuple[tuple[str, CType], ...] = ()
    bit_fields: Mapping[str, CType] = field(default_factory=dict)
    is_defined: bool = False

    def field(self, name: str) -> tuple[CType, CType | None] | None:
        """The type of a field, also of one in an anonymous struct inside; and of a bit-field that of its value."""
        for own, typ in self.fields:
            if own == name:
                return typ, self.bit_fields.get(name)
            if not own and isinstance(typ, StructOf) and (inner := typ.field(name)) is not None:
                return inner
        return None


@dataclass(frozen=True, slots=True)
class FunctionOf:
    """Something that is called."""

    returns: CType
    params: tuple[CType, ...]


CType = Arithmetic | VoidType | PointerTo | ArrayOf | StructOf | FunctionOf

VOID: Final = VoidType()
INT: Final = Arithmetic("i", 32)
LONG: Final = Arithmetic("i", 64)
SIZE: Final = Arithmetic("u", 64)
DOUBLE: Final = Arithmetic("f", 64)

_FLOATING: Final[Mapping[str, CType]] = {
    "float": Arithmetic("f", 32),
    "double": DOUBLE,
    "float _Complex": Arithmetic("c", 64),
    "double _Complex": Arithmetic("c", 128),
    "bool": Arithmetic("b", 8),
    "char": Arithmetic("i", 8),
    "void": VOID,
}


def arithmetic(names: Sequence[str]) -> CType:
    """The type of the words of a scalar type."""
    exact = resolve_scalar(names, {})
    if exact is not None and exact in _FLOATING:
        return _FLOATING[exact]
    if exact is None:
        if "_Complex" in names:
            return Arithmetic("c", 160)
        return Arithmetic("f", 80) if set(names) == {"long", "double"} else INT
    return Arithmetic("u" if exact.startswith("u") else "i", int(exact.strip("uint_")))


def promoted(typ: CType) -> CType:
    """After the integer promotions: nothing is narrower than `int`."""
    if isinstance(typ, Arithmetic) and typ.is_integer and typ.bits < 32:
        return INT
    return typ


def common(a: CType, b: CType) -> CType:
    """After the usual arithmetic conversions of two operands."""
    if not isinstance(a, Arithmetic) or not isinstance(b, Arithmetic):
        return a if not isinstance(a, Arithmetic) else b
    a, b = promoted(a), promoted(b)
    assert isinstance(a, Arithmetic)
    assert isinstance(b, Arithmetic)
    if a.is_integer and b.is_integer:
        if a.kind == b.kind or a.bits != b.bits:
            return a if a.bits >= b.bits else b
        return a if a.kind == "u" else b
    size = {"c": lambda t: t.bits // 2}
    real = max((t for t in (a, b) if not t.is_integer), key=lambda t: size.get(t.kind, _bits)(t))
    bits = size.get(real.kind, _bits)(real)
    return Arithmetic("c", 2 * bits) if "c" in (a.kind, b.kind) else Arithmetic("f", bits)


def _bits(typ: Arithmetic) -> int:
    return typ.bits


def decayed(typ: CType) -> CType:
    """An array as the pointer that it becomes in an expression."""
    return PointerTo(typ.of) if isinstance(typ, ArrayOf) else typ


def has_variable_length(typ: CType) -> bool:
    """Whether `sizeof` would look at a type's lengths at run time."""
    is_variable = isinstance(typ, ArrayOf) and bool(typ.length) and not str(typ.length).isdigit()
    return isinstance(typ, ArrayOf) and (is_variable or has_variable_length(typ.of))


def same_rows(a: CType, b: CType) -> bool:
    """Whether two types have the same lengths wherever they are arrays: clang would make one type of both."""
    if isinstance(a, ArrayOf) and isinstance(b, ArrayOf):
        return a.length == b.length and same_rows(a.of, b.of)
    if isinstance(a, PointerTo) and isinstance(b, PointerTo):
        return same_rows(a.to, b.to)
    return not isinstance(a, ArrayOf) and not isinstance(b, ArrayOf)


def size_of(typ: CType) -> int | None:
    """The bytes of a type, where that is plain to see: not of structs, whose layout is clang's."""
    match typ:
        case Arithmetic():
            return {80: 16, 160: 32}.get(typ.bits, typ.bits // 8)
        case PointerTo():
            return 8
        case ArrayOf() if str(typ.length).isdigit():
            inner = size_of(typ.of)
            return None if inner is None else inner * int(typ.length)
    return None


class TypeReader:
    """Types of declarations, with the typedefs and tags of the scopes that are open."""

    def __init__(self) -> None:
        self.typedefs: list[dict[str, CType]] = [{}]
        self.tags: list[dict[str, StructOf]] = [{}]
        self.enums: list[dict[str | None, Arithmetic]] = [{}]
        # What needs the names of variables, and so is set by who knows them.
        self.on_enumerator: Callable[[str, int], None] = lambda name, value: None
        self.value_of: Callable[[Any], int | None] = lambda node: None
        self.length_of: Callable[[Any], str | None] = lambda node: None

    def open(self) -> None:
        """Enter a block."""
        for scopes in (self.typedefs, self.tags, self.enums):
            scopes.append({})

    def close(self) -> None:
        """Leave it."""
        for scopes in (self.typedefs, self.tags, self.enums):
            scopes.pop()

    def read(self, node: Any) -> CType:
        """The type of a declarator or type name."""
        match node:
            case c_ast.PtrDecl():
                return PointerTo(self.read(node.type))
            case c_ast.ArrayDecl():
                length = self.length_of(node.dim)
                if length is not None and length.isdigit():  # what clang computes must be the same number
                    node.dim = c_ast.Constant("int", length, node.dim.coord)
                return ArrayOf(self.read(node.type), length)
            case c_ast.FuncDecl():
                params = [p for p in (node.args.params if node.args else ()) if not isinstance(p, c_ast.EllipsisParam)]
                types = [decayed(self.loosely(p.type)) for p in params]
                return FunctionOf(self.read(node.type), tuple(t for t in types if t != VOID))
            case c_ast.TypeDecl() | c_ast.Typename():
                return self.read(node.type)
            case c_ast.Struct() | c_ast.Union():
                return self._struct(node)
            case c_ast.Enum():
                return self._enum(node)
            case c_ast.IdentifierType():
                return self._named(node.names)
        return INT

    def loosely(self, node: Any) -> CType:
        """A parameter's type without lengths, which other parameters may say."""
        length_of, self.length_of = self.length_of, lambda node: None if node is None else ""
        try:
            return self.read(node)
        finally:
            self.length_of = length_of

    def _enum(self, node: Any) -> Arithmetic:
        """The choice of clang: int where an enumerator is negative, else unsigned; for a mention, what its tag was.

        Raises `Refused` for an enumerator that is no int.
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

    def _named(self, names: Sequence[str]) -> CType:
        if len(names) == 1:
            for scope in reversed(self.typedefs):
                if names[0] in scope:
                    return scope[names[0]]
        return arithmetic(names)

    def forward(self, node: Any) -> None:
        """`struct name;` alone: in this scope the tag means a struct of its own, whatever it means outside."""
        self.tags[-1].setdefault(node.name, StructOf())

    def _struct(self, node: Any) -> StructOf:
        if node.decls is not None:
            _require_members(node.decls)
            fields = tuple((d.name or "", self.read(d.type)) for d in node.decls if isinstance(d, c_ast.Decl))
            types = dict(fields)
            bits = {
                d.name: _promoted_bits(d, types[d.name], self.value_of(d.bitsize))
                for d in node.decls
                if isinstance(d, c_ast.Decl) and d.bitsize is not None and d.name
            }
            mentioned = self.tags[-1].get(node.name)
            made = StructOf() if mentioned is None or mentioned.is_defined else mentioned
            made.fields, made.bit_fields, made.is_defined = fields, bits, True
            if node.name is not None:
                self.tags[-1][node.name] = made
            return made
        for scope in reversed(self.tags):
            if node.name in scope:
                return scope[node.name]
        return self.tags[-1].setdefault(node.name, StructOf())


def _require_members(decls: Sequence[Any]) -> None:
    """Refuse members without a name that C does not count: what they have inside would hide what is meant."""
    for decl in decls:
        if not isinstance(decl, c_ast.Decl) or decl.name or decl.bitsize is not None:
            continue
        inner = decl.type
        is_anonymous = isinstance(inner, c_ast.Struct | c_ast.Union) and inner.name is None and inner.decls is not None
        if not is_anonymous and not isinstance(inner, c_ast.Enum):
            raise Refused(decl, "this member has no name; give it one, or leave the tag of its struct out")


def _promoted_bits(node: Any, typ: CType, width: int | None) -> CType:
    """What a bit-field is in an expression: an int where that has all its values (C11, 6.3.1.1), or an unsigned one."""
    if width is None:
        raise Refused(node, f"the width of the bit-field '{node.name}' is a plain number")
    if not isinstance(typ, Arithmetic) or width > 32:
        return typ
    return Arithmetic("u", 32) if width == 32 and typ.kind == "u" else INT


@functools.cache
def library_functions() -> Mapping[str, FunctionOf]:
    """The types of the table's functions that have prototypes."""
    rows = [f.prototype for f in vocabulary.FUNCTIONS.values() if f.prototype]
    tree = parse("\n".join(rows))
    assert isinstance(tree, c_ast.FileAST), "the table is C"
    reader = TypeReader()
    types = ((node.name, reader.read(node.type)) for node in tree.ext if isinstance(node, c_ast.Decl))
    return {name: typ for name, typ in types if isinstance(typ, FunctionOf)}


def require_traceable(node: Any, typ: CType, seen: set[int] | None = None) -> None:
    """Refuse pointers anywhere but in variables of their own."""
    seen = set() if seen is None else seen
    if id(typ) in seen:  # types share their parts, and twice nothing new is found
        return
    seen.add(id(typ))
    match typ:
        case ArrayOf():
            if isinstance(typ.of, PointerTo):
                raise Refused(node, "an array of pointers is not followed; use an array of indices")
            require_traceable(node, typ.of, seen=seen)
        case StructOf():
            for name, inner in typ.fields:
                if isinstance(inner, PointerTo):
                    raise Refused(node, f"a pointer in a struct ('{name}') is not followed; use an index")
                require_traceable(node, inner, seen=seen)
        case PointerTo():
            if isinstance(typ.to, PointerTo):
                raise Refused(node, "a pointer to a pointer is not followed; use an index")
            require_traceable(node, typ.to, seen=seen)


def has_wide_float(typ: CType) -> bool:
    """Whether a type has to be aligned to more than any other: moves of it trap."""
    match typ:
        case Arithmetic():
            return typ.bits in (80, 160)
        case ArrayOf():
            return has_wide_float(typ.of)
        case StructOf():
            return any(has_wide_float(t) for _, t in typ.fields)
    return False
