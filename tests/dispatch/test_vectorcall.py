"""The way in from Python: numbers and arrays that are taken, converted or refused with a clear exception."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symbiont_jit import evolvable
from symbiont_jit.signature import SCALARS
from tests.signature.values import (
    DTYPES,
    INTEGERS,
    Sub,
    good,
    misaligned,
    read_only,
    require_good,
    require_same,
    same,
    scale,
    scale_loop,
)

FLOATS = [name for name, dtype in DTYPES.items() if dtype.kind == "f"]


# -- scalars from Python ----------------------------------------------------------------------------------------------

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


# -- what was wrong once -----------------------------------------------------------------------------------------------


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
