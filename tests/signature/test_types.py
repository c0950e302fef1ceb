"""Every type on its way from Python and Numba into C and back: values, layouts, conversions, refusals.

Round trip: what goes in as a value, an element or by reference comes out bit for bit, whichever way a kernel is called.
Layout: a random record lies in C as it lies in NumPy.
Differential: two spellings of a call agree; complex arithmetic agrees with NumPy's.
"""

import functools

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import float64 as f64
from numba import int64 as i64
from numba import njit
from numba.core.errors import TypingError

import symbiont_jit as sj
from symbiont_jit import Array, InOut, KernelError, Out, SignatureError, evolvable
from symbiont_jit.signature import SCALARS

DTYPES = {name: scalar.dtype for name, scalar in SCALARS.items()}
INTEGERS = [name for name, dtype in DTYPES.items() if dtype.kind in "iu"]
FLOATS = [name for name, dtype in DTYPES.items() if dtype.kind == "f"]


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


# -- round trip -------------------------------------------------------------------------------------------------------

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
@settings(max_examples=15, deadline=None)
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


# -- scalars from Python ----------------------------------------------------------------------------------------------


@functools.cache
def same(name):
    """The kernel that gives its argument back."""
    T = getattr(numba, name)

    @evolvable(source=f"{SCALARS[name].c} same({SCALARS[name].c} x) {{ return x; }}")
    def same(x: T) -> T: ...

    return same


LIMITS = [sign * 2**bits for bits in (0, 7, 8, 15, 16, 31, 32, 63, 64) for sign in (-1, 1)]
NEAR_LIMITS = st.builds(lambda limit, step: limit + step, st.sampled_from(LIMITS), st.integers(-1, 1))


@pytest.mark.table
@pytest.mark.parametrize("name", INTEGERS)
@settings(max_examples=60, deadline=None)
@given(st.one_of(NEAR_LIMITS, st.integers(-(2**66), 2**66)))
def test_an_integer_comes_back_or_is_an_overflow_error(name, value):
    """Every value of the type is taken, no other is, and the next call is as good as any."""
    kernel, info = same(name), np.iinfo(DTYPES[name])
    if info.min <= value <= info.max:
        assert kernel(value) == kernel(x=value) == value
    else:
        for call in (lambda: kernel(value), lambda: kernel(x=value)):
            with pytest.raises(OverflowError, match=f"argument 'x' is {value} of type int, outside {name}"):
                call()
    assert kernel(7) == 7


#: What each kind of scalar takes, in NumPy's letters.
TAKEN_KINDS = {"b": "b", "i": "iub", "u": "iub", "f": "fiub", "c": "cfiub"}


def numbers(given, wanted):
    """Values of a type; for complex64, which NumPy overflows to with a warning, only such that fit."""
    width = {"width": {"f": 32, "c": 64}[given.kind]} if wanted == np.complex64 and given.kind in "fc" else {}
    elements = {"f": st.floats, "c": st.complex_numbers}[given.kind](**width) if width else hnp.from_dtype(given)
    return elements.map(lambda value: np.array(value, given)[()])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(sorted(SCALARS)), st.sampled_from(sorted(SCALARS)))
def test_a_numpy_scalar_is_taken_like_the_number_it_is(data, name, given_name):
    """By whatever way a number comes (NumPy, Python, keyword), the same arrives; kinds that would lose are refused."""
    kernel, dtype = same(name), DTYPES[name]
    value = data.draw(numbers(DTYPES[given_name], dtype))
    error, said = None, ""
    if value.dtype.kind not in TAKEN_KINDS[dtype.kind]:
        error, said = TypeError, f"which does not convert to {name} without loss"
    elif dtype.kind in "iu" and not np.iinfo(dtype).min <= int(value) <= np.iinfo(dtype).max:
        error, said = OverflowError, f"outside {name}"
    with np.errstate(over="ignore"):
        wanted = None if error else np.asarray(value).astype(dtype)
    for given_value in (value, value.item()):
        for call in (kernel, lambda x: kernel(x=x)):
            if error is None:
                require_same(call(given_value), wanted, (name, value))
            else:
                with pytest.raises(error, match=f"argument 'x' is .* of type .*, {said}"):
                    call(given_value)


NO_SCALARS = [None, "1", b"1", [1], (1,), np.array(1), np.ones(1), np.str_("1"), np.datetime64(1, "s"), np.timedelta64(1, "s"), np.void(b"1"), object()]  # fmt: skip


@pytest.mark.table
@pytest.mark.parametrize("value", NO_SCALARS, ids=lambda v: f"{type(v).__name__}")
@pytest.mark.parametrize("name", SCALARS)
def test_what_is_no_number_is_a_type_error(name, value):
    """The message names the argument and the wanted type; the next call is as good as any."""
    kernel = same(name)
    for call in (lambda: kernel(value), lambda: kernel(x=value)):
        with pytest.raises(TypeError, match=rf"same\(\): argument 'x' is .*; wanted same\(x: {name}\) -> {name}"):
            call()
    assert kernel(True) == 1


@pytest.mark.parametrize("name", [*FLOATS, "complex64", "complex128"])
def test_an_integer_beyond_every_float_is_an_overflow_error(name):
    """There is no silent infinity for an int."""
    with pytest.raises(OverflowError, match="outside float64"):
        same(name)(-(10**400))
    assert same(name)(2**60) == 2.0**60


def test_a_float_is_rounded_to_the_parameters_width():
    """A float32 parameter takes a double's nearest, an infinity where there is none."""
    assert same("float32")(0.1) == same("float32")(x=0.1) == float(np.float32(0.1))
    assert same("float32")(1e300) == same("float32")(x=1e300) == float("inf")


# -- arrays from Python -----------------------------------------------------------------------------------------------

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


