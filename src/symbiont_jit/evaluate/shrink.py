"""The smallest call that shows a wrong answer: what a model can read, and a person can compute by hand.

In: arguments of a wrong answer, and what judges others. Out: smaller arguments that are wrong too, as text.

First all arrays of a free length become shorter, then numbers become plain ones. That is done only where all numbers
are floating ones, because an integer may be an index, or a length that is not free: the reference would be called with
what nobody has declared. Hypothesis shrinks what it has drawn itself; these arguments come from the user's function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from symbiont_jit.signature import ArrayType, Mode, Param, Signature

__all__ = ["can_shrink", "shrink", "spell_call"]

#: Lengths that are tried, the shortest first: those around a vector of some numbers, and what a blocked loop needs.
LENGTHS: Final = (*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65)
#: The most elements that a call is spelled with.
MOST_ELEMENTS: Final = 24

FindProblem = Callable[[Sequence[Any]], str | None]


def can_shrink(signature: Signature) -> bool:
    """Whether other arguments than those that were drawn are as good: all numbers are floating ones."""
    return all(getattr(_element_of(param), "kind", "") in ("f", "c") for param in signature.params)


def shrink(signature: Signature, values: Sequence[Any], problem: str, find: FindProblem) -> tuple[tuple[Any, ...], str]:
    """Make arguments smaller for as long as they are wrong.

    Args:
        signature: The signature of the call.
        values: Its arguments, which are left as they are.
        problem: What is wrong with them.
        find: Says what is wrong with other arguments, None where nothing is.

    Returns:
        The smallest arguments that were found, and what is wrong with them.
    """
    kept, found = tuple(values), problem
    for proposals in (_shorter(signature, dimension) for dimension in signature.dimensions):
        kept, found = _first_wrong(proposals(kept), find) or (kept, found)
    for index, param in enumerate(signature.params):
        if param.mode is not Mode.OUT:
            kept, found = _first_wrong(_propose_plainer(kept, index), find) or (kept, found)
    return kept, found


def spell_call(signature: Signature, values: Sequence[Any]) -> str:
    """Spell a call with all of its arguments; nothing where they are too many to be read.

    Pure output buffers are spelled as their shapes.
    """
    if sum(np.size(value) for value in values) > MOST_ELEMENTS:
        return ""
    return f"{signature.name}({', '.join(map(_spell, signature.params, values))})"


def _spell(param: Param, value: Any) -> str:
    array = np.asarray(value)
    return f"{param.name} of shape {array.shape}" if param.mode is Mode.OUT else f"{param.name}={array.tolist()}"


def _element_of(param: Param) -> Any:
    return param.type.dtype if isinstance(param.type, ArrayType) else param.type


def _first_wrong(proposals: Iterator[tuple[Any, ...]], find: FindProblem) -> tuple[tuple[Any, ...], str] | None:
    return next(((values, found) for values in proposals if (found := find(values)) is not None), None)


def _shorter(signature: Signature, dimension: str) -> Callable[[tuple[Any, ...]], Iterator[tuple[Any, ...]]]:
    """Return what proposes calls in which one free length is shorter: the beginnings of all arrays that have it."""
    places = [_axes_of(param, dimension) for param in signature.params]

    def propose(values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        now = next(value.shape[axes[0]] for value, axes in zip(values, places, strict=True) if axes)
        for length in (length for length in LENGTHS if length < now):
            yield tuple(_cut(value, axes, length) for value, axes in zip(values, places, strict=True))

    return propose


def _axes_of(param: Param, dimension: str) -> list[int]:
    dims = param.type.dims if isinstance(param.type, ArrayType) else ()
    return [axis for axis, named in enumerate(dims) if named == dimension]


def _cut(value: Any, axes: Sequence[int], length: int) -> Any:
    if not axes:
        return value
    return np.ascontiguousarray(value[tuple(slice(length if axis in axes else None) for axis in range(value.ndim))])


def _propose_plainer(values: tuple[Any, ...], index: int) -> Iterator[tuple[Any, ...]]:
    """Propose plainer numbers for one argument: ones, 1 2 3, and its own with fewer digits."""
    value = np.asarray(values[index])
    counted = np.arange(1, value.size + 1).reshape(value.shape)
    with np.errstate(all="ignore"):
        proposals = (np.ones_like(value), counted, np.round(value), np.round(value, 1))
    for plain in (proposal.astype(value.dtype) for proposal in proposals):
        if plain.tobytes() != value.tobytes():
            yield (*values[:index], plain if value.ndim else plain[()], *values[index + 1 :])
