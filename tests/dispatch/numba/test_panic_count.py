"""Panics are counted, also for compiled code while it goes on."""

import pytest
from numba import int64 as i64
from numba import njit

import symbiont_jit as sj


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
