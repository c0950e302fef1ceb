"""What a type has inside: pointers that cannot be followed, long doubles. Each part is looked at once.

In: a type. Out: an answer, or `Refused`. Types share their parts, so a walk that forgets where it was takes two to the
power of their nesting.
"""

from __future__ import annotations

from typing import Any

from symbiont_jit.c.types import Arithmetic, ArrayOf, CType, PointerTo, Refused, StructOf

__all__ = ["has_wide_float", "is_wide", "require_traceable"]


def require_traceable(node: Any, typ: CType, seen: set[int] | None = None) -> None:
    """Refuse pointers anywhere but in variables of their own."""
    seen = set() if seen is None else seen
    if id(typ) in seen:  # Types share their parts; a second look at one finds nothing new.
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


def is_wide(typ: CType) -> bool:
    """Whether a type is a long double's, real or complex: ten of its sixteen bytes are its value's."""
    return isinstance(typ, Arithmetic) and typ.bits in (80, 160)


def has_wide_float(typ: CType, seen: set[int] | None = None) -> bool:
    """Whether a type contains a long double: the compiler moves those with instructions that trap if unaligned.

    Each struct is looked at once, whatever is made of it: `seen` has those that were.
    """
    seen = set() if seen is None else seen
    match typ:
        case Arithmetic():
            return is_wide(typ)
        case ArrayOf():
            return has_wide_float(typ.of, seen)
        case StructOf() if id(typ) not in seen:
            seen.add(id(typ))
            return any(has_wide_float(t, seen) for _, t in typ.fields)
    return False
