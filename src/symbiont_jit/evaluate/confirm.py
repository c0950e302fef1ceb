"""The last word of a search: its finalists, side by side with what they are to be better than.

In: finalists' code, new inputs. Out: for each of them whether it still agrees, and how many times as fast it is as the
reference, as the C that the search began with, as Numba with `fastmath=True`, and as what was active before, each with
its interval. Nothing is installed because it was lucky.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.evaluate.checker import Checker, Effort
from symbiont_jit.evaluate.compare import LEAST_DIFFERENCE, Series, SideBySide, Variant
from symbiont_jit.evaluate.evaluation import Evaluation, Status
from symbiont_jit.evaluate.intervals import estimate_ratio
from symbiont_jit.evaluate.metric import MetricResult, make_wrong
from symbiont_jit.evaluate.timing import Stopwatch, median
from symbiont_jit.evaluate.unseen import Doubt, Suspect, look_closer
from symbiont_jit.isolate.child import run_clock

__all__ = [
    "ACTIVE",
    "FASTMATH",
    "FIRST_C",
    "NOISE",
    "REFERENCE",
    "SPEEDUP",
    "confirm_finalists",
    "has_same_speed",
    "is_clearly_faster",
    "is_gain",
]

#: The name of the score of how many times as fast as the reference a candidate is.
SPEEDUP: Final = "speedup"
#: What candidates are compared with, by name. The last one is the reference itself, measured once more: it says how
#: large a difference is that is none.
REFERENCE: Final = "the reference"
FIRST_C: Final = "the first C"
FASTMATH: Final = "njit(fastmath=True)"
ACTIVE: Final = "what was active"
NOISE: Final = "the reference again"

#: Seconds of turns, and the share of intervals that hold the true ratio: one of several finalists is chosen by them.
SECONDS: Final = 1.0
CONFIDENCE: Final = 0.99
LAST_CHECKS: Final = Effort(3, 500, 0.3)
#: Fewer turns than these have to be faster by this factor, because their order alone may be luck.
FEW: Final = 4
FEW_MARGIN: Final = 1.05


def is_gain(evaluation: Evaluation) -> bool:
    """Whether a finalist is faster than what was active, by more than the noise; where that was C, or the reference."""
    gains = evaluation.gains
    gain, noise = gains.get(ACTIVE) or gains.get(REFERENCE), gains.get(NOISE)
    if gain is None or noise is None or not noise.is_known or noise.low <= 0:
        return False
    return gain.low > max(noise.high, 1 / noise.low, 1 + LEAST_DIFFERENCE)


def is_clearly_faster(one: Evaluation, other: Evaluation | None) -> bool:
    """Whether each turn of a candidate was faster than each turn of another one; None stands for the reference.

    Times of both are those of their turns over the reference's. Of five turns each, one such order in 252 is luck.
    """
    ours, theirs = _ratios(one), [1.0] if other is None else _ratios(other)
    is_few = min(len(ours), FEW if other is None else len(theirs)) < FEW
    return bool(ours and theirs) and min(ours) > (FEW_MARGIN if is_few else 1.0) * max(theirs)


def has_same_speed(one: Evaluation, other: Evaluation) -> bool:
    """Whether a finalist is no slower than another one that was measured beside it, as far as their intervals tell."""
    ours, theirs = one.gains.get(REFERENCE), other.gains.get(REFERENCE)
    return ours is not None and theirs is not None and theirs.high >= ours.low


def _ratios(evaluation: Evaluation) -> list[float]:
    """Return how many times as fast as the reference a candidate was, turn by turn; the reference had more turns."""
    timings = evaluation.timings
    latest = timings.reference_ns[-len(timings.candidate_ns) :]
    return [a / max(b, 1e-3) for a, b in zip(latest, timings.candidate_ns, strict=False)]


def confirm_finalists(
    checker: Checker,
    target: CompileTarget,
    peers: Mapping[str, Any],
    entries: Sequence[tuple[int, int]],
    seed: Sequence[int],
) -> list[MetricResult]:
    """Measure finalists and their peers in turns, on new inputs, and check the finalists on many more.

    Args:
        checker: What compares results; its timed cases are new.
        target: The worker's copy of the kernel.
        peers: Handles of what finalists are compared with besides the reference, by name.
        entries: The addresses of each finalist's code without checks, and with them.
        seed: What inputs are drawn with.

    Returns:
        One result for each finalist.
    """
    handles = {REFERENCE: checker.reference.timed, **peers, **_make_fastmath(target), NOISE: checker.reference.timed}
    finalists = [Variant(f"finalist {number}", entry) for number, (entry, _) in enumerate(entries)]
    sides = (*(Variant(name, handle.entry_address) for name, handle in handles.items()), *finalists)
    turns = _FinalistTurns(checker, sides, len(handles))
    cases = tuple(case.given for case in checker.timed.known)
    side_by_side = SideBySide(checker.harness, sides, cases, checker.tolerance)
    series = side_by_side.measure(SECONDS, seed[0] % (1 << 32), turns)
    others, ours = series[: len(handles)], series[len(handles) :]
    results = []
    for number, (one, (entry, checked)) in enumerate(zip(ours, entries, strict=True), len(handles)):
        problem = turns.problems.get(number) or checker.check_drawn(entry, seed, LAST_CHECKS)
        suspect = Suspect(entry, checked, _median_of(one), _median_of(others[0]))
        doubt = Doubt(problem) if problem else look_closer(checker, suspect, seed)
        results.append(_judge(others, _slow_down(one, doubt.loss), doubt.problem))
    return results


def _median_of(series: Series) -> float:
    return median([ns for block in series.blocks for ns in block])


def _slow_down(series: Series, loss: float) -> Series:
    """Return a series as it would be on arguments that were never seen."""
    return replace(series, blocks=tuple(tuple(ns * loss for ns in block) for block in series.blocks))


def _make_fastmath(target: CompileTarget) -> dict[str, Any]:
    """Compile the reference's Python body once more, as Numba's users do who want it faster."""
    with contextlib.suppress(Exception):  # Numba raises more than its own errors.
        handle = target.make_otherwise("fastmath")
        if handle is not None and handle.entry_address:
            return {FASTMATH: handle}
    return {}


@dataclass(slots=True)
class _FinalistTurns:
    """What is done with each side: a finalist's calls are counted, and compared; a wrong one is not called again."""

    checker: Checker
    sides: Sequence[Variant]
    peers: int
    problems: dict[int, str] = field(default_factory=dict)

    def calibrate(self, watch: Stopwatch, number: int) -> int:
        """Return how many calls make a batch, after a first one that is compared."""
        self.time(watch, number, 1)
        if number in self.problems:
            return 1
        with run_clock() if number >= self.peers else contextlib.nullcontext():
            return watch.calibrate(self.sides[number].entry)

    def time(self, watch: Stopwatch, number: int, calls: int) -> float:
        """Make a batch of calls, and compare what a finalist left and returned."""
        if number < self.peers:
            return watch.batch(self.sides[number].entry, calls)
        if number in self.problems:
            return math.nan
        with run_clock():
            spent = watch.batch(self.sides[number].entry, calls)
        problem = self.checker.find_timed_difference(watch)
        if problem is not None:
            self.problems[number] = problem
        return spent


def _judge(peers: Sequence[Series], one: Series, problem: str | None) -> MetricResult:
    if problem is not None:
        return make_wrong(problem)
    gains = {peer.name: estimate_ratio(peer.blocks, one.blocks, CONFIDENCE) for peer in peers if peer.name != NOISE}
    gains[NOISE] = estimate_ratio(peers[0].blocks, peers[-1].blocks, CONFIDENCE)
    score = gains[REFERENCE].value
    times = ([ns for block in series.blocks for ns in block] for series in (peers[0], one))
    reference_ns, candidate_ns = (tuple(_thin(values)) for values in times)
    return MetricResult(
        Status.VALID,
        score,
        {SPEEDUP: score},
        reference_ns=reference_ns,
        candidate_ns=candidate_ns,
        gains=gains,
    )


def _thin(values: Sequence[float], most: int = 100) -> Sequence[float]:
    """Return at most so many of the values, evenly spread over the time."""
    return values[:: -(-len(values) // most)]
