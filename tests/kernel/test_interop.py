"""Kernels as C functions: ctypes, cffi, SciPy."""

import ctypes

import cffi
import numpy as np
import pytest
from numba import complex128 as c128
from numba import float32 as f32
from numba import float64 as f64
from numba import int8 as i8
from numba import int64 as i64
from numba import njit
from numba import uint16 as u16
from scipy import integrate, ndimage

import symbiont_jit as sj
from symbiont_jit import Array, Group, InOut, Kernel, Out, UsageError, evolvable
from tests.kernels import CUBE

# -- the address ------------------------------------------------------------------------------------------------------


def test_ctypes_knows_the_types(square):
    """`kernel.ctypes` has argument types, so that Python numbers and arrays of pointers convert."""

    @evolvable(
        source="float mix(int64_t n, const double x[n], int8_t k, uint16_t u, bool b) { return x[0] + k + u + b; }"
    )
    def mix(x: Array[f64, "n"], k: i8, u: u16, b: bool) -> f32: ...

    x = np.array([0.5])
    pointer = x.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
    assert mix.ctypes(1, pointer, -3, 65535, True) == 65533.5
    assert square.ctypes(2) == 4.0
    with pytest.raises(ctypes.ArgumentError):
        square.ctypes("2")


def test_ctypes_has_no_complex_numbers():
    """Complex numbers by value are refused with what to use instead."""

    @evolvable(source="double _Complex turn(double _Complex z) { return z * _Complex_I; }")
    def turn(z: c128) -> c128: ...

    with pytest.raises(UsageError, match="from C or Cython"):
        turn.ctypes  # noqa: B018  asking is enough


def test_cffi_calls_by_the_address_alone(square):
    """Cffi needs a declaration and the number."""
    ffi = cffi.FFI()
    function = ffi.cast("double (*)(double)", square.address)
    assert function(5.0) == 25.0
    square.swap(CUBE)
    assert function(2.0) == 8.0


def test_cffi_passes_records_and_arrays():
    """A struct of cffi's is the record."""

    @sj.record
    class Candle:
        open: f64
        close: f64

    @evolvable(
        source="""double rise(int64_t n, const struct Candle c[n], int64_t *count)
        { double s = 0; for (int64_t i = 0; i < n; i++) s += c[i].close - c[i].open; *count += n; return s; }"""
    )
    def rise(c: Array[Candle, "n"], count: InOut[i64]) -> f64: ...

    ffi = cffi.FFI()
    ffi.cdef("struct Candle { double open; double close; };")
    function = ffi.cast("double (*)(int64_t, const struct Candle *, int64_t *)", rise.address)
    candles = ffi.new("struct Candle[2]", [(1.0, 3.0), (2.0, 2.5)])
    count = ffi.new("int64_t *", 40)
    assert (function(2, candles, count), count[0]) == (2.5, 42)


def test_a_member_of_a_group_has_an_address():
    """The pointer of a member follows the swaps of its group."""
    group = Group()

    @group.evolvable
    def low(x: f64) -> f64: ...

    @group.evolvable
    def high(x: f64) -> f64: ...

    text = "double low(double x) {{ return x - {0}; }} double high(double x) {{ return low(x) + 2 * {0}; }}"
    group.swap(text.format(1))
    functions = low.ctypes, high.ctypes
    assert [f(0.0) for f in functions] == [-1.0, 1.0]
    group.swap(text.format(5))
    assert [f(0.0) for f in functions] == [-5.0, 5.0]
    assert integrate.quad(low.low_level_callable(), 0.0, 1.0)[0] == pytest.approx(-4.5)


def test_the_address_works_in_another_numba_function(square):
    """A ctypes function is a function to Numba too."""
    function = square.ctypes

    @njit
    def through_ctypes(x):
        return function(x)

    assert through_ctypes(3.0) == 9.0


# -- SciPy ------------------------------------------------------------------------------------------------------------


def test_quad_integrates_a_kernel(square):
    """`integrate.quad` calls the active revision without Python."""
    callback = square.low_level_callable()
    assert integrate.quad(callback, 0.0, 3.0)[0] == pytest.approx(9.0)
    square.swap(CUBE)
    assert integrate.quad(callback, 0.0, 2.0)[0] == pytest.approx(4.0)


def test_quad_passes_further_numbers_as_arguments():
    """Parameters after the first are what `args` gives; a vector takes all of them."""

    @evolvable(source="double line(double x, double a, double b) { return a * x + b; }")
    def line(x: f64, a: f64, b: f64) -> f64: ...

    @evolvable(source="double poly(int64_t n, const double x[n]) { return n == 3 ? x[1] * x[0] + x[2] : -1; }")
    def poly(x: Array[f64, "n"]) -> f64: ...

    for callback in (line.low_level_callable(), poly.low_level_callable("quad")):
        assert integrate.quad(callback, 0.0, 2.0, args=(3.0, 1.0))[0] == pytest.approx(8.0)


