"""Arrays in memory: how they are made, walked through and looked at from another side.

In: shapes and indices. Out: `Grid`s and `Storage`s, and the lines that make them. A view is no line of C: it is the
same memory with other `Walk`s.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numba.np import numpy_support

from symbiont_jit.translation.conversions import UntranslatableError, assigned, constant, convert, int_value
from symbiont_jit.translation.extents import ONE, ZERO, Extent, product
from symbiont_jit.translation.scalars import apply_binary, compare, ternary
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import BOOLEAN, INT64, c_name, is_integer
from symbiont_jit.translation.values import ADDITIVE, UNARY, Grid, Quantity, Storage, Walk, bracketed

__all__ = [
    "allocate",
    "at_place",
    "element",
    "for_each",
    "materialize",
    "may_overlap",
    "plain_index",
    "reshape",
    "scrambled",
    "size_of",
    "store",
    "transpose",
    "view",
    "whole",
]

#: Arrays of a known shape with at most so many bytes are local variables.
_LOCAL_BYTES: Final = 1024
_FOLLOWED_LENGTHS: Final = 2
_LOOP_WORDS: Final = ("i", "j", "k", "l", "p", "q")


# -- elements --------------------------------------------------------------------------------------------------------


def whole(storage: Storage) -> Grid:
    """Return all of a memory as an array."""
    places = tuple(Walk(ZERO, axis) for axis in range(len(storage.shape)))
    return at_places(storage, places, storage.shape)


def at_places(storage: Storage, places: tuple[Walk, ...], shape: tuple[Extent, ...]) -> Grid:
    """Return the array that walks through a memory in some way."""

    def at(index: Sequence[Quantity]) -> Quantity:
        return element(storage, [at_place(place, index) for place in places])

    return Grid(storage.dtype, shape, at, storage, places)


def at_place(place: Walk, index: Sequence[Quantity]) -> Quantity:
    """Return where an axis stands for some indices."""
    if place.axis is None:
        return int_value(place.start)
    moved = index[place.axis]
    if moved.extent is not None:
        return int_value(place.start + moved.extent.times(place.step))
    if place.step != 1:
        moved, _ = apply_binary(ast.Mult, constant(place.step), moved)
    return add(moved, place.start)


def add(value: Quantity, extent: Extent) -> Quantity:
    """Add a sum to a number."""
    if extent == ZERO:
        return value
    if value.extent is not None:
        return int_value(value.extent + extent)
    number = extent.number
    if number is not None and number < 0:
        return Quantity(f"{bracketed(value, ADDITIVE)} - {-number}", INT64, ADDITIVE)
    return Quantity(f"{bracketed(value, ADDITIVE)} + {bracketed(int_value(extent), ADDITIVE + 1)}", INT64, ADDITIVE)


def element(storage: Storage, index: Sequence[Quantity]) -> Quantity:
    """Return the element of a memory at some indices."""
    low = 0 if storage.dtype == BOOLEAN or (is_integer(storage.dtype) and not storage.dtype.signed) else None
    if not storage.is_flat or len(index) == 1:
        text = storage.name + "".join(f"[{each.text}]" for each in index)
        return Quantity(text if index else f"{storage.name}[0]", storage.dtype, low=low)
    return Quantity(f"{storage.name}[{flat_index(index, storage.shape).text}]", storage.dtype, low=low)


def flat_index(index: Sequence[Quantity], shape: Sequence[Extent]) -> Quantity:
    """Return where the element at some indices stands in a row."""
    total = Quantity("0", INT64, constant=0, extent=ZERO)
    for each, length in zip(index, shape, strict=True):
        total = _multiply_add(total, length, each)
    return total


def _multiply_add(total: Quantity, length: Extent, each: Quantity) -> Quantity:
    if total.constant == 0 and total.extent == ZERO:
        return each
    if total.extent is not None and each.extent is not None:
        return int_value(product(total.extent, length) + each.extent)
    scaled = f"{bracketed(total, 13)} * {bracketed(int_value(length), UNARY)}"
    if each.extent == ZERO:
        return Quantity(scaled, INT64, 13)
    return Quantity(f"{scaled} + {bracketed(each, ADDITIVE + 1)}", INT64, ADDITIVE)


def plain_index(state: State, value: Quantity, length: Extent) -> Quantity:
    """Return an index as C counts: a negative one counts from the end, as Numba sees to at run time."""
    if value.type != INT64 and is_integer(value.type) and not value.type.signed:
        return value
    value = convert(value, INT64)
    if isinstance(value.constant, int):
        return value if value.constant >= 0 else int_value(length + Extent((), value.constant))
    if value.low is not None and value.low >= 0:
        return value
    if value.extent is not None:
        # Whatever counts down from the length is inside, or the access is an error either way.
        below = length - value.extent
        if state.bounds.is_natural(value.extent) or (below.number is not None and below.number > 0):
            return value
    kept = state.keep(value, "at") if not value.is_simple else value
    return ternary(compare(ast.Lt, kept, constant(0)), add(kept, length), kept)


# -- loops -----------------------------------------------------------------------------------------------------------


def for_each(
    state: State,
    shape: Sequence[Extent],
    body: Callable[[Sequence[Quantity]], None],
    order: Sequence[int] | None = None,
) -> None:
    """Write loops over a shape, the first axis outermost unless an order says otherwise; an axis of one has none."""
    index: list[Quantity] = [constant(0)] * len(shape)
    axes = list(order if order is not None else range(len(shape)))

    def descend(depth: int) -> None:
        if depth == len(axes):
            body(list(index))
            return
        axis = axes[depth]
        if shape[axis] == ONE:
            index[axis] = constant(0)
            descend(depth + 1)
            return
        word = state.take_loop_word(_LOOP_WORDS)
        index[axis] = state.loop_value(word, ZERO, shape[axis])
        with state.writer.within(
            f"for (int64_t {word} = 0; {word} < {bracketed(int_value(shape[axis]), 11)}; {word}++)", True
        ):
            descend(depth + 1)
        state.give_loop_word(word)

    descend(0)


# -- memory ----------------------------------------------------------------------------------------------------------


def size_of(shape: Sequence[Extent]) -> Extent:
    """Return the number of elements."""
    total = ONE
    for length in shape:
        total = product(total, length)
    return total


def allocate(state: State, wanted: str, dtype: Any, shape: Sequence[Extent], zeros: bool = False) -> Storage:
    """Write the lines that make memory for an array; what it holds is not defined, unless it is zeros."""
    word = state.names.take(state.take_wanted(wanted))
    kept = tuple(state.keep_extent(length, f"{word}_{axis}") for axis, length in enumerate(shape))
    made = Storage(word, dtype, kept)
    numbers = [length.number for length in kept]
    if numbers and all(number is not None and number > 0 for number in numbers):
        count = int(np.prod([number for number in numbers if number is not None]))
        if count * _bytes_of(dtype) <= _LOCAL_BYTES:
            dims = "".join(f"[{number}]" for number in numbers)
            state.writer.line(f"{c_name(dtype)} {word}{dims}{' = {0}' if zeros else ''};")
            return made
    if sum(number is None for number in numbers[1:]) > _FOLLOWED_LENGTHS:
        return _allocate_row(state, made, zeros)
    inner = "".join(f"[{bracketed(int_value(length), 0)}]" for length in kept[1:])
    pointer = f"{c_name(dtype)} (*{word}){inner}" if inner else f"{c_name(dtype)} *{word}"
    count_text = bracketed(int_value(kept[0]), 13) if kept else "1"
    size = f"sizeof *{word}" if inner else f"sizeof({c_name(dtype)})"
    call = f"calloc({int_value(kept[0]).text if kept else 1}, {size})" if zeros else f"malloc({count_text} * {size})"
    state.writer.line(f"{pointer} = {call};")
    state.own(made)
    return made


def _allocate_row(state: State, made: Storage, zeros: bool) -> Storage:
    """Make memory that C knows as one row: its checks do not follow pointers to arrays of many unknown lengths."""
    row = replace(made, is_flat=True)
    count, typ = int_value(size_of(made.shape)), c_name(made.dtype)
    call = f"calloc({count.text}, sizeof({typ}))" if zeros else f"malloc({bracketed(count, 13)} * sizeof({typ}))"
    state.writer.line(f"{typ} *{made.name} = {call};")
    state.own(row)
    return row


def _bytes_of(dtype: Any) -> int:
    return int(numpy_support.as_dtype(dtype).itemsize)


def materialize(state: State, grid: Grid, wanted: str) -> Storage:
    """Write the lines that compute all elements of an array into memory of its own."""
    made = allocate(state, wanted, grid.dtype, grid.shape, zeros=grid.fill == "zeros")
    if not grid.fill:
        store(state, whole(made), grid)
    return made


def store(state: State, target: Grid, grid: Grid) -> None:
    """Write the loops that put the elements of an array into another one of the same shape."""

    def body(index: Sequence[Quantity]) -> None:
        value = grid.at(index)
        if value.type != grid.dtype and grid.dtype != target.dtype:
            value = convert(value, grid.dtype)
        state.writer.line(f"{target.at(index).text} = {assigned(value, target.dtype).text};")

    for_each(state, target.shape, body)


def apart(grid: Grid) -> Grid:
    """Return the elements of an array apart from where they are."""
    return grid if grid.storage is None else Grid(grid.dtype, grid.shape, grid.at, None, None, grid.sources())


def may_overlap(target: Grid, grid: Grid) -> bool:
    """Whether some element of an array in memory may be written before it is read at another place."""
    for source in grid.sources():
        if source.storage is None or target.storage is None:
            continue
        if source.storage.root is not target.storage.root:
            is_moving = source.storage.is_moving and target.storage.is_moving
            if is_moving or source.storage.is_shared or target.storage.is_shared:
                return True
            continue
        if (
            source.storage is not target.storage
            or source.places is None
            or source.places != target.places
            or source.shape != target.shape
        ):
            return True
    return False


# -- other sides of the same elements --------------------------------------------------------------------------------


def scrambled(grid: Grid) -> tuple[Grid, ...]:
    """Return what an array reads, at places that nobody knows."""
    return tuple(replace(each, places=None) for each in grid.sources())


def view(grid: Grid, places: Sequence[Walk], shape: tuple[Extent, ...]) -> Grid:
    """Look at an array so that each of its axes is walked through by a place."""
    if grid.storage is not None and grid.places is not None:
        composed = tuple(_compose(place, places) for place in grid.places)
        return at_places(grid.storage, composed, shape)

    def at(index: Sequence[Quantity]) -> Quantity:
        return grid.at([at_place(place, index) for place in places])

    return Grid(grid.dtype, shape, at, grid.storage, None, scrambled(grid))


def _compose(place: Walk, outer: Sequence[Walk]) -> Walk:
    if place.axis is None:
        return place
    other = outer[place.axis]
    return Walk(place.start + other.start.times(place.step), other.axis, place.step * other.step)


def transpose(grid: Grid, axes: Sequence[int] | None = None) -> Grid:
    """Look at an array with its axes in another order, by default the contrary one."""
    order = list(axes) if axes is not None else list(reversed(range(grid.rank)))
    if sorted(each % max(grid.rank, 1) for each in order) != list(range(grid.rank)):
        raise UntranslatableError(f"the axes {order} are not those of an array of {grid.rank}")
    order = [each % grid.rank for each in order]
    places = [Walk(ZERO, order.index(axis)) for axis in range(grid.rank)]
    return view(grid, places, tuple(grid.shape[axis] for axis in order))


def reshape(state: State, grid: Grid, shape: Sequence[Extent]) -> Grid:
    """Look at an array in another shape; elements that are not in order are copied first, as NumPy does."""
    shape = _complete(grid, shape)
    if len(shape) == grid.rank and all(one == other for one, other in zip(shape, grid.shape, strict=True)):
        return grid
    long = [length for length in grid.shape if length != ONE]
    if [length for length in shape if length != ONE] == long:
        return _with_units(grid, shape)
    if not grid.is_whole:
        grid = whole(materialize(state, grid, "copy"))
    storage = grid.storage
    assert storage is not None
    row = _flattened(state, storage)
    return whole(replace(row, shape=tuple(shape), is_flat=True, base=storage))


def _complete(grid: Grid, shape: Sequence[Extent]) -> list[Extent]:
    """Fill in the length that is given as -1."""
    unknown = [axis for axis, length in enumerate(shape) if length.number == -1]
    if not unknown:
        return list(shape)
    total, known = size_of(grid.shape), size_of([length for length in shape if length.number != -1])
    if known == ONE:
        filled = total
    elif total.number is not None and known.number:
        filled = Extent((), total.number // known.number)
    else:
        remaining = list(grid.shape)
        for length in shape:
            if length in remaining:
                remaining.remove(length)
        filled = size_of(remaining)
        if product(filled, known) != total:
            raise UntranslatableError("the length -1 cannot be told from the others; write it out")
    return [filled if axis in unknown else length for axis, length in enumerate(shape)]


def _with_units(grid: Grid, shape: Sequence[Extent]) -> Grid:
    """Look at an array with other axes of one element."""
    long = iter(axis for axis, length in enumerate(shape) if length != ONE)
    places = [Walk(ZERO, next(long)) if length != ONE else Walk(ZERO) for length in grid.shape]
    return view(grid, places, tuple(shape))


def _flattened(state: State, storage: Storage) -> Storage:
    """Return the same memory as one row."""
    row = (size_of(storage.shape),)
    if storage.is_flat or len(storage.shape) == 1:
        return replace(storage, shape=row, is_flat=True)
    word = state.names.take(f"{storage.name}_row")
    const = "const " if storage.is_const else ""
    first = storage.name + "[0]" * len(storage.shape)
    state.writer.line(f"{const}{c_name(storage.dtype)} *{word} = &{first};")
    return replace(storage, name=word, shape=row, is_flat=True)
