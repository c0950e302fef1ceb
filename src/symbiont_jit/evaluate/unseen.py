"""Whether a candidate works for its answers each time, also where it may keep something from call to call.

In: a candidate's code without checks, and with them. Out: a stale answer that it gave, in words, and how much slower it
is on arguments that it sees for the first time.

Code without checks can write beside its blocks and below its stack, and so keep answers; it can also tell that it is
the code without checks, because a compiler places variables otherwise. Nobody can look into every place where an answer
may be kept. But an answer that is kept is that of arguments that were seen: it is no help for new ones, and wrong for
others that look like them.

Whether it is wrong for others is decided by the same text with its checks, which can keep nothing: the arguments may be
any, also such as nobody declared, because both compute the same of them. They change in the middle of a batch of calls
that is otherwise like those that are timed, so that nobody can tell the one from the others. Whether it is no help is a
question of time: calls on arguments that are seen for the first time are compared with those that the score rests on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.evaluate.agreement import Outcome
from symbiont_jit.evaluate.cases import Case
from symbiont_jit.evaluate.checker import Checker
from symbiont_jit.evaluate.scale import move_noticeably
from symbiont_jit.evaluate.timing import Stopwatch, median
from symbiont_jit.isolate.child import run_clock
from symbiont_jit.signature import ArrayType, Mode

__all__ = ["Doubt", "Suspect", "look_closer"]

#: How often arguments are changed under a candidate.
TRIALS: Final = 8
#: How many sweeps there are at first, and before anything is said of a candidate.
SWEEPS, MORE_SWEEPS = 3, 9
#: The seconds after which nothing more is tried: what is slow to draw is seldom fast to keep.
SECONDS: Final = 0.3
#: How much slower a candidate may be on new arguments before that counts, and by how many nanoseconds a call besides:
#: a processor has to find memory again, which is no fault of the candidate's. What it learns of branches counts.
TOLERATED: Final = 1.2
LEARNT_NS: Final = 40.0
#: Calls that take so many nanoseconds need no comparison with the reference.
LONG_NS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Suspect:
    """The addresses of a candidate's code without checks and with them, and its time and the reference's in its score.

    Times are nanoseconds a call.
    """

    entry: int
    checked: int
    ns: float
    reference_ns: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a closer look at a candidate has found.

    `problem` is what is wrong with it, None for nothing; `loss` is how many times slower it is on arguments that it
    sees for the first time, as far as the reference is not, and 1 for not by much.
    """

    problem: str | None = None
    loss: float = 1.0


def look_closer(checker: Checker, suspect: Suspect, seed: Sequence[int]) -> Doubt:
    """Look whether a candidate keeps answers from call to call.

    Args:
        checker: What has the cases that are timed.
        suspect: The candidate.
        seed: What is drawn with; no candidate knows it.
    """
    until = time.perf_counter() + SECONDS
    problem = _find_stale_answer(checker, suspect, seed, until)
    numbers, losses = _list_distinct(checker), list[float]()
    for wanted in (SWEEPS, MORE_SWEEPS):
        while problem is None and len(losses) < wanted and not (losses and time.perf_counter() > until):
            cases = _draw_unseen(checker, suspect, numbers, [*seed, 0x0FF, len(losses)], until)
            loss, problem = _measure_loss(checker, suspect, cases)
            losses.append(loss)
        if problem is not None or median(losses) < TOLERATED:
            return Doubt(problem)
    return Doubt(None, median(losses))


# -- stale answers ----------------------------------------------------------------------------------------------------


def _find_stale_answer(checker: Checker, suspect: Suspect, seed: Sequence[int], until: float) -> str | None:
    """Describe an answer that was that of other arguments, which had been at the same addresses before.

    An answer is stale where it is that of the arguments before, within rounding, and the same text with checks gives
    another one.
    """
    rng = np.random.default_rng([*seed, 0x57A1E])
    watch, known = checker.timed.watch, checker.timed.known
    with run_clock():
        calls = watch.calibrate(suspect.entry)
    watch.put_back()
    for trial in range(TRIALS if any(_list_places(checker, case.given) for case in known) else 0):
        others = list(known)
        for number in rng.permutation(len(known)):
            others[number] = _exchange_case(checker, suspect, known[number], trial % 2 == 0, rng)
            if time.perf_counter() > until:
                break
        with watch.exchanging(calls, [other.given for other in others], rng.random()) as run:
            with run_clock():
                run(suspect.entry)
            is_stale = any(
                _is_stale(checker, known[call.case], others[call.case], Outcome(call.values, call.result))
                for call in watch.calls()
            )
        if is_stale:
            return "it gave the answer of other arguments, which had been at the same addresses before"
        if time.perf_counter() > until:
            break
    return None


def _exchange_case(checker: Checker, suspect: Suspect, case: Case, is_one: bool, rng: np.random.Generator) -> Case:
    """Exchange some numbers of a case; the case itself where the same text with checks does not take the others."""
    return _solve_checked(checker, suspect, _exchange(checker, case.given, is_one, rng)) or case


