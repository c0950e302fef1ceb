"""Operations on arrays, element by element: shapes that fit each other, and one loop for all of an expression.

In: numbers and arrays. Out: an array that is a function of its operands' elements. Types are those of Numba: within an
expression each operation has the type that it has on numbers, and what is stored has the type that it has on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symbiont_jit.translation.arrays import scrambled, view
from symbiont_jit.translation.conversions import UntranslatableError, constant, convert, is_true
from symbiont_jit.translation.extents import ONE, ZERO, Extent
from symbiont_jit.translation.scalars import ternary
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import INT64, array_result
from symbiont_jit.translation.values import MULTIPLICATIVE, Grid, Quantity, Walk, bracketed

__all__ = ["broadcast", "broadcast_to", "combine", "lift", "where"]

Compute = Callable[[list[Quantity]], Quantity]


def combine(state: State, function: Any, operands: Sequence[Quantity | Grid], compute: Compute) -> Grid:
    """Apply an operation to arrays and numbers.

    Args:
        state: The translation.
        function: What Numba is asked for the type of the result.
        operands: Arrays and numbers, at least one array.
        compute: The operation on numbers.

    Raises:
        UntranslatableError: Numba has no such operation, or the shapes never fit.
    """
    types = tuple(each.dtype if isinstance(each, Grid) else each.type for each in operands)
    dtype = array_result(function, types, tuple(each.rank if isinstance(each, Grid) else 0 for each in operands))
    if dtype is None:
        raise UntranslatableError(f"Numba has no such operation on {' and '.join(map(str, types))}")
    return lift(state, dtype, [_steady(state, each) for each in operands], compute)


def _steady(state: State, operand: Quantity | Grid) -> Quantity | Grid:
    """Compute a number before the loop, unless it is as short as its name would be."""
    if isinstance(operand, Grid) or operand.is_simple or operand.constant is not None:
        return operand
    return state.keep(operand, "factor")


def lift(state: State, dtype: Any, operands: Sequence[Quantity | Grid], compute: Compute) -> Grid:
    """Make the array whose elements are computed from those of others."""
    grids = [each for each in operands if isinstance(each, Grid)]
    shape, spread = broadcast(state, grids)
    adjusted = iter(spread)
    parts = [next(adjusted) if isinstance(each, Grid) else each for each in operands]

    def at(index: Sequence[Quantity]) -> Quantity:
        with state.quietly():
            return compute([part.at(index) if isinstance(part, Grid) else part for part in parts])

    reads = tuple(source for part in parts if isinstance(part, Grid) for source in part.sources())
    return Grid(dtype, shape, at, None, None, reads)


def broadcast(state: State, grids: Sequence[Grid]) -> tuple[tuple[Extent, ...], list[Grid]]:
    """Return the common shape of arrays, and each of them in it."""
    rank = max(grid.rank for grid in grids)
    padded = [(ONE,) * (rank - grid.rank) + grid.shape for grid in grids]
    shape = tuple(_common_length(state, [lengths[axis] for lengths in padded]) for axis in range(rank))
    return shape, [broadcast_to(state, grid, shape) for grid in grids]


def _common_length(state: State, lengths: Sequence[Extent]) -> Extent:
    """Return the length that others are stretched to."""
    found = ONE
    for length in lengths:
        if length == ONE or state.same(length, found):
            continue
        if found == ONE:
            found = length
        elif found.number is not None and length.number is not None:
            raise UntranslatableError(f"shapes do not fit: {found.c} and {length.c}")
        elif not state.unite(found, length):
            found = length if length.number is not None else state.named(found, length, "== 1", "common")
    return found


def broadcast_to(state: State, grid: Grid, shape: Sequence[Extent]) -> Grid:
    """Look at an array so that it has a shape: axes of one element are repeated."""
    if grid.shape == tuple(shape):
        return grid
    skipped = len(shape) - grid.rank
    pairs = [
        (want if state.same(have, want) else have, want) for have, want in zip(grid.shape, shape[skipped:], strict=True)
    ]
    if all(have in (want, ONE) for have, want in pairs):
        places = [Walk(ZERO, skipped + i) if have == want else Walk(ZERO) for i, (have, want) in enumerate(pairs)]
        return view(grid, places, tuple(shape))

    steps = [None if have in (want, ONE) else state.step_of(have) for have, want in pairs]

    def at(index: Sequence[Quantity]) -> Quantity:
        inside = zip(pairs, steps, index[skipped:], strict=True)
        return grid.at([_stretched(have, want, step, each) for (have, want), step, each in inside])

    return Grid(grid.dtype, tuple(shape), at, None, None, scrambled(grid))


def _stretched(have: Extent, want: Extent, step: Quantity | None, index: Quantity) -> Quantity:
    if have == want:
        return index
    if step is None:
        return constant(0)
    # Only a call tells whether an axis has one element, which is repeated, or as many as the others.
    return Quantity(f"{bracketed(index, MULTIPLICATIVE)} * {step.text}", INT64, MULTIPLICATIVE, None, None, 0)


def where(state: State, condition: Quantity | Grid, chosen: Quantity | Grid, other: Quantity | Grid, typ: Any) -> Grid:
    """Choose each element from one of two arrays."""

    def compute(values: list[Quantity]) -> Quantity:
        first, second, third = values
        return ternary(is_true(first), convert(second, typ), convert(third, typ))

    return lift(state, typ, [condition, _steady(state, chosen), _steady(state, other)], compute)
