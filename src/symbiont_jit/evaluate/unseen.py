"""Whether a candidate works for its answers each time, also where it may keep something from call to call.

In: code without checks, which has run on what is timed. Out: a stale answer that it gave, in words, and how fast it is
on arguments that it has never seen.

Code without checks can write beside its blocks and below its stack, and so keep answers; it can also tell that it is
the code without checks, because a compiler places variables otherwise. Nobody can look into every place where an answer
may be kept. But an answer that is kept is that of arguments that were seen: it is wrong for others that look like them,
and no help for new ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.evaluate.agreement import Outcome, list_outputs
from symbiont_jit.evaluate.cases import MEASURING, MIXING, MOVING, Case
from symbiont_jit.evaluate.checker import Checker
from symbiont_jit.evaluate.scale import move_units
from symbiont_jit.evaluate.timing import Stopwatch, median
from symbiont_jit.isolate.child import counted, enter_phase
from symbiont_jit.signature import ArrayType, Mode

__all__ = ["Doubt", "look_closer"]

#: How often arguments are changed under a candidate, and how many calls it has seen them in before.
TRIALS: Final = 12
SEEN: Final = 3
#: A sweep over arguments takes at least so many nanoseconds, as long as they are not more than so many tuples.
SWEEP_NS: Final = 2000.0
MOST_UNSEEN: Final = 256
#: How many sweeps there are at first, and before anything is said of a candidate.
SWEEPS, MORE_SWEEPS = 3, 9
#: The seconds after which nothing more is tried: what is slow to draw is seldom fast to keep.
SECONDS: Final = 0.3
#: How much slower than what is timed a candidate may be on new arguments before that counts: what a processor learns of
#: arguments, such as the way that branches go, is no fault of the candidate's.
TOLERATED: Final = 1.3


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a closer look at a candidate has found.

    `problem` is what is wrong with it, None for nothing; `loss` is how many times slower it is on arguments that it has
    never seen than on those that are timed, 1 for not by much.
    """

    problem: str | None = None
    loss: float = 1.0


def look_closer(checker: Checker, entry: int, speedup: float, call_ns: float, seed: Sequence[int]) -> Doubt:
    """Look whether a candidate keeps answers from call to call.

    Args:
        checker: What has the cases that are timed.
        entry: The address of the candidate's code without checks.
        speedup: How many times as fast as the reference it is on those.
        call_ns: The nanoseconds of one of its calls.
        seed: What is drawn with; no candidate knows it.
    """
    until = time.perf_counter() + SECONDS
    problem = _find_stale_answer(checker, entry, seed, until)
    count = int(min(max(len(checker.timed.known), SWEEP_NS / max(call_ns, 1.0)), MOST_UNSEEN))
    ratios: list[float] = []
    for wanted in (SWEEPS, MORE_SWEEPS):
        while problem is None and len(ratios) < wanted and not (ratios and time.perf_counter() > until):
            cases = _draw_unseen(checker, [*seed, 0x0FF, len(ratios)], count, until)
            if not cases:
                return Doubt()
            ratio, problem = _measure_unseen(checker, entry, cases, len(ratios) % 2 == 0)
            ratios.append(ratio)
        loss = speedup / max(median(ratios), 1e-9)
        if problem is not None or loss < TOLERATED:
            return Doubt(problem)
    return Doubt(None, loss)


def _find_stale_answer(checker: Checker, entry: int, seed: Sequence[int], until: float) -> str | None:
    """Describe an answer that was that of other arguments, which had been at the same addresses before.

    Some numbers of the arguments are replaced by those of others between two calls. Whether the answer is right then is
    not asked, because nobody has drawn such arguments: only whether it is, bit by bit, the one before, where the
    reference's is another one.
    """
    rng = np.random.default_rng([*seed, 0x57A1E])
    for case, changed in _changed_cases(checker, seed, rng):
        expected = checker.reference.explore(MIXING, changed, seed)
        if expected is None:
            continue
        before, after = _call_before_and_after(checker, entry, case.given, expected.given)
        same = _bits(checker, before) == _bits(checker, after)
        if same and checker.find_difference(expected, after) is not None:
            return "it gave the answer of other arguments, which had been at the same addresses before"
        if time.perf_counter() > until:
            break
    return None


