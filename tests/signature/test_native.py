"""Every type on its way from Python and Numba into C and back."""

import functools

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import int64 as i64
from numba import njit

from symbiont_jit import Array, InOut, Out, evolvable
from symbiont_jit.signature import SCALARS
from tests.signature.values import DTYPES, INTEGERS, require_same

ECHO = """
T echo(int64_t n, int64_t m, int64_t k, T value,
       const T x[n], const T xx[n][m], const T xxx[n][m][k],
       T y[n], T yy[n][m], T yyy[n][m][k],
       T z[n], T zz[n][m], T zzz[n][m][k], T *last, T *old, int64_t counts[4])
{
    counts[0] += 1, counts[1] = n, counts[2] = m, counts[3] = k;
    for (int64_t i = 0; i < n; i++) {
        y[i] = z[i], z[i] = x[i];
        for (int64_t j = 0; j < m; j++) {
            yy[i][j] = zz[i][j], zz[i][j] = xx[i][j];
            for (int64_t l = 0; l < k; l++) yyy[i][j][l] = zzz[i][j][l], zzz[i][j][l] = xxx[i][j][l];
        }
    }
    *old = *last, *last = value;
    return value;
}"""


def declared_echo(name):
    """A kernel with one parameter of each kind: what is read goes where was written, and that to what is filled."""
    T = getattr(numba, name)

    @evolvable(source=ECHO.replace("T ", f"{SCALARS[name].c} "))
    def echo(
        value: T,
        x: Array[T, "n"],
        xx: Array[T, "n", "m"],
        xxx: Array[T, "n", "m", "k"],
        y: Out[T, "n"],
        yy: Out[T, "n", "m"],
        yyy: Out[T, "n", "m", "k"],
        z: InOut[T, "n"],
        zz: InOut[T, "n", "m"],
        zzz: InOut[T, "n", "m", "k"],
        last: InOut[T],
        old: Out[T],
        counts: InOut[i64, 4],
    ) -> T:
        counts[0] += 1
        counts[1], counts[2], counts[3] = xxx.shape
        for i in range(x.shape[0]):
            y[i], z[i] = z[i], x[i]
            for j in range(xx.shape[1]):
                yy[i, j], zz[i, j] = zz[i, j], xx[i, j]
                for l in range(xxx.shape[2]):  # noqa: E741
                    yyy[i, j, l], zzz[i, j, l] = zzz[i, j, l], xxx[i, j, l]
        old[()], last[()] = last[()], value
        return value

    return echo


@njit
def echo_loop(kernel, times, value, x, xx, xxx, y, yy, yyy, z, zz, zzz, last, old, counts):
    result = value
    for _ in range(times):
        result = kernel(value, x, xx, xxx, y, yy, yyy, z, zz, zzz, last, old, counts)
    return result


@functools.cache
def ways_to_echo(name):
    """Functions of a number of times and the arguments: every way a kernel is called, in C and as a Python body."""
    echo = declared_echo(name)
    python, c = echo.revision(0), echo.revision(1)

    @njit
    def by_name(times, value, x, xx, xxx, y, yy, yyy, z, zz, zzz, last, old, counts):
        result = value
        for _ in range(times):
            result = echo(value, x, xx, xxx, y, yy, yyy, z, zz, zzz, last, old, counts)
        return result

    def from_python(kernel):
        return lambda times, *arguments: [kernel(*arguments) for _ in range(times)][-1]

    return {
        "from Python": from_python(echo),
        "handle from Python": from_python(c),
        "Python body from Python": from_python(python),
        "argument of a loop": functools.partial(echo_loop, echo),
        "handle, argument of a loop": functools.partial(echo_loop, c),
        "Python body, argument of a loop": functools.partial(echo_loop, python),
        "global of a loop": by_name,
    }


@st.composite
def echoed(draw, dtype):
    """A value, what a reference holds, and for each number of dimensions what is read and what is replaced."""
    shape = tuple(draw(st.integers(0, 5)) for _ in range(3))
    elements = hnp.from_dtype(dtype)
    value, last = (np.array(draw(elements), dtype)[()] for _ in range(2))
    read = [draw(hnp.arrays(dtype, shape[: i + 1], elements=elements)) for i in range(3)]
    replaced = [~a if dtype.kind == "b" else np.invert(a.view(np.uint8)).view(dtype) for a in read]
    return value, last, read, replaced


@pytest.mark.slow
@pytest.mark.parametrize("name", SCALARS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_every_type_comes_back_as_it_was(name, data):
    """As value, element and reference, from Python, loops and handles, in C and as a Python body; zero is a length."""
    dtype = DTYPES[name]
    value, held, read, replaced = data.draw(echoed(dtype))
    times = data.draw(st.integers(1, 2))
    is_boxed = data.draw(st.booleans())
    for way, call in ways_to_echo(name).items():
        filled = [np.zeros_like(a) for a in read]
        written = [a.copy() for a in replaced]
        last, old, counts = np.full(1, held), np.zeros((), dtype), np.zeros(4, np.int64)
        given_value = value.item() if is_boxed and way.endswith("from Python") else value
        result = call(times, given_value, *read, *filled, *written, last, old, counts)
        assert type(result) is type(value.item()), way
        assert counts.tolist() == [times, *read[-1].shape], way
        require_same(result, np.asarray(value), way)
        require_same(last, np.full(1, value), way)
        require_same(old, np.array(held if times == 1 else value), way)
        for found, wanted in zip(filled + written, (replaced if times == 1 else read) + read, strict=True):
            assert (found.dtype, found.shape, found.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes()), way


@functools.cache
def resized(name):
    """A kernel that makes an integer of 64 bits of its argument, and its own type of such an integer."""
    T, W = getattr(numba, name), numba.uint64 if name.startswith("u") else i64
    c, wide = SCALARS[name].c, f"{W}_t"

    @evolvable(source=f"{c} resized({c} x, {wide} big, {wide} *wide) {{ *wide = x; return ({c}) big; }}")
    def resized(x: T, big: W, wide: Out[W]) -> T:
        wide[()] = x
        return T(big)

    return resized


@njit
def resized_loop(kernel, x, big, wide):
    return kernel(x, big, wide)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["boolean", *INTEGERS])
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_narrow_integer_is_extended_as_its_sign_says(name, data):
    """What C makes of the bits above an argument's or a result's width does not depend on who calls and who is called."""
    dtype, wide_dtype = DTYPES[name], np.dtype("uint64" if name.startswith("u") else "int64")
    x, big = (np.array(data.draw(hnp.from_dtype(d)), d)[()] for d in (dtype, wide_dtype))
    kernel = resized(name)
    for number in range(2):
        revision = kernel.revision(number)
        for call in (revision, functools.partial(resized_loop, revision)):
            for given_x in (x, x.item()) if call is revision else (x,):
                wide = np.zeros((), wide_dtype)
                assert call(given_x, big, wide) == big.astype(dtype)
                assert wide == x
