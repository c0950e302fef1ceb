"""Arrays that are made anew: of one number, counted, or written one by one.

In: the arguments of a call. Out: a `Grid`, which needs no memory until its elements have to exist.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from symbiont_jit.translation.arguments import CallArguments
from symbiont_jit.translation.arrays import allocate, at_place, scrambled, whole
from symbiont_jit.translation.conversions import UntranslatableError, assigned, constant, convert, int_value
from symbiont_jit.translation.expressions import as_array
from symbiont_jit.translation.extents import ONE, Extent, extent_of
from symbiont_jit.translation.reductions import element_of
from symbiont_jit.translation.scalars import apply_binary, compare, ternary
from symbiont_jit.translation.slicing import Cut, at_least_zero, cut_axis
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import FLOAT64, INT64, dtype_of, is_integer, unify
from symbiont_jit.translation.values import Grid, Known, Quantity, Tuple, Walk

__all__ = [
    "CREATION",
    "converted",
    "element_type",
    "filled",
    "grid_of",
    "linspace",
    "shape_of",
    "steady_number",
    "zeros_like",
]

#: What a function of NumPy is: it takes the arguments of a call, and gives what the call gives.
LibraryFunction = Callable[[State, CallArguments], Any]


def shape_of(state: State, given: Any) -> tuple[Extent, ...]:
    """Return the lengths that a shape is: a number, or a tuple of numbers."""
    items = given.items if isinstance(given, Tuple) else (given,)
    if not all(isinstance(item, Quantity) for item in items):
        raise UntranslatableError("a shape is a number or a tuple of numbers")
    lengths = [state.as_extent(item, "length") for item in items]
    return tuple(length if length.number == -1 else at_least_zero(state, length) for length in lengths)


def element_type(given: Any, default: Any) -> Any:
    """Return the element type that an argument names; a default where there is none."""
    if given is None or (isinstance(given, Known) and given.value is None):
        return default
    found = dtype_of(given.value) if isinstance(given, Known) else None
    if found is None:
        raise UntranslatableError("the dtype is no type of numbers")
    return found


def filled(shape: tuple[Extent, ...], dtype: Any, number: Quantity, fill: str = "") -> Grid:
    """Return an array of one number."""
    return Grid(dtype, shape, lambda index: number, fill=fill)


def _make(fill: str, number: int) -> LibraryFunction:
    def make(state: State, given: CallArguments) -> Grid:
        shape, dtype = given.take(("shape", "dtype"), 1)
        dtype = element_type(dtype, FLOAT64)
        return filled(shape_of(state, shape), dtype, constant(number, dtype), fill)

    return make


def _make_like(fill: str, number: int) -> LibraryFunction:
    def make(state: State, given: CallArguments) -> Grid:
        like, dtype = given.take(("a", "dtype"), 1)
        grid = grid_of(state, like)
        dtype = element_type(dtype, grid.dtype)
        return filled(grid.shape, dtype, constant(number, dtype), fill)

    return make


def zeros_like(grid: Grid) -> Grid:
    """Return zeros in the shape of an array, to be stored one by one."""
    return filled(grid.shape, grid.dtype, constant(0, grid.dtype))


def _full(state: State, given: CallArguments) -> Grid:
    shape, value, dtype = given.take(("shape", "fill_value", "dtype"), 2)
    value = steady_number(state, value)
    dtype = element_type(dtype, value.type)
    return filled(shape_of(state, shape), dtype, convert(value, dtype))


def _full_like(state: State, given: CallArguments) -> Grid:
    like, value, dtype = given.take(("a", "fill_value", "dtype"), 2)
    grid = grid_of(state, like)
    dtype = element_type(dtype, grid.dtype)
    return filled(grid.shape, dtype, convert(steady_number(state, value), dtype))


def steady_number(state: State, value: Any) -> Quantity:
    """Return a number that can be written as often as there are elements."""
    if not isinstance(value, Quantity):
        raise UntranslatableError("a number is needed here")
    return value if value.is_simple or value.constant is not None else state.keep(value, "value")


def _arange(state: State, given: CallArguments) -> Grid:
    values = list(given.positional)
    dtype = given.named.get("dtype")
    if len(values) == 4:
        dtype = values.pop()
    if not all(isinstance(each, Quantity) for each in values) or not 1 <= len(values) <= 3:
        raise UntranslatableError("np.arange takes one to three numbers")
    start, stop = (constant(0), values[0]) if len(values) == 1 else (values[0], values[1])
    step = values[2] if len(values) > 2 else constant(1)
    if not all(is_integer(each.type) for each in (start, stop, step)) or step.constant not in (1, -1, 2, 3, 4):
        raise UntranslatableError(
            "np.arange counts whole numbers by a small step that stands in the text; use np.linspace"
        )
    first, end = state.as_extent(start, "start"), state.as_extent(stop, "stop")
    span = at_least_zero(state, end - first if step.constant > 0 else first - end)
    length = cut_axis(state, Cut(step=abs(step.constant)), span)[1]
    typ = element_type(dtype, INT64)

    def at(index: Sequence[Quantity]) -> Quantity:
        return convert(_offset(index[0], first, step.constant), typ)

    return Grid(typ, (length,), at)


def _offset(index: Quantity, first: Extent, step: int) -> Quantity:
    return at_place(Walk(first, 0, step), [index])


def linspace(state: State, given: CallArguments) -> Grid:
    """Return numbers at equal distances, computed in Numba's order of operations."""
    start, stop, count = given.take(("start", "stop", "num"), 2)
    first, last = convert(steady_number(state, start), FLOAT64), convert(steady_number(state, stop), FLOAT64)
    number = constant(50) if count is None else count
    length = state.as_extent(number, "num")
    parts = int_value(length - ONE)
    span = state.keep(apply_binary(ast.Sub, last, first)[0], "span")

    def at(index: Sequence[Quantity]) -> Quantity:
        # This is the order of operations of Numba's own: start + span * (i / parts).
        share, _ = apply_binary(ast.Div, index[0], parts)
        return apply_binary(ast.Add, first, apply_binary(ast.Mult, span, share)[0])[0]

    return Grid(FLOAT64, (length,), at)


