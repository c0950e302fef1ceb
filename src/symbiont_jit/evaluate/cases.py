"""What candidates are called with and what is expected of them: inputs, and what the reference makes of these.

In: a revision as the reference, inputs. Out: cases, and a stopwatch of those that are timed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.evaluate.agreement import Outcome, poison_outputs
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.inputs import Draws
from symbiont_jit.evaluate.scale import estimate_scale, largest_magnitude
from symbiont_jit.evaluate.timing import Stopwatch, make_stopwatch
from symbiont_jit.isolate.child import counted, enter_phase
from symbiont_jit.signature import Mode, Signature

#: What is done while the reference is called with arguments that nobody drew: a little beside those that were, or
#: smaller ones. Who does not come back from that is no candidate.
MOVING: Final = "calling the reference beside its arguments"
SHRINKING: Final = "looking for a smaller call that is wrong"
EXPLORATIONS: Final[tuple[str, ...]] = (MOVING, SHRINKING)
#: Squares of larger numbers would be no numbers in some types.
SQUARED: Final = 1e18

__all__ = ["EXPLORATIONS", "MOVING", "SHRINKING", "Case", "Reference", "TimedCases", "as_measured"]


def as_measured(target: CompileTarget, first: Any) -> Any:
    """Return the revision of the reference that is timed: C without checks, as the candidates are."""
    if target.engine.revisions.first is None or target.engine.revisions.first.language != "c":
        return first
    return target.candidate(target.build(target.canonical(first.source)))


@dataclass(slots=True, eq=False)
class Case:
    """One call's arguments as they are given, and what the reference's call leaves and returns.

    `scale` has the natural scale of each element once it was asked for, and `limit` the largest that it can be.
    """

    given: tuple[Any, ...]
    expected: Outcome
    scale: Outcome | None = None

    @property
    def limit(self) -> float:
        """The largest natural scale that an element can have: sums of products of two arguments."""
        largest = largest_magnitude(self.given, self.expected)
        terms = max((np.size(value) for value in self.given), default=1)
        return terms * (max(largest, largest * largest) if largest < SQUARED else largest)


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference's code, and the code of it that is timed; the handles keep it loaded."""

    handle: Any
    timed: Any
    harness: Harness
    signature: Signature

    @property
    def entry(self) -> int:
        """The address of the reference's code."""
        address: int = self.handle.entry_address
        return address

    @property
    def timed_entry(self) -> int:
        """The address of the code that is timed."""
        address: int = self.timed.entry_address
        return address

    def solve(self, values: Sequence[Any], seed: Sequence[int], is_guarded: bool = False) -> Case:
        """Call the reference with inputs; pure output buffers are filled with noise before.

        Where `is_guarded`, it does not come back from reading beyond the end of an array.
        """
        given = self.harness.prepare(values).values
        poison_outputs(self.signature, given, seed)
        arguments = self.harness.prepare_guarded(given) if is_guarded else self.harness.prepare(given)
        result = self.harness.call(self.entry, arguments)
        left = tuple(value.copy() for value in arguments.values) if is_guarded else arguments.values
        return Case(given, Outcome(left, result))

    def scale_of(self, case: Case, seed: Sequence[int]) -> Outcome:
        """Return the natural scale of each element of a case's results; it is estimated once."""

        def solve(move: Callable[[Any], None]) -> Outcome:
            """Call the reference a little beside the arguments: it may not come back from there."""
            enter_phase(MOVING)
            arguments = self.harness.prepare(case.given)
            for param, value in zip(self.signature.params, arguments.values, strict=True):
                if param.mode is not Mode.OUT:
                    move(value)
            with counted():
                return Outcome(arguments.values, self.harness.call(self.entry, arguments))

        if case.scale is None:
            case.scale = estimate_scale(solve, case.expected, case.limit, seed)
        return case.scale


@dataclass(frozen=True, slots=True)
class TimedCases:
    """The cases that candidates are timed on, and the stopwatch that has them."""

    known: list[Case]
    watch: Stopwatch

    @classmethod
    def draw(cls, draws: Draws, reference: Reference, seed: Sequence[int], count: int) -> TimedCases:
        """Draw so many tuples of arguments, and call the reference with each."""
        known = [reference.solve(draws.draw(seed, number), seed) for number in range(count)]
        cases = [case.given for case in known]
        return cls(known, make_stopwatch(reference.harness, cases, entry=reference.timed_entry))
