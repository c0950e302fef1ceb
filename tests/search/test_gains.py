"""What a search says at its end: how many times as fast as what, and that nothing is installed for being lucky."""

import numpy as np
import pytest

from symbiont_jit import Candidate, Evolution, Speedup, evolvable
from symbiont_jit.evaluate.confirm import ACTIVE, FASTMATH, FIRST_C, NOISE, REFERENCE, is_clearly_faster, is_gain
from symbiont_jit.evaluate.evaluation import Evaluation, Status, Timings
from symbiont_jit.evaluate.intervals import ONE, Interval
from tests.kernels import DOT, DOT_HEAD, dot, dot_without_c

pytestmark = pytest.mark.usefixtures("brief")
DOT_WITHOUT = DOT.replace("dot(", "dot_without_c(")
SLOW = f"""{DOT_HEAD} {{
    double s = 0.0;
    for (int64_t i = 0; i < n; i++) {{
        volatile double t = x[i] * y[i];
        for (int k = 0; k < 20; k++) t = t;
        s += t;
    }}
    return s;
}}"""


class Given:
    """A proposer of given texts, one after the other."""

    def __init__(self, *texts):
        self.texts = list(texts)

    def ask(self, signature, parents, rng):
        """Give the next text."""
        return Candidate(self.texts.pop(0), "given") if self.texts else None

    def tell(self, candidate, evaluation, gain):
        """Learn nothing."""


def inputs(rng):
    return rng.random(500), rng.random(500)


@pytest.mark.slow
def test_a_gain_is_stated_over_everything_that_it_could_be_measured_by():
    """Over the Python body, the C that the search began with, Numba with fastmath, and what was active; and installed."""
    kernel = evolvable(dot, source=SLOW)
    result = Evolution(kernel, metric=Speedup(inputs), proposer=Given(DOT)).run(candidates=1)
    assert set(result.gains) == {REFERENCE, FIRST_C, FASTMATH, ACTIVE}
    assert result.is_gain is True
    assert all(0 < gain.low <= gain.value <= gain.high for gain in result.gains.values())
    assert result.gains[FIRST_C].low > 2
    assert kernel.active is result.revision
    assert kernel.source == result.best.source
    assert kernel.active.profile == "release"


@pytest.mark.slow
def test_without_a_gain_nothing_changes():
    """The same code in other words is no improvement: what was active before is active again, as it was."""
    kernel = evolvable(dot, source=DOT, profile="release")
    before = kernel.active
    other = DOT.replace("s += x[i] * y[i]", "s = s + y[i] * x[i]")
    result = Evolution(kernel, metric=Speedup(inputs), proposer=Given(other, other + "\n")).run(candidates=2)
    assert result.is_gain is False
    assert str(result).startswith("no significant gain")
    assert kernel.active is before is result.revision


@pytest.mark.slow
def test_a_kernel_without_c_has_no_first_c():
    """What a search has found itself is nothing that it began with."""
    kernel = evolvable(dot_without_c)
    result = Evolution(kernel, metric=Speedup(inputs), proposer=Given(DOT_WITHOUT)).run(candidates=1)
    assert set(result.gains) <= {REFERENCE, FASTMATH}


@pytest.mark.slow
def test_scores_that_are_no_times_have_no_gains():
    """Of a metric of one's own nothing is known but that more is better; the baseline is left as it is."""
    kernel = evolvable(dot, source=DOT)
    before = kernel.active
    result = Evolution(kernel, metric=lambda k: 1.0, proposer=Given(DOT + " ")).run(candidates=1)
    assert (result.is_gain, dict(result.gains)) == (None, {})
    assert kernel.active is before


def evaluation(*ratios, gains=None):
    times = tuple(1.0 / ratio for ratio in ratios)
    timings = Timings(reference_ns=(1.0,) * len(times), candidate_ns=times)
    return Evaluation(Status.VALID, "", 1.0, timings=timings, gains=gains or {})


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((2, 2.1, 2.2, 2.3, 2.1), (1.5, 1.6, 1.7, 1.6, 1.9), True),
        ((2, 2.1, 2.2, 2.3, 1.8), (1.5, 1.6, 1.7, 1.6, 1.9), False),
        ((1.01, 1.02, 1.01, 1.03, 1.02), None, True),
        ((1.01, 1.02, 0.99, 1.03, 1.02), None, False),
        ((1.2,), (1.1,), True),
        ((1.2,), (1.18,), False),
        ((1.04,), None, False),
        ((1.06,), None, True),
        ((), None, False),
    ],
)
def test_each_turn_counts_on_the_way(one, other, expected):
    """While a search runs, the next best is installed only if its slowest turn beats the fastest one of the last best."""
    assert is_clearly_faster(evaluation(*one), None if other is None else evaluation(*other)) is expected


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ({ACTIVE: Interval(1.1, 1.05, 1.2), NOISE: Interval(1.0, 0.98, 1.02)}, True),
        ({ACTIVE: Interval(1.1, 1.01, 1.2), NOISE: Interval(1.0, 0.98, 1.02)}, False),
        ({ACTIVE: Interval(1.1, 1.03, 1.2), NOISE: Interval(1.0, 0.96, 1.0)}, False),
        ({ACTIVE: Interval(0.9, 0.8, 1.0), REFERENCE: Interval(5.0, 4.0, 6.0), NOISE: ONE}, False),
        ({REFERENCE: Interval(5.0, 4.0, 6.0), NOISE: ONE}, True),
        ({REFERENCE: Interval(5.0, 0.0, np.inf), NOISE: ONE}, False),
        ({REFERENCE: Interval(5.0, 4.0, 6.0)}, False),
    ],
)
def test_a_gain_is_larger_than_the_noise(gains, expected):
    """The whole interval lies above what the reference differs from itself by; what was active counts, if it was C."""
    assert is_gain(evaluation(1.0, gains=gains)) is expected
