"""What default tolerances let pass, and what they do not: rounding as it happens, and nothing that was not computed."""

import numpy as np
import pytest
from numba import float32 as f32
from numba import float64 as f64

from symbiont_jit import Array, Evolution, Out, Speedup, Status, evolvable

pytestmark = pytest.mark.slow


@evolvable
def centred(x: Array[f64, "n"], out: Out[f64, "n"]) -> None:
    m = 0.0
    for i in range(x.shape[0]):
        m += x[i]
    m /= x.shape[0]
    for i in range(x.shape[0]):
        out[i] = x[i] - m


@evolvable
def centred32(x: Array[f32, "n"], out: Out[f32, "n"]) -> None:
    m = 0.0
    for i in range(x.shape[0]):
        m += x[i]
    m /= x.shape[0]
    for i in range(x.shape[0]):
        out[i] = x[i] - m


@evolvable
def spread(x: Array[f64, "n"]) -> f64:
    s = 0.0
    q = 0.0
    for i in range(x.shape[0]):
        s += x[i]
        q += x[i] * x[i]
    return q - s * s / x.shape[0]


@evolvable
def roots(x: Array[f64, "n"]) -> f64:
    t = 0.0
    for i in range(x.shape[0]):
        t += np.sqrt(x[i]) - 4.625
    return t


@evolvable
def determinant(a: f64, b: f64, c: f64, d: f64) -> f64:
    return a * d - b * c


HEADS = {
    "centred": "void centred(int64_t n, const double x[n], double out[n])",
    "centred32": "void centred32(int64_t n, const float x[n], float out[n])",
    "spread": "double spread(int64_t n, const double x[n])",
    "roots": "double roots(int64_t n, const double x[n])",
    "determinant": "double determinant(double a, double b, double c, double d)",
}
ANY_ORDER = "\n#pragma clang fp reassociate(on)\n"
MEAN = "double m = 0; for (int64_t i = 0; i < n; i++) m += x[i]; m /= n; for (int64_t i = 0; i < n; i++) out[i] = x[i] - m;"
PRESSURES = lambda rng: ((101325 + rng.normal(size=500)).astype(np.float32), np.zeros(500, np.float32))  # noqa: E731
DATES = lambda rng: (2460000.5 + np.sort(rng.random(500)) * 1e-4, np.zeros(500))  # noqa: E731
COUNTS = lambda rng: (rng.integers(0, 50, 400).astype(float),)  # noqa: E731


def singular(rng):
    a, b, c = rng.random(3) + 1
    return a, b, c, b * c / a * (1 + 1e-13 * rng.random())


@pytest.mark.parametrize(
    ("kernel", "inputs", "body", "is_right"),
    [
        (centred32, PRESSURES, "for (int64_t i = 0; i < n; i++) out[i] = 0;", False),
        (centred32, PRESSURES, "for (int64_t i = 0; i < n; i++) out[i] = 0.5f;", False),
        (centred32, PRESSURES, ANY_ORDER + MEAN, True),
        (centred, DATES, "for (int64_t i = 0; i < n; i++) out[i] = 0;", False),
        (centred, DATES, ANY_ORDER + MEAN, True),
        (
            spread,
            lambda rng: (1000 + rng.random(500),),
            ANY_ORDER
            + "double s = 0, q = 0; for (int64_t i = 0; i < n; i++) { s += x[i]; q += x[i] * x[i]; } return q - s * s / n;",
            True,
        ),
        (spread, lambda rng: (1000 + rng.random(500),), "return n / 12.0;", False),
        (
            roots,
            COUNTS,
            ANY_ORDER + "double t = 0; for (int64_t i = 0; i < n; i++) t += sqrt(x[i]) - 4.625; return t;",
            True,
        ),
        (roots, COUNTS, "return 1e-3;", False),
        (determinant, singular, "\n#pragma clang fp contract(fast)\nreturn a * d - b * c;", True),
        (determinant, singular, "return 1e-12;", False),
    ],
    ids=lambda value: getattr(value, "__name__", value if isinstance(value, str) else None) or str(value),
)
def test_where_large_numbers_cancel(kernel, inputs, body, is_right):
    """Another order of the same sums is right; a constant that is near to all results is not."""
    name = kernel.signature.name
    with Evolution(kernel, metric=Speedup(inputs), seed=2) as search:
        found = search.evaluate(f"{HEADS[name]} {{ {body} }}")
    assert found.status is (Status.VALID if is_right else Status.WRONG), str(found)


def test_a_reference_that_does_not_come_back_from_beside_its_arguments():
    """Its own arguments are fine; the candidate is judged without scales, and is not blamed."""

    @evolvable
    def walk(end: f64) -> f64:
        s = 0.0
        t = 0.0
        while t != end:
            s += np.sin(t) - np.cos(t)
            t += 0.015625
        return s

    body = "double s = 0; for (double t = end; t != 0; ) { t -= 0.015625; s += sin(t) - cos(t); } return s;"
    with Evolution(walk, metric=Speedup([(3.0,)]), deadline=2.0) as search:
        found = search.evaluate(f"double walk(double end) {{ {body} }}")
    assert found.status in (Status.VALID, Status.WRONG)