BAD_ARRAYS = [
    ("x", lambda a: a.astype(np.float32), TypeError, r"has dtype float32, not float64; convert it with \.astype\(\)"),
    ("x", lambda a: a.astype(np.int64), TypeError, r"has dtype int64, not float64; convert it with \.astype\(\)"),
    ("x", lambda a: a.astype(">f8"), TypeError, r"has dtype >f8, not float64; convert it with \.astype\(\)"),
    ("x", lambda a: a.astype(np.complex128), TypeError, "has dtype complex128, not float64"),
    ("x", lambda a: a.astype(object), TypeError, "has dtype object, not float64"),
    ("out", lambda a: a.astype(np.float32), TypeError, "has dtype float32, not float64"),
    ("count", lambda a: a.astype(np.int32), TypeError, "has dtype int32, not int64"),
    ("x", lambda a: a[0], TypeError, "has 1 dimensions, not 2"),
    ("x", lambda a: a[None], TypeError, "has 3 dimensions, not 2"),
    ("y", lambda a: a[:, None], TypeError, "has 2 dimensions, not 1"),
    ("y", lambda a: np.array(1.0), TypeError, "has 0 dimensions, not 1"),
    ("x", lambda a: a.tolist(), TypeError, "of type list, not a NumPy array of float64"),
    ("x", lambda a: memoryview(a), TypeError, "of type memoryview, not a NumPy array of float64"),
    ("y", lambda a: 1.0, TypeError, "is 1.0 of type float, not a NumPy array of float64"),
    ("y", lambda a: np.float64(1.0), TypeError, "of type float64, not a NumPy array of float64"),
    ("y", lambda a: None, TypeError, "is None of type NoneType, not a NumPy array of float64"),
    ("count", lambda a: 0, TypeError, "is 0 of type int, not a NumPy array of int64"),
    ("factor", lambda a: np.array(2.0), TypeError, r"is an array of float64 with shape \(\), not a scalar float64"),
    ("factor", lambda a: 2j, TypeError, "is 2j of type complex, which does not convert to float64 without loss"),
    ("y", lambda a: a[:1], ValueError, r"has n = 1 \(axis 0\), but 'x' has n = 2"),
    ("y", lambda a: a[:0], ValueError, r"has n = 0 \(axis 0\), but 'x' has n = 2"),
    ("out", lambda a: np.zeros((2, 2)), ValueError, r"has m = 2 \(axis 1\), but 'x' has m = 3"),
    ("out", lambda a: np.zeros((3, 2)), ValueError, r"has n = 3 \(axis 0\), but 'x' has n = 2"),
    ("count", lambda a: np.zeros(2, np.int64), ValueError, "one value by reference is a 0-d or one-element array"),
    ("count", lambda a: np.zeros(0, np.int64), ValueError, "one value by reference is a 0-d or one-element array"),
    ("count", lambda a: a[None], ValueError, r"has shape \(1, 1\); one value by reference"),
    ("x", np.asfortranarray, ValueError, r"is not C-contiguous; pass np\.ascontiguousarray\(\.\.\.\)"),
    ("x", lambda a: a[::-1], ValueError, r"is not C-contiguous; pass np\.ascontiguousarray\(\.\.\.\)"),
    ("x", lambda a: a.repeat(2, axis=1)[:, ::2], ValueError, r"is not C-contiguous; pass np\.ascontiguousarray\(\.\.\.\)"),
    ("x", lambda a: np.broadcast_to(a[0], (2, 3)), ValueError, r"is not C-contiguous; pass np\.ascontiguousarray\(\.\.\.\)"),
    ("y", lambda a: np.array([1 + 2j, 3 + 4j]).imag, ValueError, r"is not C-contiguous; pass np\.ascontiguousarray\(\.\.\.\)"),
    ("out", lambda a: a.T.reshape(2, 3, order="F"), ValueError, "is not C-contiguous; the kernel writes it: make a new array"),
    ("x", np.ma.masked_array, TypeError, r"is a masked array, whose mask C does not see; pass x\.filled\(value\)"),
    ("x", misaligned, ValueError, "is not aligned; pass a copy"),
    ("out", misaligned, ValueError, "is not aligned; the kernel writes it: make a new array"),
    ("count", misaligned, ValueError, "is not aligned; the kernel writes it: make a new array"),
    ("out", read_only, ValueError, r"is read-only, but the kernel writes it \(out\)"),
    ("count", read_only, ValueError, r"is read-only, but the kernel writes it \(inout\)"),
    ("out", lambda a: read_only(a).view(Sub), ValueError, r"is read-only, but the kernel writes it \(out\)"),
]  # fmt: skip


@pytest.mark.table
@pytest.mark.parametrize(
    ("name", "change", "error", "said"), BAD_ARRAYS, ids=[f"{i}-{row[0]}" for i, row in enumerate(BAD_ARRAYS)]
)
def test_an_array_that_does_not_fit_is_an_error(name, change, error, said):
    """The exception names the argument and ends with the signature, nothing is written, the next call works."""
    arguments = good()
    arguments[name] = change(arguments[name])
    for call in (lambda: scale(*arguments.values()), lambda: scale(**arguments)):
        with pytest.raises(error, match=rf"^scale\(\): argument '{name}' .*{said}") as caught:
            call()
        assert str(caught.value).endswith(f"; wanted {scale.signature}")
    assert not np.any(arguments["out"])
    assert not np.any(arguments["count"])
    require_good(scale)


def test_the_number_and_names_of_arguments_are_checked():
    """Too few, too many, unknown, missing and repeated arguments are a `TypeError` that shows the signature."""
    given = good()
    values = list(given.values())
    wrong = [
        ((), {}, "takes 5 arguments, got 0"),
        (values[:4], {}, "takes 5 arguments, got 4"),
        ([*values, 1], {}, "takes 5 arguments, got 6"),
        (values[:4], {"counts": values[4]}, r"keyword arguments \['counts'\]"),
        (values, {"count": values[4]}, r"keyword arguments \['count'\]"),
        (values[:4], {"x": values[1], "count": values[4]}, r"keyword arguments \['count', 'x'\]"),
        ((), dict(list(given.items())[:4]), "keyword arguments"),
    ]
    for positional, named, said in wrong:
        with pytest.raises(TypeError, match=said) as caught:
            scale(*positional, **named)
        assert str(scale.signature) in str(caught.value)
        require_good(scale)
    for count in range(6):
        require_good(
            lambda *args, count=count: scale(*args[:count], **dict(list(zip(good(), args, strict=True))[count:]))
        )


