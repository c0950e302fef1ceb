"""A revision as code that Numba links into its callers.

In: one function of a revision. Out: `FrozenCode`, or the Python body as Numba has it, or why there is neither.
"""

from __future__ import annotations

from typing import Any

from symbiont_jit.backend.objects import bitcode_of
from symbiont_jit.dispatch.numba.frozen import FrozenCode
from symbiont_jit.engine.engine import RevisionPart
from symbiont_jit.instrument.unit import allocates
from symbiont_jit.signature import native_entry

__all__ = ["freezing_problem", "freeze_code", "link_body"]


def freezing_problem(part: RevisionPart) -> str | None:
    """Say why a function of a revision cannot be frozen; None where it can."""
    info, name = part.info, part.engine.functions.signatures[part.index].name
    if info.language == "python" and info.bodies[part.index] is None:
        return f"{name!r} has no body in revision {info.number}; freeze another one"
    if info.language == "c" and allocates(info.source):
        return (
            f"revision {info.number} of {name!r} allocates memory, which inlined code cannot; "
            f"call the handle itself, at the speed of the kernel"
        )
    return None


def freeze_code(part: RevisionPart) -> FrozenCode:
    """Return a revision's bitcode with one entry under a name of its own; everything else in it is internal."""
    builder, source, signatures = part.engine.builder, part.info.source, part.engine.functions.signatures
    entry = native_entry(signatures[part.index])
    unit = builder.release_unit(source)
    exported = {*unit.entries, *(s.name for s in signatures)}
    name = f"sj_frozen_{unit.digest()[:20]}_{entry.symbol}"
    return FrozenCode(name, entry.symbol, tuple(sorted(exported)), bitcode_of(unit))


def link_body(part: RevisionPart) -> Any:
    """Return the Python body of a function as Numba compiled it."""
    return part.engine.loader.link(part.info)[part.index]
