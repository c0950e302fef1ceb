"""Panics of instrumented code: the kinds, the table in which calls leave them, and how a panic becomes words.

In: the records that shims write. Out: `Panic`s. A kernel has one table; a record belongs to the thread that called and
to the revision that it called, and the newest one of each pair stays until it is taken.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import json
import operator
import signal
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final, NamedTuple, TypeVar

from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.runtime.arena import ARENA_BYTES
from symbiont_jit.runtime.checks import FAULT, INTERRUPTED, NO_ROOM
from symbiont_jit.runtime.layout import Fallback, PanicRecord, PanicTableLayout
from symbiont_jit.runtime.library import take_panic, take_watched, watch_panics
from symbiont_jit.runtime.sources import NUMBERS
from symbiont_jit.uninterrupted import Step

__all__ = [
    "PANICS",
    "Panic",
    "PanicReport",
    "PanicTable",
    "Site",
    "make_report",
    "pack_sites",
    "panic_of",
    "unpack_sites",
]

_T = TypeVar("_T")
_identities = itertools.count(1)

#: The steps of loops that a call of `checked` code may make unless somebody says otherwise: some seconds of them.
DEFAULT_STEPS: Final = 5_000_000_000

#: The kinds of panic in words, for prompts and documentation. Messages have the numbers besides.
PANICS: Final[Mapping[str, str]] = {
    "index": "a subscript outside of its array",
    "pointer": "an access through a pointer outside of the array that it came from, or through a null pointer",
    "memory": "memcpy, memmove, memset or memcmp of more bytes than an array has",
    "division": "an integer division by zero, or of the least integer by -1",
    "overflow": "a signed integer overflow",
    "shift": "a shift by a negative count or by the width of the type",
    "conversion": "a floating value that does not fit the integer that it becomes",
    "alignment": "an access at an address that is no multiple of the type's alignment",
    "endless": "a loop or recursion that makes too many steps",
    "recursion": "a recursion that is too deep",
    "length": "a local array of a negative or very large length",
    "row": "a row of an array parameter of a negative length, or one that no memory has",
    "stack": "local arrays that are too large for the stack",
    "allocation": "more memory than a call has",
    "free": "free or realloc of what malloc did not give",
    "freed": "an access to a freed block",
    "unreachable": "__builtin_unreachable() that is reached",
    "assumption": "__builtin_assume of what does not hold",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the text that can panic: the kind, where it stands in the canonical text, what it is about."""

    kind: str
    line: int
    column: int
    what: str = ""
    limit: str = ""


def pack_sites(sites: Sequence[Site]) -> bytes:
    """Pack the sites of a text into few bytes: a build keeps them as long as its code may panic."""
    rows = [astuple(site) for site in sites]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode()) if rows else b""


