"""Panics of guarded code: where a call leaves one, and how it becomes words.

In: the records that shims write. Out: `Panic`s. A lineage has one table; a record belongs to the thread that called and
to the version that it called, and the newest one of each pair stays until it is taken.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.backend.generated import load_unit
from symbiont_jit.backend.unit import Unit
from symbiont_jit.errors import Diagnostic, Stage
from symbiont_jit.runtime.arena import ARENA_BYTES
from symbiont_jit.runtime.checks import INTERRUPTED, NO_ROOM
from symbiont_jit.runtime.thread_slots import PLACE, RECORDS

__all__ = ["TAKE", "Panic", "PanicTable", "Site", "panic_of"]


@dataclass(frozen=True, slots=True)
class Site:
    """A place that can panic: what it does, where it is in the canonical text, what the two reported values mean."""

    kind: str
    line: int
    column: int
    what: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Panic:
    """A run-time fault that was caught; line and column count in the canonical source, 0 where there is none.

    `str()` shows the line with a caret.
    """

    kind: str
    message: str
    line: int = 0
    column: int = 0
    source: str = ""

    def __str__(self) -> str:
        return Diagnostic(Stage.EVALUATE, self.kind, self.message, self.line, self.column).render(self.source)


#: A record is the caller's thread, a sequence number, version, site, two values. The first one is of the table itself:
#: how many panics there were, whether `checked` loops have to end now, how many steps of loops a call may make.
_WORDS: Final = 6
_COUNT, _STOP, _FUEL = 0, 1, 2
ENDLESS: Final = 1 << 62


class PanicTable:
    """Memory that shims write to, and the way to take records out."""

    def __init__(self) -> None:
        self._memory = (ctypes.c_int64 * ((RECORDS + 1) * _WORDS))()
        self._memory[_FUEL] = ENDLESS
        self.address = ctypes.addressof(self._memory)

    def limit(self, steps: int | None) -> None:
        """Let each call of `checked` code make so many steps of loops; None for as many as it likes."""
        self._memory[_FUEL] = ENDLESS if steps is None else steps

    def stop(self, now: bool) -> None:
        """Let loops of `checked` code panic at their next step."""
        self._memory[_STOP] = int(now)

    @property
    def count(self) -> int:
        """How many calls have panicked so far, in all threads."""
        return int(self._memory[_COUNT])

    def take(self, version: int | None) -> tuple[int, int, int, int] | None:
        """The newest record of this thread (of one version): version, site and two values; it is forgotten."""
        out = (ctypes.c_int64 * 4)()
        wanted = -(2**62) if version is None else version
        found = _take()(self.address, wanted, ctypes.addressof(out))
        return (out[0], out[1], out[2], out[3]) if found else None


@functools.cache
def _take() -> Callable[[int, int, int], int]:
    loaded = load_unit(TAKE, {})
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)(loaded.addresses[0])
    _KEPT.append(loaded)
    return function


_KEPT: Final[list[Any]] = []

_TEXT: Final = f"""{PLACE}
int64_t sj_take(struct sj_record *table, int64_t version, int64_t *out)
{{
  int64_t me = sj_me();
  struct sj_record *newest = 0;
  for (int i = 1; i <= {RECORDS}; i++) {{
    struct sj_record *r = table + i;
    if (__atomic_load_n(&r->thread, __ATOMIC_ACQUIRE) == me && (version == -(1LL << 62) || r->version == version)
        && (!newest || r->number > newest->number))
      newest = r;
  }}
  if (!newest)
    return 0;
  out[0] = newest->version;
  out[1] = newest->site;
  out[2] = newest->a;
  out[3] = newest->b;
  __atomic_store_n(&newest->thread, 0, __ATOMIC_RELEASE);
  return 1;
}}
"""

#: What takes a panic out of a table.
TAKE: Final = Unit(_TEXT, ("sj_take",))


def panic_of(sites: Sequence[Site], number: int, a: int, b: int, source: str) -> Panic:
    """A record in plain words."""
    if number == INTERRUPTED:
        return Panic("interrupted", "the call was interrupted")
    if number == NO_ROOM:
        return Panic("stack", f"the calling thread has {max(a, 0):,} bytes of stack left, too few for a call")
    site = sites[number]
    return Panic(site.kind, _MESSAGES[site.kind](site, a, b), site.line, site.column, source)


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
