"""Call native code with arguments prepared once, and measure it where no Python is in the way.

In: a signature, entry addresses, NumPy arguments. Out: results, buffers and nanoseconds a call. The loop around the
call is C, generated from the signature and compiled like a candidate; the entry is called through a pointer, so that
reference and candidate pay the same for the call. Time is the thread's CPU time: on a busy machine, waiting for a core
is nobody's merit.

Calls that are timed are calls like any others: what they leave and return is there to be compared afterwards. What a
call may change is put back between two calls on the same arguments, outside of the measured time.
"""

from __future__ import annotations

import ctypes
import itertools
import platform
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import compile_unit
from symbiont_jit.backend.unit import Unit
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
from symbiont_jit.isolate.guard_pages import KEPT_BYTES, PAGE, GuardedArrays, RedZone, map_guarded_bytes
from symbiont_jit.runtime.sources import include
from symbiont_jit.signature import Signature, native_entry

__all__ = ["CAN_EVICT", "Arguments", "Harness", "Stopwatch", "TimedCall", "median"]

#: The shortest stretch that is worth reading the clock for, and the most copies of changed buffers it may take.
BATCH_NS: Final = 200_000
MAX_SETS: Final = 256
MAX_SET_BYTES: Final = 1 << 20
#: In how many ways sets of one size lie on their pages.
SPREAD: Final = 13

_ENTRIES: Final = ("sj_measure", "sj_clock_cost", "sj_evict_all")
#: Whether the measuring loop can take memory out of the caches of this machine's processor.
CAN_EVICT: Final = platform.machine() in ("x86_64", "AMD64")
#: What the C compiler may make of loops in here, besides the clock.
_NEEDED: Final = frozenset({"clock_gettime", "memcpy", "memset"})


@dataclass(frozen=True, slots=True)
class Arguments:
    """One call's arguments in native form.

    `slots` points at every value, `keep` owns what is pointed at, `red_zones` has for each guarded block the
    parameter's name and the bytes beside it.
    """

    values: tuple[Any, ...]
    slots: Any
    keep: tuple[Any, ...]
    red_zones: tuple[tuple[str, RedZone], ...] = ()

    def find_trespass(self) -> str | None:
        """Return the name of a parameter beside whose array a call has written; None where there is none."""
        return next((name for name, zone in self.red_zones if zone.was_written()), None)


