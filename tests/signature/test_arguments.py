"""Arguments: which of them fit a signature, and why the others do not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import uint64 as u64

from symbiont_jit import evolvable
from symbiont_jit.signature import SCALARS, Param, Signature, check_arguments, signature_of
from tests.signature.declared import declare
from tests.signature.values import read_only

ONE = np.ones(3)
PACKED = np.dtype([("a", "i1"), ("b", "f8")])
UNALIGNED = np.zeros(25, np.uint8)[1:].view(np.float64)
TAKEN = [
    ("x: f64", 1.5),
    ("x: f64", 1),
    ("x: f64", True),
    ("x: f64", np.float32(1)),
    ("x: f64", np.int8(1)),
    ("x: f64", float("nan")),
    ("x: f32", 1e300),
    ("x: i64", 2**63 - 1),
    ("x: i64", -(2**63)),
    ("x: i64", True),
    ("x: i64", np.uint8(3)),
    ("x: i64", np.bool_(True)),
    ("x: u64", 2**64 - 1),
    ("x: u64", np.uint64(2**64 - 1)),
    ("x: np.uint8", 255),
    ("x: np.int8", np.int64(-128)),
    ("x: bool", True),
    ("x: bool", np.bool_(False)),
    ("x: Array[f64, 'n']", ONE),
    ("x: Array[f64, 'n']", np.ones(0)),
    ("x: Array[f64, 'n']", read_only(np.ones(3))),
    ("x: Array[f64, 'n']", np.ones(6)[2:5]),
    ("x: Array[f64, 3]", ONE),
    ("x: Array[f64, 'n', 3]", np.ones((0, 3))),
    ("x: Array[f64, 'n', 'n']", np.ones((2, 2))),
    ("x: Array[bool, 'n']", np.ones(3, bool)),
    ("x: Out[f64, 'n']", np.ones(3)),
    ("x: InOut[f64]", np.array(1.0)),
    ("x: InOut[f64]", np.array([1.0])),
]


@pytest.mark.parametrize(("parameters", "value"), TAKEN)
def test_argument_is_taken(parameters, value):
    """What converts without loss and has the layout is no problem."""
    assert check_arguments(signature_of(declare(parameters)), (value,)) is None


NOT_TAKEN = [
    ("x: f64", "1.0", TypeError, "str"),
    ("x: f64", None, TypeError, "None"),
    ("x: f64", 1j, TypeError, "complex"),
    ("x: f64", np.complex64(1), TypeError, "complex64"),
    ("x: f64", np.array(1.0), TypeError, "shape ()"),
    ("x: f64", ONE, TypeError, "shape (3,)"),
    ("x: f64", [1.0], TypeError, "list"),
    ("x: f64", np.datetime64(0, "s"), TypeError, "datetime64"),
    ("x: f64", 10**400, (TypeError, OverflowError), "float64"),
    ("x: i64", 1.0, TypeError, "without loss"),
    ("x: i64", np.float32(1), TypeError, "without loss"),
    ("x: i64", 2**63, OverflowError, "outside int64"),
    ("x: i64", -(2**63) - 1, OverflowError, "outside int64"),
    ("x: i64", 2**64, OverflowError, "outside int64"),
    ("x: i64", 10**30, OverflowError, "outside int64"),
    ("x: i64", 10**5000, OverflowError, "outside int64"),
    ("x: i64", np.uint64(2**63), OverflowError, "outside int64"),
    ("x: u64", -1, OverflowError, "outside uint64"),
    ("x: u64", 2**64, OverflowError, "outside uint64"),
    ("x: np.uint8", 256, OverflowError, "outside uint8"),
    ("x: np.int8", -129, OverflowError, "outside int8"),
    ("x: np.int8", np.int64(128), OverflowError, "outside int8"),
    ("x: bool", 1, TypeError, "without loss"),
    ("x: bool", 0.0, TypeError, "without loss"),
    ("x: Array[f64, 'n']", [1.0, 2.0], TypeError, "not a NumPy array of float64"),
    ("x: Array[f64, 'n']", np.float64(1), TypeError, "not a NumPy array"),
    ("x: Array[f64, 'n']", None, TypeError, "not a NumPy array"),
    ("x: Array[f64, 'n']", np.ones(3, np.float32), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones(3, np.int64), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones(3, ">f8"), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones(3, object), TypeError, ".astype()"),
    ("x: Array[f64, 'n']", np.ones((3, 1)), TypeError, "2 dimensions, not 1"),
    ("x: Array[f64, 'n']", np.array(1.0), TypeError, "0 dimensions, not 1"),
    ("x: Array[f64, 'n', 'm']", ONE, TypeError, "1 dimensions, not 2"),
    ("x: Array[f64, 'n']", np.ones(6)[::2], ValueError, "ascontiguousarray"),
    ("x: Array[f64, 'n']", np.ones(3)[::-1], ValueError, "ascontiguousarray"),
    ("x: Array[f64, 'n', 'm']", np.asfortranarray(np.ones((2, 3))), ValueError, "ascontiguousarray"),
    ("x: Array[f64, 'n']", UNALIGNED, ValueError, "aligned"),
    ("x: Array[f64, 'n', 3]", np.ones((3, 2)), ValueError, "axis 1 must have length 3"),
    ("x: Array[f64, 3, 'n']", np.ones((2, 3)), ValueError, "axis 0 must have length 3"),
    ("x: Array[f64, 'n', 'n']", np.ones((2, 3)), ValueError, "n = 3 (axis 1)"),
    ("x: Out[f64, 'n']", read_only(np.ones(3)), ValueError, "read-only"),
    ("x: InOut[f64, 'n']", read_only(np.ones(3)), ValueError, "read-only"),
    ("x: InOut[f64]", read_only(np.ones(1)), ValueError, "read-only"),
    ("x: InOut[f64]", 1.0, TypeError, "not a NumPy array"),
    ("x: InOut[f64]", np.float64(1), TypeError, "not a NumPy array"),
    ("x: InOut[f64]", np.ones(2), ValueError, "0-d or one-element"),
    ("x: InOut[f64]", np.ones(0), ValueError, "0-d or one-element"),
    ("x: InOut[f64]", np.ones((1, 1)), ValueError, "0-d or one-element"),
    ("x: InOut[i64]", np.ones(1), TypeError, "make a new array, contiguous and of dtype int64, and pass that one"),
    ("x: Out[f64, 'n']", np.ones(3, np.float32), TypeError, "make a new array, contiguous and of dtype float64"),
    ("x: Out[f64, 'n']", np.ones(6)[::2], ValueError, "make a new array, contiguous and of dtype float64"),
    ("x: InOut[f64, 'n', 'm']", np.asfortranarray(np.ones((2, 3))), ValueError, "the kernel writes it: make a new"),
    ("x: Out[f64, 'n']", UNALIGNED, ValueError, "is not aligned; the kernel writes it: make a new array"),
    ("x: Array[Mixed, 'n']", np.zeros(2, PACKED), TypeError, "convert it with .astype(Mixed.dtype), or make its dtype"),
    ("x: Mixed", np.zeros(2, PACKED)[0], TypeError, "convert it with .astype(Mixed.dtype)"),
    ("x: Out[Mixed, 'n']", np.zeros(2, PACKED), TypeError, "of the same dtype as the kernel's, and pass that one"),
    ("x: Array[Mixed, 'n']", np.zeros(2), TypeError, "has dtype float64, not {'names': ['a', 'b']"),
]


@pytest.mark.parametrize(
    ("parameters", "value", "kind", "said"), NOT_TAKEN, ids=[f"{p}-{i}" for i, (p, *_) in enumerate(NOT_TAKEN)]
)
def test_argument_is_not_taken(parameters, value, kind, said):
    """The problem has the exception's type for its kind, names the argument and ends with the signature."""
    signature = signature_of(declare(parameters))
    problem = check_arguments(signature, (value,))
    assert isinstance(problem, kind)
    assert str(problem).startswith("k(): argument 'x' ")
    assert said in str(problem)
    assert str(problem).endswith(f"; wanted {signature}")
    assert len(str(problem)) < 400
    if signature.params[0].mode != "in":
        assert not re.search(r"astype|ascontiguous|a copy", str(problem)), "the result would go into the copy"


