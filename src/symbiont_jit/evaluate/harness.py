"""Call native code with arguments prepared once.

In: a signature, entry addresses, NumPy arguments. Out: results, buffers and nanoseconds. The loop around the call is C,
generated from the signature and compiled like a candidate; the entry is called through a pointer, so that reference and
candidate pay the same for the call. Time is the thread's CPU time: on a busy machine, waiting for a core is nobody's
merit.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import compile_unit
from symbiont_jit.backend.unit import Unit
from symbiont_jit.evaluate.layout import CallLayout, aligned_bytes, fill_image, layout_of, native_values
from symbiont_jit.isolate.guard_pages import KEPT_BYTES, GuardedArrays, RedZone
from symbiont_jit.runtime.sources import include
from symbiont_jit.signature import Signature, native_entry

__all__ = ["Arguments", "Harness"]

_ENTRIES: Final = ("sj_measure", "sj_clock_cost", "sj_evict_all")
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
        types = (ctypes.c_uint64, *[number] * 3, *[address] * 4, *[number] * 2, address, number)
        self._measure = ctypes.CFUNCTYPE(number, *types)(self._loaded.addresses[0])
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
        self,
        entry: int,
        counts: tuple[int, int, int],
        slots: Any,
        changing: Any,
        results: Any,
        evicted: Any = None,
        exchanged: tuple[int, Any] | None = None,
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
            exchanged: In the middle of the batch the arguments become others: before which pass of all, and like
                `changing` which memory is written from where; None for none.

        Returns:
            Nanoseconds of CPU time for all calls, with one reading of the clock each time.
        """
        arrays = (slots.ctypes.data, changing.ctypes.data, results.ctypes.data)
        memory = (None, 0) if evicted is None else (evicted.ctypes.data, evicted.nbytes)
        at, others = (-1, np.zeros((0, 3), np.int64)) if exchanged is None else exchanged
        return int(self._measure(entry, *counts, *arrays, *memory, at, others.ctypes.data, len(others)))

    def evict(self, memory: Any) -> None:
        """Take an array out of the processor's caches."""
        self._evict(memory.ctypes.data, memory.nbytes)


def _harness_source(signature: Signature) -> str:
    """Generate `sj_measure(entry, times, passes, sets, slots, changing, results, evicted, size, at, others, count)`.

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
    const uint64_t *slots, const struct sj_changing *changing, void *results, const char *evicted, int64_t size,
    int64_t at, const struct sj_changing *others, int64_t count)
{{
  {pointer.format("const entry")} = ({pointer.format("")})address;
  int64_t spent = 0;
  for (int64_t time = 0; time < times; time++) {{
    if (passes == 1 && time == at)
      sj_put_back(others, count);
    sj_put_back(changing, sets);
    sj_evict(evicted, size);
    sj_wipe_stack();
    const struct sj_timespec start = sj_cpu_time();
    for (int64_t pass = 0; pass < passes; pass++) {{
      if (passes > 1 && pass == at)
        sj_put_back(others, count);
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
