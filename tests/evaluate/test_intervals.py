"""Intervals: of how many runs they hold the truth, and what they say where there is little to say."""

import math

import numpy as np
import pytest
from scipy import special

from symbiont_jit.evaluate.intervals import (
    ONE,
    RESOLUTION,
    Interval,
    _student_quantile,
    estimate_median,
    estimate_ratio,
)


def turns(rng, ratio, blocks=12, count=20):
    """Times of two sides whose ratio is known: both drift together, and places add to each block of one."""
    drift = np.exp(rng.normal(0, 0.2, (blocks, count)))
    places = np.exp(rng.normal(0, 0.01, (blocks, 1)))
    noise = (np.exp(rng.normal(0, 0.02, drift.shape)) * (1 + 3 * (rng.random(drift.shape) < 0.05)) for _ in range(2))
    one, other = (100 * drift * each for each in noise)
    return ratio * places * one, other


def test_the_interval_holds_the_ratio_about_as_often_as_it_says():
    """Of 300 runs with a ratio of 1.1, 95 % intervals hold it in 92 to 99 %, and 99 % intervals more often."""
    rng = np.random.default_rng(1)
    held = {0.95: 0, 0.99: 0}
    for _ in range(300):
        one, other = turns(rng, 1.1)
        for confidence in held:
            found = estimate_ratio(one, other, confidence)
            held[confidence] += found.low <= 1.1 <= found.high
    assert 0.92 <= held[0.95] / 300 <= 0.99
    assert held[0.99] > held[0.95]


def test_what_drifts_together_does_not_count():
    """The interval of a ratio is much narrower than that of the times it is made of."""
    one, other = turns(np.random.default_rng(2), 1.0)
    ratio, time = estimate_ratio(one, other), estimate_median(one)
    assert (ratio.high - ratio.low) * 3 < time.high / time.value - time.low / time.value


def test_few_blocks_say_little():
    """Of none nothing is known, of two only the value, and of three the interval is wide."""
    assert not estimate_ratio([], []).is_known
    assert math.isnan(estimate_ratio([], []).value)
    two = estimate_ratio([[1.0], [1.0]], [[2.0], [2.0]])
    assert (two.value, two.is_known) == (0.5, False)
    few, many = (estimate_median([[1.0, 1.1]] + [[1.05, 1.0]] * n) for n in (2, 12))
    assert few.high - few.low >= many.high - many.low
    assert few.is_known


def test_equal_times_have_an_interval_as_wide_as_the_resolution():
    """Where nothing varies, two runs of the same code would differ all the same."""
    found = estimate_ratio([[2.0, 2.0]] * 5, [[1.0, 1.0]] * 5)
    assert (found.value, found.low, found.high) == pytest.approx(
        (2, 2 / (1 + RESOLUTION), 2 * (1 + RESOLUTION)), rel=1e-4
    )


def test_an_interval_is_spelled_with_its_ends():
    """It prints as the value and both ends; one over it has them the other way round."""
    assert str(Interval(2.0, 1.5, 2.5)) == "2 (1.5 to 2.5)"
    assert Interval(2.0, 1.0, 4.0).inverse() == Interval(0.5, 0.25, 1.0)
    assert ONE.inverse() == ONE


@pytest.mark.parametrize("freedom", [4, 5, 9, 19, 100])
@pytest.mark.parametrize("probability", [0.975, 0.995])
def test_students_distribution(probability, freedom):
    """The expansion agrees with SciPy's within 2 % where intervals are made of five blocks or more."""
    assert _student_quantile(probability, freedom) == pytest.approx(special.stdtrit(freedom, probability), rel=0.02)
