"""Threads for work that waits for processes: at most so many, and none where there is nothing to do.

In: functions. Out: futures. `concurrent.futures.ThreadPoolExecutor` refuses work as soon as the main thread is at its
end, though other threads, one of which may be searching, go on; and its threads stay until somebody shuts it down.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from symbiont_jit.uninterrupted import uninterrupted

__all__ = ["OWN_NAMES", "Threads"]

#: What all threads of this package are called to begin with, by which they are known from those of the program.
OWN_NAMES: Final = "symbiont_jit "


class Threads:
    """At most so many threads at a time, which take work in the order in which it was submitted.

    Args:
        count: The most threads at a time.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._begin()

    def _begin(self) -> None:
        """Begin without any work or thread; a forked child has none of its parent's."""
        self._process = os.getpid()
        # It is re-entrant, because a signal handler may come in between that submits or cancels, too.
        self._lock = threading.RLock()
        self._work: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a thread call a function, and return the future of what comes of it."""
        if self._process != os.getpid():
            self._begin()
        future: Future[Any] = Future()
        self._take(future, lambda: function(*args, **kwargs))
        return future

    @uninterrupted
    def _take(self, future: Future[Any], work: Callable[[], Any]) -> None:
        """Note work, and start a thread where there are too few; where the system has none, and nobody works, do it."""
        with self._lock:
            self._work.append((future, work))
            if self._running >= self._count:
                return
            self._running += 1
        try:
            threading.Thread(target=self._serve, daemon=True, name=f"{OWN_NAMES}evaluates").start()
        except RuntimeError:
            with self._lock:
                if self._running > 1:
                    self._running -= 1
                    return
            self._serve()

    def cancel(self) -> None:
        """Cancel all work that no thread has begun."""
        with self._lock:
            waiting = tuple(self._work)
            self._work.clear()
        for future, _ in waiting:
            future.cancel()

    def _serve(self) -> None:
        """Work until nothing is left; whether something is, and whether the thread counts, changes at one stroke."""
        while True:
            with self._lock:
                if not self._work:
                    self._running -= 1
                    return
                item = self._work.popleft()
            _run(*item)
            del item  # What was done is kept alive no longer.


def _run(future: Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
