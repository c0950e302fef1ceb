"""Types of elements: scalars, and records with the layout that C gives a struct.

In: names and NumPy dtypes. Out: frozen `Scalar`s and `Record`s with their C spelling and their dtype.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.c import vocabulary
from symbiont_jit.errors import SignatureError
from symbiont_jit.lazy import lazy

__all__ = [
    "RESERVED_PREFIXES",
    "SCALARS",
    "Element",
    "Field",
    "Record",
    "Scalar",
    "numpy_name",
    "record_of_dtype",
    "require_depth",
    "require_dtype",
    "require_name",
    "sub_array",
]

#: Names that generated C keeps for itself: a candidate, a parameter or a dimension may not start with them.
RESERVED_PREFIXES: Final = ("__", "sj_", "SJ_", "symbiont_")

C_KEYWORDS: Final = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "asm typeof bool true false NULL _Bool _Complex _Atomic _Alignas _Alignof _Generic _Noreturn _Static_assert "
    "_Thread_local".split()
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar type under its Numba name; equal to its NumPy dtype in size and layout.

    `c` is how C spells it in exact width, as `c.types.spelling_of` does.
    """

    name: str
    c: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of one element."""
        return np.dtype("bool" if self.name == "boolean" else self.name)

    @property
    def kind(self) -> str:
        """NumPy's kind letter: `b`, `i`, `u`, `f` or `c`."""
        return self.dtype.kind

    @property
    def layout(self) -> str:
        """A text that two element types share exactly if they can take each other's place."""
        return self.name

    def __str__(self) -> str:
        return self.name


