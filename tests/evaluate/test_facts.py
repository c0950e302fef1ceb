"""What a writer of candidates is told of how they are judged."""

import numpy as np
import pytest
from numba import float32 as f32
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, InOut, Kernel, Speedup, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.derive import EDGES
from symbiont_jit.evaluate.facts import TaskFacts, find_facts


@evolvable
def smooth(x: Array[f64, "n"], w: Array[f32, "m"], out: InOut[f64, "n"], k: i64) -> None:
    out[0] = x[0] * w[0] * k


def draw(rng):
    x = rng.random(1000)
    return x, np.ones(3, np.float32), x, 5


def test_lengths_sizes_and_what_overlaps():
    """As the inputs have them; the tolerance is that of the coarsest type."""
    facts = find_facts(Speedup(draw), target_of(smooth))
    assert facts == TaskFacts({"n": 1000, "m": 3}, 8000, (), (("x", "out"),), 1e-4)


def test_arguments_that_are_derived_have_edges_too():
    """Where nobody gives inputs, lengths at the edges are compared besides."""
    facts = find_facts(Speedup(rtol=1e-3), target_of(smooth))
    assert (facts.edges, facts.overlaps, facts.rtol) == (EDGES, (), 1e-3)


@pytest.mark.parametrize("metric", [lambda kernel: 1.0, Speedup(lambda rng: ("no",)), None])
def test_nothing_is_said_where_nothing_is_known(metric):
    """A function of the user's may judge by anything, and inputs that fail are reported where they are needed."""
    assert find_facts(metric, target_of(smooth)) is None


def test_a_function_that_judges_has_no_tolerance():
    """Nor has a kernel of integers, whose results have to be equal."""
    assert find_facts(Speedup(draw, agrees=lambda *_: True), target_of(smooth)).rtol is None
    count = Kernel.from_c("int64_t count(int64_t n) { return n; }")
    assert find_facts(Speedup([(3,)]), target_of(count)) == TaskFacts(rtol=0.0)