def unpack_sites(packed: bytes) -> tuple[Site, ...]:
    """Unpack the sites that `pack_sites` packed."""
    rows = json.loads(zlib.decompress(packed)) if packed else ()
    return tuple(Site(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class Panic:
    """A run-time fault that was caught: the call returned zero instead of going on.

    `str()` shows the line with a caret.

    Attributes:
        kind: The name of the fault, such as `index` or `division`.
        message: What happened, in one sentence, with the values.
        line: The line of `source`, counted from 1; 0 where the fault has no place.
        column: The column, counted from 1; 0 where the fault has no place.
        source: The text whose lines are counted.

    Example:
        >>> panic = kernel.take_panic()
        >>> if panic is not None:
        ...     print(panic.kind, panic)
    """

    kind: str
    message: str
    line: int = 0
    column: int = 0
    source: str = ""

    def __str__(self) -> str:
        return Diagnostic(Stage.EVALUATE, self.kind, self.message, self.line, self.column).render(self.source)


class PanicReport(NamedTuple):
    """The record that a call has left in a table: the revision that panicked, the site and two values."""

    revision: int
    site: int
    a: int
    b: int


def make_report(found: int, revision: int, site: int, a: int, b: int) -> PanicReport | None:
    """Make a report of what C has found of a call's panic; None where there was none."""
    if found == NUMBERS["SJ_REPLACED"]:
        return PanicReport(NUMBERS["SJ_ANY_REVISION"], 0, 0, 0)
    return PanicReport(revision, site, a, b) if found else None


class PanicTable:
    """Memory that shims write to, and the way to take records out."""

    def __init__(self) -> None:
        self._table = PanicTableLayout()
        self._table.head.fuel, self._table.head.identity = DEFAULT_STEPS, next(_identities)
        self.address = ctypes.addressof(self._table)

    @property
    def steps(self) -> int | None:
        """How many steps of loops each call of `checked` code may make; None for as many as it likes."""
        fuel = int(self._table.head.fuel)
        return None if fuel == NUMBERS["SJ_ENDLESS"] else fuel

    def limit(self, steps: int | None) -> None:
        """Let each call of `checked` code make so many steps of loops; None for as many as it likes."""
        self._table.head.fuel = min(steps or NUMBERS["SJ_ENDLESS"], NUMBERS["SJ_ENDLESS"])

    @property
    def count(self) -> int:
        """The number of calls that have panicked so far, in all threads."""
        return int(self._table.head.count)

    def fall_back_step(self, record: Fallback) -> Step:
        """Return the step that lets calls which panic fall back from, or to, a revision and those before it."""
        return Step(setattr, self._table.head, "fallback", ctypes.addressof(record))

    def watch(self, call: Callable[[], _T]) -> tuple[_T, PanicReport | None]:
        """Call, and take the panic that the call left; nothing of Python's comes between, as a signal handler would."""
        watched = PanicRecord()
        where = self.address, ctypes.addressof(watched)
        steps: tuple[Callable[[], Any], ...]
        steps = functools.partial(watch_panics(), *where), call, functools.partial(take_watched(), *where)
        _, result, found = (*map(operator.call, steps),)
        return result, make_report(found, watched.revision, watched.site, watched.a, watched.b)

    def take(self, revision: int | None) -> PanicReport | None:
        """Return the newest panic of this thread, in a revision or in any (None), and forget it; None without one."""
        taken = PanicRecord()
        wanted = NUMBERS["SJ_ANY_REVISION"] if revision is None else revision
        found = take_panic()(self.address, wanted, 0, ctypes.addressof(taken))
        return PanicReport(taken.revision, taken.site, taken.a, taken.b) if found else None


def panic_of(sites: Sequence[Site], number: int, a: int, b: int, source: str) -> Panic:
    """Say in plain words what a panic was: `number` is its site, `a` and `b` are the values that it reported."""
    if number == INTERRUPTED:
        return Panic("interrupted", "the call was interrupted")
    if number == NO_ROOM:
        return Panic("stack", f"the calling thread has {max(a, 0):,} bytes of stack left, too few for a call")
    if number == FAULT:
        return Panic("fault", f"the processor refused an instruction: {_signal_name(a)} at address {b % (1 << 64):#x}")
    site = sites[number]
    return Panic(site.kind, _MESSAGES[site.kind](site, a, b), site.line, site.column, source)


def _signal_name(number: int) -> str:
    return signal.Signals(number).name


def _index(site: Site, a: int, b: int) -> str:
    limit = f"{site.limit} = {b}" if site.limit else f"length {b}"
    return f"index {a} out of bounds for {site.what} with {limit}"


def _pointer(site: Site, a: int, b: int) -> str:
    if site.what == "NULL":
        return "access through a null pointer"
    if b < 0:
        return f"access through the pointer {site.what}, which is null or was never set"
    return f"access at element {a} of {site.what}, which has {b}"


def _memory(site: Site, a: int, b: int) -> str:
    if b < 0:
        return f"{a} bytes through the pointer {site.what}, which is null or was never set"
    return f"{a} bytes of {site.what}, where {b} are left"


def _division(site: Site, a: int, b: int) -> str:
    if b == 0:
        return f"division by zero: {a} {site.what} 0"
    return f"division overflows: {a} {site.what} {b}"


def _overflow(site: Site, a: int, b: int) -> str:
    done = f"{site.what}({a})" if site.what.isalpha() else f"{a} {site.what} {b}"
    return f"overflow: {done} does not fit {site.limit}"


def _conversion(site: Site, a: int, _: int) -> str:
    value = struct.unpack("d", struct.pack("q", a))[0]
    return f"{value!r} does not fit {site.limit or site.what}"


_MESSAGES: Final[dict[str, Callable[[Site, int, int], str]]] = {
    "index": _index,
    "pointer": _pointer,
    "memory": _memory,
    "division": _division,
    "overflow": _overflow,
    "shift": lambda s, a, b: f"shift by {a}, not 0 to {b - 1}",
    "conversion": _conversion,
    "alignment": lambda s, a, b: f"access to {s.what} at an address {a} beyond a multiple of {b}",
    "endless": lambda s, a, b: "the loop does not end: the call has made too many steps",
    "recursion": lambda s, a, b: f"'{s.what}' calls itself too deeply: {a:,} bytes of stack",
    "length": lambda s, a, b: f"a local array of {a} elements; at least 0 and at most {1 << 24:,}",
    "row": lambda s, a, b: f"rows of {a} elements; at least 0 and at most {1 << 47:,}",
    "stack": lambda s, a, b: f"local arrays of {a:,} bytes, where {max(b, 0):,} are left",
    "allocation": lambda s, a, b: (
        f"{s.what} of {a:,} bytes, where a call has {ARENA_BYTES >> 20} MiB in all"
        if a >= 0
        else f"{s.what} of too many bytes"
    ),
    "free": lambda s, a, b: f"{s.what} was freed already" if a else f"{s.what} is no block that malloc gave",
    "freed": lambda s, a, b: f"access to {s.what}, which was freed",
    "unreachable": lambda s, a, b: "__builtin_unreachable() was reached",
    "assumption": lambda s, a, b: f"__builtin_assume({s.what}) does not hold",
}