class Harness:
    """Calls and measures entries of one signature.

    Args:
        signature: The signature of the entries.
    """

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self._guarded = GuardedArrays()
        self._latest: dict[bool, tuple[CallLayout, Arguments]] = {}
        code = compile_unit(Unit(_harness_source(signature), _ENTRIES, _NEEDED))
        self._loaded: Loaded = load(code)
        number, address = ctypes.c_int64, ctypes.c_void_p
        measure = ctypes.CFUNCTYPE(number, ctypes.c_uint64, *[number] * 3, *[address] * 4, number)
        self._measure = measure(self._loaded.addresses[0])
        self._evict = ctypes.CFUNCTYPE(None, address, number)(self._loaded.addresses[2])
        self._clock_cost = ctypes.CFUNCTYPE(ctypes.c_int64)(self._loaded.addresses[1])
        returns = signature.returns
        self.result_dtype = np.dtype(returns.dtype if returns else np.int64)

    @property
    def clock_cost(self) -> int:
        """The nanoseconds between two readings of the clock, now."""
        return int(self._clock_cost())

    def prepare(self, values: Sequence[Any]) -> Arguments:
        """Copy a call's arguments into native form; `values` has one value for each parameter."""
        natives = native_values(self.signature, values)
        layout = layout_of(self.signature, natives)
        return self._arguments(layout.views(fill_image(layout, natives)))

    def prepare_guarded(self, values: Sequence[Any], at_end: bool = True) -> Arguments:
        """Copy a call's arguments into native form, with arrays that touch an inaccessible page.

        They are good for one call: the arguments of the next one may lie where these are.

        Args:
            values: One value for each parameter.
            at_end: Whether it is the arrays' ends that touch the page, or their beginnings.
        """
        natives = native_values(self.signature, values)
        layout = layout_of(self.signature, natives)
        known = self._latest.get(at_end)
        if known is None or known[0] != layout:
            known = layout, self._allocate_guarded(layout, at_end)
            self._latest[at_end] = known
            if layout.size > KEPT_BYTES:
                del self._latest[at_end]
        for mine, value in zip(known[1].values, natives, strict=True):
            mine[...] = value
        return known[1]

    def _allocate_guarded(self, layout: CallLayout, at_end: bool) -> Arguments:
        """Make arguments that lie to each other as a layout says, whose values are still to be set."""
        memories, red_zones = [], []
        for block in layout.blocks:
            size = block.end - block.begin
            placed = self._guarded.array(block.name, np.dtype(np.uint8), (size,), at_end) if block.is_array else None
            memories.append(aligned_bytes(size) if placed is None else placed[0])
            if placed is not None:
                red_zones.append((block.name, placed[1]))
        values = []
        for index, (dtype, shape) in enumerate(zip(layout.dtypes, layout.shapes, strict=True)):
            number = layout.block_of(index)
            offset = layout.offsets[index] - layout.blocks[number].begin
            values.append(np.ndarray(shape, dtype, memories[number], offset))
        return self._arguments(values, tuple(red_zones))

    def _arguments(self, values: Sequence[Any], red_zones: tuple[tuple[str, RedZone], ...] = ()) -> Arguments:
        lengths: dict[str, int] = {}
        for param, value in zip(self.signature.params, values, strict=True):
            dims = getattr(param.type, "dims", ())
            lengths |= {d: n for d, n in zip(dims, value.shape, strict=False) if isinstance(d, str)}
        cells = np.array([lengths[d] for d in self.signature.dimensions], dtype=np.int64)
        first = cells.ctypes.data
        pointers = [*range(first, first + cells.nbytes, cells.itemsize), *(v.ctypes.data for v in values)]
        slots = np.array(pointers, dtype=np.uint64)
        return Arguments(tuple(values), slots, (cells, values), red_zones)

    def call(self, entry: int, arguments: Arguments) -> Any:
        """Call an entry once.

        Args:
            entry: The address of native code with this signature's C entry.
            arguments: The arguments in native form; their buffers are left as the call leaves them.

        Returns:
            What the call returned, as a NumPy scalar; None for nothing.
        """
        result = np.zeros(1, self.result_dtype)
        self.measure(entry, (1, 1, 1), arguments.slots, np.zeros(3, np.int64), result)
        return result[0] if self.signature.returns else None

    def measure(
        self, entry: int, counts: tuple[int, int, int], slots: Any, changing: Any, results: Any, evicted: Any = None
    ) -> int:
        """Run the measuring loop.

        Args:
            entry: The address of native code with this signature's C entry.
            counts: How often what calls may change is put back, how many passes over the sets of arguments follow
                each time, and how many sets there are.
            slots: Addresses of the values of each set.
            changing: For each set the address of what calls may change, the address of how it begins, and its size.
            results: Gets what the last call on each set returned.
            evicted: Memory that is taken out of the processor's caches each time; None for none.

        Returns:
            Nanoseconds of CPU time for all calls, with one reading of the clock each time.
        """
        arrays = (slots.ctypes.data, changing.ctypes.data, results.ctypes.data)
        memory = (None, 0) if evicted is None else (evicted.ctypes.data, evicted.nbytes)
        return int(self._measure(entry, *counts, *arrays, *memory))

    def evict(self, memory: Any) -> None:
        """Take an array out of the processor's caches."""
        self._evict(memory.ctypes.data, memory.nbytes)

    def stopwatch(self, cases: Sequence[Sequence[Any]], is_cold: bool = False) -> Stopwatch:
        """Make a stopwatch that times entries on these tuples of arguments again and again, all equally often.

        Where it is cold, the arguments are taken out of the processor's caches before each call.
        """
        return Stopwatch(self, cases, is_cold)


@dataclass(frozen=True, slots=True)
class TimedCall:
    """What the last timed call on a tuple of arguments left and returned; `case` is the number of the tuple."""

    case: int
    values: tuple[Any, ...]
    result: Any


