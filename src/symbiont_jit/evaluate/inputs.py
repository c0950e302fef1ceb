"""The user's inputs: one tuple of arguments after the other, each checked against the signature.

In: a callable of a NumPy `Generator`, or a list of tuples. Out: tuples that fit, or `UsageError`: what does not fit is
the user's fault, whichever candidate it was drawn for.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.derive import EDGES, DerivedInputs
from symbiont_jit.isolate.permissions import describe_refusals
from symbiont_jit.signature import Signature, check_arguments, make_room

__all__ = ["Draws", "Inputs", "require_inputs"]

Inputs = Callable[[np.random.Generator], Sequence[Any]] | Sequence[Sequence[Any]]


def require_inputs(inputs: Any) -> Inputs:
    """Return inputs as they are; raise `UsageError` for anything but a callable and a list with at least one tuple."""
    if not callable(inputs) and not isinstance(inputs, Sequence):
        raise UsageError(f"inputs is a callable of a NumPy Generator or a list of argument tuples, not {inputs!r:.80}")
    if not callable(inputs) and not inputs:
        raise UsageError("inputs is an empty list; give at least one tuple of arguments")
    for number, values in enumerate(() if callable(inputs) else inputs):
        if not isinstance(values, Sequence) or isinstance(values, str | bytes):
            raise UsageError(f"inputs[{number}] is a tuple of arguments, not {values!r:.80}")
    checked: Inputs = inputs
    return checked


@dataclass(frozen=True, slots=True)
class Draws:
    """Tuples of arguments for one signature, by seed and number; the same two give the same arguments."""

    inputs: Inputs
    signature: Signature

    @property
    def listed(self) -> int | None:
        """The number of tuples where they are a list; None where they are drawn."""
        return None if callable(self.inputs) else len(self.inputs)

    def draw(self, seed: Sequence[int], number: int) -> tuple[Any, ...]:
        """Return the tuple with a number.

        Raises:
            UsageError: It does not fit the signature, or the callable raised, after it had gone well before.
        """
        if not callable(self.inputs):
            return self._require_fit(tuple(self.inputs[number % len(self.inputs)]), self.place(seed, number))
        place = self.place(seed, number)
        return self._require_fit(_as_tuple(self._call(np.random.default_rng([*seed, number]), place)), place)

    @property
    def fewest(self) -> int:
        """How many tuples are drawn in any case: every second one has lengths at the edges, where these are known."""
        return 2 * len(EDGES) if isinstance(self.inputs, DerivedInputs) else 0

    def draw_edges(self, seed: Sequence[int], number: int) -> tuple[Any, ...] | None:
        """Return arguments of lengths at the edges, where nobody has said what arguments are; else None."""
        if not isinstance(self.inputs, DerivedInputs):
            return None
        # Where there is time for few of them, each candidate has others.
        return self.inputs.at_edges(np.random.default_rng([*seed, number]), seed[-1] + number // 2)

    def first(self) -> tuple[Any, ...]:
        """Return the first tuple; what the callable raises for it is raised as it is."""
        if not callable(self.inputs):
            return self.draw([0, 0], 0)
        if not _takes_one(self.inputs):
            raise UsageError("inputs is called with a NumPy Generator: write 'lambda rng: ...'")
        return self._require_fit(_as_tuple(self.inputs(np.random.default_rng([0, 0, 0]))), _place([0, 0], 0))

    def place(self, seed: Sequence[int], number: int) -> str:
        """Spell where the tuple with a number comes from, so that the user can look at it."""
        return _place(seed, number) if self.listed is None else f"inputs[{number % self.listed}]"

    def _call(self, rng: np.random.Generator, place: str) -> Any:
        assert callable(self.inputs)
        try:
            return self.inputs(rng)
        except Exception as error:
            said = "".join(traceback.format_exception(error)[-3:]).strip()
            refused = describe_refusals(error)
            raise UsageError(f"{place} raised:\n{said}{refused and chr(10) + refused}") from error

    def _require_fit(self, values: tuple[Any, ...], place: str) -> tuple[Any, ...]:
        results = self.signature.results
        if results is not None and len(values) == len(self.signature.inputs):
            checked = check_arguments(self.signature.without_results, values)
            values = values if checked is not None else (*values, *make_room(self.signature, values))
        problem = check_arguments(self.signature, values)
        if problem is not None:
            raise UsageError(f"inputs do not fit the signature: {problem}; they are {place}")
        return values


def _place(seed: Sequence[int], number: int) -> str:
    """Spell the call that drew some arguments, so that the user can repeat it."""
    return f"inputs(np.random.default_rng({[*seed, number]}))"


def _as_tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)


def _takes_one(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with one argument, as far as Python knows."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