FORMS_OF_AN_ARRAY = {
    "memmap": lambda a, path: np.memmap(path / "array", a.dtype, "w+", shape=a.shape),
    "matrix": lambda a, path: a.copy().view(np.matrix),
    "subclass": lambda a, path: a.copy().view(Sub),
    "slice": lambda a, path: np.concatenate([a, a])[: len(a)],
    "metadata": lambda a, path: a.astype(np.dtype(a.dtype, metadata={"unit": "m"})),
    "read-only": lambda a, path: read_only(a.copy()),
    "bytes": lambda a, path: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}

SCALE_CALLS = {
    "by position": scale,
    "by name": lambda *values: scale(**dict(zip(good(), values, strict=True))),
    "in a loop": lambda *values: scale_loop(scale, *values),
}


@pytest.mark.table
@pytest.mark.parametrize("call", SCALE_CALLS.values(), ids=SCALE_CALLS)
@pytest.mark.parametrize("kind", FORMS_OF_AN_ARRAY)
def test_any_array_of_the_layout_is_taken(kind, call, tmp_path):
    """A subclass, a slice or somebody's buffer computes what the array itself does; what is filled is its memory."""
    array = FORMS_OF_AN_ARRAY[kind](good()["x"], tmp_path)
    if array.flags.writeable:
        require_good(call, good() | {"out": array})
        array[...] = good()["x"]
    require_good(call, good() | {"x": array})


def test_a_c_type_of_the_same_width_is_the_same_type():
    """NumPy has two integer types of 64 bits; arrays of both are taken."""
    for call in SCALE_CALLS.values():
        for code in "lq":
            require_good(call, good() | {"count": np.zeros(1, code)})


def test_a_memory_map_that_is_read_only_is_for_reading(tmp_path):
    """A file that is mapped to be read can be an input and no output; one that is mapped to be written is written."""
    np.arange(6.0).tofile(tmp_path / "in")
    x = np.memmap(tmp_path / "in", np.float64, "r", shape=(2, 3))
    out = np.memmap(tmp_path / "out", np.float64, "w+", shape=(2, 3))
    require_good(scale, good() | {"x": x, "out": out})
    out.flush()
    assert np.array_equal(np.fromfile(tmp_path / "out").reshape(2, 3), 2 * x + [[0.5], [1.5]])
    with pytest.raises(ValueError, match="'out' is read-only"):
        scale(*(good() | {"out": x}).values())


def test_one_value_by_reference_is_an_array_of_no_or_one_dimension():
    """0-d and one-element arrays are written through, from Python and as views of larger ones."""
    counts = np.zeros(3, np.int64)
    for count in (np.zeros((), np.int64), np.zeros(1, np.int64), counts[1:2], counts[2, ...]):
        require_good(scale, good() | {"count": count})
    assert counts.tolist() == [0, 6, 6]


# -- arrays from Numba ------------------------------------------------------------------------------------------------


BAD_TYPES = [
    ("x", lambda a: a.astype(np.float32), "is an array of float32, not float64"),
    ("x", lambda a: a[0], "has 1 dimensions, not 2"),
    ("x", np.asfortranarray, "is not known to be C-contiguous (layout 'F'); pass np.ascontiguousarray(...)"),
    ("y", lambda a: np.zeros(4)[::2], "is not known to be C-contiguous (layout 'A'); pass np.ascontiguousarray(...)"),
    ("y", lambda a: 1.0, "is float64, not an array of float64"),
    ("out", read_only, "is read-only, but the kernel writes it"),
    ("count", read_only, "is read-only, but the kernel writes it"),
    ("count", lambda a: a[None], "has 2 dimensions; one value by reference is a 0-d or one-element array"),
    ("factor", lambda a: 2j, "is complex128, not float64"),
]


@pytest.mark.parametrize(
    ("name", "change", "said"), BAD_TYPES, ids=[f"{i}-{row[0]}" for i, row in enumerate(BAD_TYPES)]
)
def test_a_type_that_does_not_fit_is_a_typing_error(name, change, said):
    """The message has the argument's place, what is wrong and the wanted signature; the next call works."""
    arguments = good()
    place = list(arguments).index(name) + 1
    arguments[name] = change(arguments[name])
    with pytest.raises(TypingError) as caught:
        scale_loop(scale, *arguments.values())
    assert f"argument 'arg{place}' {said}; wanted kernel(arg1: float64, " in str(caught.value)
    require_good(functools.partial(scale_loop, scale))


def test_the_number_of_arguments_is_checked_by_numba():
    """Too few, too many or named arguments are typing errors."""

    @njit
    def few(kernel, x):
        return kernel(1.0, x)

    @njit
    def many(kernel, x):
        return kernel(1.0, x, x, x, x, x)

    @njit
    def named(kernel, x):
        return kernel(1.0, x, x, x, count=x)

    for function, said in [(few, "2 arguments given, 5 wanted"), (many, "6 arguments given"), (named, "by position")]:
        with pytest.raises(TypingError, match=said):
            function(scale, np.zeros(1))


def test_lengths_are_checked_by_compiled_code():
    """Lengths that disagree are a `ValueError` before anything is written; read-only arrays are read."""
    call = functools.partial(scale_loop, scale)
    for name, array in [("y", np.zeros(3)), ("out", np.zeros((2, 2))), ("count", np.zeros(2, np.int64))]:
        arguments = good() | {name: array}
        with pytest.raises(ValueError, match=r"argument \d (and .* differ in|does not have) length"):
            call(*arguments.values())
        assert not np.any(arguments["out"])
        require_good(call)
    require_good(call, good() | {"x": read_only(good()["x"])})


@pytest.mark.slow
def test_numba_converts_numbers_as_for_its_own_signatures():
    """Integers become floats and narrower or wider integers; a float never becomes an integer."""

    @njit
    def loop(kernel, x):
        return kernel(x)

    assert [loop(same("int8"), v) for v in (-3, 300, True)] == [-3, 44, 1]
    assert [loop(same("float32"), v) for v in (3, True, 0.1)] == [3.0, 1.0, float(np.float32(0.1))]
    assert [loop(same("complex64"), v) for v in (3, 0.5, 1 + 2j)] == [3, 0.5, 1 + 2j]
    assert [loop(same("boolean"), v) for v in (True, False)] == [True, False]
    for name, value in [("int64", 1.0), ("boolean", 1), ("boolean", 1.0), ("float64", 1j), ("uint8", 1j)]:
        with pytest.raises(TypingError, match=f"argument 'arg1' is .*, not {name}"):
            loop(same(name), value)


