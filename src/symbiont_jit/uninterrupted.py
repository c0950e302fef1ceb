"""Functions that run to their end on a thread of their own, where no interruption comes between two of their steps.

In: a function that changes what several threads share. Out: the same function, which Ctrl-C and signal handlers do not
enter: Python runs those on the main thread alone, and there only the waiting is interrupted. What was begun goes on.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import operator
import os
import queue
import signal
import sys
import threading
import weakref
from _thread import stack_size, start_new_thread
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final, Generic, ParamSpec, TypeVar

__all__ = [
    "LOCK",
    "Step",
    "enough_stack",
    "once",
    "renew_in_children",
    "run_apart",
    "step",
    "take_at_once",
    "uninterrupted",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: What the deepest text that is read takes, and clang's and LLVM's loaders with it.
STACK_BYTES: Final = 2 << 20

#: Seconds after which a waiting thread looks whether a fork has left it alone.
LOOK_SECONDS: Final = 0.5

_THREAD: Final = threading.local()

#: The lock of what all threads share: pools of processes, memory for code, caches. Only threads that nothing interrupts
#: take it, for milliseconds, and take no other lock under it. A fork does not wait for it: signal handlers could run
#: meanwhile, in the middle of the hooks of others, and Python forks nevertheless where one of them raises.
LOCK: Final = threading.RLock()
#: The steps under way, one within the other: each one's process, and whether garbage was collected before.
_UNDER_WAY: Final[list[tuple[int, bool]]] = []
_RENEWALS: Final[list[Callable[[], None]]] = []


#: A function of C with its arguments, such as `setattr` with an attribute's.
Step = functools.partial[None]


def take_at_once(steps: Iterable[Step]) -> None:
    """Take steps one after the other, with nothing of Python's between them.

    So neither Ctrl-C nor a signal handler finds one of them taken and another one not.
    """
    deque(map(operator.call, tuple(steps)), maxlen=0)


@contextlib.contextmanager
def _hold(lock: threading.RLock) -> Iterator[None]:
    """Hold a lock; at the end of the interpreter a thread that will never run again may have it, so go on without."""
    held = lock.acquire(timeout=0.1 if sys.is_finalizing() else -1)
    try:
        yield
    finally:
        if held:
            lock.release()


@contextlib.contextmanager
def step() -> Iterator[None]:
    """Hold the lock, and let no collection of garbage come between: the finalisers of others could come back here.

    The first step in the child of a fork that came in the middle of one renews what that has left half done.
    """
    with _hold(LOCK):
        if _UNDER_WAY and _UNDER_WAY[-1][0] != os.getpid():
            _UNDER_WAY.clear()
            for renew in _RENEWALS:
                renew()
        # C asks and disables in one go, so that nobody else's call comes between.
        answers = list(map(operator.call, (gc.isenabled, gc.disable)))
        was_enabled = bool(answers[0])
        _UNDER_WAY.append((os.getpid(), was_enabled))
        try:
            yield
        finally:
            _UNDER_WAY.pop()
            if was_enabled:
                gc.enable()


def renew_in_children(renew: Callable[[], None]) -> None:
    """Let a function renew what steps change, in a child that was forked in the middle of one."""
    _RENEWALS.append(renew)


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


#: One lock for all that is made once: such functions call each other, and finalisers may call any of them.
_ONCE: Final = threading.RLock()


class once(Generic[_T]):  # noqa: N801  # It is used as a decorator.
    """A function without arguments that runs once, uninterrupted, and gives its result from then on.

    Who calls it meanwhile waits for that result: `functools.cache` would let both run, and what one of them made would
    go while somebody has its address. A function that raises runs again at the next call.
    """

    def __init__(self, function: Callable[[], _T]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._results: list[_T] = []

    def __call__(self) -> _T:
        """Return the result."""
        return self._results[0] if self._results else self._run()

    def cache_clear(self) -> None:
        """Let the next call run the function again."""
        self._results.clear()

    @uninterrupted
    def _run(self) -> _T:
        with _hold(_ONCE):
            if not self._results:
                # A finaliser may have come between and have called it too; what it made stays then, and this as well.
                self._results.append(self._function())
            return self._results[0]


def run_apart(work: Callable[[], _T]) -> _T:
    """Run work on a thread of its own, with a stack of its own, and return its result or raise its exception.

    In a child that a signal handler has forked meanwhile, that thread does not exist, so there the work is done anew.
    Where no thread can be started, because there are too many or the interpreter is ending, the caller does it.
    """
    if sys.is_finalizing():  # No thread would run any more.
        return work()
    outcome: _ThreadResult[_T] | None = None
    while outcome is None:
        # The queue is C's, so a signal handler that comes between may use others like it.
        answer: queue.SimpleQueue[_ThreadResult[_T]] = queue.SimpleQueue()
        token, process = _Token(), os.getpid()
        is_alive = weakref.ref(token)
        try:
            with enough_stack():
                start_new_thread(copy_context().run, (_run, work, answer, token))
        except RuntimeError:
            return work()
        del token  # Now the thread alone has it.
        outcome = _wait_for(answer, process, is_alive)
    return outcome.take()


@contextlib.contextmanager
def enough_stack() -> Iterator[None]:
    """Give threads that are started meanwhile at least `STACK_BYTES`, whatever `threading.stack_size` says."""
    wanted = stack_size()
    if wanted == 0 or wanted >= STACK_BYTES:  # 0 is the system's own size, which is megabytes
        yield
        return
    stack_size(STACK_BYTES)
    try:
        yield
    finally:
        stack_size(wanted)


class _Token:
    """An object that a thread holds for as long as it lives."""

    __slots__ = ("__weakref__",)


@dataclass(slots=True)
class _ThreadResult(Generic[_T]):
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


def _run(work: Callable[[], _T], answer: queue.SimpleQueue[_ThreadResult[_T]], token: _Token) -> None:
    try:
        _THREAD.is_own = True
        # A compiler that dies must not end the process with the signal that writing gives; this thread ends anyway.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGPIPE,))
        outcome = _ThreadResult((work(),))
    except BaseException as error:
        outcome = _ThreadResult(error=error)
    answer.put(outcome)


def _wait_for(
    answer: queue.SimpleQueue[_ThreadResult[_T]], process: int, token: Callable[[], _Token | None]
) -> _ThreadResult[_T] | None:
    """Wait for what a thread puts here; None in a child of the process, which does not have that thread."""
    while os.getpid() == process:
        has_ended = token() is None
        with contextlib.suppress(queue.Empty):
            return answer.get(timeout=LOOK_SECONDS)
        if has_ended:  # A thread that finds no memory at all ends without a word.
            return _ThreadResult(error=MemoryError("there is no memory for a thread"))
    return None


def _resume_collection() -> None:
    if _UNDER_WAY and _UNDER_WAY[0][1]:
        gc.enable()


os.register_at_fork(after_in_child=_resume_collection)
# A forked child gets new locks, as `threading` does with its own. C makes them, so that nothing comes between.
for _lock in (LOCK, _ONCE):
    os.register_at_fork(after_in_child=_lock._at_fork_reinit)  # type: ignore[attr-defined]
