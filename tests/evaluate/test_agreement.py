"""Agreement with the reference: the first difference in words, and noise in output buffers."""

import numpy as np
import pytest
from numba import boolean, int64, uint64
from numba import complex64 as c64
from numba import complex128 as c128
from numba import float32 as f32
from numba import float64 as f64

from symbiont_jit import Array, InOut, Out, record
from symbiont_jit.evaluate.agreement import Outcome, Tolerance, poison_outputs
from symbiont_jit.signature import signature_of


@record
class Point:
    """A record with a field that rounds and one that does not."""

    x: f64
    n: int64


def outcome(*values, result=None):
    return Outcome(values, result)


@pytest.mark.parametrize(
    ("typ", "off", "tolerance", "found"),
    [
        (f64, 1e-9, Tolerance(), None),
        (f64, 1e-8, Tolerance(), "'x' at [1] is 2.00000001, expected 2.0 (1 of 2 elements differ)"),
        (f32, 1e-4, Tolerance(), None),
        (f32, 1e-2, Tolerance(), "'x' at [1] is 2.01, expected 2.0 (1 of 2 elements differ)"),
        (c64, 1e-4, Tolerance(), None),
        (c64, 1e-2, Tolerance(), "'x' at [1] is (2.01+0j), expected (2+0j) (1 of 2 elements differ)"),
        (c128, 1e-9, Tolerance(), None),
        (c128, 1e-8, Tolerance(), "'x' at [1] is (2.00000001+0j), expected (2+0j) (1 of 2 elements differ)"),
        (int64, 1, Tolerance(), "'x' at [1] is 3, expected 2 (1 of 2 elements differ)"),
        (int64, 1, Tolerance(atol=1.0), None),
        (int64, -1, Tolerance(), "'x' at [1] is 1, expected 2 (1 of 2 elements differ)"),
        (f64, 1e-8, Tolerance(rtol=1e-8), None),
        (f64, 1e-3, Tolerance(rtol=0.0, atol=1e-2), None),
        (int64, 0, Tolerance(rtol=0.5), None),
        (int64, 1, Tolerance(rtol=0.4), "'x' at [1] is 3, expected 2 (1 of 2 elements differ)"),
        (int64, 1, Tolerance(rtol=0.5), None),
        (f64, np.nan, Tolerance(), "'x' at [1] is nan, expected 2.0 (1 of 2 elements differ)"),
    ],
    ids=str,
)
def test_how_far_a_result_may_be_off(typ, off, tolerance, found):
    """By default as far as the dtype's tolerance, integers not at all; else as far as the user says."""

    def f(x: Out[typ, "n"]) -> None: ...

    made = signature_of(f, {})
    expected = np.array([0, 2], made.params[0].type.dtype.dtype)
    got = expected.copy()
    got[1] += off
    assert tolerance.find_difference(made, outcome(expected), outcome(got)) == found


@pytest.mark.parametrize(("typ", "unit"), [(f64, 2.0**-52), (f32, 2.0**-23), (c128, 2.0**-52), (c64, 2.0**-23)])
def test_what_cancels_may_be_off_by_64_roundings(typ, unit):
    """Units in the last place of the natural scale, which is 1 here, of the array's own type."""

    def f(x: Out[typ, "n"]) -> None: ...

    made = signature_of(f, {})
    for off, agrees in ((60 * unit, True), (70 * unit, False)):
        expected, got = (outcome(np.array([value], made.params[0].type.dtype.dtype)) for value in (0.0, off))
        assert (Tolerance().find_difference(made, expected, got, 1.0) is None) == agrees


def test_what_both_leave_undefined_agrees():
    """Not-a-number agrees with itself, and so does an infinity."""

    def f(x: InOut[f64, "n"]) -> None: ...

    values = np.array([np.nan, np.inf])
    assert Tolerance().find_difference(signature_of(f, {}), outcome(values), outcome(values.copy())) is None


def test_a_field_of_a_record_is_named():
    """The first field that differs is named."""

    def f(p: Out[Point, "n"]) -> None: ...

    expected = np.zeros(2, Point.dtype)
    got = expected.copy()
    got["n"][1] = 7
    found = Tolerance().find_difference(signature_of(f, {}), outcome(expected), outcome(got))
    assert found == "'p' .n at [1] is 7, expected 0 (1 of 2 elements differ)"


def test_const_arguments_and_results_are_compared_too():
    """An argument that is const must be as before; a result is compared like an element."""

    def f(x: Array[f64, "n"]) -> f64: ...

    made = signature_of(f, {})
    x, y = np.zeros(1), np.ones(1)
    changed = Tolerance().find_difference(made, outcome(x, result=np.float64(1)), outcome(y, result=np.float64(1)))
    assert changed == "'x' was changed, though it is const: at [0] is 1.0, expected 0.0 (1 of 1 elements differ)"
    other = Tolerance().find_difference(made, outcome(x, result=np.float64(1)), outcome(x, result=np.float64(2)))
    assert other == "the result is 2.0, expected 1.0"


