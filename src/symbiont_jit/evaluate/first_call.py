"""A limit on the user's own code that runs here for the first time, before any worker does.

In: seconds, and a block of code. Out: `UsageError` where the block goes on for longer. On the main thread a signal ends
it, also while it sleeps or waits; on another thread Python is told to raise at its next step. Code of this package that
is called in between ends with it; compiled code of others, which looks at neither, does not.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from typing import Final

from symbiont_jit.errors import PanicError, UsageError
from symbiont_jit.runtime.interrupt import time_limit

__all__ = ["first_call_limit"]


#: Seconds after which an alarm comes that came due meanwhile.
SHORTEST: Final = 1e-6
#: Seconds that every timer of the system takes; a longer limit is as good as none.
LONGEST: Final = 1e8


class _TooLong(BaseException):
    """Raised in the middle of code that takes too long; handlers of `Exception` do not catch it."""


@contextlib.contextmanager
def first_call_limit(seconds: float, what: str) -> Iterator[None]:
    """End a block that takes longer than some seconds.

    Args:
        seconds: The limit; infinity is none.
        what: What is limited, as the subject of the message.

    Yields:
        Nothing.

    Raises:
        UsageError: The block took longer.
    """
    message = f"{what} took longer than {seconds:g} seconds at its first call, for the kernel as it is now"
    timed = min(seconds, LONGEST)
    limit = _alarm(timed) if _has_alarm() else _watch(timed)
    try:
        with _limit_kernels(seconds), limit:
            yield
    except _TooLong:
        raise UsageError(message) from None
    except PanicError as error:
        if error.panic.kind != "interrupted":
            raise
        raise UsageError(message) from None


@contextlib.contextmanager
def _limit_kernels(seconds: float) -> Iterator[None]:
    """Limit calls of kernels, where the system has signals for threads."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(UsageError):
            stack.enter_context(time_limit(seconds))
        yield


def _has_alarm() -> bool:
    """Whether this is the thread that signals come to, and the handler that is there can be put back."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGALRM) is not None


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Let the alarm end the block; an alarm of somebody else's goes on afterwards, with what was left of its time."""

    def end(number: int, frame: object) -> None:
        raise _TooLong

    left = interval = 0.0
    before, started = signal.signal(signal.SIGALRM, end), time.monotonic()
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    try:
        left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), SHORTEST), interval)


@contextlib.contextmanager
def _watch(seconds: float) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())
    lock, is_over = threading.Lock(), [False]

    def end() -> None:
        with lock:
            if not is_over[0]:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TooLong))

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            is_over[0] = True
