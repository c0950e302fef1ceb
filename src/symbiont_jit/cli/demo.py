"""`symbiont-jit demo`: a matrix product evolves while a loop keeps calling it."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from symbiont_jit.cli.options import Seconds, Seed, make_console, show_errors

__all__ = ["demo"]

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def demo(seconds: Seconds = 50.0, seed: Seed = 0) -> None:
    """Evolve a naive matrix product while a Numba loop in another thread keeps calling it."""
    one_thread = "numpy" not in sys.modules
    for name in _ONE_THREAD if one_thread else ():
        os.environ[name] = "1"
    console = make_console()
    with show_errors(console):
        _run_demo(console, seconds, seed, one_thread)


def _run_demo(console: Console, seconds: float, seed: int, one_thread: bool) -> None:
    from symbiont_jit import demo as job
    from symbiont_jit.report.terminal import SearchView, describe_ratio, show_result

    kernel = job.matmul_kernel()
    console.print(
        f"A {job.SIZE} x {job.SIZE} float64 matrix product, written as three plain loops, evolves for {seconds:g} s.\n"
        "A Numba loop in another thread calls it all the while; nothing restarts when a better one is swapped in.\n"
    )
    kernel.activate(0)
    with job.RunningLoop(kernel).run_in_background() as loop:
        with SearchView(console, seconds, lambda: loop.calls) as view:
            result = job.run(seconds, seed, view, kernel)
        console.print(view.swap_table())
    show_result(console, result)
    compared = job.compare_with_numpy(kernel)
    threads = "on one thread" if one_thread else "on its default threads (NumPy was loaded already)"
    console.print(
        f"numpy.matmul {threads} takes {describe_ratio(compared.numpy_ns, compared.kernel_ns)} of the kernel's time"
    )
