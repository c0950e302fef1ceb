"""Groups in compiled code: snapshots, and their functions."""

import threading

import numpy as np
import pytest
from numba import int64 as i64
from numba import njit

from symbiont_jit import Group
from tests.dispatch.numba.kinds import Fields, group
from tests.kernel.pairs import pair, text_of


@pytest.mark.usefixtures("loader")
def test_a_function_of_a_snapshot_comes_back_as_its_handle():
    """Also in containers."""

    @njit
    def pair(g):
        return g.snapshot().other, Fields(g.snapshot().member, g.snapshot().other, 1.0)

    alone, (first, second, _) = pair(group)
    assert alone is second is group.active["other"]
    assert first is group.active["member"]


@njit(nogil=True)
def torn(first, second, steps, stop):
    """Calls in turns; how often `second` was older than `first` before it, and `first` than `second`."""
    older = 0
    last = 0
    for _ in range(steps):
        for function in (first, second):
            seen = function(0)
            if seen < last:
                older += 1
            last = seen
        if stop[0]:
            break
    return older


@njit(nogil=True)
def mixed(group, steps, stop):
    """How often two functions of one snapshot were of different revisions."""
    different = 0
    for _ in range(steps):
        now = group.snapshot()
        if now.first(0) != now.second(0):
            different += 1
        if stop[0]:
            break
    return different


def in_threads(*calls):
    """Run every call in a thread of its own and give a function that waits for their results."""
    results = [None] * len(calls)

    def run(i, function, arguments):
        results[i] = function(*arguments)

    threads = [threading.Thread(target=run, args=(i, f, a)) for i, (f, *a) in enumerate(calls)]
    for thread in threads:
        thread.start()

    def wait():
        for thread in threads:
            thread.join()
        return results

    return wait


@pytest.mark.slow
def test_no_thread_sees_a_torn_swap():
    """Who has seen a new function of a group sees no older one, and a snapshot is of one revision."""
    group, first, second = pair()
    for number in range(40):
        group.compile(text_of(number))
    group.activate(0)
    stop = np.zeros(1, np.int64)
    torn(first, second, 1, stop), mixed(group, 1, stop)
    wait = in_threads(
        (torn, first, second, 10**12, stop), (mixed, group, 10**12, stop), (torn, second, first, 10**12, stop)
    )
    for number in range(40):
        for _ in range(250):
            group.activate(number)
    stop[0] = 1
    assert wait() == [0, 0, 0]


def test_a_group_of_one_has_snapshots():
    """In compiled code as in Python, before and after a swap, as an argument and as a global."""
    group = Group()

    @group.evolvable
    def alone(x: i64) -> i64: ...

    group.swap("int64_t alone(int64_t x) { return x + 1; }")
    given, named = njit(lambda g: g.snapshot().alone(1)), njit(lambda: group.snapshot().alone(1))
    assert (given(group), named(), group.snapshot().alone(1)) == (2, 2, 2)
    group.swap("int64_t alone(int64_t x) { return x + 2; }")
    assert (given(group), named(), alone(1)) == (3, 3, 3)