# -- literal and repeated dimensions ----------------------------------------------------------------------------------


@evolvable(
    source="""
double turn(int64_t n, const double r[3][3], const double w[n][n][2], const double x[n][3], double out[n][3])
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        for (int j = 0; j < 3; j++) {
            out[i][j] = 0.0;
            for (int k = 0; k < 3; k++) out[i][j] += r[j][k] * x[i][k];
        }
        for (int64_t j = 0; j < n; j++) sum += w[i][j][0] - w[j][i][1];
    }
    return sum;
}"""
)
def turn(
    r: Array[f64, 3, 3], w: Array[f64, "n", "n", 2], x: Array[f64, "n", 3], out: Out[Array[f64, "n", 3]]
) -> f64: ...


@njit
def turn_loop(kernel, r, w, x, out):
    return kernel(r, w, x, out)


TURNS = {"from Python": turn, "from Numba": functools.partial(turn_loop, turn)}


@pytest.mark.parametrize("call", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize("n", range(4))
def test_literal_dimensions_stand_with_named_ones(call, n):
    """Literal lengths have no argument in C; a dimension that is named twice is passed once."""
    assert turn.c_prototype.startswith("double turn(int64_t n, const double r[3][3], const double w[n][n][2], ")
    rng = np.random.default_rng(n)
    r, w, x, out = (rng.integers(-9, 9, s).astype(float) for s in [(3, 3), (n, n, 2), (n, 3), (n, 3)])
    assert call(r, w, x, out) == w[..., 0].sum() - w[..., 1].sum()
    assert np.array_equal(out, x @ r.T)


@pytest.mark.parametrize("call", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize(
    "shapes",
    [
        [(3, 2), (2, 2, 2), (2, 3), (2, 3)],
        [(2, 3), (2, 2, 2), (2, 3), (2, 3)],
        [(0, 3), (2, 2, 2), (2, 3), (2, 3)],
        [(3, 3), (2, 2, 2), (2, 4), (2, 3)],
        [(3, 3), (2, 1, 2), (2, 3), (2, 3)],
        [(3, 3), (1, 2, 2), (2, 3), (2, 3)],
        [(3, 3), (2, 2, 3), (2, 3), (2, 3)],
        [(3, 3), (2, 2, 2), (2, 3), (1, 3)],
        [(3, 3), (2, 2, 2), (0, 3), (2, 3)],
    ],
)
def test_a_wrong_length_is_a_value_error(call, shapes):
    """A literal that is missed and a name with two lengths are told, nothing is written, the next call works."""
    arrays = [np.ones(shape) for shape in shapes]
    with pytest.raises(ValueError, match="argument"):
        call(*arrays)
    assert np.all(arrays[-1] == 1.0)
    out = np.zeros((1, 3))
    assert call(np.eye(3), np.ones((1, 1, 2)), np.full((1, 3), 7.0), out) == 0.0
    assert np.all(out == 7.0)


def test_the_message_of_a_wrong_length_says_which():
    """From Python, the axis and the length that it must have, or the two lengths of a name."""
    r, w, x, out = (np.ones(s) for s in [(3, 3), (2, 2, 2), (2, 3), (2, 3)])
    with pytest.raises(ValueError, match=r"argument 'r' has shape \(2, 3\); axis 0 must have length 3"):
        turn(r[:2], w, x, out)
    with pytest.raises(ValueError, match=r"argument 'w' has n = 1 \(axis 1\), but 'w' has n = 2"):
        turn(r, w[:, :1].copy(), x, out)
    with pytest.raises(ValueError, match=r"argument 'out' has n = 1 \(axis 0\), but 'w' has n = 2"):
        turn(r, w, x, out[:1])
    with pytest.raises(ValueError, match="axis 1 of argument 1 does not have length 3"):
        turn_loop(turn, np.ones((3, 2)), w, x, out)


# -- layout of records ------------------------------------------------------------------------------------------------

# A record's fields as (name, type, lengths); the type is a scalar's name or the fields of an inner record.

DIMENSIONS = st.one_of(st.just(()), st.just(()), st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple))


def record_fields(depth, most, is_for_numba=False):
    """Fields of a record with records inside down to a depth; Numba has no records with sub-arrays of bool."""
    types = st.sampled_from(sorted(SCALARS))
    if depth:
        types = st.one_of(types, types, record_fields(depth - 1, 3, is_for_numba))
    field = st.tuples(types, DIMENSIONS)
    if is_for_numba:
        field = field.filter(lambda field: field[0] != "boolean" or not field[1])
    fields = st.lists(field, min_size=1, max_size=most)
    return fields.map(lambda fields: tuple((f"f{i}", *field) for i, field in enumerate(fields)))


FIELDS = record_fields(2, 8)


def dtype_of(fields):
    """The aligned dtype of fields, by NumPy alone."""
    return np.dtype([(n, dtype_of(t) if isinstance(t, tuple) else DTYPES[t], d) for n, t, d in fields], align=True)


def class_of(fields, name):
    """A class made by `@record`, with the inner ones named after their fields."""
    annotations = {}
    for field, typ, dims in fields:
        inner = class_of(typ, f"{name}_{field}") if isinstance(typ, tuple) else getattr(numba, typ)
        annotations[field] = Array[(inner, *dims)] if dims else inner
    return sj.record(type(name, (), {"__annotations__": annotations}))


def structs_of(fields, tag):
    """The struct of fields and those inside it: tag and dtype."""
    yield tag, dtype_of(fields)
    for name, typ, _ in fields:
        if isinstance(typ, tuple):
            yield from structs_of(typ, f"{tag}_{name}")


def copies_of(fields, source, target, depth=0):
    """C that copies a record field by field."""
    for name, typ, dims in fields:
        indices = [f"i{depth + axis}" for axis in range(len(dims))]
        loops = "".join(f"for (int {i} = 0; {i} < {d}; {i}++) " for i, d in zip(indices, dims, strict=True))
        place = name + "".join(f"[{i}]" for i in indices)
        inner = [f"{target}{place} = {source}{place};"]
        if isinstance(typ, tuple):
            inner = copies_of(typ, f"{source}{place}.", f"{target}{place}.", depth + len(dims))
        yield f"{loops}{{ {' '.join(inner)} }}"


def copying_kernel(fields, kind):
    """A kernel that copies a record and many, and says how large the structs are and where their fields."""
    R = dtype_of(fields) if kind == "dtype" else class_of(fields, "Rec")
    tag = "many" if kind == "dtype" else "Rec"
    said = []
    for struct, dtype in structs_of(fields, tag):
        said.append((f"sizeof(struct {struct})", dtype.itemsize))
        said += [(f"offsetof(struct {struct}, {n})", dtype.fields[n][1]) for n in dtype.names]
    COUNT = len(said)

    def copy(one: R, many: Array[R, "n"], first: Out[R], out: InOut[R, "n"], layout: Out[i64, COUNT]) -> i64: ...

    kernel = evolvable(copy)
    kernel.swap(
        f"{kernel.c_prototype} {{ {' '.join(copies_of(fields, 'one->', 'first->'))}\n"
        f"for (int64_t n0 = 0; n0 < n; n0++) {{ {' '.join(copies_of(fields, 'many[n0].', 'out[n0].'))} }}\n"
        f"{' '.join(f'layout[{i}] = {c};' for i, (c, _) in enumerate(said))} return sizeof(*many); }}"
    )
    return kernel, R, [number for _, number in said]


def filled(dtype, length, seed):
    """An array of random bytes in which a bool is 0 or 1."""
    array = np.frombuffer(np.random.default_rng(seed).bytes(length * dtype.itemsize), np.uint8).copy().view(dtype)
    for leaf in leaves(array):
        if leaf.dtype.kind == "b":
            leaf.view(np.uint8)[...] &= 1
    return array


def leaves(array):
    """The scalar fields of an array of records, as views."""
    if array.dtype.names is None:
        return [array]
    return [leaf for name in array.dtype.names for leaf in leaves(array[name])]


def require_equal_records(found, wanted):
    """Every scalar field has the same bits; what is between them does not matter."""
    for one, other in zip(leaves(found), leaves(wanted), strict=True):
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()


def require_copied(call, kernel_of, length, seed):
    """A kernel of `copying_kernel` copies from `many` to `out`, the last of them alone to `first`, and knows the layout."""
    _, R, wanted = kernel_of
    dtype = R if isinstance(R, np.dtype) else R.dtype
    many, out = filled(dtype, length, seed), filled(dtype, length, seed + 1)
    first, layout = np.zeros(1, dtype), np.zeros(len(wanted), np.int64)
    assert call(many[-1:], many, first, out, layout) == dtype.itemsize
    assert layout.tolist() == wanted
    require_equal_records(out, many)
    require_equal_records(first, many[-1:])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dtype", "class"])
@settings(max_examples=13, deadline=None)
@given(fields=FIELDS, length=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_a_record_lies_in_c_as_in_numpy(kind, fields, length, seed):
    """Sizes, offsets and every scalar of random records with sub-arrays and records inside, copied field by field."""
    made = copying_kernel(fields, kind)
    kernel, R, _ = made
    if kind == "class":
        assert R.dtype == dtype_of(fields)
        assert R.dtype.isalignedstruct
    for call in (kernel, kernel, kernel.revision(0)):
        require_copied(call, made, length, seed)
    empty = np.zeros(0, dtype_of(fields))
    one, layout = np.zeros(1, dtype_of(fields)), np.zeros(len(made[2]), np.int64)
    assert kernel(one, empty, one.copy(), empty.copy(), layout) == empty.itemsize


@njit
def copy_loop(kernel, one, many, first, out, layout):
    return kernel(one[0], many, first, out, layout)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(
    fields=record_fields(1, 5, is_for_numba=True), kind=st.sampled_from(["dtype", "class"]), seed=st.integers(0, 2**32)
)
def test_a_record_lies_in_c_as_in_numba(fields, kind, seed):
    """The same through a compiled loop, the scalar record as an element of an array."""
    made = copying_kernel(fields, kind)
    require_copied(functools.partial(copy_loop, made[0]), made, 3, seed)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(fields=FIELDS)
def test_a_dtype_that_is_not_laid_out_like_c_is_refused(fields):
    """A packed dtype is taken where C would lay it out so anyway; otherwise the message says `align=True`."""
    dtype = dtype_of(fields)
    packed = np.dtype([(n, dtype.fields[n][0]) for n in dtype.names])

    def k(r: packed) -> None: ...

    if packed == dtype:
        assert evolvable(k).signature.params[0].type.dtype.dtype == dtype
    else:
        with pytest.raises(SignatureError, match=r"k: parameter 'r'.* not laid out like a C struct.*align=True"):
            evolvable(k)


REFUSED_DTYPES = [
    (np.dtype([("a", "i1"), ("b", "f8")]), r"align=True"),
    (np.dtype([("a", "i1"), ("b", np.dtype([("c", "i1"), ("d", "f8")]))], align=True), r"field 'b'.*align=True"),
    (np.dtype({"names": ["a", "b"], "formats": ["i4", "f8"], "offsets": [4, 8]}), r"align=True"),
    (np.dtype({"names": ["a", "b"], "formats": ["f8", "f8"], "offsets": [8, 0]}), r"align=True"),
    (np.dtype({"names": ["a", "b"], "formats": ["f8", "i4"], "offsets": [0, 0]}), r"align=True"),
    (np.dtype({"names": ["a"], "formats": ["f8"], "offsets": [0], "itemsize": 32}), r"align=True"),
    (np.dtype([("a", ">f8")], align=True), r"field 'a'.* native byte order"),
    (np.dtype([("a", ">i4", (3,))], align=True), r"field 'a'.* native byte order"),
    (np.dtype([("a", np.dtype([("b", ">i4")], align=True))], align=True), r"field 'b'.* native byte order"),
    (np.dtype([("a", object)], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "S4")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "U4")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "V4")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "M8[s]")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "f2")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "g")], align=True), r"field 'a'.*a field is a scalar, a sub-array or a record"),
    (np.dtype([("a", "f8", (0,))], align=True), r"field 'a'.*at least one element"),
    (np.dtype([("a b", "f8")], align=True), r"field 'a b'.*underscores"),
    (np.dtype([("int", "f8")], align=True), r"field 'int'.*'int_'"),
    (np.dtype([]), r"aligned structured dtype"),
]


