"""What candidates are called with and what is expected of them: inputs, and what the reference makes of these.

In: a revision as the reference, inputs. Out: cases, and a stopwatch of those that are timed.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.agreement import Outcome, poison_outputs
from symbiont_jit.evaluate.harness import Arguments, Harness
from symbiont_jit.evaluate.inputs import Draws
from symbiont_jit.evaluate.scale import CallToScale, largest_scale
from symbiont_jit.evaluate.timing import Stopwatch, make_stopwatch
from symbiont_jit.isolate.child import phase_of, run_clock
from symbiont_jit.signature import Signature

#: What is done while the reference is called with arguments that nobody drew: a little beside those that were, or
#: smaller ones. Where that does not come back, no candidate is to blame.
MOVING: Final = "calling the reference beside its arguments"
SHRINKING: Final = "looking for a smaller call that is wrong"
EXPLORATIONS: Final[tuple[str, ...]] = (MOVING, SHRINKING)
#: What is done with a candidate that was right.
MEASURING: Final = "measuring it"

__all__ = [
    "EXPLORATIONS",
    "MEASURING",
    "MOVING",
    "SHRINKING",
    "Case",
    "Reference",
    "ReferenceRaised",
    "TimedCases",
    "as_measured",
]


def as_measured(target: CompileTarget, first: Any) -> Any:
    """Return the revision of the reference that is timed: C without checks, as the candidates are."""
    if target.engine.revisions.first is None or target.engine.revisions.first.language != "c":
        return first
    return target.candidate(target.build(target.canonical(first.source)))


class ReferenceRaised(UsageError):  # noqa: N818  # It says what happened.
    """Raised where the reference is a Python body that raises an exception for its inputs."""


@dataclass(slots=True, eq=False)
class Case:
    """One call's arguments as they are given, and what the reference's call leaves and returns.

    `scale` has the natural scale of each element once it was asked for.
    """

    given: tuple[Any, ...]
    expected: Outcome
    scale: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference's code, and the code of it that is timed; the handles keep it loaded.

    `careful` is the reference compiled so that it raises where it leaves an array, and its address; 0 for none.
    """

    handle: Any
    timed: Any
    harness: Harness
    signature: Signature
    careful: Any | None = None
    careful_entry: int = 0

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

    def solve_carefully(self, values: Sequence[Any], seed: Sequence[int]) -> Case | None:
        """Call the reference with inputs that nobody has declared; None where it does not take them."""
        if not self.careful_entry:
            return None
        with contextlib.suppress(ReferenceRaised):
            self._call(self.careful_entry, self.harness.prepare(values))
            return self.solve(values, seed)
        return None

    def explore(self, phase: str, values: Sequence[Any], seed: Sequence[int], is_guarded: bool = False) -> Case | None:
        """Call the reference with inputs that nobody has drawn; None where it does not take them.

        It may not come back from there: then a phase says that no candidate is to blame, and the clock runs.
        """
        with contextlib.suppress(ReferenceRaised), phase_of(phase), run_clock():
            return self.solve(values, seed, is_guarded)
        return None

    def solve(self, values: Sequence[Any], seed: Sequence[int], is_guarded: bool = False) -> Case:
        """Call the reference with inputs; pure output buffers are filled with noise before.

        Where `is_guarded`, it does not come back from reading beyond the end of an array.

        Raises:
            ReferenceRaised: The reference is a Python body, and does not take these inputs.
        """
        given = self.harness.prepare(values).values
        poison_outputs(self.signature, given, seed)
        arguments = self.harness.prepare_guarded(given) if is_guarded else self.harness.prepare(given)
        result = self._call(self.entry, arguments)
        left = tuple(value.copy() for value in arguments.values) if is_guarded else arguments.values
        return Case(given, Outcome(left, result))

    def solve_drawn(self, draws: Draws, seed: Sequence[int], number: int) -> Case:
        """Draw inputs and call the reference with them.

        Raises:
            UsageError: They do not fit, or cannot be drawn, or the reference does not take them.
        """
        values = draws.draw(seed, number)
        try:
            return self.solve(values, seed)
        except ReferenceRaised as error:
            raise UsageError(f"{error}; its arguments are {draws.place(seed, number)}") from error

    def _call(self, entry: int, arguments: Arguments) -> Any:
        with _note_exceptions() as raised:
            result = self.harness.call(entry, arguments)
        if raised:
            raise ReferenceRaised(f"the reference of {self.signature.name!r} raised {raised[0]}")
        return result

    def scale_of(self, case: Case, seed: Sequence[int]) -> Outcome:
        """Return the natural scale of each element of a case's results; it is estimated once."""

        def call(arguments: Arguments) -> Any:
            """Call the reference a little beside the arguments: it may not come back from there."""
            with phase_of(MOVING), run_clock():
                return self._call(self.entry, arguments)

        if case.scale is None:
            call_of = CallToScale(self.signature, self.harness.prepare, call, case.given, case.expected)
            case.scale = call_of.estimate(seed)
        return case.scale

    def limit_of(self, case: Case) -> float:
        """Return the largest natural scale that an element of a case's results can have."""
        return largest_scale(self.signature, case.given, case.expected)


@contextlib.contextmanager
def _note_exceptions() -> Iterator[list[str]]:
    """Note what a Python body raises: where native code calls it, Numba hands that to Python's hook, and goes on."""
    noted: list[str] = []
    before, thread = sys.unraisablehook, threading.get_ident()

    def note(found: Any) -> None:
        if threading.get_ident() == thread:
            noted.append(f"{found.exc_type.__name__}: {found.exc_value}")
        else:
            before(found)

    sys.unraisablehook = note
    try:
        yield noted
    finally:
        sys.unraisablehook = before


@dataclass(frozen=True, slots=True)
class TimedCases:
    """The cases that candidates are timed on, and the stopwatch that has them."""

    known: list[Case]
    watch: Stopwatch

    @classmethod
    def draw(cls, draws: Draws, reference: Reference, seed: Sequence[int], count: int) -> TimedCases:
        """Draw so many tuples of arguments, and call the reference with each."""
        known = [reference.solve_drawn(draws, seed, number) for number in range(count)]
        cases = [case.given for case in known]
        return cls(known, make_stopwatch(reference.harness, cases, entry=reference.timed_entry))
