"""Many units at once: a list of units -> for each its object code or what is wrong with it.

Units run at the same time over the pools of clangs and of code generators. One clang run for many units would go here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from symbiont_jit.backend.clang import MAX_AT_A_TIME
from symbiont_jit.backend.objects import ObjectCode, compile_unit, prewarm
from symbiont_jit.backend.unit import Unit
from symbiont_jit.errors import CandidateError, Diagnostic

__all__ = ["compile_units"]


def compile_units(units: Sequence[Unit]) -> list[ObjectCode | list[Diagnostic]]:
    """Compile each unit to object code, or to the findings of clang, the code generator and the check of names."""
    if not units:
        return []
    for flags, count in Counter(unit.flags for unit in units).items():
        prewarm(flags, count)
    with ThreadPoolExecutor(min(len(units), MAX_AT_A_TIME), "symbiont_jit compiles") as pool:
        return list(pool.map(_compile, units))


def _compile(unit: Unit) -> ObjectCode | list[Diagnostic]:
    try:
        return compile_unit(unit)
    except CandidateError as error:
        return list(error.diagnostics)