@pytest.mark.slow
def test_generic_filter_runs_a_kernel():
    """`ndimage.generic_filter` gives each window to the kernel, and follows swaps."""

    @evolvable
    def spread(window: Array[f64, "n"]) -> f64:
        low = window[0]
        high = window[0]
        for value in window:
            low = min(low, value)
            high = max(high, value)
        return high - low

    image = np.random.default_rng(0).random((12, 9))
    callback = spread.low_level_callable()
    expected = ndimage.generic_filter(image, np.ptp, size=3)
    np.testing.assert_array_equal(ndimage.generic_filter(image, callback, size=3), expected)
    spread.swap("double spread(int64_t n, const double w[n]) { return w[n / 2]; }")
    np.testing.assert_array_equal(ndimage.generic_filter(image, callback, size=3), image)


def test_generic_filter1d_runs_a_kernel():
    """`ndimage.generic_filter1d` gives each line and the place for its result."""

    @evolvable(
        source="""void differences(int64_t m, int64_t n, const double x[m], double out[n])
        { for (int64_t i = 0; i < n; i++) out[i] = x[i + 2] - x[i]; }"""
    )
    def differences(x: Array[f64, "m"], out: Out[f64, "n"]) -> None: ...

    image = np.random.default_rng(0).random((4, 9))
    got = ndimage.generic_filter1d(image, differences.low_level_callable(), 3)
    np.testing.assert_array_equal(got[:, 1:-1], image[:, 2:] - image[:, :-2])


def test_scipy_takes_no_other_signature(square):
    """What SciPy cannot call is refused with the signatures that it can."""

    @evolvable(source="int64_t count(int64_t n, const int64_t x[n]) { return n; }")
    def count(x: Array[i64, "n"]) -> i64: ...

    with pytest.raises(UsageError, match=r"generic_filter: \(window: Array\[float64"):
        count.low_level_callable()
    with pytest.raises(UsageError, match="takes no callback like square"):
        square.low_level_callable("generic_filter1d")
    with pytest.raises(UsageError, match="there is no kind 'cubature'"):
        square.low_level_callable("cubature")


def weighted():
    """A filter with one more array than SciPy passes."""
    return Kernel.from_c("""
        double weighted(int64_t n, int64_t m, const double x[n], const double w[m])
        { double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * w[i % m]; return s; }
    """)


def test_user_data_is_the_last_argument():
    """An array that the callback has besides what SciPy passes; what is written to it later is seen."""
    image, weights = np.arange(20.0).reshape(4, 5), np.arange(9.0)
    callback = weighted().low_level_callable(user_data=weights)
    for scale in (1.0, 2.0):
        weights[:] = scale * np.arange(9.0)
        expected = ndimage.generic_filter(image, lambda x: (x * weights).sum(), size=3)
        assert np.array_equal(ndimage.generic_filter(image, callback, size=3), expected)
    line = Kernel.from_c("double line(double x, const double p[2]) { return p[0] + p[1] * x; }")
    assert integrate.quad(line.low_level_callable(user_data=np.array([1.0, 4.0])), 0, 1)[0] == pytest.approx(3.0)


@pytest.mark.parametrize("given", [3.0, np.zeros(2, np.float32), np.zeros((2, 2)), np.zeros(6)[::2]], ids=str)
def test_user_data_has_to_fit(given):
    """The message says what is given and what the kernel takes."""
    with pytest.raises(UsageError, match="user_data does not fit weighted"):
        weighted().low_level_callable(user_data=given)


def test_user_data_needs_a_parameter(square):
    """A kernel of numbers alone has no place for it."""
    with pytest.raises(UsageError, match="a last parameter like"):
        square.low_level_callable(user_data=np.zeros(2))


def test_a_window_of_a_literal_length():
    """It is called for windows of that length; for others SciPy raises an error."""
    sum9 = Kernel.from_c(
        "double f(const double w[9]) { double s = 0; for (int i = 0; i < 9; i++) s += w[i]; return s; }"
    )
    image = np.arange(20.0).reshape(4, 5)
    expected = ndimage.generic_filter(image, np.sum, size=3)
    assert np.allclose(ndimage.generic_filter(image, sum9.low_level_callable(), size=3), expected)
    with pytest.raises(RuntimeError):
        ndimage.generic_filter(image, sum9.low_level_callable(), size=2)


def test_quad_with_other_arguments_is_not_a_number():
    """A kernel of two numbers is not called with one and whatever lies behind it."""
    callback = Kernel.from_c("double f(double x, double a) { return x * a; }").low_level_callable()
    with pytest.warns(integrate.IntegrationWarning):
        assert np.isnan(integrate.quad(callback, 0, 3)[0])
    assert integrate.quad(callback, 0, 3, args=(2.0,))[0] == pytest.approx(9.0)