@pytest.mark.parametrize(("dtype", "said"), REFUSED_DTYPES, ids=range(len(REFUSED_DTYPES)))
def test_a_dtype_with_no_struct_is_refused(dtype, said):
    """As parameter, element and field of a record, with what to write instead."""

    def one(r: dtype) -> None: ...
    def many(r: Array[dtype, "n"]) -> None: ...
    def out(r: Out[dtype]) -> None: ...

    for function in (one, many, out):
        with pytest.raises(SignatureError, match=rf"^{function.__name__}: parameter 'r'.*{said}"):
            evolvable(function)
    with pytest.raises(SignatureError, match=rf"^record 'Rec', field 'x'.*{said}"):
        sj.record(type("Rec", (), {"__annotations__": {"x": dtype}}))


# -- records as arguments ---------------------------------------------------------------------------------------------


@sj.record
class Vec:
    """Three numbers."""

    v: Array[f64, 3]


@sj.record
class Body:
    """A record with a record, a sub-array and holes."""

    tag: numba.int8
    at: Vec
    mass: f64
    grid: Array[numba.int16, 2, 2]
    is_fixed: bool


@evolvable(
    source="""
double move(const struct Body *from, struct Body *to, struct Vec *sum)
{
    *to = *from;
    to->tag = -from->tag;
    for (int i = 0; i < 3; i++) sum->v[i] += from->at.v[i];
    return from->mass;
}"""
)
def move(frm: Body, to: Out[Body], sum: InOut[Vec]) -> f64:
    to.tag = -frm.tag
    to.mass = frm.mass
    to.is_fixed = frm.is_fixed
    for i in range(3):
        to.at.v[i] = frm.at.v[i]
        sum.v[i] += frm.at.v[i]
    for i in range(2):
        for j in range(2):
            to.grid[i, j] = frm.grid[i, j]
    return frm.mass