SCALARS: Final[Mapping[str, Scalar]] = {
    name: Scalar(name, c)
    for name, c in {
        "int8": "int8_t",
        "int16": "int16_t",
        "int32": "int32_t",
        "int64": "int64_t",
        "uint8": "uint8_t",
        "uint16": "uint16_t",
        "uint32": "uint32_t",
        "uint64": "uint64_t",
        "float32": "float",
        "float64": "double",
        "boolean": "bool",
        "complex64": "float _Complex",
        "complex128": "double _Complex",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: one element, or a sub-array of literal lengths."""

    name: str
    type: Scalar | Record
    dims: tuple[int, ...] = ()

    @property
    def c_declaration(self) -> str:
        """The field as it stands in the C struct, without a semicolon."""
        return f"{self.type.c} {self.name}{''.join(f'[{d}]' for d in self.dims)}"


@dataclass(frozen=True)
class Record:
    """A C struct and the aligned NumPy dtype that is laid out like it."""

    name: str
    fields: tuple[Field, ...]

    @property
    def c(self) -> str:
        """The type's name in C."""
        return f"struct {self.name}"

    @property
    def kind(self) -> str:
        """NumPy's kind letter of records, `V`."""
        return "V"

    @lazy
    def dtype(self) -> np.dtype[Any]:
        """Return the aligned dtype: NumPy places the fields as C does."""
        return np.dtype([(f.name, f.type.dtype, f.dims) for f in self.fields], align=True)

    @lazy
    def layout(self) -> str:
        """Names and types of the fields: records with the same layout can take each other's place."""
        return "{" + ", ".join(f"{f.name}: {f.type.layout}{list(f.dims) or ''}" for f in self.fields) + "}"

    @property
    def nested(self) -> Iterator[Record]:
        """The records of the fields, innermost first, and this one: C has to define them in this order."""
        for field in self.fields:
            if isinstance(field.type, Record):
                yield from field.type.nested
        yield self

    @lazy
    def c_definition(self) -> str:
        """Return the struct in C, without those of its fields."""
        return f"struct {self.name}\n{{\n{''.join(f'  {f.c_declaration};{chr(10)}' for f in self.fields)}}};\n"

    @lazy
    def c_assertions(self) -> str:
        """C that does not compile unless the struct is laid out like the dtype."""
        lines = [f'_Static_assert(sizeof({self.c}) == {self.dtype.itemsize}, "size of {self.c}");\n']
        assert self.dtype.fields is not None
        for field in self.fields:
            offset = self.dtype.fields[field.name][1]
            place = f"__builtin_offsetof({self.c}, {field.name})"
            lines.append(f'_Static_assert({place} == {offset}, "offset of {self.name}.{field.name}");\n')
        return "".join(lines)

    @lazy
    def depth(self) -> int:
        """Return the number of records inside each other, the outermost included."""
        return 1 + max((f.type.depth for f in self.fields if isinstance(f.type, Record)), default=0)

    def __str__(self) -> str:
        return self.name


Element = Scalar | Record

#: How deeply records may be nested: everything that follows them recurses, and nobody nests that many.
MAX_DEPTH: Final = 32


def require_depth(depth: int, where: str) -> None:
    """Raise `SignatureError` for records that are nested too deeply."""
    if depth > MAX_DEPTH:
        raise SignatureError(f"{where}: records are nested deeper than {MAX_DEPTH}; put inner fields into outer ones")


def require_dtype(made: Record, where: str) -> None:
    """Raise `SignatureError` for a record that is larger than a dtype can be."""
    try:
        made.dtype  # noqa: B018  made now, where its size can be refused
    except ValueError as error:
        raise SignatureError(f"{where}: NumPy cannot hold it ({error}); make its sub-arrays shorter") from error


def require_name(name: str, where: str) -> None:
    """Raise `SignatureError` unless `name` can stand in the C prototype."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise SignatureError(f"{where}: {name!r} is no C identifier; use ASCII letters, digits and underscores")
    if name in C_KEYWORDS or keyword.iskeyword(name):
        raise SignatureError(f"{where}: {name!r} is a keyword in C or Python; rename it, for example to '{name}_'")
    if name.startswith(RESERVED_PREFIXES) or re.match("_[A-Z]", name):
        raise SignatureError(f"{where}: the name {name!r} is reserved for generated C; choose another")
    if name in vocabulary.PRELUDE and not vocabulary.PRELUDE[name].endswith(");"):
        raise SignatureError(f"{where}: the name {name!r} has a standard meaning in C; choose another")


def numpy_name(annotation: Any) -> str:
    """Return Numba's name of a NumPy scalar type in native byte order; empty for abstract and foreign ones."""
    if isinstance(annotation, type) and annotation in _ABSTRACT:
        return ""
    try:
        dtype = np.dtype(annotation)
    except TypeError:  # The class stands for no type of elements.
        return ""
    return {"bool": "boolean"}.get(dtype.name, dtype.name) if dtype.isnative else ""


_ABSTRACT: Final = (
    np.number,
    np.integer,
    np.signedinteger,
    np.unsignedinteger,
    np.inexact,
    np.floating,
    np.generic,
    np.complexfloating,
    np.flexible,
    np.character,
)


def record_of_dtype(dtype: np.dtype[Any], name: str, where: str, depth: int = 1) -> Record:
    """Make the record of a structured dtype; raise `SignatureError` where C would lay it out differently.

    Records inside it have no name in NumPy: they are named after the field, `outer_field`.
    """
    require_name(name, where)
    require_depth(depth, where)
    if not dtype.names or dtype.fields is None:
        raise SignatureError(f"{where}: the dtype {dtype} has no fields; write a scalar or a structured dtype")
    fields = tuple(_field(dtype, field, name, where, depth) for field in dtype.names)
    made = Record(name, fields)
    if dtype.isalignedstruct and made.dtype == dtype:
        made.__dict__["dtype"] = dtype  # The very object that the caller's arrays have is the quickest to compare.
    if made.dtype != dtype:
        raise SignatureError(
            f"{where}: the dtype {dtype!s:.200} is not laid out like a C struct{_difference(made, dtype)}"
        )
    return made


def _difference(made: Record, dtype: np.dtype[Any]) -> str:
    """Describe how a dtype differs from that of a C struct, and how to make one that does not."""
    wanted, given = (f"{_offsets(d)} of {d.itemsize} bytes" for d in (made.dtype, dtype))
    if wanted == given:
        return ": its fields have titles, and those of a struct have none; remove them"
    advice = "remove offsets and itemsize" if dtype.isalignedstruct else "make it with np.dtype(..., align=True)"
    return f" (C would place its fields at {wanted}, it has {given}); {advice}"


def _field(dtype: np.dtype[Any], name: str, record: str, where: str, depth: int) -> Field:
    assert dtype.fields is not None
    where = f"{where}, field {name!r}"
    require_name(name, where)
    inner, dims = sub_array(dtype.fields[name][0], where)
    if inner.names:
        return Field(name, record_of_dtype(inner, f"{record}_{name}", where, depth + 1), dims)
    if inner.kind not in "biufc" or numpy_name(inner) not in SCALARS:
        raise SignatureError(
            f"{where}: {inner} has no C type here; a field is a scalar, a sub-array or a record"
            + ("" if inner.isnative else " in native byte order")
        )
    return Field(name, SCALARS[numpy_name(inner)], dims)


def sub_array(dtype: np.dtype[Any], where: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return the elements of a field and its lengths; a field that is no sub-array has none."""
    if dtype.subdtype is None:
        return dtype, ()
    inner, dims = dtype.subdtype
    if any(d < 1 for d in dims):
        raise SignatureError(f"{where}: a sub-array has at least one element, not the shape {dims}")
    if inner.subdtype is not None:
        element, more = inner.subdtype
        raise SignatureError(
            f"{where}: a sub-array of sub-arrays is written with all lengths at once: "
            f"({element.str!r}, {(*dims, *more)})"
        )
    return inner, tuple(dims)


def _offsets(dtype: np.dtype[Any]) -> list[int]:
    assert dtype.fields is not None
    return [dtype.fields[name][1] for name in dtype.names or ()]
