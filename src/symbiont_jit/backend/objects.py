"""A unit of C -> object code: bytes that can be kept, sent and loaded.

In: a `Unit`. Out: a frozen `ObjectCode`, or `CandidateError` with findings on the lines of the unit's text. clang makes
optimised bitcode, a code generator makes machine code of it, and both are cached. Object code is checked before anybody
may load it: it defines its entries and asks for nothing but the library functions in the table.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass

from symbiont_jit.backend import cache
from symbiont_jit.backend.child_process import Deadline
from symbiont_jit.backend.clang import BITCODE, FIXED, REFUSED, SYNTAX, clang
from symbiont_jit.backend.codegen import AUDITED, OBJECT, code_generators
from symbiont_jit.backend.elf import called_data, symbols
from symbiont_jit.backend.toolchain import describe_host, llvm_version
from symbiont_jit.backend.unit import Unit, digest_of
from symbiont_jit.c import vocabulary
from symbiont_jit.errors import CandidateError, Diagnostic, Stage
from symbiont_jit.uninterrupted import uninterrupted

__all__ = ["ObjectCode", "bitcode_of", "check_unit", "compile_unit", "end_compilers", "key_of", "prewarm"]


@dataclass(frozen=True, slots=True)
class ObjectCode:
    """A relocatable object in memory: picklable, and the same wherever `key` is the same.

    `entries` are the functions to be called, `needs` the names that it leaves to the library.
    """

    key: str
    entries: tuple[str, ...]
    data: bytes
    needs: tuple[str, ...]


def key_of(unit: Unit) -> str:
    """Return the key of a unit's object code: equal where the unit, the target and all compilers are equal."""
    versions = clang().toolchain.version_text, ".".join(map(str, llvm_version()))
    return unit.digest(_digest_of(describe_host(), versions, (*FIXED, *REFUSED), tuple(vocabulary.PRELUDE.values())))


@functools.lru_cache(maxsize=8)
def _digest_of(*circumstances: str | tuple[str, ...]) -> str:
    return digest_of(circumstances)


def compile_unit(unit: Unit, already_checked: bool = False, deadline: Deadline | None = None) -> ObjectCode:
    """Compile a unit to object code, or take that of an equal unit from the cache.

    clang also checks the unit's `original`, unless it was `already_checked`. Both compilers have to be done before the
    `deadline`, by default one of this unit's own.

    Raises:
        CandidateError: clang or the code generator refuses the unit; a function that needs more stack than the flags
            allow is a finding of the rule `frame`.
    """
    if cache.OBJECTS.is_empty:
        code_generators().prewarm()  # The code generator starts while clang is looked for.
    key = key_of(unit)
    cached = cache.OBJECTS.get(key)
    if cached is not None:
        return _object_code(key, unit, cached)
    try:
        return _compile(unit, key, already_checked, deadline or Deadline())
    finally:
        code_generators().report_refusals()


def bitcode_of(unit: Unit) -> bytes:
    """Return the optimised bitcode that a unit's object code is made of: as it was, or lowered again.

    Raises:
        CandidateError: clang refuses the unit.
    """
    key = key_of(unit)
    cached = cache.BITCODE.get(key)
    return _lower(unit, key, already_checked=True) if cached is None else cached


def check_unit(unit: Unit, deadline: Deadline | None = None) -> None:
    """Raise `CandidateError` for what clang refuses of a unit, without compiling it."""
    found = clang().lower(unit.c_text(), SYNTAX, unit.flags, deadline)
    if isinstance(found, list):
        raise CandidateError(Stage.LOWER, found, unit.text)


def prewarm(flags: tuple[str, ...], units: int) -> None:
    """Get ready for so many units with these flags that will come at about the same time."""
    code_generators().prewarm(units)
    clang().prewarm(BITCODE, flags, units)


def end_compilers() -> None:
    """End all processes that wait for a unit; the next unit starts new ones."""
    clang().close()
    code_generators().close()


@uninterrupted  # One thread serves both compilers.
def _compile(unit: Unit, key: str, already_checked: bool, deadline: Deadline) -> ObjectCode:
    code_generators().prewarm()
    bitcode = _lower(unit, key, already_checked, deadline)
    data = code_generators().generate(AUDITED if unit.is_audited else OBJECT, bitcode, deadline)
    if isinstance(data, list):
        raise CandidateError(Stage.LOWER, data, unit.text)
    code = _object_code(key, unit, data)
    problems = _unknown_names(code, vocabulary.LIBRARY_SYMBOLS | unit.may_need) + _calls_of_data(data)
    if problems:
        raise CandidateError(Stage.LINK, problems, unit.text)
    cache.OBJECTS.put(key, data)
    return code


def _lower(unit: Unit, key: str, already_checked: bool, deadline: Deadline | None = None) -> bytes:
    lowered = clang().lower(unit.c_text(already_checked), BITCODE, unit.flags, deadline)
    if isinstance(lowered, list):
        raise CandidateError(Stage.LOWER, lowered, unit.text)
    cache.BITCODE.put(key, lowered)
    return lowered


def _object_code(key: str, unit: Unit, data: bytes) -> ObjectCode:
    defined, needed = symbols(data)
    missing = ", ".join(name for name in unit.entries if name not in defined)
    if missing:  # The text defines them, so the compiler has not read it.
        message = f"the compiler made no code of {missing}"
        raise CandidateError(Stage.LOWER, [Diagnostic(Stage.LOWER, "compiler", message)], unit.text)
    # The same few names are needed by thousands of revisions, each of which keeps this.
    return ObjectCode(key, unit.entries, data, tuple(map(sys.intern, sorted(needed))))


def _calls_of_data(data: bytes) -> list[Diagnostic]:
    """Find calls that would run a table: the code generator calls library functions by name, whatever has the name."""
    return [
        Diagnostic(Stage.LINK, "call", f"the compiled code calls '{name}', which is no function; name it otherwise")
        for name in called_data(data)
    ]


def _unknown_names(code: ObjectCode, allowed: frozenset[str]) -> list[Diagnostic]:
    return [
        Diagnostic(Stage.LINK, "call", f"the compiled code needs '{name}', which is not in the table of functions")
        for name in code.needs
        if name not in allowed
    ]
