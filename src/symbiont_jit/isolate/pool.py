"""A few workers that serve the same function: whoever asks gets one that is idle.

In: the function, and how many workers. Out: one of them at a time to each thread that wants one. Knows nothing of what
is asked.
"""

from __future__ import annotations

import contextlib
import os
import queue
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from symbiont_jit.isolate.start import Start
from symbiont_jit.isolate.worker import Worker

__all__ = ["WorkerPool"]


class WorkerPool:
    """So many workers; a process is started where one is asked for the first time, or after its last one ended.

    Args:
        count: The number of workers.
        serve: The function that runs in each child; with `spawn` it has to pickle.
        start: How a child comes to be, one of `STARTS`.
        reply_type: The type of what `serve` returns.
        permissions: What children may do besides computing.
    """

    def __init__(
        self,
        count: int,
        serve: Callable[[Any], Any],
        start: Start | None = None,
        reply_type: Any = Any,
        permissions: Iterable[str] = (),
    ) -> None:
        granted = tuple(permissions)
        made: list[weakref.ref[Worker]] = []  # A pool that nobody has any more goes at once, and is in no circle.

        def have_requests() -> bool:
            return any(worker is not None and worker.is_asked for worker in (each() for each in made))

        self.workers = tuple(Worker(serve, start, reply_type, granted, have_requests) for _ in range(count))
        made += map(weakref.ref, self.workers)
        #: How often everything was ended: whoever began before the last time is not to go on.
        self.epoch = 0
        self._note_all_idle()

    def _note_all_idle(self) -> None:
        self._process = os.getpid()
        self._idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        for worker in reversed(self.workers):
            self._idle.put(worker)

    @contextlib.contextmanager
    def idle_worker(self, epoch: int) -> Iterator[Worker | None]:
        """Wait for an idle worker, and have it alone; None for whoever began before everything was ended.

        The worker that was used last comes first, because it is warm.
        """
        if self._process != os.getpid():
            self._note_all_idle()  # In a fork of the process that has the others no thread will give one back.
        worker = self._idle.get()
        try:
            yield worker if epoch == self.epoch else None
        finally:
            if epoch != self.epoch:
                worker.close()  # Its child may have been started after the end.
            self._idle.put(worker)

    def close(self) -> None:
        """End all children at once; who waits for an answer gets a crash, and whoever asks later a new child."""
        self.epoch += 1
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.close()