def test_arguments_of_several_arrays_agree_in_their_dimensions():
    """A dimension that is named twice has one length; the message names both arrays."""
    signature = signature_of(declare("x: Array[f64, 'n'], a: Array[f64, 'm', 'n'], y: Array[f64, 'm']"))
    good = (np.ones(3), np.ones((2, 3)), np.ones(2))
    assert check_arguments(signature, good) is None
    problem = check_arguments(signature, (np.ones(3), np.ones((2, 4)), np.ones(2)))
    assert "argument 'a' has n = 4 (axis 1), but 'x' has n = 3" in str(problem)
    problem = check_arguments(signature, (np.ones(3), np.ones((2, 3)), np.ones(3)))
    assert "argument 'y' has m = 3 (axis 0), but 'a' has m = 2" in str(problem)
    assert isinstance(problem, ValueError)


@pytest.mark.parametrize("arguments", [(), (1.0,), (1.0, 2.0, 3.0)])
def test_number_of_arguments(arguments):
    """Too few or too many are told with the signature."""
    problem = check_arguments(signature_of(declare("x: f64, y: f64")), arguments)
    assert isinstance(problem, TypeError)
    assert f"takes 2 arguments, got {len(arguments)}" in str(problem)


class Rude:
    """An object whose text cannot be had."""

    def __repr__(self):
        raise RuntimeError("no")


def test_a_problem_is_told_even_of_an_object_without_a_text():
    """What is wrong with an argument does not depend on its `repr`."""
    assert isinstance(check_arguments(signature_of(declare("x: f64")), (Rude(),)), TypeError)


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_every_unsigned_integer_gets_through_a_call(value):
    """A Python int that fits the parameter arrives as it is, at the largest width too."""

    @evolvable(source="uint64_t same(uint64_t x) { return x; }")
    def same(x: u64) -> u64: ...

    assert same(value) == value
    assert same(np.uint64(value)) == value


LIMITS = [(s, np.iinfo(s.dtype)) for s in SCALARS.values() if s.kind in "iu"]


@given(st.sampled_from(LIMITS), st.integers(-(2**70), 2**70))
def test_an_integer_is_taken_if_it_fits(limits, value):
    """For every width, exactly the values of the type are taken; others are an `OverflowError`."""
    scalar, info = limits
    problem = check_arguments(Signature("k", (Param("x", scalar),), None), (value,))
    assert (problem is None) == (info.min <= value <= info.max)
    assert problem is None or isinstance(problem, OverflowError)
