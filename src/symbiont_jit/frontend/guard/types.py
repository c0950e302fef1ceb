"""C types, as far as it takes to know what an expression is: arithmetic, pointer, array, struct.

In: pycparser's declarations. Out: frozen records, and the conversions of C11, 6.3.1, on a 64-bit Unix.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pycparser import c_ast

from symbiont_jit import vocabulary
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.frontend.tree import first_position, parse, resolve_scalar

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
    "constant_lengths",
    "decayed",
    "has_variable_length",
    "library_functions",
    "promoted",
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

    `length` is the expression's node as it is read; then the name of a constant that holds it, empty where `sizeof`
    knows it, and None where C lets it out.
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

    def field(self, name: str) -> CType | None:
        """The type of a field, also of one in an anonymous struct inside."""
        for own, typ in self.fields:
            if own == name:
                return typ
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


def constant_lengths(typ: CType) -> CType:
    """A type whose array lengths are known to the compiler, but for those that have a constant's name already."""
    match typ:
        case ArrayOf():
            name = getattr(typ.length, "name", typ.length)
            kept = name if isinstance(name, str) and name.startswith("sj_n") else ""
            return ArrayOf(constant_lengths(typ.of), None if typ.length is None else kept)
        case PointerTo():
            return PointerTo(constant_lengths(typ.to))
    return typ


def has_variable_length(typ: CType) -> bool:
    """Whether `sizeof` would look at a type's lengths at run time."""
    return isinstance(typ, ArrayOf) and (bool(typ.length) or has_variable_length(typ.of))


class TypeReader:
    """Types of declarations, with the typedefs and tags of the scopes that are open."""

    def __init__(self) -> None:
        self.typedefs: list[dict[str, CType]] = [{}]
        self.tags: list[dict[str, StructOf]] = [{}]
        self.enums: list[dict[str | None, Arithmetic]] = [{}]
        self.enumerators: dict[str, int] = {}
        self.on_enumerator: Callable[[str], None] = lambda name: None

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
                return ArrayOf(self.read(node.type), node.dim)
            case c_ast.FuncDecl():
                params = [p for p in (node.args.params if node.args else ()) if not isinstance(p, c_ast.EllipsisParam)]
                types = [decayed(self.read(p.type)) for p in params]
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

    def _enum(self, node: Any) -> Arithmetic:
        """The choice of clang: int where an enumerator is negative, else unsigned; for a mention, what its tag was.

        Raises `Refused` for an enumerator that is no int.
        """
        if node.values is None:
            scopes = (scope[node.name] for scope in reversed(self.enums) if node.name in scope)
            return next(scopes, Arithmetic("u", 32))
        value, least = -1, 0
        for enumerator in node.values.enumerators:
            value = value + 1 if enumerator.value is None else constant_value(enumerator.value, self.enumerators)
            if not -(2**31) <= value < 2**31:
                raise Refused(
                    enumerator, f"the enumerator '{enumerator.name}' is no int; use a 'static const' of its type"
                )
            least = min(least, value)
            self.enumerators[enumerator.name] = value
            self.on_enumerator(enumerator.name)
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
            fields = tuple(
                (d.name or "", _measured(self.read(d.type))) for d in node.decls if isinstance(d, c_ast.Decl)
            )
            types = dict(fields)
            bits = {
                d.name: _promoted_bits(types[d.name], constant_value(d.bitsize, self.enumerators))
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


#: What C computes of constants; all of it in Python's integers, and what leaves `int` on the way is refused.
_FOLDED: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: _quotient(a, b),
    "%": lambda a, b: a - b * _quotient(a, b),
    "<<": operator.lshift,
    ">>": operator.rshift,
    "|": operator.or_,
    "&": operator.and_,
    "^": operator.xor,
}


#: What may stand on the right; of division, what C rounds like everybody.
_RIGHT_SIDES: Final = {"<<": range(31), ">>": range(31), "/": range(1, 2**31), "%": range(1, 2**31)}


def _quotient(a: int, b: int) -> int:
    """Rounded towards zero, as C does."""
    return a // b if a >= 0 else -(-a // b)


def constant_value(node: Any, names: Mapping[str, int]) -> int:
    """The value of a constant expression of numbers and enumerators; raises `Refused` for others."""
    value: int | None = None
    match node:
        case c_ast.Constant() if node.type == "char" and len(node.value) == len("'a'"):
            value = ord(node.value[1])
        case c_ast.Constant() if "int" in node.type and not node.value.lower().endswith("u"):
            digits = node.value.rstrip("lLuU")
            value = int(digits, 8 if digits[0] == "0" and digits.isdigit() else 0)
        case c_ast.ID() if node.name in names:
            value = names[node.name]
        case c_ast.UnaryOp(op="-" | "+" | "~"):
            inner = constant_value(node.expr, names)
            value = {"-": -inner, "+": inner, "~": ~inner}[node.op]
        case c_ast.BinaryOp() if node.op in _FOLDED:
            left, right = constant_value(node.left, names), constant_value(node.right, names)
            if right in _RIGHT_SIDES.get(node.op, range(-(2**31), 2**31)):
                value = _FOLDED[node.op](left, right)
    if value is None or not -(2**31) <= value < 2**31:
        raise Refused(node, "this constant is no plain int; write its value as a number")
    return value


def _promoted_bits(typ: CType, width: int) -> CType:
    """What a bit-field is in an expression: an int where that has all its values (C11, 6.3.1.1)."""
    if not isinstance(typ, Arithmetic) or width > 32 or (width == 32 and typ.kind == "u"):
        return typ
    return INT


def _measured(typ: CType) -> CType:
    """A field's type: in a struct, lengths are constants."""
    if isinstance(typ, ArrayOf) and not isinstance(typ.length, str):
        return ArrayOf(_measured(typ.of), None if typ.length is None else "")
    return typ


@functools.cache
def library_functions() -> Mapping[str, FunctionOf]:
    """The types of the table's functions that have prototypes."""
    rows = [f.prototype for f in vocabulary.FUNCTIONS.values() if f.prototype]
    tree = parse("\n".join(rows))
    assert isinstance(tree, c_ast.FileAST), "the table is C"
    reader = TypeReader()
    types = ((node.name, reader.read(node.type)) for node in tree.ext if isinstance(node, c_ast.Decl))
    return {name: typ for name, typ in types if isinstance(typ, FunctionOf)}
