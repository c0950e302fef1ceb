"""Whether a candidate agrees with the reference: on inputs that nobody has seen, in places of several kinds.

In: entries of native code. Out: the first difference in words, or None. What is timed is compared too, at the addresses
at which it is timed. The clock of a deadline runs only while a candidate does.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.evaluate.agreement import Agrees, Outcome, Scale, Tolerance, find_disagreement
from symbiont_jit.evaluate.cases import EXPLORATIONS, MOVING, SHRINKING, Case, Reference, TimedCases
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.inputs import Draws
from symbiont_jit.evaluate.scale import judge_by_scale
from symbiont_jit.evaluate.shrink import can_shrink, shrink, spell_call
from symbiont_jit.evaluate.timing import Stopwatch
from symbiont_jit.isolate.child import run_clock
from symbiont_jit.isolate.permissions import describe_refusals

__all__ = ["CHECKED", "Checker", "Effort"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How many drawn inputs are tried: as many as fit into `seconds`, at least `fewest` and at most `most`."""

    fewest: int
    most: int
    seconds: float


#: What a candidate is checked on.
CHECKED: Final = Effort(2, 64, 0.02)
#: On how many of them the code without checks is tried, which is tried on many more if it is a finalist.
RELEASE_CALLS: Final = 16
KEPT_CASES: Final = 6
#: The seconds in which a smaller call that is wrong is looked for.
SHRINKING_SECONDS: Final = 0.1
#: After so many candidates other inputs are timed.
REDRAWN: Final = 200
#: In how many kinds of places arrays lie where results are compared.
PLACES: Final = 3