class Stopwatch:
    """Times an entry on fixed arguments, which all lie in one stretch of memory between inaccessible pages.

    Each tuple of arguments is there several times, at other addresses, where calls change arguments: between two calls
    on the same arguments everything is put back.
    """

    def __init__(self, harness: Harness, cases: Sequence[Sequence[Any]], is_cold: bool = False) -> None:
        self._harness = harness
        self.cases = len(cases)
        self.is_cold = is_cold
        natives = [native_values(harness.signature, case) for case in cases]
        layouts = [layout_of(harness.signature, each) for each in natives]
        size = sum(layout.size for layout in layouts)
        self.changes = any(layout.written < layout.size for layout in layouts)
        is_used_up = self.changes or is_cold
        repeats = max(1, min(MAX_SETS // len(cases), MAX_SET_BYTES // max(size, 1))) if is_used_up else 1
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
        turns = max(1, -(-calls // sets))
        times, passes = (turns, 1) if self.changes or self.is_cold else (1, turns)
        evicted = self._memory if self.is_cold else None
        spent = self._harness.measure(entry, (times, passes, sets), self._slots, self._changing, self._results, evicted)
        return max(spent - times * self._cost, 0) / (turns * sets)

    def run_once(self, entry: int) -> None:
        """Call an entry once on each case, at the addresses at which it is timed."""
        self._harness.measure(entry, (1, 1, self.cases), self._slots, self._changing, self._results)

    def call_at(self, entry: int, values: Sequence[Any], spot: int) -> tuple[TimedCall, str | None] | None:
        """Call an entry once with other arguments, which lie where those of a set do that is timed.

        Args:
            entry: The address of native code with the signature's C entry.
            values: One value for each parameter.
            spot: The number of the set; of one that has too little room behind it, the first one is taken.

        Returns:
            What the call left and returned, and what it wrote that is no argument of its own, in words; None where no
            set has room.
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
        views = layout.views(self._memory[place : place + layout.size])
        result = np.zeros(1, self._harness.result_dtype)
        arguments = self._harness._arguments(views)  # It owns the lengths that the slots point at.
        self._harness.measure(entry, (1, 1, 1), arguments.slots, np.zeros(3, np.int64), result)
        returned = result[0] if self._harness.signature.returns is not None else None
        return TimedCall(0, views, returned), _find_trespass(given, self._memory, [layout], [place])

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


def _harness_source(signature: Signature) -> str:
    """Generate `sj_measure(entry, times, passes, sets, slots, changing, results, evicted, size)`.

    It returns nanoseconds.
    """
    entry = native_entry(signature)
    given = entry.types[:-1] if entry.has_result_pointer else entry.types
    loads = "".join(f"        {t} const a{i} = {_load(t, i)};\n" for i, t in enumerate(given))
    passed = [f"a{i}" for i in range(len(given))]
    if entry.has_result_pointer:
        assert signature.returns is not None
        passed.append(f"(({signature.returns.c} *)results + set)")
    call = f"entry({', '.join(passed)});"
    is_given_back = entry.returns == "void"
    store = call if is_given_back else f"(({entry.returns} *)results)[set] = {call}"
    pointer = entry.c_pointer
    head = f"{include('evaluate/timing.h')}{signature.c_structs}int64_t {_ENTRIES[0]}"
    return f"""{head}(uint64_t address, int64_t times, int64_t passes, int64_t sets,
    const uint64_t *slots, const struct sj_changing *changing, void *results, const char *evicted, int64_t size)
{{
  {pointer.format("const entry")} = ({pointer.format("")})address;
  int64_t spent = 0;
  for (int64_t time = 0; time < times; time++) {{
    sj_put_back(changing, sets);
    sj_evict(evicted, size);
    sj_wipe_stack();
    const struct sj_timespec start = sj_cpu_time();
    for (int64_t pass = 0; pass < passes; pass++) {{
      for (int64_t set = 0; set < sets; set++) {{
        const uint64_t *slot = slots + set * {len(given)};
{loads}        {store}
      }}
    }}
    spent += sj_nanoseconds(start, sj_cpu_time());
  }}
  return spent;
}}

int64_t {_ENTRIES[1]}(void)
{{
  return sj_read_clock_twice();
}}

void {_ENTRIES[2]}(const char *evicted, int64_t size)
{{
  sj_evict(evicted, size);
}}
"""


def _load(c_type: str, index: int) -> str:
    return f"({c_type})slot[{index}]" if c_type.endswith("*") else f"*(const {c_type} *)slot[{index}]"