def test_only_pure_outputs_are_poisoned():
    """The same seed gives the same noise, in every field; what is read stays."""

    def f(x: Array[f64, "n"], out: Out[Point, "n"], both: InOut[f64, "n"], plain: Out[int64, "n"]) -> None: ...

    made = signature_of(f, {})

    def poisoned(seed):
        values = np.zeros(50), np.zeros(50, Point.dtype), np.zeros(50), np.zeros(50, np.int64)
        poison_outputs(made, values, seed)
        return values

    def g(bits: Out[boolean, "n"]) -> None: ...

    bits = np.zeros(50, bool)
    poison_outputs(signature_of(g, {}), (bits,), (1,))
    assert 0 < bits.sum() < 50
    x, out, both, plain = poisoned((1,))
    assert set(plain.tolist()) <= set(range(100))
    assert len(set(plain.tolist())) > 10
    assert (out["x"] != out["n"]).any(), "each field has noise of its own"
    assert not x.any()
    assert not both.any()
    assert out["x"].any()
    assert out["n"].any()
    assert out.tolist() == poisoned((1,))[1].tolist() != poisoned((2,))[1].tolist()


@pytest.mark.parametrize(("typ", "large"), [(int64, -(2**63)), (int64, 2**62), (uint64, 2**64 - 2)])
@pytest.mark.parametrize("tolerance", [Tolerance(rtol=0.0, atol=0.0), Tolerance(atol=0.0), Tolerance(atol=0.5)])
def test_integers_are_compared_with_all_their_bits(typ, large, tolerance):
    """A difference of one is one, also where a float would not have it."""

    def f(x: Out[typ, "n"]) -> None: ...

    made = signature_of(f, {})
    expected = np.array([large], made.params[0].type.dtype.dtype)
    assert tolerance.find_difference(made, outcome(expected), outcome(expected.copy())) is None
    assert tolerance.find_difference(made, outcome(expected), outcome(expected + 1)) is not None
    assert Tolerance(atol=1.0).find_difference(made, outcome(expected), outcome(expected + 1)) is None


def test_integers_that_are_as_far_apart_as_can_be():
    """The distance from the least to the greatest integer does not wrap."""

    def f(x: Out[int64, "n"]) -> None: ...

    made, least, greatest = signature_of(f, {}), np.array([-(2**63)]), np.array([2**63 - 1])
    for one, other in ((least, greatest), (greatest, least)):
        assert Tolerance(atol=1e18).find_difference(made, outcome(one), outcome(other)) is not None
        assert Tolerance(atol=2e19).find_difference(made, outcome(one), outcome(other)) is None


@pytest.mark.parametrize(
    ("expected", "got", "agrees"),
    [
        (complex(1.5e308, 1.4e308), 0j, False),
        (complex(1.5e308, 1.4e308), complex(1.5e308, 1.4e308), True),
        (complex(np.nan, 0.3), complex(7, np.nan), False),
        (complex(np.nan, 0.3), complex(np.nan, 0.3), True),
        (complex(np.inf, 0.3), complex(np.inf, 0.4), False),
        (complex(1.0, 2.0), complex(1.0 + 1e-12, 2.0), True),
        (complex(1.0, 2.0), complex(1.0, 2.001), False),
    ],
)
def test_complex_numbers_that_are_not_finite(expected, got, agrees):
    """Where a part or the magnitude is no finite number, both parts have to agree."""

    def f(x: Out[c128, "n"]) -> None: ...

    found = Tolerance().find_difference(signature_of(f, {}), outcome(np.array([expected])), outcome(np.array([got])))
    assert (found is None) == agrees


def test_a_difference_without_its_values():
    """Where values are nobody's business, neither they nor their place and number are told: all say what was given."""

    def f(x: Out[f64, "n"]) -> f64: ...

    made, x, y = signature_of(f, {}), np.zeros(3), np.ones(3)
    one, other = (np.float64(1), np.float64(2))
    assert (
        Tolerance().find_difference(made, outcome(x, result=one), outcome(y, result=one), has_values=False)
        == "'x' differs"
    )
    assert (
        Tolerance().find_difference(made, outcome(x, result=one), outcome(x, result=other), has_values=False)
        == "the result differs"
    )


def test_numbers_whose_difference_is_too_large_for_a_float():
    """They differ, and nothing is warned of on the way."""

    def f(x: Out[f64, "n"]) -> None: ...

    found = Tolerance().find_difference(
        signature_of(f, {}), outcome(np.array([1.7e308])), outcome(np.array([-1.7e308])), 1.7e308
    )
    assert found is not None


def test_bytes_of_bools_are_compared():
    """A bool of another byte than 0 and 1 is told by its byte."""

    def f(x: Out[boolean, "n"]) -> None: ...

    made, expected = signature_of(f, {}), np.array([True, False])
    got = np.array([6, 0], np.uint8).view(bool)
    found = Tolerance().find_difference(made, outcome(expected), outcome(got))
    assert found == "'x' at [0] is 6, expected 1 (1 of 2 elements differ)"
