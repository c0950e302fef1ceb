"""Handles: each stays what it is, for as long as somebody has it."""

import gc
import threading

import pytest
from numba import float64 as f64
from numba import int64 as i64
from numba import literal_unroll, njit

from symbiont_jit import evolvable
from symbiont_jit.kernel import Kernel


@pytest.mark.slow
def test_a_handle_stays_what_it_is(step):
    """Kernel and handles are values of one compiled loop; swaps do not reach a handle."""
    second = step.revision(2)

    @njit
    def call(function, x):
        return function(x)

    assert (call(step, 1), call(second, 1), second(1)) == (1, 3, 3)
    step.activate(4)
    assert (call(step, 1), call(second, 1), step(1)) == (5, 3, 5)
    assert len(call.signatures) == 1


@pytest.mark.slow
def test_handles_in_tuples_are_ensembles(step):
    """A loop over a tuple of handles, and `literal_unroll` over a mixed one, call every revision."""

    @evolvable(source="double half(int64_t x) { return x / 2.0; }")
    def half(x: i64) -> f64: ...

    @njit
    def total(members, x):
        s = 0
        for member in members:
            s += member(x)
        return s

    @njit
    def mixed(members, x):
        s = 0.0
        for member in literal_unroll(members):
            s += member(x)
        return s

    assert total((step.revision(1), step.revision(2), step), 10) == 33
    assert mixed((step.revision(1), half), 3) == 5.5


@pytest.mark.slow
def test_a_handle_outlives_its_kernel(step):
    """A handle keeps what it needs when nobody has the kernel any more."""
    handle = step.revision(3)
    call = handle.__call__
    del step
    gc.collect()
    assert handle(1) == 4
    assert call(1) == 4


@pytest.mark.slow
def test_the_call_of_a_handle_keeps_its_code(step):
    """`handle.__call__` alone is enough, once the handle was called."""
    handle = step.revision(3)
    assert [handle(0), handle(0)] == [3, 3]
    call = handle.__call__
    del handle
    gc.collect()
    assert (step.prune(), call(0), step.memory().held) == ([], 3, (3,))
    del call
    gc.collect()
    assert step.prune() == [3]


def test_threads_get_one_address():
    """Who asks first makes it, and nobody gets another one."""
    for number in range(8):
        kernel = Kernel.from_c(f"double f(double x) {{ return x + {number}; }}")
        found, barrier = [], threading.Barrier(3)

        def ask(kernel=kernel, found=found, barrier=barrier):
            barrier.wait()
            found.append(kernel.address)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 1