def _eye(state: State, given: CallArguments) -> Grid:
    rows, columns, diagonal, dtype = given.take(("N", "M", "k", "dtype"), 1)
    height = state.as_extent(rows, "rows")
    width = height if columns is None or isinstance(columns, Known) else state.as_extent(columns, "columns")
    typ = element_type(dtype, FLOAT64)
    offset = 0 if diagonal is None else diagonal.constant
    if not isinstance(offset, int):
        raise UntranslatableError("the diagonal of np.eye is a number that stands in the text")

    def at(index: Sequence[Quantity]) -> Quantity:
        row = int_value(_extent(index[0]) + Extent((), offset))
        return ternary(compare(ast.Eq, row, index[1]), constant(1, typ), constant(0, typ))

    return Grid(typ, (height, width), at)


def _extent(value: Quantity) -> Extent:
    if value.extent is None:
        raise UntranslatableError("this array is read at indices that are not known; copy it first")
    return value.extent


def _triangle(keeps_lower: bool) -> LibraryFunction:
    def make(state: State, given: CallArguments) -> Grid:
        array, diagonal = given.take(("m", "k"), 1)
        grid = grid_of(state, array)
        offset = 0 if diagonal is None else diagonal.constant
        if grid.rank != 2 or not isinstance(offset, int):
            raise UntranslatableError("np.tril and np.triu take a matrix, and a diagonal that stands in the text")

        def at(index: Sequence[Quantity]) -> Quantity:
            edge = int_value(_extent(index[0]) + Extent((), offset))
            kept = compare(ast.LtE if keeps_lower else ast.GtE, index[1], edge)
            return ternary(kept, element_of(grid, index), constant(0, grid.dtype))

        return Grid(grid.dtype, grid.shape, at, None, None, grid.sources())

    return make


