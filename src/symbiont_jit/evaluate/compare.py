"""Variants of one function, timed side by side on the same arguments.

In: native entries and Python callables, arguments. Out: for each variant the nanoseconds of a call, turn by turn, and
what is wrong with it. All variants take turns in random order, so that what else the machine does meets all of them
alike. From block to block the arguments lie at other addresses, because places alone can make a difference of percents.
"""

from __future__ import annotations

import functools
import math
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated, Any, Final, Protocol

import numpy as np
from pydantic import AfterValidator, FailFast

from symbiont_jit.evaluate.agreement import Outcome, Tolerance
from symbiont_jit.evaluate.harness import Arguments, Harness
from symbiont_jit.evaluate.intervals import ONE, UNKNOWN, Interval, estimate_median, estimate_ratio
from symbiont_jit.evaluate.scale import CallToScale, judge_by_scale, largest_scale
from symbiont_jit.evaluate.timing import BATCH_NS, Stopwatch, make_stopwatch
from symbiont_jit.isolate.child import enter_phase
from symbiont_jit.isolate.messages import MAX_PARTS, clean_text
from symbiont_jit.isolate.permissions import describe_refusals, forget_tries

__all__ = [
    "CheckedTurns",
    "ComparedVariant",
    "LEAST_DIFFERENCE",
    "Series",
    "SideBySide",
    "Turns",
    "Variant",
    "judge",
    "thin",
    "type_of_series",
    "variant_of_phase",
]

#: How many blocks a comparison has at most, each with arguments at new addresses; and at least, however slow it is.
BLOCKS: Final = 20
FEWEST_BLOCKS: Final = 5
#: The first block finds out how many calls fill a batch, and its times are not counted.
WARM_UP: Final = 1
#: How many times are sent to whoever asked for a comparison, who reads twice as many parts.
MOST_TIMES: Final = MAX_PARTS // 2
#: A smaller difference is none in any case: equal code at other addresses may differ by so much.
LEAST_DIFFERENCE: Final = 0.005
#: The most characters of an exception's text that are told.
MOST_WORDS: Final = 1000
_PHASE: Final = "measuring variant {}"


@dataclass(frozen=True, slots=True)
class Variant:
    """One side of a comparison: native code at the address `entry`, or a Python `function` where that is 0."""

    name: str
    entry: int = 0
    function: Callable[..., Any] | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured of one variant.

    Attributes:
        name: The variant's name.
        blocks: Nanoseconds of CPU time a call, by blocks of turns; a turn of one variant belongs to the same turn of
            the others.
        problem: What is wrong with it, in words; None for nothing.
    """

    name: str
    blocks: tuple[tuple[float, ...], ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A comparison of variants that is ready to run, here or in a forked process.

    Attributes:
        harness: Calls native code of the signature that all variants have.
        variants: The variants; what the first one gives is what the others should give.
        cases: The tuples of arguments that all variants are timed on, each equally often.
        tolerance: How far results may be from the first one's.
        is_cold: Whether the arguments are taken out of the processor's caches before each call.
    """

    harness: Harness
    variants: tuple[Variant, ...]
    cases: tuple[tuple[Any, ...], ...]
    tolerance: Tolerance
    is_cold: bool = False

    def measure_all(self, seconds: float, seed: int) -> list[Series]:
        """Check each variant once, time all of them in turns, and compare what every batch left and returned."""
        turns = CheckedTurns(self)
        series = self.measure(seconds, seed, turns)
        return [replace(one, problem=turns.problems.get(number)) for number, one in enumerate(series)]

    def measure(self, seconds: float, seed: int, turns: Turns | None = None) -> list[Series]:
        """Time all variants in turns.

        Args:
            seconds: How long to measure, in seconds of wall time; a round that is under way is finished.
            seed: What the order of turns is drawn with.
            turns: What takes a turn; by default nothing but time is looked at.

        Returns:
            A series for each variant, all with the same blocks.
        """
        rng = np.random.default_rng(seed)
        turns = turns or CheckedTurns(self)
        numbers = range(len(self.variants))
        batches: list[list[list[float]]] = [[] for _ in numbers]
        calls: list[int] = []
        started = time.perf_counter()
        block = 0
        while block < WARM_UP + FEWEST_BLOCKS or (block < WARM_UP + BLOCKS and time.perf_counter() - started < seconds):
            watch = self._stopwatch()
            calls = calls or [turns.calibrate(watch, number) for number in numbers]
            for number in numbers:
                turns.time(watch, number, min(calls[number], 2 * watch.cases))  # The new places are warmed up.
                batches[number].append([])
            until = started + seconds * (block + 1) / (WARM_UP + BLOCKS)
            while not batches[0][-1] or time.perf_counter() < until:
                for number in rng.permutation(len(self.variants)):
                    batches[number][-1].append(turns.time(watch, number, calls[number]))
            block += 1
        named = zip(self.variants, batches, strict=True)
        return [Series(v.name, tuple(map(tuple, series[WARM_UP:]))) for v, series in named]

    def _stopwatch(self) -> Stopwatch:
        return make_stopwatch(self.harness, self.cases, self.is_cold, self.variants[0].entry)


