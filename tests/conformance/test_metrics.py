"""What a search may expect of every metric: declared once, prepared once, and fair to each candidate."""

import numpy as np
import pytest

from symbiont_jit import Evolution, Speedup, Status, evolvable
from tests.kernels import DOT, DOT_HEAD, dot

X, Y = np.arange(64.0), np.linspace(0, 1, 64)


def draw(rng):
    return rng.random(64), rng.random(64)


def agree(kernel):
    """A number for a right answer, and none for a wrong one."""
    got = kernel(X, Y)
    return 1.0 if got == pytest.approx(X @ Y) else float("nan")


def agree_by_name(kernel):
    return {"main": agree(kernel), "other": 2.0}


METRICS = {
    "speedup of drawn inputs": lambda: Speedup(draw),
    "speedup of listed inputs": lambda: Speedup([(X, Y)]),
    "callable": lambda: agree,
    "callable of several scores": lambda: agree_by_name,
}


@pytest.fixture(params=METRICS, scope="module")
def evolution(request):
    """A search with one worker."""
    with Evolution(evolvable(dot, source=DOT), metric=METRICS[request.param](), workers=1, seed=1) as search:
        yield search


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status"),
    {
        "double s = 0; for (int64_t i = 0; i < n; i++) s = s + y[i] * x[i]; return s;": Status.VALID,
        "return 0.5;": Status.WRONG,
        "return NAN;": Status.WRONG,
        "return x[n];": Status.PANICKED,
        "for (int64_t i = 0; n > -1; i++) ; return 0;": Status.PANICKED,
        "return x[": Status.UNPARSED,
    }.items(),
    ids=["right", "wrong", "NaN", "outside", "endless", "broken"],
)
def test_every_candidate_gets_its_status(evolution, body, status):
    """A valid one has finite scores, the first of which counts; each other one has none, and findings."""
    found = evolution.evaluate(f"{DOT_HEAD} {{ {body} }}")
    assert found.status is status
    assert found.is_valid == (status is Status.VALID)
    if found.is_valid:
        assert np.isfinite([found.score, *found.scores.values()]).all()
        assert found.score == next(iter(found.scores.values()))
    else:
        assert (found.score, dict(found.scores)) == (None, {})
        assert found.diagnostics


@pytest.mark.slow
def test_the_kernel_stays_as_it_is(evolution):
    """Evaluating activates nothing, and leaves the user's own random numbers alone."""
    np.random.seed(7)
    expected = np.random.RandomState(7).random_sample()
    kernel = evolution.kernel
    number = kernel.active.number
    evolution.evaluate(f"{DOT_HEAD} {{ return 2; }}")
    assert kernel.active.number == number
    assert np.random.random_sample() == expected
