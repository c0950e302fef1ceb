"""Functions that run to their end on a thread of their own, where no interruption comes between two of their steps.

In: a function that changes what several threads share. Out: the same function, which Ctrl-C and signal handlers do not
enter: Python runs those on the main thread alone, and there only the waiting is interrupted. What was begun goes on.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import threading
from _thread import start_new_thread
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final, Generic, ParamSpec, TypeVar

__all__ = ["run_apart", "uninterrupted"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: Seconds after which a waiting thread looks whether a fork has left it alone.
LOOK_SECONDS: Final = 0.5

_THREAD: Final = threading.local()


def uninterrupted(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a function run on a thread of its own, and its caller wait for its result or its exception.

    Whoever is interrupted while waiting leaves at once; the function ends by itself, so it has to bound its time. One
    such function that calls another stays on its thread.
    """

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        work = functools.partial(function, *args, **kwargs)
        return work() if getattr(_THREAD, "is_own", False) else run_apart(work)

    return call


def run_apart(work: Callable[[], _T]) -> _T:
    """Run work on a thread of its own, with a stack of its own, and return its result or raise its exception.

    In a child that a signal handler has forked meanwhile, that thread does not exist, so there the work is done anew.
    Where no thread can be started, because there are too many or the interpreter is ending, the caller does it.
    """
    outcome: _Outcome[_T] | None = None
    while outcome is None:
        # The queue is C's, so a signal handler that comes between may use others like it.
        answer: queue.SimpleQueue[_Outcome[_T]] = queue.SimpleQueue()
        process = os.getpid()
        try:
            start_new_thread(copy_context().run, (_run, work, answer))
        except RuntimeError:
            return work()
        outcome = _wait_for(answer, process)
    return outcome.take()


@dataclass(slots=True)
class _Outcome(Generic[_T]):
    """What a function returned or raised."""

    results: tuple[_T, ...] = ()
    error: BaseException | None = None

    def take(self) -> _T:
        error, self.error = self.error, None
        if error is None:
            return self.results[0]
        try:
            raise error
        finally:
            del error  # The traceback holds this frame, which must not hold the error.


def _run(work: Callable[[], _T], answer: queue.SimpleQueue[_Outcome[_T]]) -> None:
    _THREAD.is_own = True
    try:
        outcome = _Outcome((work(),))
    except BaseException as error:
        outcome = _Outcome(error=error)
    answer.put(outcome)


def _wait_for(answer: queue.SimpleQueue[_Outcome[_T]], process: int) -> _Outcome[_T] | None:
    """Wait for what a thread puts here; None in a child of the process, which does not have that thread."""
    while os.getpid() == process:
        with contextlib.suppress(queue.Empty):
            return answer.get(timeout=LOOK_SECONDS)
    return None
