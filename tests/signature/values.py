"""Values of every type, and kernels that take them."""

import functools

import numba
import numpy as np
from numba import float64 as f64
from numba import int64 as i64
from numba import njit

from symbiont_jit import Array, InOut, Out, evolvable
from symbiont_jit.signature import SCALARS

DTYPES = {name: scalar.dtype for name, scalar in SCALARS.items()}
INTEGERS = [name for name, dtype in DTYPES.items() if dtype.kind in "iu"]


def read_only(array):
    """The array, not to be written from now on."""
    array.flags.writeable = False
    return array


def misaligned(array):
    """A copy of an array that starts at an odd address."""
    copy = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class Sub(np.ndarray):
    """An array class of somebody's own."""


def require_same(found, wanted, what):
    """Equal bit for bit; a NaN is a NaN."""
    found, wanted = (np.atleast_1d(np.asarray(v, wanted.dtype)) for v in (found, wanted))
    assert found.shape == wanted.shape, what
    if wanted.dtype.kind in "fc":
        parts = wanted.real.dtype
        found, wanted = found.view(parts), wanted.view(parts)
        assert np.array_equal(np.isnan(found), np.isnan(wanted)), what
        found, wanted = found[~np.isnan(found)], wanted[~np.isnan(wanted)]
    assert found.tobytes() == wanted.tobytes(), what


@functools.cache
def same(name):
    """The kernel that gives its argument back."""
    T = getattr(numba, name)

    @evolvable(source=f"{SCALARS[name].c} same({SCALARS[name].c} x) {{ return x; }}")
    def same(x: T) -> T: ...

    return same


SCALE = """
double scale(int64_t n, int64_t m, double factor, const double x[n][m], const double y[n], double out[n][m], int64_t *count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) sum += out[i][j] = factor * x[i][j] + y[i];
    *count += n * m;
    return sum;
}"""


@evolvable(source=SCALE)
def scale(
    factor: f64, x: Array[f64, "n", "m"], y: Array[f64, "n"], out: Out[f64, "n", "m"], count: InOut[i64]
) -> f64: ...


@njit
def scale_loop(kernel, factor, x, y, out, count):
    return kernel(factor, x, y, out, count)


def good():
    """Arguments that fit, by name."""
    x = np.arange(6.0).reshape(2, 3)
    return {"factor": 2.0, "x": x, "y": np.array([0.5, 1.5]), "out": np.zeros((2, 3)), "count": np.zeros(1, np.int64)}


def require_good(call, arguments=None):
    """A call computes what it should."""
    arguments = good() if arguments is None else arguments
    wanted = arguments["factor"] * np.asarray(arguments["x"]) + np.asarray(arguments["y"]).ravel()[:, None]
    assert call(*arguments.values()) == wanted.sum()
    assert np.array_equal(arguments["out"], wanted)
    assert arguments["count"] == wanted.size
