"""Records as arguments of a cell that is called, from Python and as a value in compiled code."""

import numba
import numpy as np
import pytest
from numba import float64 as f64
from numba import njit
from numba.core.errors import TypingError

import symbiont_jit as sj
from symbiont_jit import Array, InOut, Out, evolvable
from tests.signature.values import Sub, misaligned, read_only

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
