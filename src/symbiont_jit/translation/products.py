"""Products of vectors and matrices -> loops that a processor is quick at.

In: arrays of one or two axes. Out: a number or an array, whose loops are written. The order of additions is free, as it
is in the library that Numba calls: sums of products may be vectorised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbiont_jit.translation.arrays import allocate, for_each, materialize, scrambled, whole
from symbiont_jit.translation.conversions import UntranslatableError, constant, convert
from symbiont_jit.translation.extents import Extent
from symbiont_jit.translation.state import State
from symbiont_jit.translation.typing import c_name, is_complex, is_float, unify
from symbiont_jit.translation.values import Grid, Quantity, bracketed

__all__ = ["matmul", "outer"]


def matmul(state: State, left: Grid, right: Grid) -> Quantity | Grid:
    """Multiply vectors and matrices as `@` does.

    Raises:
        UntranslatableError: They are of other ranks, or of types that Numba's library does not take.
    """
    if left.rank > 2 or right.rank > 2 or not left.rank or not right.rank:
        raise UntranslatableError(f"'@' of arrays of {left.rank} and {right.rank} axes is not in Numba; write loops")
    typ = unify(left.dtype, right.dtype)
    if left.dtype != right.dtype or not (is_float(typ) or is_complex(typ)):
        raise UntranslatableError(f"'@' of {left.dtype} and {right.dtype} is not in Numba; convert one with .astype()")
    inner = left.shape[-1], right.shape[0]
    _require_fit(inner)
    left, right = _in_memory(state, left), _in_memory(state, right)
    if left.rank == right.rank == 1:
        return _dot(state, left, right, typ)
    if left.rank == 2 and right.rank == 1:
        return _rows(state, left, right, typ)
    if left.rank == 1:
        return _columns(state, left, right, typ)
    return _matrices(state, left, right, typ)


def _require_fit(inner: Sequence[Extent]) -> None:
    numbers = [each.number for each in inner]
    if None not in numbers and numbers[0] != numbers[1]:
        raise UntranslatableError(f"shapes do not fit: {numbers[0]} and {numbers[1]}")


def _in_memory(state: State, grid: Grid) -> Grid:
    """Compute the elements of an operand once, because each is needed many times."""
    if grid.storage is not None:
        return grid
    return whole(materialize(state, grid, "factor"))


def _typed(value: Quantity, typ: Any) -> str:
    return bracketed(convert(value, typ), 13)


def _accumulate(state: State, typ: Any, length: Extent, left: Any, right: Any) -> Quantity:
    """Write the loop of a sum of products."""
    word = state.names.take("dot")
    state.writer.line(f"{c_name(typ)} {word} = {constant(0, typ).text};")

    def body(index: Sequence[Quantity]) -> None:
        if is_float(typ):
            state.writer.line("#pragma clang fp reassociate(on)")
        state.writer.line(f"{word} += {_typed(left(index[0]), typ)} * {_typed(right(index[0]), typ)};")

    for_each(state, (length,), body)
    return Quantity(word, typ)


def _dot(state: State, left: Grid, right: Grid, typ: Any) -> Quantity:
    return _accumulate(state, typ, left.shape[0], lambda i: left.at([i]), lambda i: right.at([i]))


def _rows(state: State, left: Grid, right: Grid, typ: Any) -> Grid:
    made = whole(allocate(state, "product", typ, (left.shape[0],)))

    def body(index: Sequence[Quantity]) -> None:
        (row,) = index
        total = _accumulate(state, typ, left.shape[1], lambda i: left.at([row, i]), lambda i: right.at([i]))
        state.writer.line(f"{made.at([row]).text} = {total.text};")

    for_each(state, (left.shape[0],), body)
    return made


def _columns(state: State, left: Grid, right: Grid, typ: Any) -> Grid:
    made = whole(allocate(state, "product", typ, (right.shape[1],), zeros=True))

    def body(index: Sequence[Quantity]) -> None:
        row, column = index
        term = f"{_typed(left.at([row]), typ)} * {_typed(right.at([row, column]), typ)}"
        state.writer.line(f"{made.at([column]).text} += {term};")

    for_each(state, (left.shape[0], right.shape[1]), body)
    return made


def _matrices(state: State, left: Grid, right: Grid, typ: Any) -> Grid:
    shape = (left.shape[0], right.shape[1])
    made = whole(allocate(state, "product", typ, shape, zeros=True))

    def body(index: Sequence[Quantity]) -> None:
        row, middle, column = index
        term = f"{_typed(left.at([row, middle]), typ)} * {_typed(right.at([middle, column]), typ)}"
        state.writer.line(f"{made.at([row, column]).text} += {term};")

    for_each(state, (left.shape[0], left.shape[1], right.shape[1]), body)
    return made


def outer(state: State, left: Grid, right: Grid, typ: Any) -> Grid:
    """Multiply each element of one vector with each of another."""
    if left.rank != 1 or right.rank != 1:
        raise UntranslatableError("np.outer takes arrays of one axis here")
    left, right = _in_memory(state, left), _in_memory(state, right)

    def at(index: Sequence[Quantity]) -> Quantity:
        return Quantity(f"{_typed(left.at([index[0]]), typ)} * {_typed(right.at([index[1]]), typ)}", typ, 13)

    return Grid(typ, (left.shape[0], right.shape[0]), at, None, None, (*scrambled(left), *scrambled(right)))
