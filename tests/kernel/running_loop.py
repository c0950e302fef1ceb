"""A thread in compiled code that calls a function again and again, for tests of what may happen meanwhile."""

import threading

import numpy as np
from numba import njit

from tests.concurrency import await_true


@njit(nogil=True)
def call_until(function, x, is_over, is_running):
    """Call until told to end, and once more; the largest result before, and the last one."""
    largest = function(x)
    is_running[0] = True
    while not is_over[0]:
        largest = max(largest, function(x))
    return largest, function(x)


class RunningLoop:
    """A loop that has made its first call; as a context it ends with it. `largest` is known at the end."""

    def __init__(self, function, x):
        self._is_over, is_running, self._results = np.zeros(1, np.bool_), np.zeros(1, np.bool_), []
        self._thread = threading.Thread(
            target=lambda: self._results.append(call_until(function, x, self._is_over, is_running))
        )
        self._thread.start()
        assert await_true(lambda: is_running[0])

    def end(self):
        """Let it end, and return what its last call gave."""
        self._is_over[0] = True
        self._thread.join()
        self.largest, last = self._results[0]
        return last

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
