"""Panics are counted, also for compiled code while it goes on."""

import pytest
from numba import int64 as i64
from numba import njit

import symbiont_jit as sj
from tests.instrument.bodies import X, compiled, pick


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_panics_of_a_snapshot_are_counted():
    """A function of a snapshot has the table of its group."""
    crash = sj.Group()

    @crash.evolvable
    def inverse(x: i64) -> i64: ...

    @crash.evolvable
    def same(x: i64) -> i64: ...

    crash.swap("int64_t inverse(int64_t x) { return 1 / x; } int64_t same(int64_t x) { return x; }")

    @njit
    def count(g):
        now = g.snapshot()
        before = sj.panics(now.same)
        now.inverse(0)
        return sj.panics(now.inverse) - before

    assert count(crash) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_compiled_code_can_ask_for_panics():
    """`panics(kernel)` counts, in a loop and after it."""
    revision = compiled(pick, "  return x[k] * 1;", "safe")

    @njit
    def loop(kernel, x, n):
        before = sj.panics(kernel)
        total = 0.0
        for i in range(n):
            total += kernel(x, i)
        return total, sj.panics(kernel) - before

    assert loop(revision, X, 10) == (45.0, 0)
    assert loop(revision, X, 13) == (45.0, 3)
    before = sj.panics(pick)
    revision(X, -1)
    assert sj.panics(pick) == before + 1
    with pytest.raises(sj.UsageError, match="takes a kernel"):
        sj.panics(3)