def _array(state: State, given: CallArguments) -> Grid:
    """Make an array of numbers that are written one by one."""
    value, dtype = given.take(("object", "dtype"), 1)
    value = as_array(state, value)
    if isinstance(value, Grid):
        return converted(value, element_type(dtype, value.dtype))
    rows = _rows(value)
    numbers = [number for row in rows for number in row]
    typ = element_type(dtype, None)
    if typ is None:
        typ = numbers[0].type
        for number in numbers[1:]:
            typ = unify(typ, number.type)
    is_matrix = isinstance(value.items[0], Tuple)
    shape = (extent_of(len(rows)), extent_of(len(rows[0]))) if is_matrix else (extent_of(len(numbers)),)
    made = whole(allocate(state, "array", typ, shape))
    for index, number in enumerate(numbers):
        place = [constant(index // len(rows[0])), constant(index % len(rows[0]))] if is_matrix else [constant(index)]
        state.writer.line(f"{made.at(place).text} = {assigned(number, typ).text};")
    return made


def _rows(value: Any) -> list[list[Quantity]]:
    items = value.items if isinstance(value, Tuple) else ()
    rows = [list(each.items) if isinstance(each, Tuple) else [each] for each in items]
    is_flat = bool(items) and all(isinstance(each, Quantity) for each in items)
    if not rows or not all(isinstance(number, Quantity) for row in rows for number in row):
        raise UntranslatableError("np.array takes numbers, or rows of numbers of one length")
    if not is_flat and len({len(row) for row in rows}) != 1:
        raise UntranslatableError("np.array takes rows of one length")
    return [[number for row in rows for number in row]] if is_flat else rows


def _diagonal(state: State, given: CallArguments) -> Grid:
    grid = grid_of(state, given.take(("v",), 1)[0])
    if grid.rank == 1:

        def at(index: Sequence[Quantity]) -> Quantity:
            return ternary(compare(ast.Eq, index[0], index[1]), element_of(grid, [index[0]]), constant(0, grid.dtype))

        return Grid(grid.dtype, (grid.shape[0], grid.shape[0]), at, None, None, scrambled(grid))
    if grid.rank != 2 or grid.shape[0] != grid.shape[1]:
        raise UntranslatableError("np.diag takes a vector or a matrix that is known to be square")
    return Grid(grid.dtype, (grid.shape[0],), lambda i: grid.at([i[0], i[0]]), grid.storage, None, scrambled(grid))


def grid_of(state: State, found: Any) -> Grid:
    """Return an array, also where a row of numbers stands for one."""
    found = as_array(state, found)
    if isinstance(found, Tuple):
        found = _array(state, CallArguments((found,), {}))
    if not isinstance(found, Grid):
        raise UntranslatableError("an array is needed here")
    return found


def converted(grid: Grid, typ: Any) -> Grid:
    """Return the elements of an array in another type."""

    def at(index: Sequence[Quantity]) -> Quantity:
        return convert(element_of(grid, index), typ)

    return Grid(typ, grid.shape, at, None, None, grid.sources())


CREATION: Final[Mapping[Any, Callable[[State, CallArguments], Any]]] = {
    np.zeros: _make("zeros", 0),
    np.empty: _make("nothing", 0),
    np.ones: _make("", 1),
    np.zeros_like: _make_like("zeros", 0),
    np.empty_like: _make_like("nothing", 0),
    np.ones_like: _make_like("", 1),
    np.full: _full,
    np.full_like: _full_like,
    np.arange: _arange,
    np.linspace: linspace,
    np.eye: _eye,
    np.identity: _eye,
    np.triu: _triangle(False),
    np.tril: _triangle(True),
    np.array: _array,
    np.diag: _diagonal,
}
