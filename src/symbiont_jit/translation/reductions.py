"""Arrays -> fewer numbers: sums, products, means, extremes, and where these are, in the order in which Numba adds.

In: an array and an axis, or none. Out: a number, whose loop is written, or an array of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from numba import types

from symbiont_jit.translation.arrays import allocate, for_each, materialize, size_of, whole
from symbiont_jit.translation.conversions import UntranslatableError, assigned, constant, convert, int_value, is_true
from symbiont_jit.translation.scalars import apply_binary, compare
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import (
    BOOLEAN,
    FLOAT64,
    INT64,
    accumulator_of,
    c_name,
    is_complex,
    is_float,
    is_integer,
)
from symbiont_jit.translation.values import Grid, Quantity, bracketed

__all__ = ["REDUCTIONS", "cumulate", "element_of", "reduce_array"]


def element_of(grid: Grid, index: Sequence[Quantity]) -> Quantity:
    """Return an element in the type that the array has."""
    return convert(grid.at(index), grid.dtype)


def reduce_array(state: State, name: str, grid: Grid, axis: int | None) -> Quantity | Grid:
    """Reduce an array by the function of a name.

    Args:
        state: The translation.
        name: `sum`, `prod`, `mean`, `var`, `std`, `min`, `max`, `argmin`, `argmax`, `any`, `all` and the like.
        grid: The array.
        axis: The axis to go along; None for all elements.
    """
    if axis is not None and grid.rank > 1:
        if not -grid.rank <= axis < grid.rank:
            raise UntranslatableError(f"there is no axis {axis} in an array of {grid.rank}")
        return _along(state, name, grid, axis % grid.rank)
    return REDUCTIONS[name](state, grid)


def _along(state: State, name: str, grid: Grid, axis: int) -> Grid:
    """Reduce along one axis; sums go through memory in its order, as Numba's do."""
    if name == "sum":
        return _sum_along(state, grid, axis)
    if name not in ("argmin", "argmax"):
        raise UntranslatableError(f"np.{name} takes no axis in Numba; write a loop")
    shape = [length for each, length in enumerate(grid.shape) if each != axis]
    made = allocate(state, name, INT64, shape)

    def body(index: Sequence[Quantity]) -> None:
        def at(inner: Sequence[Quantity]) -> Quantity:
            return grid.at([*index[:axis], inner[0], *index[axis:]])

        row = Grid(grid.dtype, (grid.shape[axis],), at, None, None, grid.sources())
        found = REDUCTIONS[name](state, row)
        state.writer.line(f"{whole(made).at(index).text} = {found.text};")

    for_each(state, shape, body)
    return whole(made)


def _sum_along(state: State, grid: Grid, axis: int) -> Grid:
    typ = accumulator_of(grid.dtype)
    shape = [length for each, length in enumerate(grid.shape) if each != axis]
    made = whole(allocate(state, "sums", typ, shape, zeros=True))

    def body(index: Sequence[Quantity]) -> None:
        target = made.at([*index[:axis], *index[axis + 1 :]])
        state.writer.line(f"{target.text} += {_summand(grid, index, typ).text};")

    for_each(state, grid.shape, body)
    return made


def _summand(grid: Grid, index: Sequence[Quantity], typ: Any) -> Quantity:
    value = element_of(grid, index)
    return convert(value, typ) if is_complex(typ) or (is_float(typ) != is_float(value.type)) else value


def _memory_order(grid: Grid) -> list[int] | None:
    """Return the axes in the order in which they stand in memory: sums of a transposed array are Numba's that way."""
    if grid.places is None or any(place.axis is None for place in grid.places):
        return None
    order = [place.axis for place in grid.places if place.axis is not None]
    return order if sorted(order) == list(range(grid.rank)) else None


# -- all elements ----------------------------------------------------------------------------------------------------


def _start(state: State, wanted: str, typ: Any, first: Quantity) -> Quantity:
    word = state.names.take(wanted)
    state.writer.line(f"{c_name(typ)} {word} = {assigned(first, typ).text};")
    return Quantity(word, typ)


def _sum(state: State, grid: Grid) -> Quantity:
    typ = accumulator_of(grid.dtype)
    total = _start(state, "sum", typ, constant(0, typ))

    def body(index: Sequence[Quantity]) -> None:
        state.writer.line(f"{total.text} += {_summand(grid, index, typ).text};")

    for_each(state, grid.shape, body, _memory_order(grid))
    return total


def _product(state: State, grid: Grid) -> Quantity:
    typ = accumulator_of(grid.dtype)
    total = _start(state, "product", typ, constant(1, typ))

    def body(index: Sequence[Quantity]) -> None:
        state.writer.line(f"{total.text} *= {_summand(grid, index, typ).text};")

    for_each(state, grid.shape, body)
    return total


def _mean(state: State, grid: Grid) -> Quantity:
    typ = FLOAT64 if is_integer(grid.dtype) or grid.dtype == BOOLEAN else grid.dtype
    total = _start(state, "total", typ, constant(0, typ))

    def body(index: Sequence[Quantity]) -> None:
        state.writer.line(f"{total.text} += {_summand(grid, index, typ).text};")

    for_each(state, grid.shape, body)
    return _divided(total, grid)


def _divided(total: Quantity, grid: Grid) -> Quantity:
    """Divide by the number of elements; the mean of none is not a number."""
    count = int_value(size_of(grid.shape))
    if total.type == types.float32:
        wide = convert(total, FLOAT64)
        return convert(Quantity(f"{wide.text} / {bracketed(count, 14)}", FLOAT64, 13), types.float32)
    quotient, _ = apply_binary(ast.Div, total, count)
    return quotient


