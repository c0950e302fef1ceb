"""Whether what a call left and returned agrees with what the reference left and returned.

In: arrays and results of two calls, their types, tolerances. Out: the first difference in words, or None. Also what the
comparison rests on: output buffers that are full of noise before each call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.signature import ArrayType, Element, Mode, Param, Record, Signature

__all__ = [
    "TOLERANCES",
    "Agrees",
    "Outcome",
    "Scale",
    "find_disagreement",
    "list_outputs",
    "Tolerance",
    "poison_outputs",
]

#: Relative tolerances by dtype, unless the user gives one; everything else has to be equal.
TOLERANCES: Final[Mapping[str, float]] = {"float64": 1e-9, "float32": 1e-4, "complex128": 1e-9, "complex64": 1e-4}


#: The relative size of a unit in the last place, by dtype, and how many of them what cancels may be off by: a sum of
#: terms of both signs, in another order, is off by about a third of the root of their number.
EPSILON: Final[Mapping[str, float]] = {
    **dict.fromkeys(("float64", "complex128"), 2.0**-52),
    **dict.fromkeys(("float32", "complex64"), 2.0**-23),
}
ROUNDINGS: Final = 64
#: Arrays of so many bytes are compared bit by bit first, because most of them are equal.
FEW_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """The arguments of a call as it left them, and the NumPy scalar that it returned (None for nothing)."""

    values: tuple[Any, ...]
    result: Any


#: One natural scale for all elements, or an outcome that has those of each, in the elements' own types.
Scale = float | Outcome


#: A user's own judgement: a function of arguments, of what the reference's call gave and of what the candidate's gave.
Agrees = Callable[[tuple[Any, ...], Any, Any], Any]


def find_disagreement(
    signature: Signature, agrees: Agrees, given: Sequence[Any], expected: Outcome, got: Outcome
) -> str:
    """Ask a user's function whether two calls agree; say why not, or nothing where they do.

    The function gets copies. What is only read must be as before in any case.
    """
    for param, want, have in zip(signature.params, expected.values, got.values, strict=True):
        if isinstance(param.type, ArrayType) and param.mode is Mode.IN and want.tobytes() != have.tobytes():
            return _describe_change(param, "differs")
    both = (_one_or_all(list_outputs(signature, outcome)) for outcome in (expected, got))
    said = agrees(tuple(_copy(value) for value in given), *both)
    if isinstance(said, str):
        return said
    return "" if said else "agrees= says that the result is wrong"


def list_outputs(signature: Signature, outcome: Outcome) -> tuple[Any, ...]:
    """List what a call gave: copies of the arrays that it may write, and its result."""
    pairs = zip(signature.params, outcome.values, strict=True)
    found = [value.copy() for param, value in pairs if isinstance(param.type, ArrayType) and param.mode is not Mode.IN]
    return tuple(found) if outcome.result is None else (*found, outcome.result)


def _one_or_all(outputs: tuple[Any, ...]) -> Any:
    return outputs[0] if len(outputs) == 1 else outputs


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) and value.ndim else value[()]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far results may differ from the reference's: `|got - expected| <= atol + rtol * |expected|`, by elements.

    `rtol` is by default that of the dtype in `TOLERANCES`; `atol` is by default `ROUNDINGS` units in the last place of
    each element's own natural scale (`scale.py`), so that a large element elsewhere frees nothing. Integers have to be
    equal unless one of the two is given.
    """

    rtol: float | None = None
    atol: float | None = None

    def find_difference(
        self, signature: Signature, expected: Outcome, got: Outcome, scale: Scale = 0.0, has_values: bool = True
    ) -> str | None:
        """Describe the first difference between two calls of a signature; None for none.

        Args:
            signature: The signature of both calls.
            expected: What the reference's call left and returned.
            got: What the other one did.
            scale: The natural scales, one number for all elements or an outcome with those of each.
            has_values: Whether the description says where the difference is, how many there are, and the values.
        """
        scales = scale if isinstance(scale, Outcome) else Outcome((scale,) * len(signature.params), scale)
        for param, want, have, own in zip(signature.params, expected.values, got.values, scales.values, strict=True):
            if isinstance(param.type, ArrayType):
                problem = self._compare(want, have, own, param.type.dtype, has_values)
                if problem is not None:
                    return _describe_change(param, problem)
        if signature.returns is not None:
            want, have = np.asarray(expected.result), np.asarray(got.result)
            problem = self._compare(want, have, scales.result, signature.returns, has_values)
            if problem is not None:
                return f"the result {problem}"
        return None

    def _compare(self, expected: Any, got: Any, scale: Any, element: Element, has_values: bool) -> str | None:
        """Describe the first difference between two arrays of an element type; None where they agree."""
        if expected.nbytes <= FEW_BYTES and expected.tobytes() == got.tobytes():
            return None
        if isinstance(element, Record):
            pairs = ((f, scale if isinstance(scale, float) else scale[f.name]) for f in element.fields)
            problems = (
                (f.name, self._compare(expected[f.name], got[f.name], own, f.type, has_values)) for f, own in pairs
            )
            return next((f".{name} {problem}" for name, problem in problems if problem is not None), None)
        if element.kind == "b":  # NumPy takes all bytes but zero for equal, and users' code may not.
            expected, got = _bytes_of(expected), _bytes_of(got)
        differs = self._differs(expected, got, scale, element)
        if not differs.any():
            return None
        if not has_values:
            return "differs"
        index = tuple(int(i) for i in np.argwhere(differs)[0])
        share = f" ({int(differs.sum())} of {differs.size} elements differ)" if differs.ndim else ""
        where = f"at {list(index)} " if differs.ndim else ""
        return f"{where}is {got[index]!s}, expected {expected[index]!s}{share}"

    def _differs(self, expected: Any, got: Any, scale: Any, element: Any) -> Any:
        """Return an array of booleans, true where two arrays of a scalar type are too far apart."""
        if element.kind in "fc":
            rtol = TOLERANCES[element.name] if self.rtol is None else self.rtol
            atol = min(rtol, ROUNDINGS * EPSILON[element.name]) * np.abs(scale) if self.atol is None else self.atol
            with np.errstate(over="ignore", invalid="ignore"):
                close = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
                return ~close if element.kind == "f" else ~(close & _has_same_parts(expected, got, rtol, atol))
        if element.kind == "b" or (self.rtol is None and self.atol is None):
            return np.asarray(expected != got)
        return ~_is_close(got, expected, self.rtol or 0.0, self.atol or 0.0)


