"""What a type has inside: pointers that cannot be followed, long doubles. Each struct is looked at once.

In: a type. Out: an answer, or `Refused`. Types share their parts, so a walk that forgets where it was takes two to the
power of their nesting.
"""

from __future__ import annotations

from typing import Any, Final

from symbiont_jit.c.types import Arithmetic, ArrayOf, CType, PointerTo, Refused, StructOf

__all__ = ["has_wide_float", "is_wide", "require_traceable"]


def require_traceable(node: Any, typ: CType) -> None:
    """Refuse pointers anywhere but in variables of their own."""
    problem = _find_untraceable(typ)
    if problem:
        raise Refused(node, problem)


_ROWS: Final = "an array of pointers is not followed; use an array of indices"
_TWICE: Final = "a pointer to a pointer is not followed; use an index"


def _find_untraceable(typ: CType) -> str:
    """Say what a type has that is not followed, and what to use instead; nothing where all of it is."""
    match typ:
        case ArrayOf():
            return _ROWS if isinstance(typ.of, PointerTo) else _find_untraceable(typ.of)
        case StructOf():
            return typ.remember(_find_untraceable, lambda: _find_in_fields(typ))
        case PointerTo():
            return _TWICE if isinstance(typ.to, PointerTo) else _find_untraceable(typ.to)
    return ""


def _find_in_fields(typ: StructOf) -> str:
    found = (
        f"a pointer in a struct ('{name}') is not followed; use an index"
        if isinstance(inner, PointerTo)
        else _find_untraceable(inner)
        for name, inner in typ.fields
    )
    return next(filter(None, found), "")


def is_wide(typ: CType) -> bool:
    """Whether a type is a long double's, real or complex: ten of its sixteen bytes are its value's."""
    return isinstance(typ, Arithmetic) and typ.bits in (80, 160)


def has_wide_float(typ: CType) -> bool:
    """Whether a type contains a long double: the compiler moves those with instructions that trap if unaligned."""
    match typ:
        case Arithmetic():
            return is_wide(typ)
        case ArrayOf():
            return has_wide_float(typ.of)
        case StructOf():
            return typ.remember(has_wide_float, lambda: any(has_wide_float(inner) for _, inner in typ.fields))
    return False
