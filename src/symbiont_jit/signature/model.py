"""The signature itself: frozen records of parameters, dimensions and types, and the C prototype they make."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from symbiont_jit.lazy import lazy
from symbiont_jit.signature.elements import Element, Record, Scalar

__all__ = ["ArrayType", "Dimension", "Mode", "Param", "Results", "Signature"]

Dimension = str | int


class Mode(enum.StrEnum):
    """The use of a buffer: the kernel reads it (`in`), writes it (`out`), or reads and writes it (`inout`)."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"


@dataclass(frozen=True, slots=True)
class ArrayType:
    """A C-ordered array: `dims` holds names and literal lengths; without any, the type is one value by reference."""

    dtype: Element
    dims: tuple[Dimension, ...]

    @property
    def is_record(self) -> bool:
        """Whether the parameter is a single record, passed by reference."""
        return not self.dims and isinstance(self.dtype, Record)

    def __str__(self) -> str:
        if self.is_record:
            return str(self.dtype)
        return f"Array[{', '.join([str(self.dtype), *map(_dimension_text, self.dims)])}]"


@dataclass(frozen=True, slots=True)
class Param:
    """One declared parameter: a `Scalar` goes by value, an `ArrayType` by pointer."""

    name: str
    type: Scalar | ArrayType
    mode: Mode = Mode.IN

    @property
    def c_declaration(self) -> str:
        """The parameter as it stands in the C prototype."""
        if isinstance(self.type, Scalar):
            return f"{self.type.c} {self.name}"
        const = "const " if self.mode is Mode.IN else ""
        if not self.type.dims:
            return f"{const}{self.type.dtype.c} *{self.name}"
        return f"{const}{self.type.dtype.c} {self.name}{''.join(f'[{d}]' for d in self.type.dims)}"

    def __str__(self) -> str:
        if self.mode is Mode.IN or isinstance(self.type, Scalar):
            return str(self.type)
        marker = "Out" if self.mode is Mode.OUT else "InOut"
        return f"{marker}[{', '.join([str(self.type.dtype), *map(_dimension_text, self.type.dims)])}]"


@dataclass(frozen=True, slots=True)
class Results:
    """What a Python function returns and C writes into its last parameters.

    Attributes:
        lengths: For each of these parameters the lengths of its axes, as Python texts in the names of the parameters
            and dimensions before them; a number has none.
        is_tuple: Whether a tuple is returned, and not the one thing itself.
    """

    lengths: tuple[tuple[str, ...], ...]
    is_tuple: bool = False


@dataclass(frozen=True)
class Signature:
    """The name, parameters and result of an evolvable function.

    Attributes:
        name: The function's name, in Python and in C.
        params: The parameters in the order of their declaration, without the lengths that come first in C.
        returns: The scalar that is returned; None is C's `void`.
        doc: What the declaration says about the function; it goes into prompts.
        results: Which of the last parameters are what the Python function returns: callers in Python may leave them
            out, and get them as new arrays.

    Example:
        >>> dot.signature.c_prototype
        'double dot(int64_t n, const double x[n], const double y[n])'
    """

    name: str
    params: tuple[Param, ...]
    returns: Scalar | None
    doc: str = ""
    results: Results | None = None

    @property
    def inputs(self) -> tuple[Param, ...]:
        """The parameters that callers pass in any case: all but those that are results."""
        return self.params if self.results is None else self.params[: len(self.params) - len(self.results.lengths)]

    @lazy
    def without_results(self) -> Signature:
        """Return the signature of what callers pass in any case, as if nothing was returned in new arrays."""
        return replace(self, params=self.inputs, results=None)

    @lazy
    def dimensions(self) -> tuple[str, ...]:
        """Return the named dimensions in order of first appearance: the leading `int64_t` parameters in C."""
        names = (d for p in self.params if isinstance(p.type, ArrayType) for d in p.type.dims if isinstance(d, str))
        return tuple(dict.fromkeys(names))

    @lazy
    def records(self) -> tuple[Record, ...]:
        """Return the records of the parameters, each after the records of its fields."""
        used = (p.type.dtype for p in self.params if isinstance(p.type, ArrayType))
        return tuple(dict.fromkeys(r for t in used if isinstance(t, Record) for r in t.nested))

    @lazy
    def has_complex(self) -> bool:
        """Whether C's complex numbers occur in the signature."""
        texts = [self.returns.c if self.returns else "", self.c_structs, *(p.c_declaration for p in self.params)]
        return any("_Complex" in text for text in texts)

    @lazy
    def c_prototype(self) -> str:
        """Return the C prototype, dimensions first, without a semicolon."""
        params = [f"int64_t {d}" for d in self.dimensions] + [p.c_declaration for p in self.params]
        return f"{self.returns.c if self.returns else 'void'} {self.name}({', '.join(params) or 'void'})"

    @lazy
    def c_structs(self) -> str:
        """Return the structs of the prototype, in C; empty without records."""
        return "".join(r.c_definition for r in self.records)

    @lazy
    def shape_key(self) -> str:
        """A text of what a caller's machine code depends on: types and the pattern of dimensions, but no names.

        Two kernels with the same key can take each other's place in a compiled loop.
        """
        index = {d: f"d{i}" for i, d in enumerate(self.dimensions)}
        parts = []
        for p in self.params:
            if isinstance(p.type, Scalar):
                parts.append(p.type.name)
            else:
                dims = ", ".join(index[d] if isinstance(d, str) else str(d) for d in p.type.dims)
                parts.append(f"{'' if p.mode is Mode.IN else 'mut '}{p.type.dtype.layout}[{dims}]")
        return f"({', '.join(parts)}) -> {self.returns.name if self.returns else 'none'}"

    def __str__(self) -> str:
        params = ", ".join(f"{p.name}: {p}" for p in self.params)
        return f"{self.name}({params}) -> {self.returns}"


def _dimension_text(dim: Dimension) -> str:
    return f'"{dim}"' if isinstance(dim, str) else str(dim)
