"""Ending a guarded call from another thread: a signal to the thread that is inside, which jumps back to its shim.

In: nothing until somebody interrupts. Then a handler for one real-time signal is installed, in C. It looks up its own
thread's place; where that thread is inside a guarded call, the call panics (`interrupted`) and returns zero. Candidates
hold no locks and own no memory, so leaving them anywhere is safe.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

from symbiont_jit.backend.generated import load_generated
from symbiont_jit.errors import UsageError
from symbiont_jit.runtime.checks import INTERRUPTED
from symbiont_jit.runtime.thread_slots import OWN_PLACE, PLACE, PLACE_WORDS
from symbiont_jit.runtime.threads import places

__all__ = ["interrupt", "time_limit"]

_KEPT: Final[list[Any]] = []

_SA_NODEFER_RESTART: Final = 0x40000000 | 0x10000000

_HANDLER: Final = f"""{PLACE}{OWN_PLACE}
void sj_interrupted(int number)
{{
  struct sj_place *p = sj_own(sj_me());
  struct sj_frame *frame = p ? p->frame : 0;
  if (frame) {{
    p->frame = 0;
    frame->site = {INTERRUPTED};
    __builtin_longjmp(frame->jump, 1);
  }}
}}
"""


class _Action(ctypes.Structure):
    """glibc's `struct sigaction` on 64-bit Linux."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_uint64 * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


@functools.cache
def _signal_number() -> int:
    """The signal, with its handler installed at the first use."""
    if sys.platform != "linux":
        raise UsageError("interrupting a call needs Linux")
    loaded = load_generated(_HANDLER, ("sj_interrupted",), {"sj_places": ctypes.addressof(places())})
    _KEPT.append(loaded)
    number = int(signal.SIGRTMAX) - 3
    action = _Action(loaded.addresses[0], (ctypes.c_uint64 * 16)(), _SA_NODEFER_RESTART, None)
    if ctypes.CDLL(None, use_errno=True).sigaction(number, ctypes.byref(action), None) != 0:
        raise UsageError(f"the handler for signal {number} cannot be installed")
    return number


def interrupt(panics: int) -> int:
    """Interrupt guarded calls: of the kernels with this panic table; how many there were."""
    number = _signal_number()
    table = places()
    kill = ctypes.CDLL(None).pthread_kill
    kill.argtypes = (ctypes.c_uint64, ctypes.c_int)
    count = 0
    for at in range(PLACE_WORDS, len(table), PLACE_WORDS):
        owner, frame, of = table[at : at + 3]
        if frame and of == panics:
            count += kill(owner, number) == 0
    return count


class _Event(ctypes.Structure):
    """Linux's `struct sigevent` with a thread's id."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_int * 11),
    )


_SIGEV_THREAD_ID: Final = 4
_CLOCK_MONOTONIC: Final = 1


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt this thread's guarded calls once so many seconds have passed, and again every tenth of them.

    The system's timer signals the thread, so that calls from compiled code that keeps Python's lock end too.
    """
    if not seconds > 0:
        raise UsageError(f"a time limit is a number of seconds above 0, not {seconds!r}")
    libc = _timers()
    event = _Event(None, _signal_number(), _SIGEV_THREAD_ID, threading.get_native_id())
    timer = ctypes.c_void_p()
    if libc.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) != 0:
        raise UsageError("the system gives no timer")
    times = [part for t in (max(seconds / 10, 0.01), seconds) for part in (int(t), int(t % 1 * 1e9))]
    try:
        libc.timer_settime(timer, 0, (ctypes.c_int64 * 4)(*times), None)
        yield
    finally:
        libc.timer_delete(timer)


@functools.cache
def _timers() -> ctypes.CDLL:
    """The library with POSIX timers: libc, and librt before glibc 2.34."""
    libc = ctypes.CDLL(None)
    library = libc if hasattr(libc, "timer_create") else ctypes.CDLL("librt.so.1")
    library.timer_delete.argtypes = (ctypes.c_void_p,)
    library.timer_settime.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    return library