def _bytes_of(values: Any) -> Any:
    return np.ascontiguousarray(values).view(np.uint8).reshape(values.shape)


def _has_same_parts(expected: Any, got: Any, rtol: float, atol: Any) -> Any:
    """Whether complex numbers agree part by part where a part, or the magnitude, is no finite number."""
    is_plain = np.isfinite(np.abs(expected)) & np.isfinite(np.abs(got))
    pairs = ((got.real, expected.real), (got.imag, expected.imag))
    real, imaginary = (np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True) for a, b in pairs)
    return is_plain | (real & imaginary)


def _is_close(got: Any, expected: Any, rtol: float, atol: float) -> Any:
    """Whether integers agree; their difference is computed as one, because a float has not all of its bits."""
    wide = np.uint64 if got.dtype.kind == "u" else np.int64
    large, small = np.maximum(got, expected).astype(wide), np.minimum(got, expected).astype(wide)
    distance = large.astype(np.uint64) - small.astype(np.uint64)
    limit = atol + rtol * np.abs(expected.astype(np.longdouble))
    return distance.astype(np.longdouble) <= limit


def _describe_change(param: Param, problem: str) -> str:
    name = param.name
    return f"{name!r} was changed, though it is const: {problem}" if param.mode is Mode.IN else f"{name!r} {problem}"


def poison_outputs(signature: Signature, values: Sequence[Any], seed: Sequence[int]) -> None:
    """Fill pure output buffers with noise, the same for reference and candidate.

    A candidate that writes nothing must not find yesterday's right answer in a buffer, and one that leaves out what the
    reference leaves out must not be blamed. A buffer that overlaps another argument is an input too, and stays.
    """
    rng = np.random.default_rng([*seed, 7])
    for param, value in zip(signature.params, values, strict=True):
        others = (other for other in values if other is not value)
        if param.mode is Mode.OUT and not any(np.may_share_memory(value, other) for other in others):
            _fill_with_noise(value, rng)


def _fill_with_noise(values: Any, rng: np.random.Generator) -> None:
    if values.dtype.names:
        for name in values.dtype.names:
            _fill_with_noise(values[name], rng)
    else:
        values[...] = rng.integers(0, 2 if values.dtype == bool else 100, values.shape).astype(values.dtype)
