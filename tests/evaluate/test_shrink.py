"""The smallest call that shows a wrong answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import float64 as f64
from numba import int64 as i64

from symbiont_jit import Array, Evolution, Speedup, Status, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.shrink import MOST_ELEMENTS, can_shrink, shrink, spell_call
from symbiont_jit.signature import signature_of
from tests import kernels

DOT = signature_of(kernels.dot)
LONG = Speedup(lambda rng: (rng.random(101), rng.random(101)))


@evolvable
def steps(x: Array[f64, "n"]) -> f64:
    s = x[0] - x[1]
    for i in range(x.shape[0]):
        s += x[i]
    return s


@evolvable
def chosen(x: Array[f64, "n"], which: Array[i64, "m"]) -> f64:
    s = 0.0
    for i in range(which.shape[0]):
        s += x[which[i]]
    return s


@given(
    st.integers(1, 70).flatmap(lambda n: st.tuples(*[hnp.arrays(float, n, elements=st.floats(-9, 9))] * 2)),
    st.integers(1, 80),
    st.floats(-9, 9),
)
def test_what_is_shrunk_is_still_wrong(values, length, least):
    """Whatever the judge is, the call that comes out is one that it finds wrong, and no longer than the first."""

    def judge(values):
        x, y = values
        return f"{len(x)}" if len(x) == len(y) >= length and x.max() >= least else None

    problem = judge(values) or "?"
    found, said = shrink(DOT, values, problem, judge)
    assert len(found[0]) == len(found[1]) <= len(values[0])
    assert said == (judge(found) or "?")


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ("double t = 0; for (int64_t i = 1; i < n; i++) t += x[i] * y[i]; return t;", "dot(x=[1.0], y=[1.0])"),
        (
            "double t = 0; for (int64_t i = 0; i < n / 4 * 4; i++) t += x[i] * y[i]; return t;",
            "dot(x=[1.0], y=[1.0])",
        ),
        (
            "double t = 0; for (int64_t i = 0; i < n; i++) if (i != 2) t += x[i] * y[i]; return t;",
            "dot(x=[1.0, 1.0, 1.0], y=[1.0, 1.0, 1.0])",
        ),
    ],
    ids=["not the first", "not the rest", "not the third"],
)
def test_a_wrong_answer_comes_with_the_smallest_call(body, call):
    """Of a hundred elements those are left that the mistake needs, and the finding says what this call gives."""
    with Evolution(evolvable(kernels.dot), metric=LONG) as search:
        found = search.evaluate(f"{kernels.DOT_HEAD} {{ {body} }}")
    assert (found.status, found.counterexample) == (Status.WRONG, call)
    assert found.diagnostics[0].message.endswith(f"; it shows in {call}")


def test_a_reference_that_needs_more_elements_is_asked_once():
    """Where the reference does not come back from a shorter array, the finding is that of the arguments as drawn."""
    with Evolution(steps, metric=Speedup(lambda rng: (rng.random(20),))) as search:
        texts = [f"double steps(int64_t n, const double x[n]) {{ return x[0] * {k}; }}" for k in (2, 3)]
        found = [search.evaluate(text) for text in texts]
    assert [each.status for each in found] == [Status.WRONG] * 2
    assert all(each.counterexample.startswith("steps(x=[") for each in found)


def test_integers_are_left_as_they_are():
    """An integer may be an index: no shorter array is tried, but a call that is small enough is told."""
    assert not can_shrink(chosen.signature)
    with Evolution(chosen, metric=Speedup(lambda rng: (rng.random(5), rng.integers(0, 5, 3)))) as search:
        found = search.evaluate(f"{chosen.c_prototype} {{ return 9; }}")
    assert found.counterexample.startswith("chosen(x=[")
    assert found.counterexample.count(",") == 4 + 1 + 2


def test_a_call_that_nobody_can_read_is_not_spelled():
    """Hundreds of numbers are no example."""
    many = np.zeros(MOST_ELEMENTS)
    assert spell_call(DOT, (many, many)) == ""


def test_a_list_of_inputs_is_no_secret():
    """Also of a list, which is timed as it is, a call is told."""
    inputs = [(np.arange(5.0), np.arange(5.0))]
    with Evolution(evolvable(kernels.dot), metric=Speedup(inputs)) as search:
        found = search.evaluate(f"{kernels.DOT_HEAD} {{ return 7; }}")
    assert found.counterexample == "dot(x=[1.0], y=[1.0])"


def test_what_is_timed_is_told_to_nobody():
    """A difference in the calls that are timed comes without a call, or the next text would know their arguments."""
    checker = LONG.prepare(target_of(evolvable(kernels.dot)), 1).checker
    checker.is_secret, checker._wrong = True, checker.timed.known[0]
    assert checker.explain("the result differs", 0, [1]) == ("the result differs", "")