def bodies():
    """Three different records."""
    made = np.zeros(3, Body.dtype)
    made["tag"] = [1, 2, -3]
    made["at"]["v"] = np.arange(9.0).reshape(3, 3)
    made["mass"] = [0.5, 1.5, 2.5]
    made["grid"] = np.arange(12).reshape(3, 2, 2)
    made["is_fixed"] = [True, False, True]
    return made


def require_moved(call, frm, to, total):
    """`move` writes through its arguments; what it was given and what it wrote is seen in the arrays."""
    source, before = np.array(frm).reshape(()).view(Body.dtype), np.array(total["v"]).ravel()
    assert call(frm, to, total) == source["mass"]
    for name in ("at", "mass", "grid", "is_fixed"):
        assert np.array(to[name]).tobytes() == source[name].tobytes()
    assert to["tag"] == -source["tag"]
    assert np.array_equal(np.array(total["v"]).ravel(), before + source["at"]["v"])


FORMS = {
    "np.void": lambda array, i: array[i],
    "0-d view": lambda array, i: array[i, ...],
    "one element": lambda array, i: array[i : i + 1],
    "np.record": lambda array, i: array.view(np.recarray)[i],
    "np.recarray": lambda array, i: array.view(np.recarray)[i : i + 1],
    "subclass": lambda array, i: array.view(Sub)[i : i + 1],
}


@pytest.mark.table
@pytest.mark.parametrize("given_as", FORMS)
@pytest.mark.parametrize("taken_as", FORMS)
def test_a_record_is_an_element_or_an_array_of_one(given_as, taken_as):
    """Every form of one record is read, and written through to the array it is of."""
    frm, to, total = bodies(), np.zeros(4, Body.dtype), np.zeros(2, Vec.dtype)
    for kernel in (move, move, move.revision(1)):
        for i in range(3):
            require_moved(kernel, FORMS[given_as](frm, i), FORMS[taken_as](to, i + 1), FORMS[taken_as](total, 1))
    assert to["mass"].tolist() == [0.0, 0.5, 1.5, 2.5]
    assert to["tag"].tolist() == [0, -1, -2, 3]
    assert np.array_equal(total["v"], [[0, 0, 0], [27, 36, 45]])
    assert np.array_equal(frm, bodies())


def test_a_record_of_its_own_is_written():
    """A 0-d array and an `np.void` that belongs to no array are arguments too."""
    to, total = np.zeros((), Body.dtype), np.zeros(1, Vec.dtype)[0].copy()
    require_moved(move, bodies()[1].copy(), to, total)
    assert (to["mass"], total["v"].tolist()) == (1.5, [3.0, 4.0, 5.0])


def test_a_record_inside_a_record_is_an_argument():
    """A field that is a record, or an element of one that is a sub-array, is written where it lies."""
    holder = np.zeros(2, np.dtype([("n", "i1"), ("one", Body.dtype), ("sums", Vec.dtype, (2,))], align=True))
    require_moved(move, bodies()[2], holder[1]["one"], holder[1]["sums"][1])
    assert holder["one"]["mass"].tolist() == [0.0, 2.5]
    assert holder["sums"]["v"].sum(axis=2).tolist() == [[0, 0], [0, 21]]


@njit
def move_elements(kernel, frm, i, to, j, total):
    return kernel(frm[i], to[j], total[0])


@njit
def move_arrays(kernel, frm, to, total):
    return kernel(frm, to, total)


@pytest.mark.slow
@pytest.mark.parametrize("revision", [0, 1])
@pytest.mark.parametrize("view", [np.ndarray, np.recarray], ids=["ndarray", "recarray"])
def test_a_record_is_an_element_or_an_array_of_one_in_numba(view, revision):
    """`array[i]` and an array of one, of plain and of record arrays, are read and written where they lie."""
    kernel = move.revision(revision)
    frm, to, total = bodies().view(view), np.zeros(4, Body.dtype).view(view), np.zeros(1, Vec.dtype).view(view)
    for i in range(3):
        assert move_elements(kernel, frm, i, to, i + 1, total) == frm["mass"][i]
        assert move_arrays(kernel, frm[i : i + 1], to[:1], total) == frm["mass"][i]
    assert to["mass"].tolist() == [2.5, 0.5, 1.5, 2.5]
    assert np.array_equal(to["at"]["v"][1:], frm["at"]["v"])
    assert np.array_equal(to["grid"][1:], frm["grid"])
    assert total["v"].tolist() == [[18, 24, 30]]


