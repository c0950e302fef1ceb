"""What stands in the brackets behind an array: numbers, slices, new axes, arrays of indices, masks.

In: an array and what its brackets hold. Out: the element, or the array that is a part of it. The ends of a slice are
those of NumPy: they count from the end where they are negative, and never leave the array.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbiont_jit.translation.arrays import add, at_place, plain_index, scrambled, view
from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, int_value
from symbiont_jit.translation.extents import ONE, ZERO, Extent, extent_of, named_extent
from symbiont_jit.translation.scalars import compare, ternary
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import BOOLEAN, INT64, is_integer
from symbiont_jit.translation.values import Grid, Quantity, Walk, bracketed

__all__ = ["Cut", "NewAxis", "at_least_zero", "cut_axis", "select", "shorter"]


@dataclass(frozen=True, slots=True)
class Cut:
    """A slice as it is written; None stands for what is left out.

    The step stands in the text, or is a `stride` that only a call knows.
    """

    lower: Quantity | None = None
    upper: Quantity | None = None
    step: int = 1
    stride: Quantity | None = None


@dataclass(frozen=True, slots=True)
class NewAxis:
    """An axis of one element that the array does not have: `None` or `np.newaxis`."""


def select(state: State, grid: Grid, items: Sequence[Any]) -> Quantity | Grid:
    """Return the element or the part of an array that brackets ask for.

    Args:
        state: The translation.
        grid: The array.
        items: For each axis a `Quantity`, a `Cut` or an array of indices; a `NewAxis` for none, `...` for others.

    Raises:
        UntranslatableError: There are too many of them, or they have no C form.
    """
    items = _complete(grid, items)
    if all(isinstance(item, Quantity) for item in items):
        index = [plain_index(state, item, length) for item, length in zip(items, grid.shape, strict=True)]
        value = grid.at(index)
        return value if value.type == grid.dtype else convert(value, grid.dtype)
    if any(isinstance(item, Grid) for item in items):
        return _gather(state, grid, items)
    strides = [item for item in items if isinstance(item, Cut) and item.stride is not None]
    if strides:
        return _stride(state, grid, items, strides)
    places, shape = _walk(state, grid, items)
    return view(grid, places, tuple(shape))


def _complete(grid: Grid, items: Sequence[Any]) -> list[Any]:
    """Replace `...`, and add whole axes for those that are not named."""
    items = list(items)
    named = sum(not isinstance(item, NewAxis) and item is not Ellipsis for item in items)
    if named > grid.rank:
        raise UntranslatableError(f"{named} indices for an array of {grid.rank}")
    missing = [Cut()] * (grid.rank - named)
    if Ellipsis in items:
        at = items.index(Ellipsis)
        return [*items[:at], *missing, *items[at + 1 :]]
    return [*items, *missing]


def _stride(state: State, grid: Grid, items: Sequence[Any], strides: Sequence[Cut]) -> Grid:
    """Return the part of an array that is walked through by a step that only a call knows."""
    stride = strides[0].stride
    if len(strides) > 1 or stride is None or stride.low is None or stride.low < 1:
        raise UntranslatableError("the step of a slice has to be known to be positive; write a loop")
    step = state.keep(convert(stride, INT64), "step")
    at_axis = [item for item in items if not isinstance(item, NewAxis)].index(strides[0])
    straight = [replace(item, stride=None) if item is strides[0] else item for item in items]
    places, shape = _walk(state, grid, straight)
    place = places[at_axis]
    assert place.axis is not None
    axis, start = place.axis, place.start
    last = shape[axis] + extent_of(-1)
    count = state.as_extent(Quantity(f"({last.c} + {step.text}) / {step.text}", INT64, 13, low=0), "count")
    shape[axis] = count

    def at(index: Sequence[Quantity]) -> Quantity:
        where = [at_place(each, index) for each in places]
        where[at_axis] = add(Quantity(f"{bracketed(index[axis], 13)} * {step.text}", INT64, 13), start)
        return grid.at(where)

    return Grid(grid.dtype, tuple(shape), at, grid.storage, None, scrambled(grid))


def _walk(state: State, grid: Grid, items: Sequence[Any]) -> tuple[list[Walk], list[Extent]]:
    """Return how each axis of an array is walked through, and the shape of the result."""
    places: list[Walk] = []
    shape: list[Extent] = []
    lengths = iter(grid.shape)
    for item in items:
        if isinstance(item, NewAxis):
            shape.append(ONE)
            continue
        length = next(lengths)
        if isinstance(item, Quantity):
            index = plain_index(state, item, length)
            places.append(Walk(state.as_extent(index, "at")))
            continue
        start, count = cut_axis(state, item, length)
        places.append(Walk(start, len(shape), item.step))
        shape.append(count)
    return places, shape


# -- slices ----------------------------------------------------------------------------------------------------------


def cut_axis(state: State, cut: Cut, length: Extent) -> tuple[Extent, Extent]:
    """Return where a slice of an axis begins, and how many elements it has."""
    if cut.step == 0:
        raise UntranslatableError("the step of a slice is not zero")
    if cut.step < 0:
        return _cut_down(state, cut, length)
    start = ZERO if cut.lower is None else _end_of(state, cut.lower, length, is_start=True)
    stop = length if cut.upper is None else _end_of(state, cut.upper, length, is_start=False)
    count = stop - start
    if start == ZERO and stop == length and cut.step == 1:
        return ZERO, length
    if cut.step == 1:
        return start, at_least_zero(state, count)
    return start, _count_steps(at_least_zero(state, count), cut.step)


def _count_steps(length: Extent, step: int) -> Extent:
    """Return how many elements an axis has, of which every `step`-th is taken."""
    rounded = length + extent_of(step - 1)
    if rounded.number is not None:
        return extent_of(rounded.number // step)
    python = f"(({rounded.python}) // {step})" if rounded.python else ""
    text = f"({rounded.c}) / {step}" if rounded.is_sum else f"{rounded.c} / {step}"
    return named_extent(text, python, 0)


def _cut_down(state: State, cut: Cut, length: Extent) -> tuple[Extent, Extent]:
    """Return the beginning and the length of a slice that runs backwards, with at most one end."""
    last = length - ONE
    step = -cut.step
    if cut.lower is None and cut.upper is None:
        return last, length if step == 1 else _count_steps(length, step)
    if step != 1:
        raise UntranslatableError("a slice that runs backwards by more than one has no ends here; write a loop")
    start = last if cut.lower is None else _inside(state, cut.lower, length, last)
    stop = extent_of(-1) if cut.upper is None else _inside(state, cut.upper, length, last)
    return start, at_least_zero(state, start - stop)


def _inside(state: State, value: Quantity, length: Extent, last: Extent) -> Extent:
    """Return an end of a slice that runs backwards: from -1 to the last index."""
    index = state.as_extent(plain_index(state, value, length), "end")
    if state.bounds.is_natural(last - index):
        return index
    return _smaller(state, index, last)


def _end_of(state: State, value: Quantity, length: Extent, is_start: bool) -> Extent:
    """Return an end of a slice as an index from 0 to the length."""
    value = convert(value, INT64)
    number = value.constant
    if isinstance(number, int):
        if number >= 0:
            end = extent_of(number)
            # Where the array is shorter, the count is none, whatever the beginning is.
            return end if is_start or _reaches(state, length, end) else _smaller(state, end, length)
        end = length + extent_of(number)
        return at_least_zero(state, end) if is_start else end
    end = state.as_extent(value, "end")
    is_natural = (value.low is not None and value.low >= 0) or state.bounds.is_natural(end)
    if not is_natural and (end - length).number is None:
        name = state.keep(int_value(end), "end")
        wrapped = ternary(compare(ast.Lt, name, constant(0)), add(name, length), name)
        wrapped = Quantity(wrapped.text, INT64, wrapped.level, None, None, None)
        end = at_least_zero(state, state.as_extent(wrapped, "end"))
    elif not is_natural:
        return at_least_zero(state, end) if is_start else end
    if is_start or _reaches(state, length, end):
        return end
    return _smaller(state, end, length)


def _reaches(state: State, length: Extent, end: Extent) -> bool:
    return state.bounds.is_natural(length - end)


def _smaller(state: State, one: Extent, other: Extent) -> Extent:
    """Return the smaller of two sums, as a name of its own."""
    difference = (one - other).number
    if difference is not None:
        return one if difference <= 0 else other
    return state.named(one, other, "<", "min")


def at_least_zero(state: State, extent: Extent) -> Extent:
    """Return a length that may come out negative as one that is zero then."""
    if extent.number is not None:
        return extent_of(max(extent.number, 0))
    if state.bounds.is_natural(extent):
        return extent
    return state.named(extent, ZERO, ">", "max")


# -- arrays of indices -----------------------------------------------------------------------------------------------


def _gather(state: State, grid: Grid, items: Sequence[Any]) -> Grid:
    """Return the array whose elements are those at other arrays' indices."""
    chosen = [item for item in items if isinstance(item, Grid)]
    if len(chosen) != 1 or chosen[0].rank != 1:
        raise UntranslatableError("one array of indices with one axis can stand in brackets; write a loop")
    if chosen[0].dtype == BOOLEAN:
        raise UntranslatableError("a mask stands alone in brackets; write a loop")
    if not is_integer(chosen[0].dtype):
        raise UntranslatableError(f"an index is a whole number, not {chosen[0].dtype}")
    at_axis = [item for item in items if not isinstance(item, NewAxis)].index(chosen[0])
    straight = [Cut() if isinstance(item, Grid) else item for item in items]
    places, shape = _walk(state, grid, straight)
    result_axis = places[at_axis].axis
    assert result_axis is not None
    shape[result_axis] = chosen[0].shape[0]
    length = grid.shape[at_axis]

    def at(index: Sequence[Quantity]) -> Quantity:
        where = [at_place(place, index) for place in places]
        picked = convert(chosen[0].at([index[result_axis]]), chosen[0].dtype)
        where[at_axis] = plain_index(state, picked, length)
        return grid.at(where)

    return Grid(grid.dtype, tuple(shape), at, grid.storage, None, (*scrambled(grid), *scrambled(chosen[0])))


def shorter(one: Extent, other: Extent) -> Extent:
    """Return the smaller of two lengths."""
    difference = (one - other).number
    if difference is not None:
        return one if difference <= 0 else other
    text = f"({one.c} < {other.c} ? {one.c} : {other.c})"
    python = f"min({one.python}, {other.python})" if one.python and other.python else ""
    return named_extent(text, python, 0)