class Turns(Protocol):
    """How the variants of a comparison, which are known by their numbers, take turns."""

    def calibrate(self, watch: Stopwatch, number: int) -> int:
        """Return how many calls of a variant make a batch that is worth reading the clock for."""

    def time(self, watch: Stopwatch, number: int, calls: int) -> float:
        """Make a batch of calls of a variant; return nanoseconds a call."""


class CheckedTurns:
    """Turns after which results are compared with the first variant's; the phase says whose turn it is.

    Args:
        side_by_side: The variants, and what they are called with.
    """

    def __init__(self, side_by_side: SideBySide) -> None:
        self._all = side_by_side
        self._expected: list[Outcome] = []
        self._scales: dict[int, Outcome] = {}
        self.problems: dict[int, str] = {}

    def calibrate(self, watch: Stopwatch, number: int) -> int:
        """Return how many calls of a variant make a batch that is worth reading the clock for."""
        self.time(watch, number, 1)
        entry = self._all.variants[number].entry
        if entry:
            calls = watch.calibrate(entry)
            if number in self.problems:
                watch.put_back()
            return calls
        calls = 1
        while number not in self.problems and self.time(watch, number, calls) * calls < BATCH_NS:
            calls *= 2
        return calls

    def time(self, watch: Stopwatch, number: int, calls: int) -> float:
        """Make a batch of calls of a variant, and compare; return nanoseconds a call."""
        enter_phase(_PHASE.format(number))
        variant = self._all.variants[number]
        if variant.function is None:
            spent = watch.batch(variant.entry, calls)
            self._note(number, self._find_problem(watch))
            return spent
        if number in self.problems:
            return math.nan
        forget_tries()
        try:
            spent, results = _time_python(watch, variant.function, calls)
            self._note(number, self._find_problem(watch, results))
        except Exception as error:
            self._note(number, _describe_error(error))
            watch.put_back()
            return math.nan
        return spent

    def _note(self, number: int, problem: str | None) -> None:
        if problem is not None:
            self.problems.setdefault(number, problem)

    def _find_problem(self, watch: Stopwatch, results: Sequence[Any] | None = None) -> str | None:
        """Describe what the calls of the last batch left and returned that the first variant's did not."""
        if results is None and watch.is_known():
            return None
        calls = list(watch.calls())
        given = results if results is not None else [call.result for call in calls]
        outcomes = [Outcome(call.values, result) for call, result in zip(calls, given, strict=True)]
        if not self._expected:
            self._expected = [Outcome(_copies(one.values), one.result) for one in outcomes[: watch.cases]]
        found = (self._compare(call.case, one) for call, one in zip(calls, outcomes, strict=True))
        problem = next((each for each in found if each is not None), None) or watch.find_trespass()
        if problem is not None:
            watch.put_back()
        elif results is None:
            watch.remember()
        return problem

    def _compare(self, case: int, got: Outcome) -> str | None:
        signature, expected = self._all.harness.signature, self._expected[case]
        if np.shape(got.result) != np.shape(expected.result) or (got.result is None) != (expected.result is None):
            return f"the result is {got.result!r:.60}, expected {expected.result!r:.60}"
        find = functools.partial(self._all.tolerance.find_difference, signature, expected, got)
        limit = functools.partial(largest_scale, signature, self._all.cases[case], expected)
        return judge_by_scale(find, limit, functools.partial(self._scale_of, case))

    def _scale_of(self, case: int) -> Outcome:
        """Return the natural scale of each element of what the first variant gives; it is estimated once."""
        if case not in self._scales:
            one = self._all
            calls = CallToScale(
                one.harness.signature, one.harness.prepare, self._call_first, one.cases[case], self._expected[case]
            )
            self._scales[case] = calls.estimate([case])
        return self._scales[case]

    def _call_first(self, arguments: Arguments) -> Any:
        first = self._all.variants[0]
        if first.function is None:
            return self._all.harness.call(first.entry, arguments)
        return first.function(*_as_python(arguments.values))


