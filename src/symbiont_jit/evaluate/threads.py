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
        with self._lock:
            self._work.append((future, lambda: function(*args, **kwargs)))
            is_short = self._running < self._count
            self._running += is_short
        if is_short:
            self._start_thread()
        return future

    def _start_thread(self) -> None:
        """Start a thread that is counted already; where the system has none, and nobody works, the caller works."""
        thread = threading.Thread(target=self._serve, daemon=True, name=f"{OWN_NAMES}evaluates")
        try:
            thread.start()
        except BaseException as error:
            if thread.ident is not None:  # An interruption came when it had started.
                raise
            if not isinstance(error, RuntimeError):
                self._end_thread()
                raise
            if self._running > 1:
                self._end_thread()
                return
            self._serve()

    def _end_thread(self) -> None:
        with self._lock:
            self._running -= 1

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
