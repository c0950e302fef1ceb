"""The natural scale of each element of a result: how large the numbers are that it is made of.

In: a way to call the reference, arguments, and what they gave. Out: for each element a magnitude, to which a relative
tolerance applies besides the element's own. A difference of large numbers may be small, and is then as uncertain as
these; the large element beside it says nothing about it.

Each number among the arguments is moved by one to three units in the last place, up or down by chance, and by four
times as many. What an element moves by, divided by the relative size of a unit, is the size of the numbers that it
hangs on (a condition number times its own magnitude; Higham, Accuracy and Stability of Numerical Algorithms, 2002,
section 1.6). Where an element jumps, because a comparison turns out otherwise, both steps give about the same; so it is
the difference between them that counts. Zeros stay zeros, because a number below zero may have no root; what becomes no
number says nothing. No scale is larger than a sum of squares of the largest number among arguments and results.

A result may also be less certain than its arguments make it: a variance as a difference of two sums hardly moves with
them, and is off by what the sums were rounded by. A few units in the last place do not round such sums otherwise, so
the reference is also called at four places of equal distance further off. What is smooth vanishes from their third
difference, and the noise of rounding stays (Moré and Wild, Estimating computational noise, SIAM Journal on Scientific
Computing 33, 2011). The first of them is not the arguments' own place, where comparisons turn out otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.evaluate.agreement import TOLERANCES, Outcome, Scale
from symbiont_jit.signature import Mode, Signature

__all__ = [
    "CallToScale",
    "coarsest_unit",
    "estimate_scale",
    "judge_by_scale",
    "largest_scale",
    "largest_magnitude",
    "move_noticeably",
]

#: How often all arguments are moved, and by how many units each time.
PATTERNS: Final = 6
NEAR, FAR = 1, 4
#: How often the noise of rounding is looked at, at which places, and what a third difference weighs them with. Steps of
#: a power of two would often be added to larger numbers without being rounded.
NOISE_PATTERNS: Final = 4
NOISE_UNITS: Final = (61, 122, 183, 244)
THIRD_DIFFERENCE: Final = (-1, 3, -3, 1)
#: How much wider a third difference of numbers that were rounded once spreads than a unit in the last place of these.
NOISE_SPREAD: Final = math.sqrt(sum(weight**2 for weight in THIRD_DIFFERENCE) / 12)

#: Squares of larger numbers would be no numbers in some types.
SQUARED: Final = 1e18
EPS: Final = float(np.finfo(np.float64).eps)

#: How many tolerances a number is moved by at most, so that an answer for the one before is no answer.
NOTICEABLE: Final = 30

Solve = Callable[[Callable[[Any], None]], Outcome]


def largest_magnitude(*outcomes: Outcome | Sequence[Any]) -> float:
    """Return the largest finite magnitude of a floating number among arguments and results; 0 where there is none."""
    found = (np.max(np.abs(p), initial=0.0, where=np.isfinite(p)) for p in _all_floats(*outcomes))
    return max(map(float, found), default=0.0)


def _all_floats(*outcomes: Outcome | Sequence[Any]) -> Iterator[Any]:
    """Yield all floating numbers of arguments and results as arrays."""
    for outcome in outcomes:
        values = (*outcome.values, outcome.result) if isinstance(outcome, Outcome) else outcome
        for value in values:
            yield from () if value is None else _floats_of(np.asarray(value))


def coarsest_unit(*outcomes: Outcome | Sequence[Any]) -> float:
    """Return the largest relative unit in the last place of the floating numbers among arguments and results."""
    return max((float(np.finfo(part.dtype).eps) for part in _all_floats(*outcomes)), default=EPS)


def estimate_scale(solve: Solve, expected: Outcome, limit: float, seed: Sequence[int], unit: float) -> Outcome:
    """Estimate the natural scale of each element.

    Args:
        solve: Calls the reference after a function has changed each array of its arguments in place.
        expected: What the reference gives for the arguments as they are.
        limit: The largest scale that there can be.
        seed: What the directions are drawn with.
        unit: The coarsest relative unit in the last place of arguments and results. All are moved by multiples of it:
            a result of single precision does not move with less, and one of double precision moves with all of it.

    Returns:
        An outcome of the same types, whose floating numbers are scales; all else is 0.
    """
    result = None if expected.result is None else np.zeros_like(expected.result)
    scale = Outcome(tuple(np.zeros_like(value) for value in expected.values), result)
    for pattern in range(PATTERNS):
        near, far = (solve(_Mover([*seed, pattern], units, unit)) for units in (NEAR, FAR))
        for known, at in zip(_parts(scale), _parts_of_all(expected, near, far), strict=True):
            _raise_scale(known, _sensitivity(*at) / (FAR - NEAR), unit, limit)
    for pattern in range(PATTERNS, PATTERNS + NOISE_PATTERNS):
        places = [solve(_Mover([*seed, pattern], units, unit)) for units in NOISE_UNITS]
        for known, (was, *there) in zip(_parts(scale), _parts_of_all(expected, *places), strict=True):
            _raise_scale(known, _noise(*there), unit, limit)
            steps = NOISE_UNITS[-1] - NOISE_UNITS[0]
            _raise_scale(known, _sensitivity(was, there[0], there[-1]) / steps, unit, limit)
    return scale


def _sensitivity(expected: Any, near: Any, far: Any) -> Any:
    """Return how much more elements move from near to far; nothing where they only jump."""
    with np.errstate(all="ignore"):
        return np.abs(far - expected) - np.abs(near - expected)


def _noise(*places: Any) -> Any:
    """Return how large a unit in the last place is by which elements seem to be rounded at places of equal distance."""
    with np.errstate(all="ignore"):
        return np.abs(sum(weight * at for weight, at in zip(THIRD_DIFFERENCE, places, strict=True))) / NOISE_SPREAD


def _raise_scale(known: Any, moved: Any, unit: float, limit: float) -> None:
    """Raise scales in place to what elements moved by, in relative units in the last place."""
    with np.errstate(all="ignore"):
        found = np.where(np.isfinite(moved), moved, 0.0) / unit
    known[...] = np.maximum(known, np.minimum(found, limit))


@dataclass(frozen=True, slots=True)
class CallToScale:
    """A call whose results have natural scales: what was given, what came of it, and how it is made again.

    `prepare` copies arguments, and `call` calls with such a copy; what it raises says that nothing has moved.
    """

    signature: Signature
    prepare: Callable[[Sequence[Any]], Any]
    call: Callable[[Any], Any]
    given: Sequence[Any]
    expected: Outcome

    def estimate(self, seed: Sequence[int]) -> Outcome:
        """Estimate the natural scale of each element of the results."""
        unit = coarsest_unit(_list_read(self.signature, self.given), self.expected)
        limit = largest_scale(self.signature, self.given, self.expected)
        return estimate_scale(self._solve, self.expected, limit, seed, unit)

    def _solve(self, move: Callable[[Any], None]) -> Outcome:
        arguments = self.prepare(self.given)
        for value in _list_read(self.signature, arguments.values):
            move(value)
        try:
            return Outcome(arguments.values, self.call(arguments))
        except Exception:  # A Python function may raise anything for arguments that nobody declared.
            return self.expected


def judge_by_scale(
    find: Callable[[Scale], str | None], limit: Callable[[], float], scale: Callable[[], Outcome]
) -> str | None:
    """Return what is wrong with a result where its natural scale says so too, which takes calls of the reference.

    Args:
        find: Finds what is wrong with a scale.
        limit: Gives the largest scale that there can be: what is wrong with that is wrong in any case.
        scale: Gives the natural scale of each element.
    """
    problem = find(0.0)
    if problem is None or find(limit()) is not None:
        return problem
    return find(scale())


def largest_scale(signature: Signature, given: Sequence[Any], expected: Outcome) -> float:
    """Return the largest natural scale that an element can have: sums of products of two arguments."""
    largest = largest_magnitude(_list_read(signature, given), expected)
    terms = max((np.size(value) for value in given), default=1)
    return terms * (max(largest, largest * largest) if largest < SQUARED else largest)


def _list_read(signature: Signature, values: Sequence[Any]) -> list[Any]:
    """List the arguments that are more than room for results, in which there is noise."""
    return [value for param, value in zip(signature.params, values, strict=True) if param.mode is not Mode.OUT]


def move_noticeably(values: Sequence[Any], seed: Sequence[int]) -> None:
    """Move all floating numbers of arrays, in place, by more than what results may differ by, and not by much."""
    rng = np.random.default_rng([*seed, 0x30F3])
    for part in (part for value in values for part in _floats_of(value)):
        far = NOTICEABLE * TOLERANCES[part.dtype.name]
        with np.errstate(all="ignore"):
            part[...] = part * (1 + far * rng.uniform(-1, 1, part.shape))


class _Mover:
    """Moves all numbers of arrays, one array after the other, by some units in the last place up or down."""

    def __init__(self, seed: Sequence[int], units: int, unit: float) -> None:
        self._rng = np.random.default_rng([*seed, 0x5CA1E])
        self._units, self._unit = units, unit

    def __call__(self, values: Any) -> None:
        for part in _floats_of(values):
            steps = self._units * self._rng.choice([-3, -2, -1, 1, 2, 3], part.shape)
            coarser = max(1.0, self._unit / float(np.finfo(part.dtype).eps))
            with np.errstate(all="ignore"):
                moved = part + (steps * coarser * np.spacing(np.abs(part))).astype(part.dtype)
            part[...] = np.where(np.isfinite(moved) & (part != 0), moved, part)


def _parts(outcome: Outcome) -> Iterator[Any]:
    """Yield the floating numbers of an outcome as arrays, in an order that its types decide."""
    for value in outcome.values:
        yield from _floats_of(value)
    if outcome.result is not None:
        yield from _floats_of(np.asarray(outcome.result))


def _parts_of_all(*outcomes: Outcome) -> Iterator[tuple[Any, ...]]:
    return zip(*map(_parts, outcomes), strict=True)


def _floats_of(values: Any) -> Iterator[Any]:
    """Yield views of all floating numbers in an array: fields of records, parts of complex numbers."""
    if values.dtype.names:
        for name in values.dtype.names:
            yield from _floats_of(values[name])
    elif values.dtype.kind == "c":
        yield from (values.real, values.imag)
    elif values.dtype.kind == "f":
        yield values
