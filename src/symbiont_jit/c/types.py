"""The model of C types: arithmetic, pointer, array, struct, function; what names and expressions have.

In: pycparser's declarations. Out: frozen records, how C spells them in exact widths (`spelling_of`), and the
conversions of C11, 6.3.1, on a 64-bit Unix.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pycparser import c_ast

from symbiont_jit.c import vocabulary
from symbiont_jit.c.tree import first_position, parse
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
    "Enumeration",
    "FunctionOf",
    "PointerTo",
    "Refused",
    "StructOf",
    "TypeReader",
    "VoidType",
    "common_type",
    "decay",
    "has_variable_length",
    "library_functions",
    "promote",
    "same_rows",
    "scalar_of",
    "size_of",
    "spelling_of",
]


class Refused(Exception):  # noqa: N818  an answer, not an error of anybody's
    """Raised for a construct that cannot be traced; its `diagnostic` says what to write instead."""

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
        """Whether the type's values are integers."""
        return self.kind in "iub"

    @property
    def spelling(self) -> str | None:
        """The type's name in C, with its width: `int64_t`, `double _Complex`, `bool`."""
        return _SPELLINGS.get(self.kind + str(self.bits)) or f"{'u' if self.kind == 'u' else ''}int{self.bits}_t"


@dataclass(frozen=True, slots=True)
class Enumeration(Arithmetic):
    """The integer type behind an `enum`, which the compiler chooses: it has no name of a fixed width."""

    @property
    def spelling(self) -> str | None:
        """The value None, because a declaration with a type of a fixed width would be another one."""
        return None


@dataclass(frozen=True, slots=True)
class VoidType:
    """The type that has no value."""

    spelling: ClassVar[str] = "void"


@dataclass(frozen=True, slots=True)
class PointerTo:
    """A pointer; `is_const` says that nothing is written through it."""

    to: CType
    is_const: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array; `is_const` says that its elements are never written.

    `length` is a number as text, or the name of what holds it; empty where an initialiser says it, and None where C
    lets it out.
    """

    of: CType
    length: Any = field(default=None, compare=False)
    is_const: bool = field(default=False, compare=False)


@dataclass(slots=True, eq=False)
class StructOf:
    """A struct or union, equal to no other object; a tag that is only mentioned gets its fields where it is defined.

    `bit_fields` are the types that bit-fields have in an expression; `name` is `struct tag` or `union tag`, and the
    keyword alone where there is no tag.
    """

    fields: tuple[tuple[str, CType], ...] = ()
    bit_fields: Mapping[str, CType] = field(default_factory=dict)
    is_defined: bool = False
    name: str = "struct"
    _known: Any = None

    @property
    def spelling(self) -> str | None:
        """The type's name in C; None for a union, and for a struct without a tag."""
        return self.name if self.name.startswith("struct ") else None

    @property
    def members(self) -> tuple[tuple[str, CType], ...]:
        """The fields that count in an initialiser: a bit-field without a name is none."""
        return self._look_up()[0]

    def place_of(self, name: str) -> int | None:
        """Return the number of the member that a name is, or that it is in where that has no name; None for none."""
        return self._look_up()[1].get(name)

    def field(self, name: str) -> tuple[CType, CType | None] | None:
        """Return the type of a field, also of one in an anonymous struct inside; of a bit-field, that of its value."""
        place = self.place_of(name)
        if place is None:
            return None
        own, typ = self.members[place]
        return (typ, self.bit_fields.get(name)) if own == name else typ.field(name)  # type: ignore[union-attr]

    def _look_up(self) -> Members:
        """List the members and number their names, once for these fields: who asks asks for each of many values."""
        if self._known is None or self._known[0] is not self.fields:
            members = tuple(each for each in self.fields if each[0] or isinstance(each[1], StructOf))
            places: dict[str, int] = {}
            for number, (own, typ) in enumerate(members):
                inner = () if own or not isinstance(typ, StructOf) else typ._look_up()[1]
                for name in (own, *inner):
                    places.setdefault(name, number)
            self._known = self.fields, (members, places)
        found: Members = self._known[1]
        return found


@dataclass(frozen=True, slots=True)
class FunctionOf:
    """A function: what it returns, and the types of its parameters with arrays as pointers."""

    returns: CType
    params: tuple[CType, ...]


#: The members of a struct with their types, and the number of the member that each name leads to.
Members = tuple[tuple[tuple[str, "CType"], ...], dict[str, int]]
CType = Arithmetic | VoidType | PointerTo | ArrayOf | StructOf | FunctionOf