def _measure_unseen(checker: Checker, entry: int, cases: Sequence[Case], is_first: bool) -> tuple[float, str | None]:
    """Return how many times as fast as the reference a candidate is on new cases, and what is wrong there."""
    watch = Stopwatch(checker.harness, [case.given for case in cases], most=len(cases))
    reference, spent, problem = checker.reference.timed_entry, dict[int, float](), None
    for side in (entry, reference) if is_first else (reference, entry):
        with counted():
            checker.timed.watch.run_once(side)  # Its code is warm then.
        checker.timed.watch.put_back()
        watch.put_back()
        with counted():
            spent[side] = watch.batch(side, len(cases))
        if side == entry:
            pairs = ((cases[call.case], Outcome(call.values, call.result)) for call in watch.calls())
            found = (checker.find_difference(case, got, has_values=False) for case, got in pairs)
            problem = next((each for each in found if each is not None), None)
    return spent[reference] / max(spent[entry], 1e-3), problem


def _draw_unseen(checker: Checker, seed: Sequence[int], count: int, until: float) -> list[Case]:
    """Draw new cases, fewer where time is up; of a list, which has no new ones, numbers are moved a little."""
    drawn: list[Case] = []
    for number in range(count):
        if drawn and time.perf_counter() > until:
            break
        case = _draw_case(checker, seed, number)
        if case is None:
            return []
        drawn.append(case)
    enter_phase(MEASURING)
    return drawn


def _draw_case(checker: Checker, seed: Sequence[int], number: int) -> Case | None:
    known = checker.timed.known
    if checker.draws.listed is None:
        return checker.reference.solve_drawn(checker.draws, seed, number)
    if MOVING not in checker.explorations:
        return None
    given = checker.harness.prepare(known[number % len(known)].given).values
    move_units(given, [*seed, number])
    return checker.reference.explore(MOVING, given, seed)


def _changed_cases(
    checker: Checker, seed: Sequence[int], rng: np.random.Generator
) -> Iterator[tuple[Case, tuple[Any, ...]]]:
    """Yield cases that are timed, and the same with one number, or about half of them, from other arguments."""
    signature, known = checker.reference.signature, checker.timed.known
    places = [
        index
        for index, param in enumerate(signature.params)
        if isinstance(param.type, ArrayType) and param.mode is not Mode.OUT and param.type.dtype.kind in "fc"
    ]
    for trial in range(TRIALS if places and MIXING in checker.explorations else 0):
        case, other = known[trial % len(known)], _other(checker, seed, trial)
        changed = list(case.given)
        for index in places:
            ours, theirs = np.asarray(case.given[index]), np.asarray(other[index])
            if ours.shape == theirs.shape and ours.size:
                changed[index] = np.where(_choose(ours.shape, trial % 2 == 0, rng), theirs, ours)
        yield case, tuple(changed)


def _other(checker: Checker, seed: Sequence[int], trial: int) -> tuple[Any, ...]:
    known = checker.timed.known
    if checker.draws.listed is None:
        return checker.draws.draw([*seed, 0x0DD], trial)
    if len(known) > 1:
        return known[(trial + 1) % len(known)].given
    # One tuple has no other: the numbers are mixed with each other.
    return tuple(np.flip(value) if np.ndim(value) else value for value in known[0].given)


def _choose(shape: tuple[int, ...], is_one: bool, rng: np.random.Generator) -> Any:
    if not is_one:
        return rng.random(shape) < 0.5
    chosen = np.zeros(shape, bool)
    chosen[tuple(rng.integers(0, length) for length in shape)] = True
    return chosen


def _call_before_and_after(
    checker: Checker, entry: int, given: Sequence[Any], changed: Sequence[Any]
) -> tuple[Outcome, Outcome]:
    """Call an entry some times with arguments, then with changed ones at the same addresses."""
    arguments = checker.harness.prepare(given)
    outcomes = []
    for values in [given] * SEEN + [changed]:
        for mine, value in zip(arguments.values, values, strict=True):
            mine[...] = value
        with counted():
            result = checker.harness.call(entry, arguments)
        outcomes.append(Outcome(tuple(value.copy() for value in arguments.values), result))
    return outcomes[-2], outcomes[-1]


def _bits(checker: Checker, outcome: Outcome) -> bytes:
    return b"".join(np.asarray(part).tobytes() for part in list_outputs(checker.reference.signature, outcome))
