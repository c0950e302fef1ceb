"""Measure native code where no Python is in the way: stopwatches with arguments that lie in one stretch of memory.

In: a harness, entry addresses, NumPy arguments. Out: nanoseconds a call. What calls that are timed leave and return is
there to be compared afterwards, as of other calls. What a call may change is put back between two calls on the
same arguments, outside of the measured time.
"""

from __future__ import annotations

import contextlib
import itertools
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.evaluate.harness import Arguments, Harness
from symbiont_jit.evaluate.layout import (
    FILLING,
    GAP,
    CallLayout,
    aligned_bytes,
    copy_into,
    fill_image,
    layout_of,
    native_values,
)
from symbiont_jit.isolate.guard_pages import PAGE, map_guarded_bytes

__all__ = ["CAN_EVICT", "PlacedCall", "Stopwatch", "TimedCall", "make_stopwatch", "median"]

#: The shortest stretch that is worth reading the clock for, and the most copies of changed buffers it may take.
BATCH_NS: Final = 200_000
MAX_SETS: Final = 256
MAX_SET_BYTES: Final = 1 << 20
#: In how many ways sets of one size lie on their pages.
SPREAD: Final = 13
#: Whether the measuring loop can take memory out of the caches of this machine's processor.
CAN_EVICT: Final = platform.machine() in ("x86_64", "AMD64")


@dataclass(frozen=True, slots=True)
class TimedCall:
    """What the last timed call on a tuple of arguments left and returned; `case` is the number of the tuple."""

    case: int
    values: tuple[Any, ...]
    result: Any


@dataclass(frozen=True, slots=True, eq=False)
class PlacedCall:
    """Arguments in the stretch of memory in which calls are timed, and that memory as it was given."""

    arguments: Arguments
    given: Any
    memory: Any
    layout: CallLayout
    place: int

    def find_trespass(self) -> str | None:
        """Describe what a call wrote that is no argument of its own; None for nothing."""
        return _find_trespass(self.given, self.memory, [self.layout], [self.place])


