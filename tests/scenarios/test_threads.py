"""Threads, interruptions and forks around compiled code: what calls leave behind and what each thread sees.

Each scenario runs in a forked child, so that one that hangs or crashes says so and ends alone.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from numba import njit

from symbiont_jit import Kernel
from symbiont_jit.runtime.interrupt import time_limit
from tests.child import in_child

PAGE = mmap.PAGESIZE
RECURSION = (
    "static double h(int64_t d) { double y[100]; y[d % 100] = d; return d ? h(d - 1) + y[d % 100] : 0; }\n"
    "double k(int64_t i) { return h(i); }"
)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["safe", "checked"])
@pytest.mark.parametrize("size", [1 << 17, 1 << 18, 1 << 20, 1 << 25])
def test_recursion_ends_however_small_the_stack(size: int, profile: str) -> None:
    """A thread's own stack is what counts, also where a thread with a larger one was at the same address before."""

    def act() -> str:
        kernel = Kernel.from_c(RECURSION, name="k", profile=profile, on_panic="zero")
        found: list[str] = []

        def call() -> None:
            kernel(10**9)
            panic = kernel.take_panic()
            found.append(panic.kind if panic else "none")

        for stack in (1 << 23, size, size, 1 << 23):
            threading.stack_size(stack)
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
        return " ".join(sorted(set(found)))

    assert in_child(act) in ("recursion", "recursion stack", "stack")


@pytest.mark.slow
def test_a_call_can_be_ended_however_many_threads_there_are() -> None:
    """A time limit finds its thread among three hundred others that have called compiled code."""

    def act() -> str:
        kernel = Kernel.from_c("int k(int i) { while (i) { } return 3; }", name="k", on_panic="zero")
        stay, here = threading.Event(), threading.Semaphore(0)

        def idle() -> None:
            kernel(0)
            here.release()
            stay.wait()

        threading.stack_size(256 << 10)
        for _ in range(300):
            threading.Thread(target=idle, daemon=True).start()
        for _ in range(300):
            here.acquire()

        def endless() -> None:
            with time_limit(0.1):
                kernel(1)

        thread = threading.Thread(target=endless, daemon=True)
        thread.start()
        thread.join(8)
        return "hangs" if thread.is_alive() else "ended"

    assert in_child(act, 30) == "ended"


FIRST_OF_ALL = """
    import numpy as np
    from symbiont_jit import Kernel
    from tests.concurrency import run_in_threads

    def make_and_panic():
        kernel = Kernel.from_c("int64_t k(int64_t n, const int64_t x[n], int64_t i)\\n{\\n  return x[i];\\n}\\n", on_panic="zero")
        return kernel(np.arange(3), 2), kernel(np.arange(3), 3), kernel.take_panic().kind

    print(set(run_in_threads(4, make_and_panic)), set(run_in_threads(4, make_and_panic)))
"""


@pytest.mark.slow
def test_threads_may_make_the_first_kernels_together() -> None:
    """The runtime that all kernels share is loaded once, whoever comes first."""
    command = [sys.executable, "-c", textwrap.dedent(FIRST_OF_ALL)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "{(2, 0, 'index')} {(2, 0, 'index')}\n"), done.stderr


COMPILED_FIRST = """
    import threading
    import numpy as np
    from numba import njit, float64 as f64
    from symbiont_jit import Array, evolvable
    from tests.concurrency import run_in_threads

    @njit
    def call(kernel, x):
        return kernel(x)

    @evolvable
    def other(x: Array[f64, "n"]) -> f64:
        return x[0]

    call(other, np.ones(3))

    @evolvable
    def total(x: Array[f64, "n"]) -> f64:
        s = 0.0
        for i in range(x.shape[0]):
            s += x[i]
        return s

    together = threading.Barrier(6)

    def use(number):
        together.wait()
        threading.Event().wait(0.02 * number)
        x = np.ones(3)
        return [lambda: total(x), lambda: call(total, x), lambda: total.address and 3.0][number % 3]()

    numbers = iter(range(6))
    print(set(run_in_threads(6, lambda: use(next(numbers)))))
"""


