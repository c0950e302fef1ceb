"""Memory that C and Python share, field by field, and what makes the C compiler refuse any other layout.

In: nothing. Out: `ctypes` structures whose fields are named as in C, and assertions that are compiled wherever the C of
a structure is. Structures of the system's own are asserted by tests, because the compiler that serves kernels
runs without system headers.
"""

from __future__ import annotations

import ctypes
from typing import Final

from symbiont_jit.backend.code_memory import CodeRange, CodeRanges
from symbiont_jit.runtime.sources import NUMBERS

__all__ = [
    "SHARED",
    "SYSTEM",
    "Fallback",
    "PanicHead",
    "PanicRecord",
    "PanicTableLayout",
    "SignalAction",
    "ThreadSlot",
    "TimeSpan",
    "TimerEvent",
    "TimerTimes",
    "assertions",
]


class Fallback(ctypes.Structure):
    """A revision that calls fall back to, or from; addresses are plain numbers."""

    _fields_ = (
        ("revision", ctypes.c_int64),
        ("has_panicked", ctypes.c_int64),
        ("cells", ctypes.c_uint64 * 2),
        ("targets", ctypes.c_uint64 * 2),
        ("next", ctypes.c_uint64),
    )


class PanicHead(ctypes.Structure):
    """The head of a panic table: how many panics there were, the fuel of each call.

    No other table of the process ever has its `identity`. `fallback` is the address of the `Fallback` of the revision
    that was activated last; 0 where calls stay where they are.
    """

    _fields_ = (
        ("count", ctypes.c_int64),
        ("fuel", ctypes.c_int64),
        ("identity", ctypes.c_int64),
        ("fallback", ctypes.c_uint64),
    )


class PanicRecord(ctypes.Structure):
    """One panic: the thread that called, how many came before, the revision that panicked, its site and two values."""

    _fields_ = (
        ("thread", ctypes.c_int64),
        ("number", ctypes.c_int64),
        ("revision", ctypes.c_int64),
        ("site", ctypes.c_int64),
        ("a", ctypes.c_int64),
        ("b", ctypes.c_int64),
    )


class PanicTableLayout(ctypes.Structure):
    """A table in which the calls of a kernel leave their panics."""

    _fields_ = (("head", PanicHead), ("records", PanicRecord * NUMBERS["SJ_RECORDS"]))


class ThreadSlot(ctypes.Structure):
    """The record of one thread that has called instrumented code; addresses are plain numbers."""

    _fields_ = (
        ("thread", ctypes.c_int64),
        ("frame", ctypes.c_uint64),
        ("panics", ctypes.c_uint64),
        ("last", ctypes.c_int64),
        ("panicked", ctypes.c_int64),
        ("floor", ctypes.c_uint64),
        ("arena", ctypes.c_uint64),
        ("is_open", ctypes.c_int64),
        ("number", ctypes.c_int64),
        ("signal_stack", ctypes.c_uint64),
        ("id", ctypes.c_int64),
        ("wanted", ctypes.c_uint64),
    )


class SignalAction(ctypes.Structure):
    """glibc's `struct sigaction` on 64-bit Linux."""

    _fields_ = (
        ("sa_handler", ctypes.c_void_p),
        ("sa_mask", ctypes.c_uint64 * 16),
        ("sa_flags", ctypes.c_int),
        ("sa_restorer", ctypes.c_void_p),
    )


class TimerEvent(ctypes.Structure):
    """Linux's `struct sigevent` with a thread's id."""

    _fields_ = (
        ("sigev_value", ctypes.c_void_p),
        ("sigev_signo", ctypes.c_int),
        ("sigev_notify", ctypes.c_int),
        ("sigev_notify_thread_id", ctypes.c_int),
        ("_rest", ctypes.c_int * 11),
    )


class TimeSpan(ctypes.Structure):
    """POSIX's `struct timespec` on a 64-bit system."""

    _fields_ = (("tv_sec", ctypes.c_int64), ("tv_nsec", ctypes.c_int64))

    @classmethod
    def of(cls, seconds: float) -> TimeSpan:
        """Make a span of so many seconds."""
        return cls(int(seconds), int(seconds % 1 * 1e9))


class TimerTimes(ctypes.Structure):
    """POSIX's `struct itimerspec`: a timer expires after `it_value`, and from then on every `it_interval`."""

    _fields_ = (("it_interval", TimeSpan), ("it_value", TimeSpan))


#: The structures that the runtime's C declares too, by their names there.
SHARED: Final = {
    "struct sj_fallback": Fallback,
    "struct sj_panic_head": PanicHead,
    "struct sj_panic_record": PanicRecord,
    "struct sj_panic_table": PanicTableLayout,
    "struct sj_thread": ThreadSlot,
    "struct sj_action": SignalAction,
    "struct sj_code_range": CodeRange,
    "struct sj_code_ranges": CodeRanges,
}
#: The structures that the system's headers declare.
SYSTEM: Final = {"struct sigaction": SignalAction, "struct sigevent": TimerEvent, "struct itimerspec": TimerTimes}


def assertions(structures: dict[str, type[ctypes.Structure]]) -> str:
    """Generate C that compiles only where each named type has the size, offsets and widths that Python expects.

    Fields whose names begin with an underscore are padding, which C need not name.
    """
    lines = []
    for name, layout in structures.items():
        lines.append(f'_Static_assert(sizeof({name}) == {ctypes.sizeof(layout)}, "the size of {name}");\n')
        lines += [_assert_field(name, layout, field[0]) for field in layout._fields_ if field[0][0] != "_"]
    return "".join(lines)


def _assert_field(name: str, layout: type[ctypes.Structure], field: str) -> str:
    known = getattr(layout, field)
    offset = f"__builtin_offsetof({name}, {field}) == {known.offset}"
    size = f"sizeof((({name} *)0)->{field}) == {known.size}"
    return f'_Static_assert({offset} && {size}, "{field} of {name}");\n'