class Stopwatch:
    """Times an entry on fixed arguments, which all lie in one stretch of memory between inaccessible pages.

    Each tuple of arguments is there several times, at other addresses, where calls change arguments: between two calls
    on the same arguments everything is put back.
    """

    def __init__(
        self, harness: Harness, cases: Sequence[Sequence[Any]], is_cold: bool = False, most: int = MAX_SETS
    ) -> None:
        self._harness = harness
        self.cases = len(cases)
        self.is_cold = is_cold
        natives = [native_values(harness.signature, case) for case in cases]
        layouts = [layout_of(harness.signature, each) for each in natives]
        size = sum(layout.size for layout in layouts)
        self.changes = any(layout.written < layout.size for layout in layouts)
        repeats = max(1, min(most // len(cases), MAX_SET_BYTES // max(size, 1))) if self.is_used_up else 1
        self._layouts = layouts * repeats
        sizes = [each.size for each in self._layouts]
        self._places = list(itertools.accumulate(map(_spread, sizes, range(len(sizes))), initial=2 * GAP))
        self._given = _fill_sets(self._layouts, natives * repeats, self._places)
        room = -(-self._given.size // PAGE) * PAGE
        self._memory = map_guarded_bytes(max(room, PAGE))[: self._given.size]
        self._memory[...] = self._given
        arguments = [harness._arguments(views) for views in self._views(self._memory)]
        self._keep = arguments
        self._slots = np.concatenate([each.slots for each in arguments]) if arguments else np.zeros(1, np.uint64)
        self._changing = np.array(list(self._changing_parts()), np.int64)
        self._results = np.zeros(len(self._layouts), harness.result_dtype)
        self._agreed: list[tuple[Any, Any]] = []
        self._cost = harness.clock_cost

    @property
    def is_used_up(self) -> bool:
        """Whether arguments are good for one call, after which they are no longer what they were, or where."""
        return self.changes or self.is_cold

    def _views(self, memory: Any) -> Iterator[tuple[Any, ...]]:
        """Yield the arguments of each set."""
        for layout, place in zip(self._layouts, self._places, strict=False):
            yield layout.views(memory[place : place + layout.size])

    def _changing_parts(self) -> Iterator[tuple[int, int, int]]:
        for layout, place in zip(self._layouts, self._places, strict=False):
            at, size = place + layout.written, layout.size - layout.written
            yield self._memory.ctypes.data + at, self._given.ctypes.data + at, size

    def batch(self, entry: int, calls: int) -> float:
        """Measure an entry.

        Args:
            entry: The address of native code with the signature's C entry.
            calls: How many calls are made at least, best a multiple of the number of cases.

        Returns:
            Nanoseconds of CPU time a call.
        """
        sets = len(self._layouts)
        times, passes = self._shape(calls)
        evicted = self._memory if self.is_cold else None
        spent = self._harness.measure(entry, (times, passes, sets), self._slots, self._changing, self._results, evicted)
        return max(spent - times * self._cost, 0) / (times * passes * sets)

    def _shape(self, calls: int) -> tuple[int, int]:
        """Return how often arguments are put back for so many calls, and how many passes over the sets follow."""
        turns = max(1, -(-calls // len(self._layouts)))
        return (turns, 1) if self.is_used_up else (1, turns)

    @contextlib.contextmanager
    def exchanging(self, calls: int, others: Sequence[Sequence[Any]], part: float) -> Iterator[Callable[[int], object]]:
        """Make ready for a batch like those of `batch`, in the middle of which arguments become others where they lie.

        Args:
            calls: How many calls are made at least; two passes in any case.
            others: For each case arguments of the same shapes, which its sets have from then on.
            part: Where in the batch that is, from 0 to 1; there is a pass before it, and one after it.

        Yields:
            What makes the batch for an entry's address. In the end all arguments are put back.
        """
        times, passes = self._shape(max(calls, 2 * len(self._layouts)))
        given, image = self._given.copy(), self._given.copy()
        natives = [native_values(self._harness.signature, values) for values in others]
        rows = []
        for number, (layout, place) in enumerate(zip(self._layouts, self._places, strict=False)):
            copy_into(image[place : place + layout.size], layout, natives[number % self.cases])
            # What is put back before each pass has to become the others, too.
            memories = (self._memory, self._given) if self.is_used_up else (self._memory,)
            rows += [(each.ctypes.data + place, image.ctypes.data + place, layout.size) for each in memories]
        at = max(1, min(times * passes - 1, int(part * times * passes)))
        counts, exchanged = (times, passes, len(self._layouts)), (at, np.array(rows, np.int64))
        arrays = (self._slots, self._changing, self._results)
        try:
            yield lambda entry: self._harness.measure(entry, counts, *arrays, exchanged=exchanged)
        finally:
            self._given[...] = given
            self.put_back()

    def run_once(self, entry: int) -> None:
        """Call an entry once on each set, at the addresses at which it is timed."""
        self._harness.measure(entry, (1, 1, len(self._layouts)), self._slots, self._changing, self._results)

    def place_at(self, values: Sequence[Any], spot: int) -> PlacedCall | None:
        """Put other arguments where those of a set lie that is timed.

        Args:
            values: One value for each parameter.
            spot: The number of the set; of one that has too little room behind it, the first one is taken.

        Returns:
            What can be called then; None where no set has room.
        """
        natives = native_values(self._harness.signature, values)
        layout = layout_of(self._harness.signature, natives)
        places = (self._places[spot % len(self._layouts)], self._places[0])
        place = next((place for place in places if place + layout.size <= self._memory.size), None)
        if place is None:
            return None
        given = self._given.copy()
        given[place : place + layout.size] = fill_image(layout, natives)
        self._memory[...] = given
        arguments = self._harness._arguments(layout.views(self._memory[place : place + layout.size]))
        return PlacedCall(arguments, given, self._memory, layout, place)

    def put_back(self) -> None:
        """Give all arguments the values again that they had at first."""
        self._memory[...] = self._given

    def prepare_turn(self) -> None:
        """Do before calls from Python what the measuring loop does before its own."""
        if self.changes:
            self.put_back()
        if self.is_cold:
            self._harness.evict(self._memory)

    def is_known(self) -> bool:
        """Whether the calls of the last batch have left and returned, bit by bit, what calls did that agreed."""
        return any(_is_same(self._memory, memory) and _is_same(self._results, r) for memory, r in self._agreed)

    def find_trespass(self) -> str | None:
        """Describe what the calls of the last batch wrote that is no argument of theirs; None for nothing."""
        return _find_trespass(self._given, self._memory, self._layouts, self._places)

    def calls(self, count: int | None = None) -> Iterator[TimedCall]:
        """Yield what the last calls on the first sets, or on all, left and returned."""
        returns = self._harness.signature.returns is not None
        for number, values in enumerate(itertools.islice(self._views(self._memory), count)):
            yield TimedCall(number % self.cases, values, self._results[number] if returns else None)

    def remember(self) -> None:
        """Take what the calls of the last batch left and returned for right from now on, bit by bit."""
        memory = self._memory.copy() if self.changes else self._given
        self._agreed = [*self._agreed[:1], (memory, self._results.copy())]

    def calibrate(self, entry: int) -> int:
        """Find how many calls fill one batch of `BATCH_NS`, each case equally often, after calls that warm up."""
        rounds, sets = 1, len(self._layouts)
        self.batch(entry, sets)
        while rounds < 1 << 24:
            spent = self.batch(entry, rounds * sets) * rounds * sets
            if spent >= BATCH_NS:
                break
            rounds = max(rounds * 2, min(rounds * 64, int(rounds * BATCH_NS / max(spent, 1))))
        return rounds * sets


def _spread(size: int, number: int) -> int:
    """Return the bytes for a set, so many more than it has that sets lie differently on their pages."""
    return size + GAP * (number % SPREAD)


def _fill_sets(layouts: Sequence[CallLayout], natives: Sequence[Sequence[Any]], places: Sequence[int]) -> Any:
    """Make the images of all sets, one behind the other."""
    given = aligned_bytes(places[-1] + GAP)
    given[...] = FILLING
    for layout, values, place in zip(layouts, natives, places, strict=False):
        copy_into(given[place : place + layout.size], layout, values)
    return given


def _find_trespass(given: Any, memory: Any, layouts: Sequence[CallLayout], places: Sequence[int]) -> str | None:
    """Describe what in memory differs from how it was given, besides what calls may write; None for nothing."""
    allowed = given.copy()
    for layout, place in zip(layouts, places, strict=False):
        for block in layout.blocks:
            if block.is_written:
                own = slice(place + block.begin, place + block.end)
                allowed[own] = memory[own]
    if _is_same(allowed, memory):
        return None
    at = int(np.argmax(allowed != memory))
    number = min(max(int(np.searchsorted(places, at, "right")) - 1, 0), len(layouts) - 1)
    near = [block for block in layouts[number].blocks if places[number] + block.begin <= at]
    inside = bool(near) and at < places[number] + near[-1].end
    name = near[-1].name if near else layouts[number].blocks[0].name
    return f"{name!r} was changed, though it is const" if inside else f"the call wrote outside of {name!r}"


def _is_same(a: Any, b: Any) -> bool:
    """Whether two arrays of one size have the same bits."""
    return a is b or np.array_equal(a.view(np.uint8), b.view(np.uint8))


def median(values: Sequence[float]) -> float:
    """Return the median of some values; 0 where there are none."""
    return statistics.median(values) if values else 0.0


def make_stopwatch(
    harness: Harness, cases: Sequence[Sequence[Any]], is_cold: bool = False, entry: int = 0
) -> Stopwatch:
    """Make a stopwatch that times entries on these tuples of arguments again and again, all equally often.

    Args:
        harness: What calls the entries.
        cases: Tuples of arguments.
        is_cold: Whether the arguments are taken out of the processor's caches before each call.
        entry: Native code that takes about as long as what is to be timed, or 0: where calls change arguments,
            there are no more copies of them than a batch of its calls needs.
    """
    if not entry:
        return Stopwatch(harness, cases, is_cold)
    few = Stopwatch(harness, cases, is_cold, len(cases))
    if not few.is_used_up:
        return few
    call = max(min(few.batch(entry, 1) for _ in range(2)), 1.0)
    most = int(2 * BATCH_NS / call)
    return few if most <= len(cases) else Stopwatch(harness, cases, is_cold, min(most, MAX_SETS))
