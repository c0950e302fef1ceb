"""Activation: swaps under running code, what stays loaded for whom, and what `prune` unloads."""

import gc
import os
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest
from numba import float64 as f64
from numba import int64 as i64
from numba import njit, typeof
from numba.typed import List

from symbiont_jit import Array, Group, InOut, KernelError, evolvable
from symbiont_jit.dispatch.numba.bodies import compiler_lock
from symbiont_jit.engine.target import target_of
from symbiont_jit.frontend import Canonical
from symbiont_jit.kernel import Kernel
from symbiont_jit.signature import SCALARS, Param, Signature
from tests.child import in_child
from tests.concurrency import await_true
from tests.kernel.running_loop import RunningLoop
from tests.kernels import step_text


@njit(nogil=True)
def record(kernel, seen, stop):
    """Call until stopped; keep every change of the value, and how many calls there were."""
    calls = 0
    changes = 0
    last = -1
    while stop[0] == 0:
        value = kernel(0)
        calls += 1
        if value != last:
            if changes < seen.shape[0]:
                seen[changes] = value
            changes += 1
            last = value
    return calls, changes


@pytest.mark.slow
def test_swaps_under_running_loops_are_seen_in_order():
    """Swap property: two threads loop, a third swaps 50,000 times; every value seen belongs to an installed revision.

    What a thread sees is a subsequence of what was installed: going through the installed values in order, each seen
    value is found after the one before, and the end is not passed.
    """

    @evolvable(source="int64_t f(int64_t x) { return 0; }")
    def f(x: int) -> int: ...

    count, swaps = 20, 50_000
    revisions = [f.revision(0)] + [f.compile(f"int64_t f(int64_t x) {{ return {k}; }}") for k in range(1, count)]
    stop = np.zeros(1, dtype=np.int64)
    seen = [np.full(2 * swaps, -1, dtype=np.int64) for _ in range(2)]
    results = [None, None]

    def run(which):
        results[which] = record(f, seen[which], stop)

    stop[0] = 1
    record(f, seen[0], stop)
    stop[0] = 0
    threads = [threading.Thread(target=run, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for swap in range(swaps):
        f.activate(revisions[swap % count])
    stop[0] = 1
    for thread in threads:
        thread.join()
    for which in range(2):
        calls, changes = results[which]
        assert calls > 0
        assert changes <= swaps + 1, "a value was seen more often than it was installed"
        values = seen[which][:changes]
        assert set(values.tolist()) <= set(range(count))
        steps = (np.diff(values) - 1) % count + 1  # how far on in the cycle the next value is found
        assert values[0] + steps.sum() <= swaps + count


@pytest.mark.slow
def test_a_single_pass_of_swaps_is_seen_in_order():
    """With every revision activated once and in order, no reader ever sees a smaller number after a larger one."""

    @evolvable(source="int64_t f(int64_t x) { return 0; }")
    def f(x: int) -> int: ...

    revisions = [f.compile(f"int64_t f(int64_t x) {{ return {k}; }}") for k in range(100)]
    for revision in revisions:
        _ = revision.entry_address
    stop = np.zeros(1, dtype=np.int64)
    seen = np.full(1000, -1, dtype=np.int64)
    result = []
    thread = threading.Thread(target=lambda: result.append(record(f, seen, stop)))
    thread.start()
    for revision in revisions:
        f.activate(revision)
        for _ in range(2000):
            pass
    stop[0] = 1
    thread.join()
    changes = result[0][1]
    assert np.all(np.diff(seen[:changes]) > 0)


def test_prune_takes_what_nobody_needs(step):
    """What is neither active, held nor kept goes, stays registered, and comes back when it is activated."""
    for number in range(5):
        step.activate(number)
    held = step.revision(1)
    before = step.memory()
    assert step.prune(keep=[0]) == [2, 3]
    after = step.memory()
    assert (before.loaded, after.loaded, after.revisions) == (5, 3, 5)
    assert after.loaded_bytes < before.loaded_bytes
    assert after.stored_bytes == before.stored_bytes
    assert (held(0), step(0)) == (1, 4)
    step.activate(2)
    assert (step(0), step.active.number, step.memory().loaded) == (2, 2, 4)


def test_dropping_a_handle_lets_its_code_go(step):
    """A revision is kept for as long as somebody holds its handle, and no longer."""
    handle = step.revision(3)
    assert handle(0) == 3
    assert step.memory().held == (3,)
    assert step.prune() == []
    del handle
    assert step.memory().held == ()
    assert step.prune() == [3]


@pytest.mark.parametrize("keep", [1, [1], "handle", "handles"])
def test_what_to_keep_is_a_handle_a_number_or_several(step, keep):
    """All ways to say what stays."""
    step.activate(1)
    step.activate(2)
    chosen = {"handle": step.revision(1), "handles": (step.revision(1), step.revision(0))}.get(str(keep), keep)
    assert 1 not in step.prune(keep=chosen)


def test_keeping_somebody_elses_revision_is_an_error(step):
    """A handle of another kernel, or a number that does not exist, is named."""
    other = Kernel(step.signature, source=step_text(9))
    with pytest.raises(KernelError, match="not all of these are revisions of 'step'"):
        step.prune(keep=[other.active])
    with pytest.raises(KernelError, match="no revision 77"):
        step.prune(keep=77)


def test_code_under_a_running_loop_stays(step):
    """While a compiled function that got the kernel as an argument runs, what it may be inside of is not unloaded."""
    with RunningLoop(step, 0) as running:
        for _ in range(20):
            for number in range(5):
                step.activate(number)
                assert step.prune() == []
        assert step.memory().loaded == 5
    assert running.largest in range(5)
    assert step.prune() == [0, 1, 2, 3]


@pytest.mark.slow
def test_swaps_and_prunes_under_many_threads():
    """Loops in threads go on through hundreds of swaps, each followed by a prune."""
    kernel = Kernel(Signature("step", (Param("x", SCALARS["int64"]),), SCALARS["int64"]), source=step_text(0))
    for number in range(1, 40):
        kernel.compile(step_text(number))
    with RunningLoop(kernel, 0) as first, RunningLoop(kernel, 0) as second:
        for _ in range(10):
            for number in range(40):
                kernel.activate(number)
                kernel.prune()
    assert first.largest <= 39
    assert second.largest <= 39
    assert kernel.memory().loaded > 1
    assert len(kernel.prune()) == 39


def test_code_under_a_call_from_python_stays(step):
    """A call from Python counts like a compiled function."""

    @evolvable(source="void wait(int64_t started[1], const int64_t stop[1]) { }")
    def wait(started: InOut[i64, 1], stop: Array[i64, 1]) -> None: ...

    body = """
void wait(int64_t started[1], const int64_t stop[1])
{
  volatile int64_t *s = started;
  const volatile int64_t *end = stop;
  s[0] = 1;
  while (!end[0])
    ;
}
"""
    wait.swap(body)
    started, stop = np.zeros(1, np.int64), np.zeros(1, np.int64)
    thread = threading.Thread(target=wait, args=(started, stop))
    thread.start()
    while not started[0]:
        pass
    wait.activate(0)
    assert wait.prune() == []
    stop[0] = 1
    thread.join()
    assert wait.prune() == [1]


def test_a_global_of_a_compiled_function_is_never_unloaded_unasked(step):
    """Nobody counts calls through a global, so its code stays until the caller vouches that no thread is inside."""
    step.activate(1)

    @njit
    def through_global(x):
        return step(x)

    assert through_global(1) == 2
    step.activate(2)
    assert step.prune() == []
    assert step.prune(idle=True) == [0, 1]
    assert through_global(1) == 3


def test_a_revision_that_was_never_active_goes_under_a_running_loop(step):
    """What only handles have called is not what a loop over the kernel can be inside of."""
    assert step.revision(4)(0) == 4
    with RunningLoop(step, 0):
        assert step.prune() == [4]


def test_an_exception_in_a_loop_ends_its_use(step):
    """A compiled function that raises has returned too."""

    @njit
    def fails(kernel):
        if kernel(1) > 0:
            raise ValueError("enough")
        return 0

    step.activate(1)
    with pytest.raises(ValueError, match="enough"):
        fails(step)
    assert step._cell.users == 0
    step.activate(2)
    assert step.prune() == [0, 1]


@pytest.mark.slow
def test_old_code_goes_by_itself():
    """After some hundreds of loads what nobody can be running is unloaded without being asked."""
    kernel = Kernel(Signature("step", (Param("x", SCALARS["int64"]),), SCALARS["int64"]))
    for number in range(600):
        target_of(kernel).register(fake_build(kernel, number))
        kernel.activate(number)
    assert kernel(0) == 7
    assert kernel.memory().revisions == 600
    assert kernel.memory().loaded <= 256


def fake_build(kernel, number):
    """Distinct texts with one object code: compiling six hundred would take a while."""
    canonical = target_of(kernel).canonical(step_text(7))
    text = Canonical(f"{canonical.text}/* {number} */", canonical.names)
    return replace(target_of(kernel).build(canonical, "release"), canonical=text)


def test_being_idle_says_nothing_of_calls_that_are_counted(step):
    """`idle=True` is about globals of compiled functions: a loop that has the kernel as an argument keeps its code."""
    njit(lambda: step(1))()  # a global: without `idle` nothing goes
    step.activate(1)
    with RunningLoop(step, 0):
        step.activate(2)
        assert step.prune(idle=True) == []
    assert step.prune(idle=True) == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("keep", [np.int64(1), np.arange(1, 2), iter([1]), range(1, 2)], ids=lambda k: type(k).__name__)
def test_numbers_may_be_numpys(step, keep):
    """Also what `np.argmax` gives; and what to keep may be anything that can be iterated over."""
    for number in np.arange(5):
        assert step.activate(number)(0) == step.revision(number)(0) == number
    step.activate(0)
    gc.collect()
    assert step.prune(keep=keep) == [2, 3, 4]
    assert step.freeze(np.int64(2)).revision == 2


def test_code_given_to_c_stays(step):
    """What SciPy calls cannot be counted, so it is like a global."""
    kernel = Kernel.from_c("double f(double x) { return x; }")
    kernel.low_level_callable()
    kernel.swap("double f(double x) { return 2 * x; }")
    assert (kernel.prune(), kernel.prune(idle=True)) == ([], [0])


LOCKS = """
import threading
import numpy as np
from numba import njit
from symbiont_jit import evolvable
from tests import kernels

dot = evolvable(kernels.dot)

@njit
def hot(x, y):
    return np.sort(x).sum() + np.linalg.norm(y) + dot(x, y)

x, results = np.ones(4), []
threads = [threading.Thread(target=lambda f=f: results.append(f(x, x)), daemon=True) for f in (hot, dot)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(100)
assert sorted(results) == [4.0, 10.0], results
"""


@pytest.mark.slow
def test_compiling_a_caller_and_a_body_at_a_time_does_not_hang():
    """One thread has Numba's lock and wants the kernel's, the other one the other way round."""
    subprocess.run([sys.executable, "-c", LOCKS], check=True, timeout=150)


@pytest.mark.slow
def test_a_child_of_a_fork_swaps_whatever_other_threads_were_at(step):
    """A lock that another thread held is not held there."""
    stop = threading.Event()

    def swap():
        number = 0
        while not stop.is_set():
            step.activate(number % 5)
            number += 1

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        statuses = [forked_swap(step) for _ in range(20)]
    finally:
        stop.set()
        thread.join()
    assert statuses == [0] * 20


def test_a_child_of_a_fork_compiles_whatever_other_threads_were_at():
    """Numba's lock is free in the child, though a thread of the parent's held it."""
    holds, may_go = threading.Event(), threading.Event()

    def hold():
        with compiler_lock():
            holds.set()
            may_go.wait()

    @evolvable
    def fresh(x: f64) -> f64:
        return x + 12.0

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holds.wait(10)
        assert in_child(lambda: str(fresh(1.0)), 60.0) == "13.0"
    finally:
        may_go.set()
        thread.join()


def forked_swap(kernel):
    """The exit status of a child that swaps and calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forking with threads
        child = os.fork()
    if child == 0:
        signal.alarm(20)  # a hang ends by a signal
        kernel.activate(4)
        os._exit(0 if kernel(1) == 5 else 1)
    return os.waitpid(child, 0)[1]


SPIN = "int64_t spin(int64_t x) {{ while (x) x = x / 2 + 1; return {}; }}"


@pytest.mark.parametrize("is_first", [True, False], ids=["the first call", "a later call"])
def test_code_under_each_kind_of_call_from_python_stays(is_first):
    """The first call goes another way than later ones; neither loses its code while it goes on."""
    kernel = Kernel.from_c(SPIN.format(0), on_panic="zero")
    if not is_first:
        assert kernel(0) == 0
    thread = threading.Thread(target=kernel, args=(1,))
    thread.start()
    assert await_true(lambda: kernel._may_be_running)
    kernel.swap(SPIN.format(1))
    assert kernel.prune() == []
    assert await_true(lambda: kernel.interrupt() >= 0 and not thread.is_alive())
    assert kernel.prune() == [0]


@pytest.mark.slow
def test_compiled_code_that_has_the_group_keeps_its_code():
    """It may be inside any function of any revision that was active since."""
    group = Group()

    @group.evolvable
    def up(x: i64) -> i64: ...

    text = "int64_t up(int64_t x) {{ return x + {}; }}"
    group.swap(text.format(0))
    kept = List.empty_list(typeof(group))
    kept.append(group)
    group.swap(text.format(1))
    group.swap(text.format(2))
    assert group.prune() == []
    kept.clear()
    gc.collect()
    assert group.prune() == [0, 1]
