"""Interruptions: calls of instrumented code end, by another thread or by the clock, and no other call changes."""

import contextlib
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Kernel
from tests.child import in_child
from tests.concurrency import await_true
from tests.instrument.bodies import ENDLESS, PROFILES, X, compiled, pick


def test_an_endless_loop_ends_when_it_is_interrupted():
    """`interrupt()` from another thread ends the calls of a kernel; they return zero."""
    revision = compiled(pick, ENDLESS, "safe")
    results = []
    thread = threading.Thread(target=lambda: results.append((revision(X, 0), revision.take_panic())))
    thread.start()
    deadline = time.monotonic() + 30
    while not pick.interrupt() and time.monotonic() < deadline:
        time.sleep(0.01)
    thread.join()
    assert results[0][0] == 0.0
    assert results[0][1].kind == "interrupted"
    assert pick.interrupt() == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_a_time_limit_ends_calls_of_its_thread(profile):
    """Also from compiled code that keeps Python's lock; afterwards calls are as before."""
    revision = compiled(pick, ENDLESS, profile)

    @njit
    def loop(kernel, x):
        return kernel(x, 0)

    loop(compiled(pick, "  return 1;", profile), X)
    with sj.time_limit(0.2):
        assert loop(revision, X) == 0.0
    assert revision.take_panic() is not None
    assert revision(X, 1000) == 1000.0


@pytest.mark.parametrize("seconds", ["a", None, -1, 0, float("nan"), 10**400])
def test_what_is_no_number_of_seconds_is_refused(seconds):
    """The message has what was given."""
    with pytest.raises(sj.UsageError, match="a time limit is a number of seconds above 0, not"), sj.time_limit(seconds):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1e-12, np.float32(0.01), 1])
def test_every_number_of_seconds_is_a_limit(seconds):
    """Also one that is too short for a timer."""
    with sj.time_limit(seconds):
        assert compiled(pick, ENDLESS, "safe")(X, 0) == 0.0


def test_a_limit_that_is_far_away_leaves_nothing_behind():
    """Infinity is no limit; afterwards the process has as many timers as before."""
    revision = compiled(pick, "  return x[k] + 17;", "safe")
    before = Path("/proc/self/timers").read_text() if Path("/proc/self/timers").exists() else ""
    for seconds in (float("inf"), 1e19):
        with sj.time_limit(seconds):
            assert revision(X, 1) == 18.0
    assert not before or Path("/proc/self/timers").read_text() == before


@pytest.mark.slow
def test_a_thread_that_blocks_all_signals_is_interrupted_too():
    """Programs that wait for signals on one thread block them on all others."""

    def act():
        revision = compiled(pick, ENDLESS, "safe")
        found = []

        def call(is_limited):
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            with sj.time_limit(0.05) if is_limited else contextlib.nullcontext():
                found.append(revision(X, 0))

        limited = threading.Thread(target=call, args=(True,))
        limited.start()
        limited.join(30)
        other = threading.Thread(target=call, args=(False,))
        other.start()
        await_true(lambda: pick.interrupt() >= 0 and not other.is_alive())
        return str(found)

    assert in_child(act, 60) == "[0.0, 0.0]"


def test_quick_calls_survive_a_storm_of_interruptions():
    """A signal that comes before, after or between calls changes no result but that of an interrupted one."""
    revision = compiled(
        pick, "  double s = 0;\n  for (int64_t i = 0; i < n; i++)\n    s += x[i];\n  return s + k;", "safe"
    )

    @njit(nogil=True)
    def storm(kernel, x, steps):
        wrong = 0
        for k in range(steps):
            value = kernel(x, k)
            if value != 45.0 + k and value != 0.0:
                wrong += 1
        return wrong

    storm(revision, X, 1)
    results = []
    thread = threading.Thread(target=lambda: results.append(storm(revision, X, 3_000_000)))
    thread.start()
    while thread.is_alive():
        pick.interrupt()
    assert results == [0]
    while revision.take_panic():
        pass


@pytest.mark.usefixtures("loader")
def test_interrupted_checked_code_says_so():
    """Whether its loop or the signal sees it first, it is no endless loop."""
    text = "int64_t spin(int64_t n) { int64_t s = 0; while (n) s += n; return s; }"
    kernel = Kernel.from_c(text, profile="checked", on_panic="zero")
    kernel(0)
    kinds = set()
    for _ in range(10):
        taken = []
        thread = threading.Thread(target=lambda taken=taken: (kernel(1), taken.append(kernel.take_panic())))
        thread.start()
        while thread.is_alive():
            kernel.interrupt()
        kinds.add(taken[0].kind)
    assert kinds == {"interrupted"}
