"""Functions that evolve together have one C text to begin with, like one that evolves alone."""

import logging

import numpy as np
import pytest
from numba import njit

import symbiont_jit as sj
from symbiont_jit import Array, InOut, f64, i64
from symbiont_jit.propose.base import Candidate


@njit
def above(a, low):
    """What both functions below call."""
    return a if a > low else low


class Adding:
    """A proposer that needs nothing to begin with."""

    def ask(self, signature, parents, rng):
        """Propose to add 3."""
        assert parents == []
        return Candidate("double twice(double x) { return x + 3; }", "given", None)

    def tell(self, candidate, evaluation, gain):
        """Take in nothing."""


@pytest.fixture
def group():
    """A group whose functions have a helper in common."""
    made = sj.Group()

    @made.evolvable
    def step(x: InOut[f64, "n"], k: i64) -> None:
        for i in range(len(x)):
            x[i] = above(x[i], 0.0) + i // k

    @made.evolvable
    def energy(x: Array[f64, "n"], k: i64) -> f64:
        total = 0.0
        for i in range(len(x)):
            total += above(x[i], 1.0) * (i // k)
        return total

    return made


def test_a_group_of_python_alone_has_c_to_begin_with(group):
    """Its members have the same, each helper is defined once, and the text computes what the bodies compute."""
    text = group.source
    assert sj.translate(group) == text == group["step"].source
    assert (text.count("double above("), text.count("floor_div(int64_t a")) == (1, 1)
    before = np.linspace(-1, 3, 7)
    expected, got = before.copy(), before.copy()
    group["step"](expected, 2)
    energy = group["energy"](expected, 2)
    group.swap(text)
    group["step"](got, 2)
    assert got.tolist() == expected.tolist()
    assert group["energy"](got, 2) == energy


def test_a_search_of_a_group_begins_with_that(group):
    """The C of the bodies is the first that is evaluated, and what is reported as the beginning."""
    metric = lambda g: float(g["energy"](np.linspace(-1, 3, 7), 2))  # noqa: E731
    with sj.Evolution(group, metric=metric, proposer=sj.Mutator()) as search:
        assert search.ask(0) == []
        assert search.result.best.score == metric(group)


def test_functions_of_numbers_call_each_other():
    """In either order; what stands further down is declared before."""
    group = sj.Group()

    @group.evolvable
    def quarter(x: f64) -> f64:
        return half(half(x)) + half(1)

    @group.evolvable
    def half(x: f64) -> f64:
        return x / 2

    text = group.source
    assert text.count("double half(double x)") == 2
    assert "static" not in text
    group.swap(text)
    assert (quarter(6.0), half(3.0)) == (2.0, 1.5)
    group.swap(text.replace("x / 2.0", "x / 4.0"))
    assert quarter(16.0) == 1.25


def test_a_group_with_a_body_that_has_no_c_stays_python(group):
    """Its source is the Python text, and the error says why."""
    other = sj.Group()

    @other.evolvable
    def good(x: f64) -> f64:
        return x

    @other.evolvable
    def bad(x: f64) -> f64:
        values = {1: x}
        return values[1]

    assert "def bad" in other.source
    with pytest.raises(sj.TranslationError, match=r"test_groups\.py:"):
        sj.translate(other)


def test_two_helpers_of_one_name_are_told_of():
    """One text cannot define both, and the error says which it is about."""
    group = sj.Group()

    def make(factor):
        @njit
        def scaled(x):
            return x * factor

        return scaled

    one, two = make(2.0), make(3.0)

    @group.evolvable
    def first(x: f64) -> f64:
        return one(x)

    @group.evolvable
    def second(x: f64) -> f64:
        return two(x)

    with pytest.raises(sj.TranslationError, match="several of these functions define scaled in C"):
        sj.translate(group)


def test_a_translation_that_does_not_pass_ends_no_search(caplog):
    """The search goes on without it, as for a kernel that has no C, and says so."""

    @sj.evolvable
    def twice(x: f64) -> f64:
        return 2 * x

    def metric(kernel):
        return np.nan if kernel.active.language == "c" and "2.0 * x" in kernel.active.source else kernel(1.0)

    with caplog.at_level(logging.WARNING), sj.Evolution(twice, metric=metric, proposer=Adding()) as search:
        result = search.run(candidates=1)
    assert (result.best.score, result.baseline) == (4.0, None)
    assert "what twice is in C does not pass, and is left out: WRONG" in caplog.text
    assert twice.active.language == "c"
