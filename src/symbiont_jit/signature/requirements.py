"""What every signature has to keep to, in whichever language it was declared: names, dimensions, sizes.

In: names and parts of a signature. Out: nothing, or `SignatureError` with what to write instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from symbiont_jit.c import vocabulary
from symbiont_jit.errors import SignatureError
from symbiont_jit.signature.elements import Element, Record, require_name
from symbiont_jit.signature.model import ArrayType, Signature

__all__ = [
    "ARRAY_HINT",
    "require_agreeing_records",
    "require_dimensions",
    "require_distinct_names",
    "require_free_name",
    "require_length",
    "require_one_meaning",
    "require_size",
]

MAX_DIMENSIONS: Final = 4
#: The most bytes that literal lengths alone may make: more than any machine has, fewer than a C compiler refuses.
MAX_LITERAL_BYTES: Final = 2**40
#: The annotation that messages show to whoever wrote no array.
ARRAY_HINT: Final = "'Array[float64, \"n\"]'"


def require_free_name(name: str) -> None:
    """Raise `SignatureError` unless a function of that name can be compiled by itself."""
    if name in vocabulary.FUNCTIONS or name in vocabulary.LIBRARY_SYMBOLS or name in vocabulary.LIBRARY_NAMES:
        raise SignatureError(f"function {name!r}: C's library has a function of that name; choose another")
    require_name(name, f"function {name!r}")


def require_distinct_names(signature: Signature) -> None:
    """Raise `SignatureError` where two different things would have one name in C."""
    taken = {p.name for p in signature.params}
    for dimension in signature.dimensions:
        if dimension in taken:
            raise SignatureError(
                f"{signature.name}: the dimension {dimension!r} has the name of a parameter; rename one of them "
                f"(the dimension is passed to C as 'int64_t {dimension}' already)"
            )
    require_agreeing_records([signature])


def require_agreeing_records(signatures: Sequence[Signature]) -> None:
    """Raise `SignatureError` where two different records have one name in C, or a name is C's `complex`."""
    elements = [
        (f"{s.name}: parameter {p.name!r}", p.type.dtype)
        for s in signatures
        for p in s.params
        if isinstance(p.type, ArrayType)
    ]
    require_one_meaning(elements)
    if any(s.has_complex for s in signatures):
        for signature in signatures:
            _require_no_complex_name(signature)


def require_one_meaning(elements: Iterable[tuple[str, Element]]) -> None:
    """Raise `SignatureError` where two different records have one name; each element comes with where it is."""
    known: dict[str, tuple[str, Record]] = {}
    for where, element in elements:
        for used in element.nested if isinstance(element, Record) else ():
            first, other = known.setdefault(used.name, (where, used))
            if other != used:
                raise SignatureError(
                    f"{where}: its record {used.name!r} is another one than that of {first}; rename one of them"
                )


def _require_no_complex_name(signature: Signature) -> None:
    """Raise `SignatureError` where something is named like the word that stands for C's complex numbers."""
    names = {
        "the function": [signature.name],
        "a parameter": [p.name for p in signature.params],
        "a dimension": signature.dimensions,
        "a record": [r.name for r in signature.records],
        "a field": [f.name for r in signature.records for f in r.fields],
    }
    for what, found in names.items():
        if "complex" in found:
            raise SignatureError(
                f"{signature.name}: {what} is named 'complex', which is a word of C where complex numbers are used; "
                "rename it"
            )


def require_dimensions(count: int, where: str) -> None:
    """Raise `SignatureError` for an array of too few or too many dimensions."""
    if not 1 <= count <= MAX_DIMENSIONS:
        advice = "make one of several, as reshape does" if count else f"write {ARRAY_HINT}"
        raise SignatureError(f"{where}: an array has 1 to {MAX_DIMENSIONS} dimensions, not {count}; {advice}")


def require_length(length: int, where: str) -> None:
    """Raise `SignatureError` for a literal dimension that no array has."""
    if not 1 <= length < 2**31:
        raise SignatureError(f"{where}: a literal dimension is 1 to 2**31 - 1, not {length}")


def require_size(array: ArrayType, where: str) -> None:
    """Raise `SignatureError` for an array that is too large whatever its named dimensions are."""
    size = math.prod([array.dtype.dtype.itemsize, *(d for d in array.dims if isinstance(d, int))])
    if size > MAX_LITERAL_BYTES:
        raise SignatureError(
            f"{where}: its literal dimensions alone make {size} bytes, and 2**40 is the limit; name them instead"
        )