@pytest.mark.slow
def test_threads_may_call_a_python_body_first_together() -> None:
    """While Numba compiles a body for one thread the others wait, however they come to the kernel."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(COMPILED_FIRST)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "{3.0}\n"), done.stderr


@pytest.mark.slow
def test_each_thread_takes_its_own_panic() -> None:
    """Of 32 threads that panic at the same time each takes the panic of its own last call."""

    def act() -> str:
        kernel = Kernel.from_c("double k(int64_t n, double x[n], int64_t i) { return x[i]; }", on_panic="zero")
        wrong: list[str] = []

        def call(number: int) -> None:
            x = np.arange(4.0)
            for _ in range(100):
                kernel(x, number)
                panic = kernel.take_panic()
                if panic is None or f"index {number} " not in panic.message:
                    wrong.append(str(panic))

        threads = [threading.Thread(target=call, args=(100 + j,)) for j in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return f"{len(wrong)} {wrong[:1]}"

    assert in_child(act, 60).startswith("0 ")


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["safe", "checked"])
def test_a_storm_of_interruptions_changes_no_result(profile: str) -> None:
    """Calls that return normally while signals arrive: each gives its result, or zero and a panic."""

    def act() -> str:
        import numba

        text = "int64_t k(int64_t n, const int64_t x[n], int64_t a) { int64_t s = a; for (int64_t j = 0; j < n; j++) s += x[j]; return s; }"
        kernel = Kernel.from_c(text, profile=profile, on_panic="zero")

        @numba.njit(nogil=True)
        def hot(kernel, x, count):  # type: ignore[no-untyped-def]
            wrong = 0
            for i in range(count):
                got = kernel(x, i)
                wrong += got not in (i + 6, 0)
            return wrong

        x = np.array([1, 2, 3])
        hot(kernel, x, 10)
        done = threading.Event()

        def storm() -> None:
            while not done.is_set():
                kernel.interrupt()

        thread = threading.Thread(target=storm)
        thread.start()
        wrong = hot(kernel, x, 20_000_000)
        done.set()
        thread.join()
        return f"{wrong} wrong"

    assert in_child(act, 60) == "0 wrong"


@pytest.mark.slow
def test_an_interruption_leaves_the_arena_usable() -> None:
    """Calls that are ended while they allocate do not take memory from later ones."""

    def act() -> str:
        text = (
            "double k(int64_t n) { for (;;) { for (int64_t i = 0; i < n; i++) { double *t = malloc(8 * (i % 4096 + 1)); "
            "t[i % 4096] = 1; free(t); } if (n < 100) return 1; } }"
        )
        kernel = Kernel.from_c(text, name="k", profile="safe", on_panic="zero")
        wrong = 0
        for _ in range(40):
            with time_limit(0.01):
                kernel(1_000)
            wrong += kernel.take_panic() is None
            wrong += kernel(50) != 1.0
        return f"{wrong} wrong"

    assert in_child(act, 60) == "0 wrong"


def test_a_thread_that_ends_gives_its_arena_back() -> None:
    """Threads that come and go leave neither memory nor places behind."""

    def act() -> str:
        kernel = Kernel.from_c(
            "double k(int64_t n) { double *t = calloc(n, 8); return t[n - 1] + n; }", name="k", on_panic="zero"
        )

        def call() -> None:
            assert kernel(1000) == 1000.0

        def mapped() -> int:
            with open("/proc/self/statm") as file:
                return int(file.read().split()[0]) * PAGE

        call()
        before = mapped()
        for _ in range(20):
            threads = [threading.Thread(target=call) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return "grows" if mapped() - before > (1 << 30) else "stays"

    assert in_child(act, 60) == "stays"


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["safe", "checked", "release"])
def test_blocks_do_not_outlive_a_call(profile: str) -> None:
    """Every call has the whole arena, in each profile, whatever the one before left."""

    def act() -> str:
        text = "double k(int64_t n) { double *t = malloc(n); if (!t) return -1; t[0] = 1; return t[0]; }"
        kernel = Kernel.from_c(text, name="k", profile=profile, on_panic="zero")
        return f"{sum(kernel(60 << 20) for _ in range(3))} {kernel(65 << 20)}"

    assert in_child(act, 60) == ("3.0 -1.0" if profile == "release" else "3.0 0.0")


@njit(nogil=True)
def call_without_the_lock(kernel, value):  # type: ignore[no-untyped-def]
    """Call a kernel while other threads of Python run."""
    return kernel(value)


@pytest.mark.slow
def test_a_call_in_the_child_of_a_fork_can_be_interrupted() -> None:
    """The child's only thread has another number than in the parent, where it called before."""

    def act() -> str:
        endless = Kernel.from_c("double k(double x) { while (x < 9) x = x / 2; return x; }", on_panic="zero")
        assert call_without_the_lock(endless, 10.0) == 10.0
        child = os.fork()
        if child == 0:
            threading.Timer(0.2, endless.interrupt).start()
            call_without_the_lock(endless, 1.0)
            os._exit(7)
        return str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    assert in_child(act, 30.0) == "7"


@pytest.mark.slow
def test_a_fork_leaves_no_call_of_other_threads_behind() -> None:
    """A thread of the child that gets the address of one that was inside a call there is not sent back into it."""

    def act() -> str:
        kernel = Kernel.from_c(
            "double k(int64_t n) { while (n > 0) n = n / 2 + 1; return n; }", name="k", on_panic="zero"
        )
        with time_limit(0.05):
            kernel(5)
        inside = threading.Thread(target=kernel, args=(5,), daemon=True)
        inside.start()
        time.sleep(0.3)
        child = os.fork()
        if child == 0:

            def body() -> None:
                kernel(0)
                with time_limit(0.05):
                    time.sleep(0.2)

            for _ in range(3):
                thread = threading.Thread(target=body)
                thread.start()
                thread.join()
            os._exit(0)
        return f"status {os.waitpid(child, 0)[1]}"

    assert in_child(act, 60) == "status 0"


@pytest.mark.slow
def test_more_threads_than_places_get_a_panic() -> None:
    """Whoever finds no place is told so: nothing is known of its stack."""

    def act() -> str:
        kernel = Kernel.from_c(
            "static int64_t h(int64_t d) { return d ? h(d - 1) + 1 : 0; } int64_t k(int64_t n) { return h(n); }",
            on_panic="zero",
        )
        kernel(3)
        threading.stack_size(64 << 10)
        done, stay = threading.Semaphore(0), threading.Event()

        def idle() -> None:
            kernel(3)
            done.release()
            stay.wait()

        threads = 0
        for _ in range(4200):
            try:
                threading.Thread(target=idle, daemon=True).start()
            except RuntimeError:  # the system allows no more
                break
            threads += 1
        for _ in range(threads):
            done.acquire()
        found: list[str] = []

        def last() -> None:
            result = kernel(10**6)
            panic = kernel.take_panic()
            found.append(f"{result} {panic.kind if panic else 'none'}")

        threading.stack_size(256 << 10)
        thread = threading.Thread(target=last)
        thread.start()
        thread.join()
        stay.set()
        return found[0]

    assert in_child(act, 90) in ("0 stack", "0 recursion")