def test_a_record_is_an_argument_of_a_compiled_function():
    """An `np.void` that goes into a loop arrives in C as the element it is of."""
    frm, to, total = bodies(), np.zeros(2, Body.dtype), np.zeros(1, Vec.dtype)
    assert move_arrays(move, frm[1], to[1], total[0]) == 1.5
    assert (to["mass"].tolist(), total["v"].tolist()) == ([0, 1.5], [[3, 4, 5]])


def test_records_that_do_not_fit_are_refused():
    """Another dtype, a number, several elements and a read-only array are errors; the next call works."""
    other = np.zeros(1, np.dtype([("tag", "i1"), ("mass", "f8")], align=True))
    alike = np.zeros(1, np.dtype([(n, "i8" if n == "mass" else Body.dtype[n]) for n in Body.dtype.names], align=True))
    to, total = np.zeros(1, Body.dtype), np.zeros(1, Vec.dtype)
    wrong = [
        ((other, to, total), TypeError, "argument 'frm' has dtype"),
        ((alike, to, total), TypeError, "argument 'frm' has dtype"),
        ((other[0], to, total), TypeError, "argument 'frm' has dtype"),
        ((bodies()[0].item(), to, total), TypeError, "of type tuple, not a record of"),
        ((1.0, to, total), TypeError, "is 1.0 of type float, not a record of"),
        ((bodies(), to, total), ValueError, r"has shape \(3,\); one value by reference"),
        ((bodies()[0], to[:0], total), ValueError, r"has shape \(0,\); one value by reference"),
        ((bodies()[0], to, bodies()), TypeError, "argument 'sum' has dtype"),
        ((bodies()[0], read_only(to.copy()), total), ValueError, "'to' is read-only, but the kernel writes it"),
    ]
    for arguments, error, said in wrong:
        with pytest.raises(error, match=said):
            move(*arguments)
        assert not to["mass"][0]
    assert move(bodies()[1], to, total) == 1.5
    for arguments, said in [
        ((other, to, total), "argument 'arg1' is an array of Record"),
        ((alike, to, total), "argument 'arg1' is an array of Record"),
        ((other[0], to, total), "argument 'arg1' is Record"),
        ((bodies()[:1], read_only(to.copy()), total), "argument 'arg2' is read-only"),
        ((1.0, to, total), "argument 'arg1' is float64, not an array of Body"),
    ]:
        with pytest.raises(TypingError) as caught:
            move_arrays(move, *arguments)
        assert said in str(caught.value)
    with pytest.raises(ValueError, match="argument 1 does not have length 1"):
        move_arrays(move, bodies(), to, total)
    assert move_arrays(move, bodies()[:1], to, total) == 0.5


PACKED = np.dtype([("x", "f8"), ("y", "i4"), ("z", "f4")])


@evolvable(
    source="""
double total(int64_t n, const struct p p[n], struct q *q)
{
    for (int64_t i = 0; i < n; i++) q->x += p[i].x, q->y += p[i].y, q->z += p[i].z;
    return q->x;
}"""
)
def total(p: Array[PACKED, "n"], q: InOut[PACKED]) -> f64: ...


@njit
def total_of_element(kernel, p, q, i):
    return kernel(p, q[i])


def test_a_packed_dtype_that_c_would_lay_out_so_is_as_good_as_an_aligned_one():
    """Arrays of both are taken, whichever was declared, and elements of both in compiled code."""
    aligned = np.dtype(PACKED.descr, align=True)
    for one, other in [(PACKED, PACKED), (PACKED, aligned), (aligned, PACKED), (aligned, aligned)]:
        p, q = np.array([(1, 2, 3), (4, 5, 6)], one), np.zeros(1, other)
        assert total(p, q) == 5.0
        assert total(p.view(np.recarray), q[0]) == 10.0
        assert total_of_element(total, p.astype(aligned), q, 0) == 15.0
        assert q[0].item() == (15.0, 21, 27.0)
    misplaced = misaligned(np.array([(1, 2, 3)], aligned))
    with pytest.raises(ValueError, match="'p' is not aligned"):
        total(misplaced, q)


# -- complex arithmetic -----------------------------------------------------------------------------------------------


@functools.cache
def arithmetic(name):
    """The kernel that adds, subtracts, multiplies and divides."""
    T, c = getattr(numba, name), SCALARS[name].c

    @evolvable(source=f"void four({c} x, {c} y, {c} out[4]) {{ out[0] = x + y; out[1] = x - y; out[2] = x * y; out[3] = x / y; }}")  # fmt: skip
    def four(x: T, y: T, out: Out[T, 4]) -> None: ...

    return four


MODERATE = st.one_of(st.floats(2.0**-20, 2.0**20, width=32), st.floats(-(2.0**20), -(2.0**-20), width=32), st.just(0.0))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tolerance"), [("complex64", 5e-7), ("complex128", 1e-15)])
@settings(max_examples=200, deadline=None)
@given(st.builds(complex, MODERATE, MODERATE), st.builds(complex, MODERATE, MODERATE), st.integers(1, 99))
def test_complex_arithmetic_is_numpys(name, tolerance, x, y, odd):
    """Sums and products are those of NumPy's scalars to the last bit, quotients to a few; arrays of NumPy's may fuse."""
    typ = DTYPES[name].type
    x, y = typ(x) / typ(odd), typ(y or 1.0) * typ(odd)
    out = np.empty(4, typ)
    arithmetic(name)(x, y, out)
    for found, wanted in zip(out[:3], (x + y, x - y, x * y), strict=True):
        require_same(found, np.asarray(wanted), (x, y))
    assert abs(out[3] - x / y) <= tolerance * abs(x / y)


# -- what was wrong once -----------------------------------------------------------------------------------------------


