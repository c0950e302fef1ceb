"""The main job, shown: a matrix product evolves while a compiled loop in another thread keeps calling it.

Nothing in here is scripted: the loop is an ordinary Numba function, the search is an ordinary `Evolution`, and the
mutator knows nothing of matrices.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numba import njit

from symbiont_jit.demo.matmul import matmul_kernel
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.speedup import Speedup
from symbiont_jit.evaluate.timing import make_stopwatch
from symbiont_jit.kernel import Kernel
from symbiont_jit.propose.mutate import Mutator
from symbiont_jit.search.evolution import Evolution
from symbiont_jit.search.result import EvolutionResult, Progress

__all__ = ["SIZE", "RunningLoop", "compare_with_numpy", "evolution", "inputs", "matmul_kernel"]

#: Rows and columns of the square matrices.
SIZE: Final = 256


def inputs(rng: np.random.Generator) -> tuple[Any, ...]:
    """Draw two random matrices, and make room for their product: three arrays of `SIZE` by `SIZE` doubles."""
    return rng.random((SIZE, SIZE)), rng.random((SIZE, SIZE)), np.empty((SIZE, SIZE))


def evolution(kernel: Kernel, seed: int = 0) -> Evolution:
    """Make the search that the demonstration runs."""
    return Evolution(kernel, metric=Speedup(inputs), proposer=Mutator(), seed=seed)


@njit(nogil=True)
def _call_until_stopped(kernel, a, b, c, calls, stop):  # type: ignore[no-untyped-def]  # types are Numba's
    while stop[0] == 0:
        kernel(a, b, c)
        calls[0] += 1


@dataclass(slots=True)
class RunningLoop:
    """A thread in which one compiled loop calls a kernel without a pause."""

    kernel: Kernel
    _calls: Any = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    _stop: Any = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    @property
    def calls(self) -> int:
        """The number of calls that have returned so far."""
        return int(self._calls[0])

    @contextmanager
    def run_in_background(self) -> Iterator[RunningLoop]:
        """Run the loop in the background; it is compiled before this returns and never again."""
        arguments = (self.kernel, *inputs(np.random.default_rng(1)), self._calls, self._stop)
        self._stop[0] = 1
        _call_until_stopped(*arguments)  # This call compiles the loop and returns at once.
        self._stop[0] = 0
        thread = threading.Thread(target=_call_until_stopped, args=arguments, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop[0] = 1
            thread.join()


@dataclass(frozen=True, slots=True)
class NumpyComparison:
    """CPU time of one product by the kernel and by NumPy in nanoseconds, one entry for each round, taken in turns."""

    kernel_ns: tuple[float, ...]
    numpy_ns: tuple[float, ...]


def compare_with_numpy(kernel: Kernel, rounds: int = 15) -> NumpyComparison:
    """Time the active revision and `numpy.matmul` in turns, on one thread.

    NumPy is on one thread only where the environment said so before it was imported, as the command line does.
    """
    assert kernel.active is not None
    a, b, c = inputs(np.random.default_rng(2))
    watch = make_stopwatch(Harness(kernel.signature), [(a, b, c)])
    entry = kernel.active.entry_address
    calls = watch.calibrate(entry)
    kernel_ns, numpy_ns = [], []
    for _ in range(rounds):
        kernel_ns.append(watch.batch(entry, calls))
        numpy_ns.append(_measure_process_ns(lambda: np.matmul(a, b, out=c), calls))
    return NumpyComparison(tuple(kernel_ns), tuple(numpy_ns))


def _measure_process_ns(function: Callable[[], Any], calls: int) -> float:
    started = time.process_time_ns()
    for _ in range(calls):
        function()
    return (time.process_time_ns() - started) / calls


def run(seconds: float, seed: int, on_progress: Callable[[Progress], None], kernel: Kernel) -> EvolutionResult:
    """Run the search.

    Args:
        seconds: How long to search.
        seed: The search's random seed.
        on_progress: Called after each evaluation.
        kernel: The kernel that evolves.

    Returns:
        What was found.
    """
    return evolution(kernel, seed).run(seconds=seconds, on_progress=on_progress)