@dataclass(slots=True)
class Checker:
    """Compares candidates of one kernel with its reference, in the process that runs them.

    `timed` are the cases that candidates are timed on, drawn with `entropy`; `is_secret` says that it was one of these
    that ran last: a finding about it must not tell what its arguments are, or the next candidate would know them.
    `agrees` is the user's own judgement, in place of the tolerance. `explorations` are the reasons for which the
    reference may be called with arguments that nobody drew, from where not every function comes back.
    """

    draws: Draws
    harness: Harness
    reference: Reference
    tolerance: Tolerance
    timed: TimedCases
    entropy: int
    agrees: Agrees | None = None
    is_secret: bool = False
    explorations: tuple[str, ...] = EXPLORATIONS
    _target: CompileTarget | None = None
    _panics: int = 0
    _wrong: Case | None = None
    _era: int = 0
    _cases: list[Case] = field(default_factory=list)
    _listed: list[Case] = field(default_factory=list)
    _drawn: list[Case] = field(default_factory=list)

    def begin(self, target: CompileTarget) -> None:
        """Begin with the next candidate: panics that were counted before are not its own."""
        self._target, self._panics, self._wrong = target, target.panic_count, None

    def renew(self, turn: int) -> bool:
        """Draw other inputs to be timed after some candidates, and say whether that was now.

        Whether a text is right on secret inputs is one bit about them. The number of the candidate comes from the
        process that starts workers, because a worker ends with a candidate's fault.
        """
        era, self._era = self._era, turn // REDRAWN
        if era == self._era or self.draws.listed is not None:
            return False
        self.draw_timed([self.entropy + self._era])  # NumPy takes [a, 1] and [a, 1, 0] for one seed.
        return True

    def draw_timed(self, seed: Sequence[int]) -> None:
        """Draw other inputs to be timed."""
        self.timed = TimedCases.draw(self.draws, self.reference, seed, len(self.timed.known))

    @property
    def may_tell_values(self) -> bool:
        """Whether a finding about what ran last may have values: a list of inputs is no secret."""
        return not self.is_secret or self.draws.listed is not None

    def has_panicked(self) -> bool:
        """Whether a call of this candidate's has panicked since the last one that was forgotten."""
        assert self._target is not None
        return self._target.panic_count != self._panics

    def forget_panic(self) -> None:
        """Take what has panicked until now for no finding."""
        assert self._target is not None
        self._panics = self._target.panic_count

    def differs_plainly(self, expected: Outcome, got: Outcome) -> bool:
        """Whether two calls of the same text differ by more than rounding, whatever the user's own tolerance is."""
        return Tolerance().find_difference(self.reference.signature, expected, got) is not None

    # -- what a finding says ------------------------------------------------------------------------------------------

    def explain(self, problem: str, entry: int, seed: Sequence[int]) -> tuple[str, str]:
        """Return what is wrong with checked code, and the smallest call that shows it, where that may be told."""
        case, signature = self._wrong, self.reference.signature
        if case is None or not self.may_tell_values:
            return problem, ""
        values = case.given
        if SHRINKING in self.explorations and self.agrees is None and can_shrink(signature):
            values, problem = shrink(signature, values, problem, self._judge(entry, seed))
        call = spell_call(signature, values)
        return f"{problem}; it shows in {call}" if call else problem, call

    def _judge(self, entry: int, seed: Sequence[int]) -> Callable[[Sequence[Any]], str | None]:
        """Return what says what is wrong with other arguments; nothing is where the call panics, or time is up."""
        end = time.perf_counter() + SHRINKING_SECONDS

        def judge(values: Sequence[Any]) -> str | None:
            if time.perf_counter() > end:
                return None
            case = self.reference.explore(SHRINKING, values, seed, is_guarded=True)
            problem = None if case is None else self._check_case(entry, case, 0)
            if not self.has_panicked():
                return problem
            self.forget_panic()
            return None

        return judge

    # -- where arrays lie as they like ----------------------------------------------------------------------------

    def find_disagreement(self, entry: int, seed: Sequence[int]) -> str | None:
        """Describe the first difference of checked code from the reference's results; None where there is none.

        A list of inputs is checked whole, and what is timed is always checked, also at the addresses at which it is
        timed. Drawn inputs are new for each candidate; where the reference is slow, some are from earlier candidates,
        whose expected results are known already.
        """
        self.is_secret = False
        problem = self.check_drawn(entry, seed)
        if problem is not None:
            return problem
        self.is_secret = True
        return self._check_known(entry) or self._check_where_timed(entry)

    def find_release_disagreement(self, entry: int) -> str | None:
        """Describe the first difference of release code on what its checked code ran on, in other places."""
        cases = enumerate(self._drawn[:RELEASE_CALLS])
        return _first(self._check_case(entry, case, number) for number, case in cases) or self._check_known(entry)

    def check_drawn(self, entry: int, seed: Sequence[int], effort: Effort = CHECKED) -> str | None:
        """Describe the first difference on drawn inputs."""
        self._drawn = []
        if self.draws.listed is not None:
            return None
        started = time.perf_counter()
        for number in range(effort.most):
            is_slow = time.perf_counter() - started > effort.seconds
            if is_slow and number >= max(effort.fewest, self.draws.fewest):
                break
            case = self._draw_edges(seed, number) or (self._pick_earlier_case(seed, number) if is_slow else None)
            if case is None:
                case = self.reference.solve_drawn(self.draws, seed, number)
                self._cases = [*self._cases[-(KEPT_CASES - 1) :], case]
            self._drawn.append(case)
            problem = self._check_case(entry, case, number + 1)
            if problem is not None:
                return problem
        return None

    def _draw_edges(self, seed: Sequence[int], number: int) -> Case | None:
        """Draw every second case with lengths at the edges, where arguments are derived and fit the reference."""
        edges = self.draws.draw_edges(seed, number) if number % 2 else None
        return None if edges is None else self.reference.solve_carefully(edges, seed)

    def _pick_earlier_case(self, seed: Sequence[int], number: int) -> Case | None:
        others = self._cases[:-1]
        return others[hash((*seed, number)) % len(others)] if others else None

    def _check_known(self, entry: int) -> str | None:
        """Describe the first difference on the inputs that are timed, and on a list of inputs."""
        known = self.timed.known
        while len(known) + len(self._listed) < (self.draws.listed or 0):
            number = len(known) + len(self._listed)
            self._listed.append(self.reference.solve_drawn(self.draws, [self.entropy], number))
        # What is timed is called where it is timed besides. Its values would tell the next candidate what to return.
        timed = (self._check_case(entry, case, i % 2, bool(self.draws.listed)) for i, case in enumerate(known))
        others = (self._check_case(entry, case, i) for i, case in enumerate(self._listed))
        return _first(itertools.chain(timed, others))

    def _check_case(self, entry: int, case: Case, turn: int, has_values: bool = True) -> str | None:
        """Describe the first difference in one case, called with arrays in one of three kinds of places, by turns.

        They end at an inaccessible page, or begin at one, or lie where arrays are timed.
        """
        placed = self.timed.watch.place_at(case.given, turn) if turn % PLACES == PLACES - 1 else None
        if placed is not None:
            with run_clock():
                result = self.harness.call(entry, placed.arguments)
            has_panicked = self.has_panicked()
            problem = self.find_difference(case, Outcome(placed.arguments.values, result)) or placed.find_trespass()
            self.timed.watch.put_back()
            return "the call panicked" if has_panicked else problem
        given = self.harness.prepare_guarded(case.given, turn % 2 == 0)
        with run_clock():
            result = self.harness.call(entry, given)
        if self.has_panicked():
            return "the call panicked"
        beside = given.find_trespass()
        if beside is not None:
            return f"the call wrote outside of {beside!r}"
        return self.find_difference(case, Outcome(given.values, result), has_values)

    # -- where arrays are timed -----------------------------------------------------------------------------------

    def _check_where_timed(self, entry: int) -> str | None:
        """Describe the first difference of one call in each of the places in which calls are timed."""
        watch = self.timed.watch
        with run_clock():
            watch.run_once(entry)
        problem = "the call panicked" if self.has_panicked() else self.find_timed_difference(watch)
        watch.put_back()
        return problem

    def find_timed_difference(self, watch: Stopwatch) -> str | None:
        """Describe the first difference of the calls that were timed last from the reference's; None for none."""
        if watch.is_known():
            return None
        problem = self.compare_timed(watch, self.timed.known) or watch.find_trespass()
        if problem is None:
            watch.remember()
            return None
        watch.put_back()
        return f"in the calls that are timed, {problem}"

    def compare_timed(self, watch: Stopwatch, cases: Sequence[Case]) -> str | None:
        """Describe the first difference of what a stopwatch has timed last from some cases, without values."""
        calls = watch.calls()
        return _first(self.find_difference(cases[c.case], Outcome(c.values, c.result), False) for c in calls)

    def find_difference(self, case: Case, got: Outcome, has_values: bool = True) -> str | None:
        """Describe the first difference in a case; what is strange at first is looked at by the scale of each element.

        That takes calls of the reference, so it is done only where it can make a difference.
        """
        problem = self._compare(case, got, has_values)
        if problem is not None:
            self._wrong = case
        return problem

    def _compare(self, case: Case, got: Outcome, has_values: bool) -> str | None:
        signature, expected = self.reference.signature, case.expected
        if self.agrees is not None:
            return self._ask_user(self.agrees, case, got, has_values)

        def find(scale: Scale) -> str | None:
            return self.tolerance.find_difference(signature, expected, got, scale, has_values)

        if self.tolerance.atol is not None or MOVING not in self.explorations:
            return find(0.0)
        reference = self.reference
        return judge_by_scale(find, lambda: reference.limit_of(case), lambda: reference.scale_of(case, [self.entropy]))

    def _ask_user(self, agrees: Agrees, case: Case, got: Outcome, has_values: bool) -> str | None:
        """Ask the user's own function; what it raises for a candidate is a finding about that candidate."""
        try:
            problem = find_disagreement(self.reference.signature, agrees, case.given, case.expected, got)
        except Exception as error:
            refused = describe_refusals(error)
            problem = f"agrees= raised {type(error).__name__}: {error}{refused and '; ' + refused}"
        if not problem:
            return None
        return problem if has_values else "the result differs"


def _first(problems: Iterator[str | None]) -> str | None:
    return next((problem for problem in problems if problem is not None), None)
