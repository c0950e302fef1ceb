"""Ending an instrumented call from another thread: a signal to the thread that is inside, which jumps back to its shim.

In: nothing until somebody interrupts. Then a handler for one real-time signal is installed, in C. It looks up its own
thread's slot; where that thread is inside an instrumented call, the call panics (`interrupted`) and returns zero.
Candidates hold no locks and own no memory, so leaving them anywhere is safe.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

from symbiont_jit.errors import UsageError
from symbiont_jit.runtime.layout import ThreadSlot, TimerEvent, TimerTimes, TimeSpan
from symbiont_jit.runtime.library import set_handler, thread_slots
from symbiont_jit.runtime.sources import NUMBERS
from symbiont_jit.uninterrupted import once

__all__ = ["interrupt", "time_limit"]

_SA_SIGINFO_NODEFER_RESTART: Final = 4 | 0x40000000 | 0x10000000


@once
def _signal_number() -> int:
    """Return the signal number, and install the handler at the first use."""
    if sys.platform != "linux":
        raise UsageError("interrupting a call needs Linux")
    number = NUMBERS["SJ_INTERRUPT_SIGNAL"]
    if not set_handler(number, "sj_interrupt", _SA_SIGINFO_NODEFER_RESTART):
        raise UsageError(f"the handler for signal {number} cannot be installed")
    return number


def interrupt(panics: int) -> int:
    """Interrupt the instrumented calls of the kernels with the panic table at an address; return their number."""
    number = _signal_number()
    slots = itertools.islice(thread_slots(), 1, None)  # Slot 0 belongs to no thread.
    inside = [slot for slot in slots if slot.frame and slot.panics == panics]
    for slot in inside:
        _insist(slot, panics, number)
    return len(inside)


def _insist(slot: ThreadSlot, panics: int, number: int) -> None:
    """Send the signal for as long as the call goes on: its thread may be in a handler of another signal.

    By its number in the system, because an ended thread's memory is gone; that of a later one with the same number is
    in no call that is wanted.
    """
    frame, panicked = slot.frame, slot.panicked
    for _ in range(_ATTEMPTS):
        slot.wanted = panics
        _system().syscall(_SYS_TGKILL, os.getpid(), slot.id, number)
        time.sleep(_PAUSE)
        if slot.frame != frame or slot.panics != panics or slot.panicked != panicked:
            break
    slot.wanted = 0


@functools.cache
def _system() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.syscall.argtypes = [ctypes.c_long] * 4
    return library


_SIGEV_THREAD_ID: Final = 4
_CLOCK_MONOTONIC: Final = 1
#: How often a signal is sent again, and the seconds between.
_ATTEMPTS: Final = 50
_PAUSE: Final = 0.001
_SYS_TGKILL: Final = 234 if platform.machine() == "x86_64" else 131
#: Seconds: a timer of none never fires, and one of more than some decades is taken for no limit.
_SHORTEST: Final = 1e-6
_LONGEST: Final = 1e9


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt this thread's calls of `safe` and `checked` code once a time has passed, and again every tenth of it.

    The system's timer signals the thread, so that calls from compiled code that keeps Python's lock end too. A call
    that is interrupted panics (`interrupted`) and returns zero.

    Args:
        seconds: How long calls may take, in seconds of wall-clock time; infinity is no limit.

    Yields:
        Nothing.

    Raises:
        UsageError: `seconds` is not above 0, or the system has no timers and signals for threads.

    Example:
        >>> with sj.time_limit(0.5):
        ...     hot_loop(kernel, x, y, 1000)
    """
    try:
        first = min(max(float(seconds), _SHORTEST), _LONGEST) if seconds > 0 else 0.0
    except (TypeError, ValueError, OverflowError):
        first = 0.0
    if not first:
        raise UsageError(f"a time limit is a number of seconds above 0, not {seconds!r:.60}")
    times = TimerTimes(it_interval=TimeSpan.of(max(first / 10, 0.01)), it_value=TimeSpan.of(first))
    libc, number = _timers(), _signal_number()
    event = TimerEvent(None, number, _SIGEV_THREAD_ID, threading.get_native_id())
    timer = ctypes.c_void_p()
    if libc.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) != 0:
        raise UsageError("the system gives no timer")
    # The signal stays unblocked afterwards, as after a thread's first call of instrumented code.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    try:
        if libc.timer_settime(timer, 0, ctypes.byref(times), None) != 0:
            raise UsageError(f"the system takes no timer of {seconds!r} seconds")
        yield
    finally:
        libc.timer_delete(timer)


@once
def _timers() -> ctypes.CDLL:
    """Load the library with POSIX timers: libc, or librt before glibc 2.34."""
    libc = ctypes.CDLL(None)
    library = libc if hasattr(libc, "timer_create") else ctypes.CDLL("librt.so.1")
    library.timer_delete.argtypes = (ctypes.c_void_p,)
    library.timer_settime.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    return library
