"""The model of C types: arithmetic, pointer, array, struct, function.

In: the words of C's own types. Out: frozen records, how C spells them in exact widths (`spelling_of`), and the
conversions of C11, 6.3.1, on a 64-bit Unix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeVar

from symbiont_jit.c import vocabulary
from symbiont_jit.c.tree import first_position
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
    "Length",
    "PointerTo",
    "Refused",
    "StructOf",
    "VoidType",
    "common_type",
    "decay",
    "has_variable_length",
    "promote",
    "rough_size",
    "same_rows",
    "scalar_of",
    "size_of",
    "spelling_of",
]

T = TypeVar("T")


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
class Length:
    """How many elements an array has: a `number`, or what a constant holds at run time whose hidden name is `holder`.

    Neither is known where an initialiser says it. `name` is the author's own word for it. Of an array that `is_passed`
    C knows a pointer, and so no length.
    """

    number: int | None = None
    holder: str = ""
    name: str = ""
    is_passed: bool = False

    @property
    def is_variable(self) -> bool:
        """Whether C's own `sizeof` does not give it as a constant."""
        return self.is_passed or (self.number is None and bool(self.holder or self.name))

    @property
    def constant(self) -> int | None:
        """The number that C's own type has too."""
        return None if self.is_passed else self.number


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array; `is_const` says that its elements are never written.

    `length` is None where C lets it out.
    """

    of: CType
    length: Length | None = field(default=None, compare=False)
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
    _known: dict[Any, Any] = field(default_factory=dict)
    _known_of: Any = None

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
        return self.remember(StructOf._list_members, self._list_members)

    def _list_members(self) -> Members:
        members = tuple(each for each in self.fields if each[0] or isinstance(each[1], StructOf))
        places: dict[str, int] = {}
        for number, (own, typ) in enumerate(members):
            inner = () if own or not isinstance(typ, StructOf) else typ._look_up()[1]
            for name in (own, *inner):
                places.setdefault(name, number)
        return members, places

    def remember(self, question: Any, find: Callable[[], T]) -> T:
        """Return the answer to a question about the fields, which is found once for these fields.

        A text may ask thousands of times of a struct that has thousands of fields.
        """
        if self._known_of is not self.fields:
            self._known, self._known_of = {}, self.fields
        if question not in self._known:
            self._known[question] = find()
        found: T = self._known[question]
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
    if not isinstance(typ, ArrayOf):
        return False
    return (typ.length is not None and typ.length.is_variable) or has_variable_length(typ.of)


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
        case ArrayOf(length=Length(constant=int(count))):
            inner = size_of(typ.of)
            return None if inner is None else inner * count
    return None


def rough_size(typ: CType) -> int:
    """Return about how many bytes a type has, of a union those of all its members; 0 for what is not known."""
    match typ:
        case ArrayOf():
            return rough_size(typ.of) * ((typ.length.constant or 0) if typ.length is not None else 0)
        case StructOf():
            return typ.remember(rough_size, lambda: sum(rough_size(inner) for _, inner in typ.fields))
    return size_of(typ) or 0