def test_an_element_of_a_read_only_array_is_read_only():
    """An `np.void` of a buffer that nobody may write is refused where the kernel writes."""
    buffer = bytes(2 * Body.dtype.itemsize)
    to, sums = np.frombuffer(buffer, Body.dtype), np.zeros(1, Vec.dtype)
    with pytest.raises(ValueError, match="'to' is read-only, but the kernel writes it"):
        move(bodies()[1], to[0], sums)
    assert not any(buffer)


def test_a_misaligned_element_is_refused():
    """An `np.void` that lies at an odd address is refused as its array is."""
    holder = np.zeros(1, np.dtype([("n", "i1"), ("at", Body.dtype)]))
    sums = np.zeros(1, Vec.dtype)
    for source, target in ((holder[0]["at"], bodies()[0]), (bodies()[0], holder[0]["at"])):
        with pytest.raises(ValueError, match=r"is not aligned; (pass a copy|the kernel writes it: make a new array)"):
            move(source, target, sums)


def test_a_misaligned_array_of_a_packed_dtype_is_refused():
    """That NumPy calls a packed dtype aligned anywhere does not put its numbers where C may read them."""
    with pytest.raises(ValueError, match="'p' is not aligned"):
        total(misaligned(np.array([(1, 2, 3)], PACKED)), np.zeros(1, PACKED))


def test_numba_takes_an_array_of_a_packed_dtype():
    """A packed dtype that C would lay out so is as good in compiled code as from Python."""

    @njit
    def loop(kernel, p, q):
        return kernel(p, q)

    assert loop(total, np.ones(2, PACKED), np.zeros(1, PACKED)) == 2.0


class Metres(float):
    """A float with a name."""


class Phasor(complex):
    """A complex number with a name."""


def test_a_subclass_of_a_number_is_what_it_derives_from():
    """A float is no integer, whatever its class is called."""
    assert same("float64")(Metres(1.5)) == 1.5
    for name, value in [("int64", Metres(1.5)), ("uint8", Metres(1.5)), ("int64", Phasor(1)), ("float64", Phasor(1))]:
        with pytest.raises(
            TypeError, match=rf"same\(\): argument 'x' is .*, which does not convert to {name} without loss"
        ):
            same(name)(value)


@pytest.mark.parametrize("value", [1e300, 1e300 + 0j, np.complex128(1e300), 10**300])
def test_a_complex_number_is_rounded_to_the_parameters_width(value):
    """A complex64 parameter takes an infinity without a warning, at the first call and later, as float32 does."""

    @evolvable(source="float _Complex f(float _Complex x) { return x; }")
    def f(x: numba.complex64) -> numba.complex64: ...

    assert f(value) == f(x=value) == f(value) == complex(float("inf"), 0.0)


def test_a_python_body_that_numba_cannot_type_is_a_kernel_error():
    """Numba has no records with sub-arrays of bool; what it raises then is no NumbaError."""
    Flags = sj.record(type("Flags", (), {"__annotations__": {"f": Array[numba.boolean, 2]}}))

    @evolvable
    def f(flags: Flags) -> bool:
        return flags.f[0]

    with pytest.raises(KernelError, match="Numba cannot compile the Python body of 'f'"):
        f(np.zeros(1, Flags.dtype))


ZERO = np.dtype(("f8", (0,)))
INNER = np.dtype([("b", "f8")], align=True)


def test_a_sub_array_without_elements_is_refused():
    """In a dtype, of scalars or of records, and in a class."""
    for dtype in (np.dtype([("a", INNER, (0,))], align=True), np.dtype([("a", "f8", (0,))], align=True)):

        def f(r: dtype) -> None: ...

        with pytest.raises(SignatureError, match=r"field 'a'.*at least one element"):
            evolvable(f)
    with pytest.raises(SignatureError, match=r"field 'a'.*at least one element"):
        sj.record(type("Rec", (), {"__annotations__": {"a": ZERO}}))


@pytest.mark.parametrize("lengths", [(2**31 - 1,), (2**30, 2**30)])
def test_a_record_that_numpy_cannot_hold_is_refused(lengths):
    """A record of more than 2 GiB is the caller's mistake."""
    with pytest.raises(SignatureError, match="record 'Rec'"):
        sj.record(type("Rec", (), {"__annotations__": {"a": Array[(f64, *lengths)]}}))


def test_a_record_is_declared_in_code_that_is_no_module():
    """`exec` with a name that is not imported, as notebooks and runners do."""
    scope = {"__name__": "nowhere", "sj": sj}
    exec("@sj.record\nclass C:\n    x: float\n", scope)
    assert scope["C"].dtype == np.dtype([("x", "f8")])


def test_the_fields_of_a_base_class_are_not_lost():
    """A class that derives from a record has its fields or is refused, decorated or not."""

    @sj.record
    class Base:
        x: float

    class Plain(Base):
        y: int

    def f(r: Plain) -> None: ...

    with pytest.raises(SignatureError, match="Plain"):
        evolvable(f)
    try:
        made = sj.record(Plain)
    except SignatureError:
        return
    assert made.dtype.names == ("x", "y")


ALIGNED_BUT = [
    np.dtype([(("T", "a"), "f8")], align=True),
    np.dtype({"names": ["a"], "formats": ["f8"], "offsets": [0], "itemsize": 32}, align=True),
    np.dtype({"names": ["a", "b"], "formats": ["i4", "f8"], "offsets": [4, 8]}, align=True),
]


@pytest.mark.parametrize("dtype", ALIGNED_BUT, ids=["title", "itemsize", "offsets"])
def test_the_advice_for_an_aligned_dtype_is_another(dtype):
    """What is aligned already is not told to be aligned."""

    def f(r: dtype) -> None: ...

    with pytest.raises(SignatureError) as caught:
        evolvable(f)
    assert "make it with np.dtype(..., align=True)" not in str(caught.value)


def test_the_advice_for_a_field_is_one_that_a_field_can_follow():
    """A field has literal lengths; a message does not say to name them."""
    with pytest.raises(SignatureError) as caught:
        sj.record(type("Rec", (), {"__annotations__": {"a": f64[::1]}}))
    assert 'Array[float64, "n"]' not in str(caught.value)
