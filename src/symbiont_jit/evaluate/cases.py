"""What candidates are called with and what is expected of them: inputs, and what the reference makes of these.

In: a revision as the reference, inputs. Out: cases, and a stopwatch of those that are timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.evaluate.agreement import Outcome, poison_outputs
from symbiont_jit.evaluate.inputs import Draws
from symbiont_jit.evaluate.timing import Harness, Stopwatch
from symbiont_jit.signature import Signature

__all__ = ["Case", "Reference", "TimedCases", "as_measured"]


def as_measured(target: CompileTarget, first: Any) -> Any:
    """Return the revision of the reference that is timed: C without checks, as the candidates are."""
    if target.engine.revisions.first is None or target.engine.revisions.first.language != "c":
        return first
    return target.candidate(target.build(target.canonical(first.source)))


@dataclass(frozen=True, slots=True)
class Case:
    """One call's arguments as they are given, and what the reference's call leaves and returns."""

    given: tuple[Any, ...]
    expected: Outcome


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

    def solve(self, values: Sequence[Any], seed: Sequence[int]) -> Case:
        """Call the reference with inputs; pure output buffers are filled with noise before."""
        given = self.harness.prepare(values).values
        poison_outputs(self.signature, given, seed)
        arguments = self.harness.prepare(given)
        return Case(given, Outcome(arguments.values, self.harness.call(self.entry, arguments)))


@dataclass(frozen=True, slots=True)
class TimedCases:
    """The cases that candidates are timed on, and the stopwatch that has them."""

    known: list[Case]
    watch: Stopwatch

    @classmethod
    def draw(cls, draws: Draws, reference: Reference, seed: Sequence[int], count: int) -> TimedCases:
        """Draw so many tuples of arguments, and call the reference with each."""
        known = [reference.solve(draws.draw(seed, number), seed) for number in range(count)]
        return cls(known, reference.harness.stopwatch([case.given for case in known]))
