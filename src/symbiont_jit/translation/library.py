"""Functions of NumPy that make, reshape and reduce arrays, and methods of arrays.

In: a call. Out: what it gives. A table says which function of ours is each of NumPy's; functions of numbers are in
`functions`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numba.np import numpy_support

from symbiont_jit.translation.arguments import CallArguments
from symbiont_jit.translation.arrays import (
    allocate,
    apart,
    for_each,
    materialize,
    reshape,
    scrambled,
    size_of,
    store,
    transpose,
    view,
    whole,
)
from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, int_value, is_true
from symbiont_jit.translation.creation import (
    CREATION,
    LibraryFunction,
    converted,
    element_type,
    filled,
    grid_of,
    linspace,
    shape_of,
    steady_number,
)
from symbiont_jit.translation.elementwise import broadcast_to, lift, where
from symbiont_jit.translation.expressions import as_array, as_number, binary
from symbiont_jit.translation.extents import ONE, ZERO
from symbiont_jit.translation.factorizations import cholesky, covariance, inverse, norm, solve
from symbiont_jit.translation.functions import apply_function
from symbiont_jit.translation.masks import compress
from symbiont_jit.translation.products import matmul, outer
from symbiont_jit.translation.reductions import REDUCTIONS, cumulate, element_of, reduce_array
from symbiont_jit.translation.scalars import apply_binary, ternary
from symbiont_jit.translation.slicing import Cut, select, shorter
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import INT64, unify
from symbiont_jit.translation.values import Grid, Known, Quantity, Tuple, Walk, bracketed

__all__ = ["FUNCTIONS", "METHODS"]


# -- made anew -------------------------------------------------------------------------------------------------------


def _copy(state: State, given: CallArguments) -> Grid:
    (array,) = given.take(("a",), 1)
    return apart(grid_of(state, array))


def _astype(state: State, given: CallArguments) -> Grid:
    array, dtype = given.take(("a", "dtype"), 2)
    return converted(grid_of(state, array), element_type(dtype, None))


def _ascontiguous(state: State, given: CallArguments) -> Grid:
    grid = grid_of(state, given.take(("a",), 1)[0])
    return grid if grid.is_whole else apart(grid)


# -- looked at from another side -------------------------------------------------------------------------------------


def _reshape(state: State, given: CallArguments) -> Grid:
    array, *rest = given.positional
    shape = rest[0] if len(rest) == 1 else Tuple(tuple(rest))
    if "newshape" in given.named or "shape" in given.named:
        shape = given.named.get("newshape", given.named.get("shape"))
    return reshape(state, grid_of(state, array), shape_of(state, shape))


def _ravel(state: State, given: CallArguments) -> Grid:
    grid = grid_of(state, given.take(("a",), 1)[0])
    return reshape(state, grid, [size_of(grid.shape)])


def _flatten(state: State, given: CallArguments) -> Grid:
    return apart(_ravel(state, given))


def _transpose(state: State, given: CallArguments) -> Grid:
    array, *rest = given.positional
    axes: Any = rest[0] if len(rest) == 1 else Tuple(tuple(rest)) if rest else given.named.get("axes")
    if axes is None or (isinstance(axes, Known) and axes.value is None):
        return transpose(grid_of(state, array))
    numbers = [item.constant for item in axes.items]
    if not all(isinstance(number, int) for number in numbers):
        raise UntranslatableError("axes are numbers that stand in the text")
    return transpose(grid_of(state, array), numbers)


def _flip(state: State, given: CallArguments) -> Grid:
    grid = grid_of(state, given.take(("m",), 1)[0])
    places = [Walk(length - ONE, axis, -1) for axis, length in enumerate(grid.shape)]
    return view(grid, places, grid.shape)


def _expand(state: State, given: CallArguments) -> Grid:
    array, axis = given.take(("a", "axis"), 2)
    grid = grid_of(state, array)
    if not isinstance(axis, Quantity) or not isinstance(axis.constant, int):
        raise UntranslatableError("the axis is a number that stands in the text")
    return _with_axis(grid, axis.constant % (grid.rank + 1))


def _broadcast(state: State, given: CallArguments) -> Grid:
    array, shape = given.take(("array", "shape"), 2)
    return broadcast_to(state, grid_of(state, array), shape_of(state, shape))


# -- joined and chosen -----------------------------------------------------------------------------------------------


def _where(state: State, given: CallArguments) -> Any:
    condition, chosen, other = given.take(("condition", "x", "y"), 3)
    parts = [as_array(state, as_number(each)) for each in (condition, chosen, other)]
    if all(isinstance(each, Quantity) for each in parts):
        typ = unify(parts[1].type, parts[2].type)
        return ternary(is_true(parts[0]), convert(parts[1], typ), convert(parts[2], typ))
    types = [each.dtype if isinstance(each, Grid) else each.type for each in parts[1:]]
    typ = numpy_support.from_dtype(np.result_type(*map(numpy_support.as_dtype, types)))
    return where(state, parts[0], parts[1], parts[2], typ)


def _clip(state: State, given: CallArguments) -> Any:
    array, low, high = given.take(("a", "a_min", "a_max"), 3)
    ends = [None if isinstance(each, Known) else each for each in (low, high)]
    if not all(each is None or isinstance(each, Quantity) for each in ends):
        raise UntranslatableError("np.clip takes numbers as its ends here")

    def compute(values: list[Quantity]) -> Quantity:
        found = values[0]
        for end, function in ((ends[0], np.maximum), (ends[1], np.minimum)):
            if end is not None:
                found, helpers = apply_function(function, [found, end])
                state.helpers |= helpers
        return found

    array = as_array(state, as_number(array))
    if isinstance(array, Quantity):
        return compute([array])
    typ = array.dtype
    for each in ends:
        typ = (
            typ
            if each is None
            else numpy_support.from_dtype(
                np.result_type(numpy_support.as_dtype(typ), numpy_support.as_dtype(each.type))
            )
        )
    return lift(state, typ, [array], compute)


def _join(name: str) -> LibraryFunction:
    def join(state: State, given: CallArguments) -> Grid:
        arrays, axis = given.take(("arrays", "axis"), 1)
        items = arrays.items if isinstance(arrays, Tuple) else ()
        grids = [grid_of(state, item) for item in items]
        if not grids:
            raise UntranslatableError(f"np.{name} takes a tuple of arrays")
        if name == "stack":
            at = axis.constant if isinstance(axis, Quantity) else 0
            grids = [_with_axis(grid, at % (grid.rank + 1)) for grid in grids]
        elif name == "hstack":
            at = 0 if grids[0].rank == 1 else 1
        elif name == "vstack":
            grids = [_with_axis(grid, 0) if grid.rank == 1 else grid for grid in grids]
            at = 0
        else:
            at = axis.constant if isinstance(axis, Quantity) else 0
        if not isinstance(at, int):
            raise UntranslatableError("the axis is a number that stands in the text")
        return _joined(state, grids, at % grids[0].rank)

    return join


def _with_axis(grid: Grid, at: int) -> Grid:
    places = [Walk(ZERO, each + (each >= at)) for each in range(grid.rank)]
    return view(grid, places, (*grid.shape[:at], ONE, *grid.shape[at:]))


def _joined(state: State, grids: Sequence[Grid], axis: int) -> Grid:
    """Copy arrays behind each other."""
    typ = grids[0].dtype
    length = ZERO
    for grid in grids:
        typ = unify(typ, grid.dtype)
        length = length + grid.shape[axis]
    shape = [*grids[0].shape]
    shape[axis] = length
    made = whole(allocate(state, "joined", typ, shape))
    start = ZERO
    for grid in grids:
        places = [Walk(start if each == axis else ZERO, each) for each in range(grid.rank)]
        store(state, view(made, places, grid.shape), grid)
        start = start + grid.shape[axis]
    return made


# -- products and reductions -----------------------------------------------------------------------------------------


def _dot(state: State, given: CallArguments) -> Any:
    left, right = given.take(("a", "b"), 2)
    return matmul(state, grid_of(state, left), grid_of(state, right))


def _outer(state: State, given: CallArguments) -> Grid:
    left, right = (grid_of(state, each) for each in given.take(("a", "b"), 2))
    return outer(state, left, right, unify(left.dtype, right.dtype))


def _reduction(name: str) -> LibraryFunction:
    def reduce(state: State, given: CallArguments) -> Any:
        array, axis = given.take(("a", "axis"), 1)
        if isinstance(array, Quantity) and name in ("sum", "prod", "min", "max", "mean"):
            return array
        number = axis.constant if isinstance(axis, Quantity) else None
        if isinstance(axis, Quantity) and not isinstance(number, int):
            raise UntranslatableError("the axis is a number that stands in the text")
        return reduce_array(state, name, grid_of(state, array), number)

    return reduce


def _cumulative(kind: type[ast.AST]) -> LibraryFunction:
    return lambda state, given: cumulate(state, grid_of(state, given.take(("a",), 1)[0]), kind)


def _trace(state: State, given: CallArguments) -> Quantity:
    grid = grid_of(state, given.take(("a",), 1)[0])
    if grid.rank != 2:
        raise UntranslatableError("np.trace takes a matrix")
    length = shorter(grid.shape[0], grid.shape[1])
    row = Grid(grid.dtype, (length,), lambda i: grid.at([i[0], i[0]]), grid.storage, None, scrambled(grid))
    return REDUCTIONS["sum"](state, row)


def _length(state: State, given: CallArguments) -> Quantity:
    (found,) = given.take(("obj",), 1)
    found = as_array(state, found)
    if isinstance(found, Tuple):
        return constant(len(found.items))
    if isinstance(found, Grid) and found.rank:
        return int_value(found.shape[0])
    raise UntranslatableError("len takes an array or a tuple")


def _sum_of_items(state: State, given: CallArguments) -> Any:
    (found,) = given.take(("iterable",), 1)
    found = as_array(state, found)
    if isinstance(found, Tuple) and all(isinstance(item, Quantity) for item in found.items):
        total = constant(0)
        for item in found.items:
            total, _ = apply_binary(ast.Add, total, item)
        return total
    if isinstance(found, Grid) and found.rank == 1:
        return REDUCTIONS["sum"](state, found)
    raise UntranslatableError("sum takes an array of one axis or a tuple of numbers")


def _fill(state: State, given: CallArguments) -> Known:
    array, value = given.take(("a", "value"), 2)
    grid = grid_of(state, array)
    if grid.storage is None or not state.may_write(grid.storage):
        raise UntranslatableError("this array is only read; it cannot be filled")
    store(state, grid, filled(grid.shape, grid.dtype, convert(steady_number(state, value), grid.dtype)))
    return Known(None)


def _compress(state: State, given: CallArguments) -> Grid:
    condition, array = given.take(("condition", "a"), 2)
    return compress(state, grid_of(state, array), grid_of(state, condition))


def _item(state: State, given: CallArguments) -> Quantity:
    grid = grid_of(state, given.take(("a",), 1)[0])
    return element_of(grid, [constant(0)] * grid.rank)


def _shape_of(state: State, given: CallArguments) -> Tuple:
    grid = grid_of(state, given.take(("a",), 1)[0])
    return Tuple(tuple(int_value(length) for length in grid.shape))


def _size_of(state: State, given: CallArguments) -> Quantity:
    grid = grid_of(state, given.take(("a",), 1)[0])
    return int_value(size_of(grid.shape))


def _cholesky(state: State, given: CallArguments) -> Grid:
    return cholesky(state, grid_of(state, given.take(("a",), 1)[0]))


def _solve(state: State, given: CallArguments) -> Grid:
    left, right = given.take(("a", "b"), 2)
    return solve(state, grid_of(state, left), grid_of(state, right))


def _inverse(state: State, given: CallArguments) -> Grid:
    return inverse(state, grid_of(state, given.take(("a",), 1)[0]))


def _norm(state: State, given: CallArguments) -> Quantity:
    (array,) = given.take(("x",), 1)
    return norm(state, grid_of(state, array))


def _covariance(state: State, given: CallArguments) -> Grid:
    return covariance(state, grid_of(state, given.take(("m",), 1)[0]))


def _difference(state: State, given: CallArguments) -> Grid:
    grid = grid_of(state, given.take(("a",), 1)[0])
    later, earlier = (select(state, grid, [Ellipsis, cut]) for cut in (Cut(constant(1)), Cut(None, constant(-1))))
    found: Grid = binary(state, ast.Sub, later, earlier)
    return found


def _histogram(state: State, given: CallArguments) -> Tuple:
    """Count numbers in intervals of one width, as Numba does."""
    array, bins = given.take(("a", "bins"), 1)
    grid = grid_of(state, array)
    if grid.storage is None:
        grid = whole(materialize(state, grid, "values"))
    count = constant(10) if bins is None else bins
    if not isinstance(count, Quantity):
        raise UntranslatableError("np.histogram takes a number of intervals here")
    length = state.as_extent(count, "bins")
    first, last = (state.keep(REDUCTIONS[name](state, grid), name) for name in ("min", "max"))
    made = whole(allocate(state, "counts", INT64, (length,), zeros=True))
    ratio = state.names.take("ratio")
    bins_value = int_value(length)
    state.writer.line(f"const double {ratio} = {bracketed(bins_value, 13)} / ({last.text} - {first.text});")

    def body(index: Sequence[Quantity]) -> None:
        value = element_of(grid, index)
        place = state.names.take("place")
        state.writer.line(f"const double {place} = floor(({value.text} - {first.text}) * {ratio});")
        with state.writer.within(f"if ({place} >= 0.0 && {place} < {bracketed(bins_value, 11)})"):
            state.writer.line(f"{made.at([Quantity(f'(int64_t){place}', INT64, 14)]).text}++;")
        with state.writer.within(f"else if ({value.text} == {last.text})"):
            state.writer.line(f"{made.at([int_value(length - ONE)]).text}++;")

    for_each(state, grid.shape, body)
    edges = linspace(state, CallArguments((first, last, int_value(length + ONE)), {}))
    return Tuple((made, edges))


_REDUCED: Final = ("sum", "prod", "mean", "var", "std", "min", "max", "amin", "amax", "argmin", "argmax", "any", "all")

FUNCTIONS: Final[Mapping[Any, LibraryFunction]] = {
    **CREATION,
    np.asarray: _ascontiguous,
    np.ascontiguousarray: _ascontiguous,
    np.copy: _copy,
    np.reshape: _reshape,
    np.ravel: _ravel,
    np.transpose: _transpose,
    np.flip: _flip,
    np.expand_dims: _expand,
    np.broadcast_to: _broadcast,
    np.where: _where,
    np.clip: _clip,
    np.concatenate: _join("concatenate"),
    np.stack: _join("stack"),
    np.hstack: _join("hstack"),
    np.vstack: _join("vstack"),
    np.dot: _dot,
    np.outer: _outer,
    np.trace: _trace,
    np.cumsum: _cumulative(ast.Add),
    np.cumprod: _cumulative(ast.Mult),
    np.count_nonzero: _reduction("count_nonzero"),
    np.compress: _compress,
    np.shape: _shape_of,
    np.size: _size_of,
    np.diff: _difference,
    np.linalg.cholesky: _cholesky,
    np.linalg.solve: _solve,
    np.linalg.inv: _inverse,
    np.linalg.norm: _norm,
    np.cov: _covariance,
    np.histogram: _histogram,
    len: _length,
    sum: _sum_of_items,
    **{getattr(np, name): _reduction(name) for name in _REDUCED},
}

METHODS: Final[Mapping[str, LibraryFunction]] = {
    **{name: _reduction(name) for name in _REDUCED if not name.startswith("am")},
    "copy": _copy,
    "astype": _astype,
    "reshape": _reshape,
    "ravel": _ravel,
    "flatten": _flatten,
    "transpose": _transpose,
    "dot": _dot,
    "fill": _fill,
    "item": _item,
    "cumsum": _cumulative(ast.Add),
    "cumprod": _cumulative(ast.Mult),
    "trace": _trace,
    "clip": _clip,
}
