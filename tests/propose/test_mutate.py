"""The mutator: what it proposes, and what it learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import float64 as f64

from symbiont_jit import Array, InOut, Mutator, Out, Status, evolvable
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.evaluation import Evaluation
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.propose.base import Parent
from tests import kernels
from tests.kernels import DOT, MATMUL

KERNELS = {
    "matmul": MATMUL,
    "dot": DOT,
    "rows": """void rows(int64_t n, int64_t m, const double a[n][m], double x[n]) {
        for (int64_t i = 0; i < n; i++) { x[i] = 0; for (int64_t j = 0; j < m; j++) { double d = a[i][j] - 0.5; x[i] += d * d; } } }""",
    "smooth": """void smooth(int64_t n, int64_t m, const double a[n][m], double b[n][m]) {
        for (int64_t j = 1; j < m - 1; j++) for (int64_t i = 1; i < n - 1; i++) {
            double s = 0; for (int64_t u = -1; u <= 1; u++) for (int64_t v = -1; v <= 1; v++) s += a[i + u][j + v];
            b[i][j] = s / 9.0; } }""",
    "peak": """double peak(int64_t n, const double x[n]) {
        double best = 0; for (int64_t i = 0; i < n; i++) { double v = fabs(x[i] - 0.5); if (v > best) best = v; } return best; }""",
}  # fmt: skip


@evolvable
def rows(a: Array[f64, "n", "m"], x: Out[f64, "n"]) -> None: ...


@evolvable
def smooth(a: Array[f64, "n", "m"], b: InOut[f64, "n", "m"]) -> None: ...


@evolvable
def peak(x: Array[f64, "n"]) -> f64: ...


dot, matmul = evolvable(kernels.dot), evolvable(kernels.matmul)
DECLARED = {k.signature.name: k for k in (rows, smooth, peak, dot, matmul)}
SIZES = {
    "rows": lambda r, n, m: (r.random((n, m)), np.zeros(n)),
    "smooth": lambda r, n, m: (r.random((n, m)), np.zeros((n, m))),
    "peak": lambda r, n, m: (r.random(n * m),),
    "dot": lambda r, n, m: (r.random(n * m), r.random(n * m)),
    "matmul": lambda r, n, m: (r.random((n, m)), r.random((m, 13)), np.zeros((n, 13))),
}
STRUCTURAL = [
    "unroll-and-jam", "interchange-reduction", "interchange", "tile", "distribute", "fuse", "accumulate-in-place", "scalar-replacement", "restrict",
    "reassociate", "loop-hint", "if-conversion",
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(KERNELS)), seed=st.integers(0, 2**32 - 1), n=st.integers(0, 21), m=st.integers(0, 37)
)
def test_structural_transformations_agree(name, seed, n, m):
    """Differential: the original and its offspring after up to five transformations agree on any shape, also empty.

    Transformations need not be legal in general; on these kernels, which have no loop-carried surprises, they are.
    """
    kernel = DECLARED[name]
    mutator = Mutator(list(STRUCTURAL))
    rng = np.random.default_rng(seed)
    parent = Parent(target_of(kernel).canonical(KERNELS[name]).text, 1.0)
    for _ in range(2):
        candidate = mutator.ask(kernel.signature, [parent], rng)
        parent = Parent(candidate.source, 1.0) if candidate else parent
    harness = Harness(kernel.signature)
    values = SIZES[name](rng, n, m)
    first, second = kernel.compile(KERNELS[name]), kernel.compile(parent.source)
    wanted, got = harness.prepare(values), harness.prepare(values)
    expected, result = harness.call(first.entry_address, wanted), harness.call(second.entry_address, got)
    for w, g in zip([*wanted.values, expected or 0.0], [*got.values, result or 0.0], strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-12)


def test_the_mutator_never_repeats_itself_and_says_what_it_did():
    """Proposals differ, name their steps, and come out the same for the same seed."""
    parent = Parent(target_of(dot).canonical(DOT).text, 1.0, number=3)

    def ask(seed):
        mutator, rng = Mutator(), np.random.default_rng(seed)
        return [mutator.ask(dot.signature, [parent], rng) for _ in range(15)]

    candidates = ask(1)
    assert len({c.source for c in candidates}) == 15
    assert all(c.parent == 3 and c.steps and c.origin.startswith("mutator: ") for c in candidates)
    assert ask(1) == candidates


def test_the_mutator_learns_what_pays():
    """A transformation whose results are always wrong is tried less, one that improves is tried more."""
    mutator = Mutator(["unroll-and-jam", "operator"])
    candidate = mutator.ask(dot.signature, [Parent(target_of(dot).canonical(DOT).text, 1.0)], np.random.default_rng(0))
    before = dict(zip(mutator._weights, mutator._chances(), strict=True))
    for _ in range(20):
        mutator.tell(type(candidate)("", "", steps=("operator",)), Evaluation(Status.WRONG, ""), None)
        mutator.tell(type(candidate)("", "", steps=("unroll-and-jam",)), Evaluation(Status.VALID, "", 2.0), 2.0)
    after = dict(zip(mutator._weights, mutator._chances(), strict=True))
    assert after["operator"] < before["operator"] / 2
    assert after["unroll-and-jam"] > before["unroll-and-jam"]
