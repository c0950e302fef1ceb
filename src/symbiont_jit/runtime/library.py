"""The runtime's own functions in this process: compiled once, bound to the C library, offered to candidates by name.

In: nothing. Out: the names that compiled candidates leave open, with their addresses; the slots of threads; the way to
take a panic out of a table.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.backend.code_memory import CODE_RANGES, find_mapping
from symbiont_jit.backend.generated import load_unit
from symbiont_jit.backend.unit import Unit
from symbiont_jit.errors import UsageError
from symbiont_jit.runtime.layout import SHARED, SignalAction, ThreadSlot, assertions
from symbiont_jit.runtime.sources import NUMBERS, include
from symbiont_jit.uninterrupted import once

__all__ = [
    "BOUND",
    "IS_CATCHING",
    "PREVIOUS",
    "bound_names",
    "panic_taker",
    "runtime_unit",
    "set_handler",
    "take_panic",
    "take_watched",
    "thread_slots",
    "watch_panics",
]

#: Names that instrumented code leaves open; `sj_panics` and `sj_revision` are the kernel's and the revision's own.
BOUND: Final = frozenset("sj_panics sj_revision sj_threads sj_enlist sj_open_arena sj_report_panic".split())

_FILES: Final = ("runtime/threads.c", "runtime/panics.c", "runtime/faults.c", "runtime/interrupt.c")
_ENTRIES: Final = tuple(
    (
        "sj_enlist sj_leave sj_forked sj_open_arena sj_report_panic sj_take_panic sj_watch_panics sj_take_watched "
        "sj_fault sj_interrupt"
    ).split()
)
#: Functions of the C library that `runtime/system.h` declares.
_SYSTEM: Final = (
    "pthread_setspecific pthread_self pthread_getattr_np pthread_attr_getstack pthread_attr_destroy mmap munmap "
    "madvise gettid pthread_sigmask sigaltstack sigaction raise"
).split()

#: Whether faults of instrumented calls become panics, and what was to be done before, by the number of the signal.
IS_CATCHING: Final = ctypes.c_int64(1)
PREVIOUS: Final = (SignalAction * NUMBERS["SJ_SIGNALS"])()

_SHARED: Final = ("sj_threads", "sj_key", "sj_code", "sj_previous", "sj_is_catching")


@functools.cache
def runtime_unit() -> Unit:
    """Return the C that all kernels share, which does not compile where Python expects another layout."""
    text = include(*_FILES) + assertions(SHARED)
    return Unit(text, _ENTRIES, frozenset([*_SHARED, *_SYSTEM]))


@once
def thread_slots() -> ctypes.Array[ThreadSlot]:
    """Return the slots of threads, one behind the other.

    Slot 0 is shared by threads beyond the 4,096th. Its floor is 2**62, so every call from them panics with kind
    `stack`.
    """
    slots = (ThreadSlot * (NUMBERS["SJ_THREADS"] + 1))()
    slots[0].floor = NUMBERS["SJ_NO_STACK"]
    return slots


@dataclass(frozen=True, slots=True)
class _Library:
    """Loaded functions by name; `keep` owns their code and the key by which a thread's end is noticed."""

    addresses: Mapping[str, int]
    keep: tuple[Any, ...]


@once
def _library() -> _Library:
    system, key = ctypes.CDLL(None), ctypes.c_uint(0)
    symbols = {name: ctypes.cast(getattr(system, name), ctypes.c_void_p).value or 0 for name in _SYSTEM}
    symbols |= {"sj_threads": ctypes.addressof(thread_slots()), "sj_key": ctypes.addressof(key)}
    symbols |= {"sj_previous": ctypes.addressof(PREVIOUS), "sj_is_catching": ctypes.addressof(IS_CATCHING)}
    symbols |= {"sj_code": ctypes.addressof(CODE_RANGES)}
    # Candidates call the mathematical library, which the interpreter is linked with, and no handler of a signal does.
    if hasattr(system, "sin"):
        CODE_RANGES.add(*find_mapping(ctypes.cast(system.sin, ctypes.c_void_p).value or 0))
    loaded = load_unit(runtime_unit(), symbols)
    addresses = dict(zip(_ENTRIES, loaded.addresses, strict=True))
    if system.pthread_key_create(ctypes.byref(key), ctypes.c_void_p(addresses["sj_leave"])) != 0:
        raise UsageError("this process has used up its thread-specific keys, one of which kernels need")
    os.register_at_fork(after_in_child=ctypes.CFUNCTYPE(None)(addresses["sj_forked"]))
    return _Library(addresses | {"sj_threads": symbols["sj_threads"]}, (loaded, key))


@once
def bound_names() -> Mapping[str, int]:
    """Return the addresses that compiled candidates need besides the C library: thread slots and their allocator."""
    addresses = _library().addresses
    return {name: addresses[name] for name in BOUND & addresses.keys()}


@once
def take_panic() -> Callable[..., int]:
    """Return the C function `sj_take_panic(table, revision, before, taken)`, which returns 1 if there was a record."""
    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
    return prototype(_library().addresses["sj_take_panic"])


def panic_taker() -> int:
    """Return the address of the C function `sj_take_watched(table, watched)`, for the way in from Python."""
    return _library().addresses["sj_take_watched"]


@once
def watch_panics() -> Callable[..., None]:
    """Return the C function `sj_watch_panics(table, watched)`, which notes how many panics there are before a call."""
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
    return prototype(_library().addresses["sj_watch_panics"])


@once
def take_watched() -> Callable[..., int]:
    """Return the C function `sj_take_watched(table, watched)`, which takes this thread's panic since then, if any."""
    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
    return prototype(panic_taker())


def set_handler(number: int, name: str, flags: int) -> bool:
    """Let a C function of the runtime handle a signal from now on, and say whether the system allows that."""
    action = SignalAction(_library().addresses[name], (ctypes.c_uint64 * 16)(), flags, None)
    return int(ctypes.CDLL(None).sigaction(int(number), ctypes.byref(action), None)) == 0
