"""Call native code with arguments prepared once, and measure it where no Python is in the way.

In: a signature, entry addresses, NumPy arguments. Out: results, buffers and nanoseconds a call. The loop around the
call is C, generated from the signature and compiled like a candidate; the entry is called through a pointer, so that
reference and candidate pay the same for the call. Time is the thread's CPU time: on a busy machine, waiting for a core
is nobody's merit.
"""

from __future__ import annotations

import ctypes
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import compile_unit
from symbiont_jit.backend.unit import Unit
from symbiont_jit.isolate.guard_pages import KEPT_BYTES, GuardedArrays, RedZone
from symbiont_jit.runtime.sources import include
from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, Signature, native_entry

__all__ = ["Arguments", "Harness"]

#: The shortest stretch that is worth reading the clock for, and the most copies of changed buffers it may take.
BATCH_NS: Final = 200_000
MAX_SETS: Final = 256
MAX_SET_BYTES: Final = 1 << 20

_ENTRY: Final = "sj_measure"


@dataclass(frozen=True, slots=True)
class Arguments:
    """One call's arguments in native form.

    `slots` points at every value, `keep` owns what is pointed at, `red_zones` has for each guarded array the
    parameter's name and the bytes beside the array.
    """

    values: tuple[Any, ...]
    slots: Any
    keep: tuple[Any, ...]
    red_zones: tuple[tuple[str, RedZone], ...] = ()

    def find_trespass(self) -> str | None:
        """The name of a parameter beside whose array a call has written; None where there is none."""
        return next((name for name, zone in self.red_zones if zone.was_written()), None)


