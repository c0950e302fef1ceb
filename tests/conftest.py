"""Kernels that several tests use."""

import numpy as np
import pytest
from numba import float64 as f64

from symbiont_jit import Array, InOut, Out, evolvable
from symbiont_jit.backend.relocate import CannotLink

DOT = """double dot(int64_t n, const double x[n], const double y[n]) {
    double s = 0.0;
    for (int64_t i = 0; i < n; i++) s += x[i] * y[i];
    return s;
}"""

MATMUL = """void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m]) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
            double s = 0.0;
            for (int64_t p = 0; p < k; p++) s += a[i][p] * b[p][j];
            c[i][j] = s;
        }
}"""

SORT = """void sort(int64_t n, double x[n]) {
    for (int64_t i = 1; i < n; i++) {
        double key = x[i];
        int64_t j = i - 1;
        while (j >= 0 && x[j] > key) { x[j + 1] = x[j]; j--; }
        x[j + 1] = key;
    }
}"""


@pytest.fixture
def dot():
    """A kernel with a Python body and nothing else."""

    @evolvable
    def dot(x: Array[f64, "n"], y: Array[f64, "n"]) -> f64:
        """Inner product of x and y."""
        s = 0.0
        for i in range(x.shape[0]):
            s += x[i] * y[i]
        return s

    return dot


@pytest.fixture
def matmul():
    """A kernel with a Python body and a C source."""

    @evolvable(source=MATMUL)
    def matmul(a: Array[f64, "n", "k"], b: Array[f64, "k", "m"], c: Out[f64, "n", "m"]) -> None:
        for i in range(a.shape[0]):
            for j in range(b.shape[1]):
                s = 0.0
                for p in range(a.shape[1]):
                    s += a[i, p] * b[p, j]
                c[i, j] = s

    return matmul


@pytest.fixture
def sort():
    """A kernel that changes its argument."""

    @evolvable(source=SORT)
    def sort(x: InOut[f64, "n"]) -> None:
        x.sort()

    return sort


@pytest.fixture
def vectors():
    """Two vectors of a thousand numbers."""
    rng = np.random.default_rng(0)
    return rng.random(1000), rng.random(1000)


@pytest.fixture(params=["linker", "lljit"])
def loader(request, monkeypatch):
    """Which way code comes into the process: our linker's, or LLVM's LLJIT, as on other machines than x86-64."""
    if request.param == "lljit":
        monkeypatch.setattr("symbiont_jit.backend.loader.link", refuse_to_link)
    return request.param


def refuse_to_link(*_):
    """Our linker, for an object of which it knows too little."""
    raise CannotLink("this machine is another one")