def thin(series: Sequence[Series]) -> list[Series]:
    """Leave out turns, the same of all variants, where there are more than anybody needs to know."""
    shared = MOST_TIMES // max(sum(len(one.blocks) for one in series), 1)
    blocks = (tuple(block[:: -(-len(block) // max(shared, 1)) or 1] for block in one.blocks) for one in series)
    return [replace(one, blocks=few) for one, few in zip(series, blocks, strict=True)]


def type_of_series(names: Sequence[str]) -> Any:
    """Return the type of what a comparison of variants of some names says: a list of `Series` that belong together."""
    return Annotated[list[Series], FailFast(), AfterValidator(functools.partial(_require_together, names))]


def _require_together(names: Sequence[str], series: list[Series]) -> list[Series]:
    """Return what was measured of some variants, by their own names; raise `ValueError` where that cannot be."""
    if [one.name for one in series] != list(map(clean_text, names)):
        raise ValueError(f"times of {[one.name for one in series]!r:.80}")
    shapes = {tuple(map(len, one.blocks)) for one in series}
    if len(shapes) != 1 or not all(shapes) or 0 in next(iter(shapes)):
        raise ValueError("the variants have taken other turns")
    for one in series:
        if any(not 0 <= ns < math.inf and not (math.isnan(ns) and one.problem) for ns in chain(*one.blocks)):
            raise ValueError(f"{one.name!r} has a time that is none")
    return [replace(one, name=name) for one, name in zip(series, names, strict=True)]


def variant_of_phase(phase: str) -> int | None:
    """Return the number of the variant that a phase of a comparison is about; None for no phase of one."""
    words, _, number = phase.rpartition(" ")
    return int(number) if f"{words} {{}}" == _PHASE and number.isdecimal() else None


def _describe_error(error: Exception) -> str:
    """Say what a variant raised, whatever its text is, and which permission would have let it."""
    try:
        text = str(error)[:MOST_WORDS]
    except Exception:
        text = "its text cannot be made"
    refused = describe_refusals(error)
    return f"it raised {type(error).__name__}: {text}{refused and '; ' + refused}"


def _copies(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(value.copy() for value in values)


def _as_python(values: Sequence[Any]) -> list[Any]:
    """Return arguments as a Python function takes them: a scalar is a number of Python's, and no array."""
    return [value.item() if value.ndim == 0 and value.dtype.names is None else value for value in values]


def _time_python(watch: Stopwatch, function: Callable[..., Any], calls: int) -> tuple[float, list[Any]]:
    """Time calls from Python, in nanoseconds of the process's CPU time a call; NumPy may use several threads.

    The results of the last calls come with the time. It is what the system has counted of all threads: where a process
    has a limit on its processor time, as a worker has, the process's clock goes in steps of some milliseconds.
    """
    spent, made = 0.0, 0
    results: list[Any] = []
    process = os.getpid()
    while made < calls:
        watch.prepare_turn()
        arguments = [_as_python(call.values) for call in watch.calls()]
        started = _cpu_time_ns()
        results = [function(*values) for values in arguments]
        spent += _cpu_time_ns() - started
        if os.getpid() != process:  # The function has forked, and both of it would go on with the comparison.
            os._exit(0)
        made += len(arguments)
    return spent / made, results


def _cpu_time_ns() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return 1e9 * (used.ru_utime + used.ru_stime)


@dataclass(frozen=True, slots=True)
class ComparedVariant:
    """What a comparison says of one variant.

    Attributes:
        name: The variant's name.
        size: The size of the arguments, where several were measured; else None.
        ns: Nanoseconds of CPU time a call: the median and its 95 % interval.
        ratio: How many times as fast as the first variant it is, with its 95 % interval.
        verdict: `first`, `faster`, `slower`, `no difference` (none that is larger than the noise), or `problem`.
        code_bytes: The size of the machine code in bytes; None where it is not known.
        vector_bits: The width of the widest registers that the code computes with, in bits; None where it is not known.
        problem: What is wrong with the variant: it crashed, did not come back, or gave other results. Its times are
            kept where it has any.

    Example:
        >>> comparison["unrolled"].ratio.value
        1.83
    """

    name: str
    size: int | None
    ns: Interval
    ratio: Interval
    verdict: str
    code_bytes: int | None = None
    vector_bits: int | None = None
    problem: str | None = None


def judge(series: Sequence[Series], size: int | None = None) -> tuple[list[ComparedVariant], Interval]:
    """Turn times into verdicts.

    Args:
        series: The first variant's times, those of the others, and last those of the first one again, which say how
            large a difference is that is none.
        size: The size of the arguments, if there are several.

    Returns:
        What is said of each variant, and the ratio of the first one to itself.
    """
    first, *others, twin = series
    noise = estimate_ratio(first.blocks, twin.blocks)
    ends = [abs(math.log(end)) for end in (noise.low, noise.high)] if noise.is_known and noise.low > 0 else [math.inf]
    floor = max(*ends, LEAST_DIFFERENCE)
    rows = [ComparedVariant(first.name, size, estimate_median(first.blocks), ONE, "first", problem=first.problem)]
    for one in others:
        ratio = estimate_ratio(first.blocks, one.blocks) if one.blocks else UNKNOWN
        ns = estimate_median(one.blocks) if one.blocks else UNKNOWN
        verdict = "problem" if one.problem is not None else _compare_with_one(ratio, floor)
        rows.append(ComparedVariant(one.name, size, ns, ratio, verdict, problem=one.problem))
    return rows, noise


def _compare_with_one(ratio: Interval, floor: float) -> str:
    """Say which side of 1 a ratio is on, by more than the noise."""
    if ratio.is_known and ratio.low > math.exp(floor):
        return "faster"
    if ratio.is_known and 0 < ratio.high < math.exp(-floor):
        return "slower"
    return "no difference"