VOID: Final = VoidType()
INT: Final = Arithmetic("i", 32)
LONG: Final = Arithmetic("i", 64)
SIZE: Final = Arithmetic("u", 64)
DOUBLE: Final = Arithmetic("f", 64)

_SPELLINGS: Final[Mapping[str, str]] = {
    "b8": "bool",
    "f32": "float",
    "f64": "double",
    "f80": "long double",
    "c64": "float _Complex",
    "c128": "double _Complex",
    "c160": "long double _Complex",
}

#: The scalar types that are not made of several integer words, by their words in alphabetical order. `char` is signed
#: on every machine, because clang is told so.
_BY_WORDS: Final[Mapping[str, CType]] = {
    "_Bool": Arithmetic("b", 8),
    "_Complex double": Arithmetic("c", 128),
    "_Complex double long": Arithmetic("c", 160),
    "_Complex float": Arithmetic("c", 64),
    "double": DOUBLE,
    "double long": Arithmetic("f", 80),
    "float": Arithmetic("f", 32),
    "void": VOID,
}
_INTEGER_WORDS: Final = frozenset("char short int long signed unsigned".split())


def scalar_of(words: Sequence[str]) -> CType | None:
    """Return the type that the words of a scalar type name; None for words that name none.

    A single word may be a standard type's name, such as `int64_t`. How often `long` stands there makes no difference.
    """
    if len(words) == 1 and words[0] in vocabulary.TYPEDEFS:
        return scalar_of(vocabulary.TYPEDEFS[words[0]].split())
    if not _INTEGER_WORDS.issuperset(words):
        return _BY_WORDS.get(" ".join(sorted(words)))
    bits = 8 if "char" in words else 16 if "short" in words else 64 if "long" in words else 32
    return Arithmetic("u" if "unsigned" in words else "i", bits)


def spelling_of(typ: CType) -> str | None:
    """Spell a scalar type or struct in exact widths; None for every other type."""
    return typ.spelling if isinstance(typ, Arithmetic | VoidType | StructOf) else None


def promote(typ: CType) -> CType:
    """Return the type of an operand after the integer promotions: nothing is narrower than `int`."""
    if isinstance(typ, Arithmetic) and typ.is_integer and typ.bits < 32:
        return INT
    return typ


def common_type(a: CType, b: CType) -> CType:
    """Return the type that two operands have after the usual arithmetic conversions."""
    if not isinstance(a, Arithmetic) or not isinstance(b, Arithmetic):
        return a if not isinstance(a, Arithmetic) else b
    a, b = promote(a), promote(b)
    assert isinstance(a, Arithmetic)
    assert isinstance(b, Arithmetic)
    if a.is_integer and b.is_integer:
        if a.kind == b.kind or a.bits != b.bits:
            return a if a.bits >= b.bits else b
        return a if a.kind == "u" else b
    bits = max(t.bits // 2 if t.kind == "c" else t.bits for t in (a, b) if not t.is_integer)
    return Arithmetic("c", 2 * bits) if "c" in (a.kind, b.kind) else Arithmetic("f", bits)


def decay(typ: CType) -> CType:
    """Turn the type of an array into that of the pointer that it becomes in an expression."""
    return PointerTo(typ.of, typ.is_const) if isinstance(typ, ArrayOf) else typ


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
    """Return the bytes of a type; None for a struct, whose layout clang decides."""
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
        # These three need the names of variables, so whoever knows the names sets them.
        self.on_enumerator: Callable[[str, int], None] = lambda name, value: None
        self.value_of: Callable[[Any], int | None] = lambda node: None
        self.length_of: Callable[[Any], str | None] = lambda node: None

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

    def read_length(self, node: Any) -> str | None:
        """Read the length of an array's declarator and write it there as a number, so that clang computes the same."""
        length = self.length_of(node.dim)
        if length is not None and length.isdigit():
            node.dim = c_ast.Constant("int", length, node.dim.coord)
        return length

    def is_const(self, node: Any) -> bool:
        """Whether an object with this declarator can never be written: the object itself, not what it points to."""
        while isinstance(node, c_ast.ArrayDecl):  # `const` of an array is `const` of its elements (C11, 6.7.3)
            node = node.type
        return "const" in (getattr(node, "quals", None) or ())

    def read_loosely(self, node: Any) -> CType:
        """Read a parameter's type without lengths, which other parameters may give."""
        length_of, self.length_of = self.length_of, lambda node: None if node is None else ""
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
