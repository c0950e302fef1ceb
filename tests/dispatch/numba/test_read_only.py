"""Arrays that a compiled function only reads are const."""

import numpy as np
import pytest
from numba import njit

from symbiont_jit import evolvable
from tests.dispatch.numba.kinds import ratio

ROW = np.dtype([("a", "f8"), ("b", "i4")], align=True)


@njit
def adds_one(x):
    x[0] += 1.0


@njit
def adds_one_flat(x):
    x.flat[0] += 1.0


@njit
def total(x):
    result = 0.0
    for i, v in enumerate(x):
        result += i * v
    return result


def writes_field(r):
    r[0].a = 1.0


def adds_to_field(r):
    r[0].a += 1.0


def reads_field(r):
    return r[1].a + r[0]["b"]


def writes_record(r):
    r.a = 3.0


def reads_record(r):
    return 2 * r.a


def adds_in_place(x):
    x += 1.0


def writes_flat(x):
    x.flat[1] += 3.0


def writes_nditer(x):
    for v in np.nditer(x):
        v[()] = v[()] + 1.0


def reads_by_helper(x):
    return np.max(x) + ratio(x[0], 2.0) + x[1:].sum()


def dots(m, x, out):
    np.dot(m, x, out)


def reads_product(m, x):
    return np.dot(m, x)[0]


def copies(x, y):
    y[:] = x


def writes_by_helper(x):
    adds_one(x)


def writes_flat_by_helper(x):
    adds_one_flat(x[1:])


def reads_by_own_helper(x):
    return total(x[1:])


def reads_rows(m):
    result = 0.0
    for row in m:
        for a, b in zip(row, m.T[0]):  # noqa: B905  Numba knows no `strict`
            result += a * b
    first, columns = m[0], m[:, 1:]
    return result + first[0] + columns[0, 0] + first[first > 0.0].size


def reads_elementwise(x, y):
    y += np.sqrt(x) * 2.0 - x.copy()
    y[:2] = x[:2]


def writes_ufunc_out(x, y):
    np.sqrt(x, y)


def dots_by_keyword(m, x, out):
    np.dot(m, x, out=out)


def writes_an_alias(x, y):
    z = x if y[0] > 0.0 else y
    z[0] = 1.0


def writes_in_a_tuple(x, y):
    for part in (x, y):
        part.flat[0] = 1.0


def writes_reshaped(x):
    x.reshape(x.size, 1)[0, 0] = 1.0


def swaps_rows(m):
    m[0], m[1] = m[1].copy(), m[0].copy()


def writes_an_optional(x):
    y = None
    if x[0] == 1.0:
        y = x
    if y is not None:
        y.flat[0] = 3.0


def sorts(x):
    x.sort()


def keeps(x):
    kept = [x]
    kept[0][0] = 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "arguments", "written"),
    [
        (writes_field, (np.zeros(2, ROW),), "r"),
        (adds_to_field, (np.zeros(2, ROW),), "r"),
        (reads_field, (np.zeros(2, ROW),), "r"),
        (writes_record, (np.zeros(2, ROW)[0],), "r"),
        (reads_record, (np.zeros(2, ROW)[0],), "r"),
        (adds_in_place, (np.ones(3),), "x"),
        (writes_flat, (np.ones(3),), "x"),
        (writes_nditer, (np.ones(3),), "x"),
        (reads_by_helper, (np.ones(3),), ""),
        (dots, (np.eye(3), np.ones(3), np.zeros(3)), "out"),
        (reads_product, (np.eye(3), np.ones(3)), ""),
        (copies, (np.ones(3), np.zeros(3)), "y"),
        (writes_by_helper, (np.ones(3),), "x"),
        (writes_flat_by_helper, (np.ones(3),), "x"),
        (reads_by_own_helper, (np.ones(3),), ""),
        (reads_rows, (np.ones((3, 3)),), ""),
        (reads_elementwise, (np.ones(3), np.zeros(3)), "y"),
        (writes_ufunc_out, (np.ones(3), np.zeros(3)), "y"),
        (dots_by_keyword, (np.eye(3), np.ones(3), np.zeros(3)), "out"),
        (writes_an_alias, (np.ones(3), np.zeros(3)), "x y"),
        (writes_in_a_tuple, (np.ones(3), np.zeros(3)), "x y"),
        (writes_reshaped, (np.ones(3),), "x"),
        (swaps_rows, (np.ones((3, 3)),), "m"),
        (writes_an_optional, (np.ones(3),), "x"),
        (sorts, (np.ones(3),), "x"),
        (keeps, (np.ones(3),), "x"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_compiled_function_may_write_is_inout(function, arguments, written):
    """An array is const where it is certain that the function only reads it; a record is never certain."""
    compiled = njit(function)
    compiled(*arguments)
    modes = {p.name: str(p.mode) for p in evolvable(compiled).signature.params}
    assert modes == {name: "inout" if name in written.split() else "in" for name in modes}
