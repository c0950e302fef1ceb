"""Unroll-and-jam: what becomes of loops, sums and maxima, and what is left alone."""

import numpy as np
import pytest

from symbiont_jit.c.loops import count_unrolled_copies, loops_in, main_loops
from symbiont_jit.c.tree import brace, parse
from symbiont_jit.propose.transform import TRANSFORMATIONS
from tests.kernels import DOT, MATMUL
from tests.propose.transform.applying import apply_until, canonical


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


@pytest.mark.slow
def test_jam_stops_at_a_number_of_copies():
    """Jams of jams end before the unrolled code is larger than any machine has registers for."""
    tree = parse(MATMUL)
    brace(tree)
    rng = np.random.default_rng(0)
    for _ in range(100):
        TRANSFORMATIONS["unroll-and-jam"].apply(tree, rng)
    assert 32 <= count_unrolled_copies(tree) <= 256
