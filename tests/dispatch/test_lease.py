"""Leases: what compiled code has lives for as long as it has it, and no longer."""

import gc
import weakref

import pytest
from numba import float64 as f64
from numba import int64, njit, typeof
from numba.experimental import jitclass
from numba.typed import Dict, List

import symbiont_jit as sj
from symbiont_jit.engine.target import target_of
from tests.dispatch.numba.kinds import kernel


def numbered(number):
    """A kernel that somebody else has to keep."""
    return sj.Kernel.from_c(f"double f(double x) {{ return {number} * x; }}")


@njit
def endless(k):
    while True:
        yield k(1.0)


@njit
def endless_snapshot(g):
    now = g.snapshot()
    while True:
        yield now.second(1.0)


def short_lived_group():
    made = sj.Group()

    @made.evolvable
    def first(x: f64) -> f64: ...

    @made.evolvable
    def second(x: f64) -> f64: ...

    made.swap("double first(double x) { return x; } double second(double x) { return 9 * x; }")
    return made


@pytest.mark.slow
def test_a_generator_keeps_its_kernel():
    """Kernels, handles, members and groups live for as long as a generator that was given them."""
    generators = [
        endless(numbered(7)),
        endless(numbered(8).active),
        endless(short_lived_group()["second"]),
        endless_snapshot(short_lived_group()),
    ]
    gc.collect()
    others = [numbered(k) for k in range(20, 40)]
    assert [k(1.0) for k in others] == list(range(20, 40))
    assert [next(g) for g in generators] == [7, 8, 9, 9]


@pytest.mark.slow
@pytest.mark.usefixtures("loader")
def test_what_stores_a_kernel_keeps_it_and_lets_it_go():
    """A list, a dictionary and a jitclass; the kernel goes with the last of them, and `prune` leaves its code."""

    @jitclass([("k", typeof(kernel))])
    class Model:
        def __init__(self, k):
            self.k = k

        def call(self, x):
            return self.k(x)

    kernels, by_number = List.empty_list(typeof(kernel)), Dict.empty(int64, typeof(kernel))
    f = numbered(7)
    h = f.compile("double f(double x) { return 8 * x; }")
    model = Model(h)
    kernels.append(h)
    by_number[0] = f
    gone = weakref.ref(f), weakref.ref(h)
    engine = target_of(f).engine
    del f, h
    gc.collect()
    assert engine.prune() == []
    run = njit(lambda kernels, by_number: kernels[0](1.0) + by_number[0](1.0))
    assert (run(kernels, by_number), model.call(1.0)) == (15, 8)
    del model, engine
    kernels.clear()
    by_number.clear()
    gc.collect()
    assert [r() for r in gone] == [None, None]