def _variance(state: State, grid: Grid) -> Quantity:
    if is_complex(grid.dtype):
        raise UntranslatableError("np.var of complex numbers is not translated; write a loop")
    if grid.storage is None:
        grid = whole(materialize(state, grid, "values"))
    mean = state.keep(_mean(state, grid), "mean")
    sample, _ = apply_binary(ast.Sub, Quantity("x", grid.dtype), mean)
    total = _start(state, "squares", FLOAT64 if sample.type != types.float32 else types.float64, constant(0.0))

    def body(index: Sequence[Quantity]) -> None:
        difference, _ = apply_binary(ast.Sub, element_of(grid, index), mean)
        word = state.names.take("difference")
        state.writer.line(f"const {c_name(difference.type)} {word} = {difference.text};")
        state.writer.line(f"{total.text} += {word} * {word};")

    for_each(state, grid.shape, body)
    quotient, _ = apply_binary(ast.Div, total, int_value(size_of(grid.shape)))
    return quotient


def _deviation(state: State, grid: Grid) -> Quantity:
    power, _ = apply_binary(ast.Pow, _variance(state, grid), constant(0.5))
    return power


def _extreme(kind: type[ast.AST]) -> Callable[[State, Grid], Quantity]:
    def find(state: State, grid: Grid) -> Quantity:
        if is_complex(grid.dtype):
            raise UntranslatableError("complex numbers have no order")
        wanted = "largest" if kind is ast.Gt else "smallest"
        found = _start(state, wanted, grid.dtype, element_of(grid, [constant(0)] * grid.rank))

        def body(index: Sequence[Quantity]) -> None:
            value = _named_element(state, grid, index)
            better = compare(kind, value, found)
            # Not a number, once seen, is what remains: nothing is larger than it.
            text = f"{better.text} || {value.text} != {value.text}" if is_float(grid.dtype) else better.text
            with state.writer.within(f"if ({text})"):
                state.writer.line(f"{found.text} = {value.text};")

        for_each(state, grid.shape, body)
        return found

    return find


def _named_element(state: State, grid: Grid, index: Sequence[Quantity]) -> Quantity:
    """Return an element that can be written twice."""
    value = element_of(grid, index)
    if value.level == 15 and grid.storage is not None:
        return value
    word = state.names.take("each")
    state.writer.line(f"const {c_name(grid.dtype)} {word} = {value.text};")
    return Quantity(word, grid.dtype)


def _position(kind: type[ast.AST]) -> Callable[[State, Grid], Quantity]:
    def find(state: State, grid: Grid) -> Quantity:
        best = _start(state, "best", grid.dtype, element_of(grid, [constant(0)] * grid.rank))
        place = _start(state, "place", INT64, constant(0))
        count = place if grid.rank == 1 else _start(state, "count", INT64, constant(0))

        def body(index: Sequence[Quantity]) -> None:
            value = _named_element(state, grid, index)
            better = compare(kind, value, best)
            text = better.text
            if is_float(grid.dtype):
                text = f"{better.text} || ({value.text} != {value.text} && {best.text} == {best.text})"
            with state.writer.within(f"if ({text})"):
                state.writer.line(f"{best.text} = {value.text};")
                state.writer.line(f"{place.text} = {index[0].text if grid.rank == 1 else count.text};")
            if grid.rank > 1:
                state.writer.line(f"{count.text}++;")

        for_each(state, grid.shape, body)
        return Quantity(place.text, INT64, low=0)

    return find


def _all_or_any(wanted: bool) -> Callable[[State, Grid], Quantity]:
    def find(state: State, grid: Grid) -> Quantity:
        found = _start(state, "any" if wanted else "all", BOOLEAN, constant(not wanted))

        def body(index: Sequence[Quantity]) -> None:
            value = is_true(element_of(grid, index))
            sign, level = ("||", 4) if wanted else ("&&", 5)
            state.writer.line(f"{found.text} = {found.text} {sign} {bracketed(value, level + 1)};")

        for_each(state, grid.shape, body)
        return found

    return find


def _count(state: State, grid: Grid) -> Quantity:
    count = _start(state, "count", INT64, constant(0))

    def body(index: Sequence[Quantity]) -> None:
        with state.writer.within(f"if ({is_true(element_of(grid, index)).text})"):
            state.writer.line(f"{count.text}++;")

    for_each(state, grid.shape, body)
    return Quantity(count.text, INT64, low=0)


REDUCTIONS: Final[dict[str, Callable[[State, Grid], Quantity]]] = {
    "sum": _sum,
    "prod": _product,
    "mean": _mean,
    "var": _variance,
    "std": _deviation,
    "min": _extreme(ast.Lt),
    "amin": _extreme(ast.Lt),
    "max": _extreme(ast.Gt),
    "amax": _extreme(ast.Gt),
    "argmin": _position(ast.Lt),
    "argmax": _position(ast.Gt),
    "any": _all_or_any(True),
    "all": _all_or_any(False),
    "count_nonzero": _count,
}


def cumulate(state: State, grid: Grid, kind: type[ast.AST]) -> Grid:
    """Make the array of running sums or products."""
    if grid.rank != 1:
        raise UntranslatableError("np.cumsum and np.cumprod take an array of one axis here; write a loop")
    typ = accumulator_of(grid.dtype)
    made = whole(allocate(state, "running", typ, grid.shape))
    total = _start(state, "total", typ, constant(0 if kind is ast.Add else 1, typ))
    sign = "+=" if kind is ast.Add else "*="

    def body(index: Sequence[Quantity]) -> None:
        state.writer.line(f"{total.text} {sign} {_summand(grid, index, typ).text};")
        state.writer.line(f"{made.at(index).text} = {total.text};")

    for_each(state, grid.shape, body)
    return made