def _is_stale(checker: Checker, before: Case, now: Case, got: Outcome) -> bool:
    """Whether a call gave the answer for what its arguments were before, and not the one for what they are."""
    params = checker.reference.signature.params
    read = zip(params, before.expected.values, got.values, strict=True)
    # What is only read is as it is now, and says nothing of the answer.
    answer = Outcome(tuple(was if param.mode is Mode.IN else is_ for param, was, is_ in read), got.result)
    return checker.differs_plainly(now.expected, got) and not checker.differs_plainly(before.expected, answer)


def _list_places(checker: Checker, given: Sequence[Any]) -> list[int]:
    """List the arrays among arguments that are read and have more than one element of a plain type."""
    return [
        index
        for index, param in enumerate(checker.reference.signature.params)
        if isinstance(param.type, ArrayType) and param.mode is not Mode.OUT
        if param.type.dtype.kind in "fciub" and np.size(given[index]) > 1
    ]


def _exchange(checker: Checker, given: Sequence[Any], is_one: bool, rng: np.random.Generator) -> tuple[Any, ...]:
    """Exchange one element, or about half of them, for others of the same array; floating ones are scaled besides."""
    changed = list(given)
    for index in _list_places(checker, given):
        value = np.asarray(given[index])
        others = rng.permuted(value.ravel()).reshape(value.shape)
        if value.dtype.kind in "fc":
            others = (others * rng.uniform(0.5, 2.0, value.shape)).astype(value.dtype)
        chosen = rng.random(value.shape) < 0.5
        if is_one:
            chosen[...] = False
            chosen[tuple(rng.integers(0, length) for length in value.shape)] = True
        changed[index] = np.where(chosen, others, value)
    return tuple(changed)


def _solve_checked(checker: Checker, suspect: Suspect, given: tuple[Any, ...]) -> Case | None:
    """Ask the same text with its checks what is right for arguments that nobody declared; None where it panics.

    It does not take such arguments then, and without checks it could do anything.
    """
    arguments = checker.harness.prepare(given)
    result = checker.harness.call(suspect.checked, arguments)
    if not checker.has_panicked():
        return Case(given, Outcome(arguments.values, result))
    checker.forget_panic()
    return None


# -- new arguments ----------------------------------------------------------------------------------------------------


def _list_distinct(checker: Checker) -> list[int]:
    """List the numbers of the cases that are timed, without those that have the arrays of an earlier one."""
    known = checker.timed.known
    return [
        number
        for number, case in enumerate(known)
        if not any(_has_same_arrays(checker, case.given, other.given) for other in known[:number])
    ]


def _draw_unseen(
    checker: Checker, suspect: Suspect, numbers: Sequence[int], seed: Sequence[int], until: float
) -> list[Case]:
    """Draw as many new cases as are timed, because that many answers may be kept; fewer where time is up.

    Of cases with the same arrays there is one: after the first of them the others are known.
    """
    drawn: list[Case] = []
    for number in numbers:
        if drawn and time.perf_counter() > until:
            break
        drawn.append(_draw_case(checker, suspect, seed, number))
    return drawn


def _draw_case(checker: Checker, suspect: Suspect, seed: Sequence[int], number: int) -> Case:
    """Draw a new case; of a list, and of arrays that are always the same, numbers are moved noticeably.

    Nobody has declared those, so what is right is what the same text says that has its checks.
    """
    if checker.draws.listed is None:
        drawn = checker.reference.solve_drawn(checker.draws, seed, number)
        if not _has_same_arrays(checker, drawn.given, checker.timed.known[0].given):
            return drawn
    case = checker.timed.known[number]
    given = checker.harness.prepare(case.given).values
    move_noticeably(given, [*seed, number])
    return _solve_checked(checker, suspect, given) or case


def _has_same_arrays(checker: Checker, one: Sequence[Any], other: Sequence[Any]) -> bool:
    places = _list_places(checker, one)
    return bool(places) and all(np.array_equal(one[i], other[i], equal_nan=False) for i in places)


def _measure_loss(checker: Checker, suspect: Suspect, cases: Sequence[Case]) -> tuple[float, str | None]:
    """Return how much slower a candidate is on new cases than in its score, as against the reference; and a problem."""
    watch = Stopwatch(checker.harness, [case.given for case in cases], most=len(cases))
    first = _time_first(watch, checker.timed.watch, suspect.entry)
    problem = checker.compare_timed(watch, cases)
    slower = max(first - LEARNT_NS, suspect.ns) / max(suspect.ns, 1e-3)
    if problem is not None or first >= LONG_NS:  # What the reference's processor learns is nothing beside that.
        return slower, problem
    reference = _time_first(watch, checker.timed.watch, checker.reference.timed_entry)
    return slower / max((reference - LEARNT_NS) / max(suspect.reference_ns, 1e-3), 1.0), None


def _time_first(watch: Stopwatch, elsewhere: Stopwatch, side: int) -> float:
    """Time one sweep, after the code has run elsewhere, and all arguments were written anew."""
    elsewhere.put_back()
    with run_clock():
        elsewhere.run_once(side)
    elsewhere.put_back()
    watch.put_back()
    with run_clock():
        return watch.batch(side, watch.cases)