class Harness:
    """Calls and measures entries of one signature."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self._dtypes = [_dtype(p) for p in signature.params]
        self._guarded = GuardedArrays()
        self._latest: dict[bool, tuple[tuple[tuple[int, ...], ...], Arguments]] = {}
        code = compile_unit(Unit(_harness_source(signature), (_ENTRY,), frozenset({"clock_gettime"})))
        self._loaded: Loaded = load(code)
        prototype = ctypes.CFUNCTYPE(
            ctypes.c_int64, ctypes.c_uint64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p
        )
        self._measure = prototype(self._loaded.addresses[0])
        self._changes_input = any(p.mode is Mode.INOUT for p in signature.params)

    def prepare(self, values: Sequence[Any]) -> Arguments:
        """Copy a call's arguments into native form; `values` has one value for each parameter."""
        return self._arguments([_native_value(p, v) for p, v in zip(self.signature.params, values, strict=True)])

    def prepare_guarded(self, values: Sequence[Any], at_end: bool = True) -> Arguments:
        """Copy a call's arguments into native form, with arrays that touch an inaccessible page.

        They are good for one call: the arguments of the next one may lie where these are.

        Args:
            values: One value for each parameter.
            at_end: Whether it is the arrays' ends that touch the page, or their beginnings.
        """
        shapes = tuple(map(np.shape, values))
        known = self._latest.get(at_end)
        if known is None or known[0] != shapes:
            known = shapes, self._allocate_guarded(shapes, at_end)
            self._latest[at_end] = known
            if sum(v.nbytes for v in known[1].values) > KEPT_BYTES:
                del self._latest[at_end]
        for mine, value in zip(known[1].values, values, strict=True):
            mine[...] = value
        return known[1]

    def _allocate_guarded(self, shapes: Sequence[tuple[int, ...]], at_end: bool) -> Arguments:
        """Make arguments of these shapes, whose values are still to be set."""
        arrays, red_zones = [], []
        for param, dtype, shape in zip(self.signature.params, self._dtypes, shapes, strict=True):
            placed = (
                self._guarded.array(param.name, dtype, shape, at_end) if isinstance(param.type, ArrayType) else None
            )
            arrays.append(np.empty(shape, dtype) if placed is None else placed[0])
            if placed is not None:
                red_zones.append((param.name, placed[1]))
        return self._arguments(arrays, tuple(red_zones))

    def _arguments(self, copied: Sequence[Any], red_zones: tuple[tuple[str, RedZone], ...] = ()) -> Arguments:
        lengths: dict[str, int] = {}
        for param, value in zip(self.signature.params, copied, strict=True):
            if isinstance(param.type, ArrayType):
                lengths |= {d: n for d, n in zip(param.type.dims, value.shape, strict=False) if isinstance(d, str)}
        cells = np.array([lengths[d] for d in self.signature.dimensions], dtype=np.int64)
        first = cells.ctypes.data
        pointers = [*range(first, first + cells.nbytes, cells.itemsize), *(v.ctypes.data for v in copied)]
        slots = np.array(pointers, dtype=np.uint64)
        return Arguments(tuple(copied), slots, (cells, copied), red_zones)

    def call(self, entry: int, arguments: Arguments) -> Any:
        """Call an entry once.

        Args:
            entry: The address of native code with this signature's C entry.
            arguments: The arguments in native form; their buffers are left as the call leaves them.

        Returns:
            What the call returned, as a NumPy scalar; None for nothing.
        """
        returns = self.signature.returns
        result = np.zeros(1, dtype=returns.dtype if returns else np.int64)
        self._run(entry, 1, 1, arguments.slots, result)
        return result[0] if returns else None

    def _run(self, entry: int, calls: int, sets: int, slots: Any, result: Any) -> int:
        return int(self._measure(entry, calls, sets, slots.ctypes.data, result.ctypes.data))

    def stopwatch(self, cases: Sequence[Sequence[Any]]) -> Stopwatch:
        """Make a stopwatch that times entries on these tuples of arguments again and again, all equally often."""
        size = sum(v.nbytes for case in cases for v in self.prepare(case).values if isinstance(v, np.ndarray))
        repeats = max(1, min(MAX_SETS // len(cases), MAX_SET_BYTES // max(size, 1))) if self._changes_input else 1
        return Stopwatch(self, list(cases) * repeats)


class Stopwatch:
    """Times an entry on fixed arguments; buffers that a call changes are restored outside the measured time."""

    def __init__(self, harness: Harness, cases: Sequence[Sequence[Any]]) -> None:
        self._harness = harness
        self._cases = cases
        self._sets = [harness.prepare(case) for case in cases]
        slots = [s.slots for s in self._sets]
        self._slots = np.concatenate(slots) if slots[0].size else np.zeros(1, np.uint64)
        self._restored = [i for i, p in enumerate(harness.signature.params) if p.mode is Mode.INOUT]
        returns = harness.signature.returns
        self._result = np.zeros(1, dtype=returns.dtype if returns else np.int64)

    def batch(self, entry: int, calls: int) -> float:
        """Measure an entry.

        Args:
            entry: The address of native code with the signature's C entry.
            calls: How many calls are made, best a multiple of the number of cases.

        Returns:
            Nanoseconds of CPU time a call.
        """
        sets = len(self._sets)
        if not self._restored:
            return self._harness._run(entry, calls, sets, self._slots, self._result) / calls
        total, done = 0, 0
        while done < calls:
            now = min(sets, calls - done)
            self._restore(now)
            total += self._harness._run(entry, now, sets, self._slots, self._result)
            done += now
        return total / calls

    def _restore(self, count: int) -> None:
        for arguments, case in zip(self._sets[:count], self._cases, strict=False):
            for i in self._restored:
                np.copyto(arguments.values[i], case[i])

    def calibrate(self, entry: int) -> int:
        """Find how many calls fill one batch of `BATCH_NS`, each case equally often, after calls that warm up."""
        rounds, sets = 1, len(self._sets)
        self.batch(entry, sets)
        while rounds < 1 << 24:
            spent = self.batch(entry, rounds * sets) * rounds * sets
            if spent >= BATCH_NS:
                break
            rounds = max(rounds * 2, min(rounds * 64, int(rounds * BATCH_NS / max(spent, 1))))
        return rounds * sets


def median(values: Sequence[float]) -> float:
    """The median of some values; 0 where there are none."""
    return statistics.median(values) if values else 0.0


def _native_value(param: Param, value: Any) -> Any:
    return np.array(value, dtype=_dtype(param), order="C", copy=True, ndmin=0)


def _dtype(param: Param) -> Any:
    return param.type.dtype if isinstance(param.type, Scalar) else param.type.dtype.dtype


def _harness_source(signature: Signature) -> str:
    """`sj_measure(entry, calls, sets, slots, result)`: nanoseconds for `calls` calls over `sets` argument sets."""
    entry = native_entry(signature)
    given = entry.types[:-1] if entry.has_result_pointer else entry.types
    loads = "".join(f"    {t} const a{i} = {_load(t, i)};\n" for i, t in enumerate(given))
    passed = [f"a{i}" for i in range(len(given))]
    if entry.has_result_pointer:
        passed.append("result")
    call = f"entry({', '.join(passed)});"
    store = call if entry.returns == "void" else f"*(({entry.returns} *)result) = {call}"
    pointer = entry.c_pointer
    head = f"{include('evaluate/timing.h')}{signature.c_structs}int64_t {_ENTRY}"
    return f"""{head}(uint64_t address, int64_t calls, int64_t sets, const uint64_t *slots, void *result)
{{
  {pointer.format("const entry")} = ({pointer.format("")})address;
  int64_t set = 0;
  const struct sj_timespec start = sj_cpu_time();
  for (int64_t i = 0; i < calls; i++) {{
    const uint64_t *slot = slots + set * {len(given)};
    set = set + 1 == sets ? 0 : set + 1;
{loads}    {store}
  }}
  return sj_nanoseconds(start, sj_cpu_time());
}}
"""


def _load(c_type: str, index: int) -> str:
    return f"({c_type})slot[{index}]" if c_type.endswith("*") else f"*(const {c_type} *)slot[{index}]"
