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
from symbiont_jit.isolate.guard_pages import KEPT_BYTES, Fences, Margin
from symbiont_jit.signature import ArrayType, Mode, Param, Scalar, Signature, native_entry

__all__ = ["Arguments", "Harness"]

#: The shortest stretch that is worth reading the clock for, and the most copies of changed buffers it may take.
BATCH_NS: Final = 200_000
MAX_SETS: Final = 256
MAX_SET_BYTES: Final = 1 << 20

_CLOCK_THREAD_CPUTIME_ID: Final = 3
_ENTRY: Final = "sj_measure"


@dataclass(frozen=True, slots=True)
class Arguments:
    """One call's arguments in native form: `slots` points at every value, `keep` owns what is pointed at.

    `margins` are by parameter the bytes beside its array, where it is fenced.
    """

    values: tuple[Any, ...]
    slots: Any
    keep: tuple[Any, ...]
    margins: tuple[tuple[str, Margin], ...] = ()

    def trespassed(self) -> str | None:
        """The parameter beside whose array something was written."""
        return next((name for name, margin in self.margins if margin.was_written()), None)


class Harness:
    """Calls and measures entries of one signature."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self._dtypes = [_dtype(p) for p in signature.params]
        self._fences = Fences()
        self._latest: dict[bool, tuple[tuple[tuple[int, ...], ...], Arguments]] = {}
        code = compile_unit(Unit(_harness_source(signature), (_ENTRY,), frozenset({"clock_gettime"})))
        self._loaded: Loaded = load(code)
        prototype = ctypes.CFUNCTYPE(
            ctypes.c_int64, ctypes.c_uint64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p
        )
        self._measure = prototype(self._loaded.addresses[0])
        self._changes_input = any(p.mode is Mode.INOUT for p in signature.params)

    def prepare(self, values: Sequence[Any]) -> Arguments:
        """Copies of a call's arguments, in native form."""
        return self._arguments([_native_value(p, v) for p, v in zip(self.signature.params, values, strict=True)])

    def prepare_fenced(self, values: Sequence[Any], at_end: bool = True) -> Arguments:
        """The same with arrays that touch an inaccessible page at their end, or at their beginning.

        Good for one call: the next one's arguments may be where these are.
        """
        shapes = tuple(map(np.shape, values))
        known = self._latest.get(at_end)
        if known is None or known[0] != shapes:
            known = shapes, self._fenced(shapes, at_end)
            self._latest[at_end] = known
            if sum(v.nbytes for v in known[1].values) > KEPT_BYTES:
                del self._latest[at_end]
        for mine, value in zip(known[1].values, values, strict=True):
            mine[...] = value
        return known[1]

    def _fenced(self, shapes: Sequence[tuple[int, ...]], at_end: bool) -> Arguments:
        """Arguments of these shapes, whose values are still to be set."""
        arrays, margins = [], []
        for param, dtype, shape in zip(self.signature.params, self._dtypes, shapes, strict=True):
            fenced = self._fences.array(param.name, dtype, shape, at_end) if isinstance(param.type, ArrayType) else None
            arrays.append(np.empty(shape, dtype) if fenced is None else fenced[0])
            if fenced is not None:
                margins.append((param.name, fenced[1]))
        return self._arguments(arrays, tuple(margins))

    def _arguments(self, copied: Sequence[Any], margins: tuple[tuple[str, Margin], ...] = ()) -> Arguments:
        lengths: dict[str, int] = {}
        for param, value in zip(self.signature.params, copied, strict=True):
            if isinstance(param.type, ArrayType):
                lengths |= {d: n for d, n in zip(param.type.dims, value.shape, strict=False) if isinstance(d, str)}
        cells = np.array([lengths[d] for d in self.signature.dimensions], dtype=np.int64)
        first = cells.ctypes.data
        pointers = [*range(first, first + cells.nbytes, cells.itemsize), *(v.ctypes.data for v in copied)]
        slots = np.array(pointers, dtype=np.uint64)
        return Arguments(tuple(copied), slots, (cells, copied), margins)

    def call(self, entry: int, arguments: Arguments) -> Any:
        """Call once; the buffers in `arguments` are what the call left, the result is returned as a NumPy scalar."""
        returns = self.signature.returns
        result = np.zeros(1, dtype=returns.dtype if returns else np.int64)
        self._run(entry, 1, 1, arguments.slots, result)
        return result[0] if returns else None

    def _run(self, entry: int, calls: int, sets: int, slots: Any, result: Any) -> int:
        return int(self._measure(entry, calls, sets, slots.ctypes.data, result.ctypes.data))

    def stopwatch(self, cases: Sequence[Sequence[Any]]) -> Stopwatch:
        """Something that times entries on these tuples of arguments again and again, all equally often."""
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
        """Nanoseconds of CPU time a call, over that many calls; best a multiple of the number of cases."""
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
        """How many calls fill one batch, each case equally often; the first calls warm up and do not count."""
        rounds, sets = 1, len(self._sets)
        self.batch(entry, sets)
        while rounds < 1 << 24:
            spent = self.batch(entry, rounds * sets) * rounds * sets
            if spent >= BATCH_NS:
                break
            rounds = max(rounds * 2, min(rounds * 64, int(rounds * BATCH_NS / max(spent, 1))))
        return rounds * sets


def median(values: Sequence[float]) -> float:
    """The median; 0 for nothing."""
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
    return f"""{signature.c_structs}struct timespec {{ int64_t tv_sec; int64_t tv_nsec; }};
extern int clock_gettime(int, struct timespec *);
int64_t {_ENTRY}(uint64_t address, int64_t calls, int64_t sets, const uint64_t *slots, void *result)
{{
  {pointer.format("const entry")} = ({pointer.format("")})address;
  struct timespec start, end;
  int64_t set = 0;
  clock_gettime({_CLOCK_THREAD_CPUTIME_ID}, &start);
  for (int64_t i = 0; i < calls; i++) {{
    const uint64_t *slot = slots + set * {len(given)};
    set = set + 1 == sets ? 0 : set + 1;
{loads}    {store}
  }}
  clock_gettime({_CLOCK_THREAD_CPUTIME_ID}, &end);
  return (end.tv_sec - start.tv_sec) * 1000000000 + (end.tv_nsec - start.tv_nsec);
}}
"""


def _load(c_type: str, index: int) -> str:
    return f"({c_type})slot[{index}]" if c_type.endswith("*") else f"*(const {c_type} *)slot[{index}]"
