"""The mutator's transformations: each one does what it says, and structural ones keep what is computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import float64 as f64

from symbiont_jit import Array, InOut, Mutator, Out, Status, evolvable
from symbiont_jit.c.loops import count_unrolled_copies, loops_in, main_loops
from symbiont_jit.c.tree import brace, parse, print_tree
from symbiont_jit.engine.target import target_of
from symbiont_jit.evaluate.evaluation import Evaluation
from symbiont_jit.evaluate.timing import Harness
from symbiont_jit.propose.base import Parent
from symbiont_jit.propose.transform import TRANSFORMATIONS
from tests.kernels import DOT, MATMUL

#: A body of `void f(int64_t n, int64_t m, double a[n][m], double x[n])` before, the transformation, and after.
GOLDEN = {
    "interchange": (
        "for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) a[i][j] = 0;",
        "for (int64_t j = 0; j < m; j++) { for (int64_t i = 0; i < n; i++) { a[i][j] = 0; } }",
    ),
    "distribute": (
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; a[i][0] = 2; }",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; } for (int64_t i = 0; i < n; i++) { a[i][0] = 2; }",
    ),
    "fuse": (
        "for (int64_t i = 0; i < n; i++) x[i] = 1; for (int64_t k = 0; k < n; k++) a[k][0] = 2;",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; { a[i][0] = 2; } }",
    ),
    "accumulate-in-place": (
        "for (int64_t i = 0; i < n; i++) { double s = 1; for (int64_t j = 0; j < m; j++) s += a[i][j]; x[i] = s; }",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; for (int64_t j = 0; j < m; j++) { x[i] += a[i][j]; } }",
    ),
    "interchange-reduction": (
        "for (int64_t i = 0; i < n; i++) { double s = 1; for (int64_t j = 0; j < m; j++) s += a[i][j]; x[i] = s; }",
        "for (int64_t i = 0; i < n; i++) { x[i] = 1; } "
        "for (int64_t j = 0; j < m; j++) { for (int64_t i = 0; i < n; i++) { x[i] += a[i][j]; } }",
    ),
    "scalar-replacement": (
        "for (int64_t i = 0; i < n; i++) x[0] += a[i][0];",
        "{ double s_1 = x[0]; for (int64_t i = 0; i < n; i++) { s_1 += a[i][0]; } x[0] = s_1; }",
    ),
    "if-conversion": (
        "if (x[0] > 1) x[0] = 1;",
        "x[0] = (x[0] > 1) ? (1) : (x[0]);",
    ),
}  # fmt: skip

HEAD = "void f(int64_t n, int64_t m, double a[n][m], double x[n])"


def canonical(body):
    tree = parse(f"{HEAD} {{ {body} }}")
    brace(tree)
    return tree


@pytest.mark.parametrize("name", GOLDEN)
def test_transformation(name):
    """The transformation turns the loop as written into the loop as documented."""
    before, after = GOLDEN[name]
    tree = canonical(before)
    assert TRANSFORMATIONS[name].apply(tree, np.random.default_rng(0))
    brace(tree)
    assert print_tree(tree) == print_tree(canonical(after))


def test_jam_unrolls_an_outer_loop_into_the_inner_one():
    """Copies of a scalar become an array, the inner loop stays one, a rest loop follows."""
    text = apply_until(MATMUL, "unroll-and-jam", "int64_t je_1 = m / 8 * 8;")
    assert "double s[8];" in text
    assert "s[u_1] += a[i][p] * b[p][j + u_1];" in text
    assert "for (int64_t j = je_1; j < m; j++)" in text


def test_jam_makes_several_accumulators_of_a_sum():
    """A reduction gets independent partial sums, added up after the loop."""
    text = apply_until(DOT, "unroll-and-jam", "double sa_1[4];")
    assert "sa_1[u_1] = 0;" in text
    assert "sa_1[u_1] += x[i + u_1] * y[i + u_1];" in text
    assert "s += sa_1[u_1];" in text


@pytest.mark.parametrize("update", ["if (x[i] > m) { m = x[i]; }", "m = (m < x[i]) ? (x[i]) : (m);"])
def test_jam_keeps_several_partial_maxima(update):
    """A running maximum, as a branch or as a choice, becomes partial maxima that are joined after the loop."""
    text = apply_until(
        f"double f(int64_t n, const double x[n]) {{ double m = 0; for (int64_t i = 0; i < n; i++) {{ {update} }} return m; }}",
        "unroll-and-jam",
        "double ma_1[4];",
    )
    assert "ma_1[u_1] = m;" in text
    assert "x[i + u_1] > ma_1[u_1]" in text or "ma_1[u_1] < x[i + u_1]" in text
    assert "if (ma_1[u_1] > m)\n" in text


def test_tile_keeps_the_last_partial_tile():
    """The inner loop ends at the tile or at the bound, whichever comes first."""
    text = apply_until(MATMUL, "tile", "+= 64")
    assert "for (int64_t j = jt_1; j < ((jt_1 + 64 < m) ? (jt_1 + 64) : (m)); j++)" in text


def test_hints_change_only_pragmas_and_qualifiers():
    """Pragmas stand where clang wants them, restrict on every array."""
    assert "double c[restrict n][m]" in apply_until(MATMUL, "restrict", "restrict")
    assert apply_until(DOT, "reassociate", "reassociate(on)").splitlines()[2].strip().startswith("#pragma clang fp")
    lines = apply_until(DOT, "loop-hint", "unroll_count(4)").splitlines()
    at = next(i for i, line in enumerate(lines) if "unroll_count" in line)
    assert lines[at + 1].strip().startswith("for (")


def apply_until(source, name, wanted):
    """The first of many random applications that has a text in it."""
    for seed in range(300):
        tree = parse(source)
        brace(tree)
        if TRANSFORMATIONS[name].apply(tree, np.random.default_rng(seed)) and wanted in print_tree(tree):
            return print_tree(tree)
    raise AssertionError(f"{name} never made {wanted!r}")


def test_what_is_no_counted_loop_is_left_alone():
    """Loops that change their counter or bounds, or leave by break, are not jammed."""
    for body in (
        "for (int64_t i = 0; i < n; i++) { if (x[i] > 1) { break; } }",
        "for (int64_t i = 0; i < n; i++) { i += 1; }",
        "for (int64_t i = 0; i < n; i++) { n -= 1; }",
        "while (n > 0) { n--; }",
    ):
        assert not TRANSFORMATIONS["unroll-and-jam"].apply(canonical(body), np.random.default_rng(0))


def test_rest_loops_and_short_loops_are_not_transformed_again():
    """After a jam only the main loops are offered to the next transformation."""
    tree = parse(apply_until(DOT, "unroll-and-jam", "double sa_1[4];"))
    brace(tree)
    assert len(list(loops_in(tree))) == 5
    assert [site.loop.step for site in main_loops(tree)] == [4]


# -- what is computed stays -------------------------------------------------------------------------------------------------

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


@evolvable
def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64: ...


@evolvable
def matmul(a: Array[f64, "n", "k"], b: Array[f64, "k", "m"], c: Out[f64, "n", "m"]) -> None: ...


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
@settings(max_examples=60, deadline=None, derandomize=True)
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


def test_every_transformation_is_described():
    """The table can be printed: each row has a first line of documentation."""
    assert all(len(t.description) > 10 for t in TRANSFORMATIONS.values())


@pytest.mark.slow
def test_jam_stops_at_a_number_of_copies():
    """Jams of jams end before the unrolled code is larger than any machine has registers for."""
    tree = parse(MATMUL)
    brace(tree)
    rng = np.random.default_rng(0)
    for _ in range(200):
        TRANSFORMATIONS["unroll-and-jam"].apply(tree, rng)
    assert 32 <= count_unrolled_copies(tree) <= 256
