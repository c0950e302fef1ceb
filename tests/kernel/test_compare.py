"""Variants of one function side by side: what can be compared, what is wrong with some, what cannot be compared."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import symbiont_jit as sj
from symbiont_jit import UsageError, evolvable
from tests.kernels import DOT, DOT_HEAD, MATMUL, SORT, dot, matmul

SECONDS = 0.05
FAST = DOT.replace("double s", "\n#pragma clang fp reassociate(on)\n    double s")


@njit
def compiled(x, y):
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * y[i]
    return s


def draw(rng):
    return rng.random(200), rng.random(200)


@pytest.mark.slow
def test_c_kernels_revisions_njit_and_numpy(tmp_path):
    """All of them take turns on the same arguments; machine code is described where there is some."""
    path = tmp_path / "dot.c"
    path.write_text(FAST)
    kernel = evolvable(dot)
    variants = {
        "C": DOT,
        "file": path,
        "kernel": kernel,
        "revision": kernel.revision(0),
        "njit": compiled,
        "numpy": np.dot,
    }
    found = sj.compare(variants, draw, seconds=SECONDS)
    assert [row.name for row in found] == [*variants]
    assert all(row.problem is None for row in found)
    assert all(row.ns.value > 0 and row.ratio.value > 0 for row in found)
    assert found["C"].verdict == "first"
    assert found["C"].code_bytes > 0
    assert found["numpy"].code_bytes is None
    assert found["file"].vector_bits >= 128
    text = str(found)
    assert all(name in text for name in variants)
    assert "'C' against itself" in text


@pytest.mark.slow
def test_what_is_wrong_with_a_variant():
    """Other results, a crash and a call that does not return are each a row; the others are measured all the same."""
    variants = {
        "right": DOT,
        "wrong": f"{DOT_HEAD} {{ return 1; }}",
        "changes": f"{DOT_HEAD} {{ ((double *)(intptr_t)x)[0] = 3; return 0; }}",
        "crashes": f"{DOT_HEAD} {{ return *(const volatile double *)(x + (1LL << 44)); }}",
        "also right": FAST,
    }
    found = sj.compare(variants, draw, seconds=SECONDS)
    assert "expected" in found["wrong"].problem
    assert "const" in found["changes"].problem
    assert "SIGSEGV" in found["crashes"].problem
    assert (found["right"].problem, found["also right"].problem) == (None, None)
    assert [row.verdict == "problem" for row in found] == [False, True, True, True, False]


@pytest.mark.slow
def test_what_is_timed_is_compared():
    """A variant that is right at first and wrong later, one that raises, and one of another shape are each a problem."""
    calls = []

    def tired(x, y):
        calls.append(1)
        return np.dot(x, y) if len(calls) < 5 else 0.0

    def spoils(x, y):
        s = np.dot(x, y)
        x[:] = 0
        return s

    def refuses(x, y):
        raise UsageError("mine")

    variants = {
        "C": DOT,
        "tired": tired,
        "spoils": spoils,
        "refuses": refuses,
        "shape": lambda x, y: np.ones(3),
        "good": np.dot,
    }
    found = sj.compare(variants, draw, seconds=SECONDS)
    assert [row.name for row in found if row.problem] == ["tired", "spoils", "refuses", "shape"]
    assert "mine" in found["refuses"].problem


@pytest.mark.slow
class Unspeakable(Exception):
    """An exception without a text."""

    def __str__(self):
        raise ValueError


@pytest.mark.slow
def test_whatever_a_variant_does_is_its_own_row():
    """One that forks, one whose exception has no text, and one with a long text, beside one that is right."""

    def forks(x, y):
        os.fork()
        return float(np.dot(x, y))

    def raises(x, y):
        raise Unspeakable

    def tells(x, y):
        raise ValueError("x" * 10_000_000)

    variants = {"first": DOT, "raises": raises, "tells": tells, "forks": forks}
    found = sj.compare(variants, draw, seconds=SECONDS)
    assert found["first"].problem is None
    assert "Unspeakable: its text cannot be made" in found["raises"].problem
    assert len(found["tells"].problem) < 2000


def test_several_sizes():
    """Inputs are drawn for each size, and every row knows its size."""
    found = sj.compare(
        {"a": DOT, "b": FAST}, lambda rng, n: (rng.random(n), rng.random(n)), sizes=[5, 50], seconds=SECONDS
    )
    assert found.sizes == (5, 50)
    assert [(row.name, row.size) for row in found] == [("a", 5), ("b", 5), ("a", 50), ("b", 50)]
    assert found["b", 50].size == 50
    with pytest.raises(KeyError):
        found["b", 7]


@pytest.mark.slow
@pytest.mark.parametrize("cold", [False, True])
def test_arguments_that_are_changed(cold):
    """A sort gets its numbers unsorted each time, also from Python, and in cold caches."""

    def sort(x: np.ndarray) -> None:
        assert not (np.diff(x) > 0).all()
        x.sort()

    found = sj.compare(
        {"C": SORT, "numpy": sort}, lambda rng: (rng.permutation(30.0 + np.arange(30)),), seconds=SECONDS, cold=cold
    )
    assert [row.problem for row in found] == [None, None]


@pytest.mark.slow
def test_json_and_html():
    """Both have all that the table has; what is not known is null."""
    found = sj.compare(
        {"<a>": DOT, "b": f"{DOT_HEAD} {{ return *(const volatile double *)(x + (1LL << 44)); }}"},
        draw,
        seconds=SECONDS,
    )
    rows = json.loads(found.to_json())["rows"]
    assert [row["name"] for row in rows] == ["<a>", "b"]
    assert rows[1]["ns"]["value"] is None
    assert "&lt;a&gt;" in found._repr_html_()


@pytest.mark.parametrize(
    ("variants", "inputs", "options", "said"),
    [
        ({}, draw, {}, "variants is a dictionary"),
        ([DOT], draw, {}, "variants is a dictionary"),
        ({1: DOT}, draw, {}, "names of variants are texts"),
        ({"a": 7}, draw, {}, "'a' is C text, a path"),
        ({"a": np.dot}, draw, {}, "no variant says what the signature is"),
        ({"a": DOT}, 7, {}, "inputs is a callable"),
        ({"a": DOT}, draw, {"seconds": 0}, "seconds is a number above 0"),
        ({"a": DOT}, draw, {"seconds": float("inf")}, "seconds is a number above 0"),
        ({"a": DOT}, draw, {"sizes": []}, "sizes is a list"),
        ({"a": DOT}, [draw(np.random.default_rng(0))], {"sizes": [3]}, "sizes is a list"),
        ({"a": DOT}, draw, {"profile": "fast"}, "profile"),
        ({"a": DOT}, draw, {"seed": -1}, "seed is a whole number from 0"),
        ({"a": DOT}, draw, {"seed": 1.5}, "seed is a whole number from 0"),
        ({"a": DOT}, draw, {"permissions": ["fly"]}, "fly"),
        ({"a": DOT, "b": SORT}, draw, {}, "different signatures"),
        ({"a": DOT}, lambda rng: (rng.random(3), rng.random(4)), {}, "do not fit the signature"),
        ({"a": Path("nowhere.c")}, draw, {}, "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_compared(variants, inputs, options, said):
    """It is a usage error that names what was given, before anything is measured."""
    with pytest.raises(UsageError, match=said):
        sj.compare(variants, inputs, **options)


def test_a_text_that_is_no_c():
    """Its findings are raised as anywhere else."""
    with pytest.raises(sj.CandidateError):
        sj.compare({"a": "double f(double x) { return system(0); }"}, lambda rng: (1.0,))


@pytest.mark.slow
def test_a_matrix_product_of_two_kinds():
    """An array that one variant says it writes and another one says it reads and writes is the same array."""
    kernel = evolvable(matmul, source=MATMUL)
    found = sj.compare(
        {"kernel": kernel, "C": MATMUL},
        lambda rng: (rng.random((4, 5)), rng.random((5, 6)), np.zeros((4, 6))),
        seconds=SECONDS,
    )
    assert [row.problem for row in found] == [None, None]


@pytest.mark.slow
@pytest.mark.parametrize("first", ["C", "Python"])
def test_a_large_element_frees_nothing_beside_it(first):
    """Each element is as exact as its own terms, whatever lies beside it; sums in another order are right all the same."""
    head = "void shift(int64_t n, const double x[n], double out[n])"
    right = f"{head} {{ for (int64_t i = 0; i < n; i++) out[i] = x[i] * 1.5 + 1; }}"

    @njit
    def shift(x, out):
        for i in range(x.shape[0]):
            out[i] = x[i] * 1.5 + 1

    def numbers(rng):
        return np.append(rng.random(100), 1e17), np.zeros(101)

    variants = {
        "first": right if first == "C" else shift,
        "same": f"{head} {{ for (int64_t i = n; i-- > 0;) out[i] = 1 + 1.5 * x[i]; }}",
        "left out": f"{head} {{ memset(out, 0, n * 8); out[n - 1] = x[n - 1] * 1.5 + 1; }}",
    }
    found = sj.compare(variants, numbers, seconds=SECONDS)
    assert found["same"].problem is None
    assert "elements differ" in found["left out"].problem
