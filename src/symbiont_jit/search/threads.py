"""A pool of threads that also works after the main thread has ended.

In: functions. Out: futures. `concurrent.futures.ThreadPoolExecutor` refuses work as soon as the main thread is at its
end, though other threads, one of which may be searching, go on.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

__all__ = ["Threads"]


class Threads(Executor):
    """So many threads, which start at once, and take work in the order in which it was submitted.

    Args:
        count: The number of threads.
    """

    def __init__(self, count: int) -> None:
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a thread call a function, and return the future of what comes of it."""
        future: Future[Any] = Future()
        self._work.put((future, lambda: function(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads once all work is done; with `cancel_futures`, once they have done what they are at."""
        with contextlib.suppress(queue.Empty):
            while cancel_futures:
                item = self._work.get_nowait()
                if item is not None:
                    item[0].cancel()
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _serve(self) -> None:
        while (item := self._work.get()) is not None:
            _run(*item)
            del item  # A thread that waits keeps nothing alive.


def _run(future: Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
