"""Masks: the elements of an array that one of truth values chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbiont_jit.translation.arrays import allocate, for_each, materialize, may_overlap, size_of, whole
from symbiont_jit.translation.conversions import UntranslatableError, assigned
from symbiont_jit.translation.extents import named_extent
from symbiont_jit.translation.reductions import element_of
from symbiont_jit.translation.state import State
from symbiont_jit.translation.values import Grid, Quantity, Storage

__all__ = ["compress", "store_masked"]


def compress(state: State, grid: Grid, mask: Grid) -> Grid:
    """Copy the chosen elements into a row, as long as there are any."""
    _require_shape(grid, mask)
    made = allocate(state, "chosen", grid.dtype, (size_of(grid.shape),))
    count = state.names.take("count")
    state.writer.line(f"int64_t {count} = 0;")

    def body(index: Sequence[Quantity]) -> None:
        with state.writer.within(f"if ({element_of(mask, index).text})"):
            state.writer.line(f"{made.name}[{count}++] = {assigned(element_of(grid, index), grid.dtype).text};")

    for_each(state, grid.shape, body)
    length = state.names.take(f"{made.name}_n")
    state.writer.line(f"const int64_t {length} = {count};")
    shape = (named_extent(length, "", 0),)
    return whole(Storage(made.name, grid.dtype, shape, base=made))


def store_masked(state: State, target: Grid, mask: Grid, value: Quantity | Grid) -> None:
    """Set the chosen elements to a number, or to the elements of a row, one after the other."""
    _require_shape(target, mask)
    if isinstance(value, Grid) and value.rank != 1:
        raise UntranslatableError("what a mask chooses is set to a number or to an array of one axis")
    if isinstance(value, Grid) and may_overlap(target, value):
        value = whole(materialize(state, value, "values"))
    # The mask is made of what it is now, not of what is being stored.
    if may_overlap(target, mask):
        mask = whole(materialize(state, mask, "mask"))
    count = ""
    if isinstance(value, Grid):
        count = state.names.take("next")
        state.writer.line(f"int64_t {count} = 0;")

    def body(index: Sequence[Quantity]) -> None:
        with state.writer.within(f"if ({element_of(mask, index).text})"):
            if isinstance(value, Grid):
                given: Any = value.at([Quantity(f"{count}++", value.dtype)])
            else:
                given = value
            state.writer.line(f"{target.at(index).text} = {assigned(given, target.dtype).text};")

    for_each(state, target.shape, body)


def _require_shape(grid: Grid, mask: Grid) -> None:
    if mask.rank != grid.rank:
        raise UntranslatableError("a mask has the shape of the array; write a loop")
