"""`compare`: variants of one function, side by side: C, kernels, revisions, functions of Numba, other callables.

In: what a person has by name, and inputs. Out: a `Comparison`. The variants run in a forked process where the system
has one, so that one which crashes or does not come back is a row of the table and no more.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from symbiont_jit.backend.elf import count_code_bytes
from symbiont_jit.dispatch.numba.from_numba import is_compiled
from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.agreement import Tolerance
from symbiont_jit.evaluate.compare import (
    ComparedVariant,
    Series,
    SideBySide,
    Variant,
    judge,
    thin,
    type_of_series,
    variant_of_phase,
)
from symbiont_jit.evaluate.harness import Harness
from symbiont_jit.evaluate.inputs import Draws, require_inputs
from symbiont_jit.evaluate.intervals import Interval
from symbiont_jit.evaluate.timing import CAN_EVICT
from symbiont_jit.isolate.permissions import PERMISSIONS
from symbiont_jit.isolate.start import choose_start
from symbiont_jit.isolate.worker import Overdue, Worker, WorkerReply
from symbiont_jit.kernel.from_python import body_and_signature
from symbiont_jit.kernel.kernel import Kernel
from symbiont_jit.kernel.profiles import require_profile
from symbiont_jit.kernel.revision import Revision
from symbiont_jit.options import is_number, require
from symbiont_jit.report.comparison import Comparison
from symbiont_jit.signature import Signature

__all__ = ["compare"]

#: How many tuples are drawn where inputs are a callable; times are those of all of them.
CASES: Final = 4
#: Seconds that a comparison may take beyond those that it measures for, at least and by the seconds.
PATIENCE: Final = (30.0, 10.0)
_TWIN: Final = "the first one again"
_ARITHMETIC: Final = "add|sub|mul|div|max|min|sqrt|and|or|xor|cmp|blend|sl|sr|fn?m(?:add|sub)"
_PACKED: Final = re.compile(rf"\bv?(?:p(?:{_ARITHMETIC})\w*|(?:{_ARITHMETIC})\w*p[sd])\s[^\n]*\bxmm", re.MULTILINE)


def compare(
    variants: Mapping[str, Any],
    inputs: Any,
    *,
    profile: str = "release",
    seconds: float = 1.0,
    sizes: Sequence[int] | None = None,
    cold: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
    permissions: Iterable[str] | None = None,
) -> Comparison:
    """Measure variants of one function side by side.

    All variants take turns in random order on the same arguments, whose addresses change from block to block. Native
    code is called in a loop in C, anything else that can be called from Python. Times are CPU time. What the first
    variant gives is what the others should give; one that differs, crashes or does not come back has a `problem`.

    Args:
        variants: By name: C text, a path of C, a kernel, a revision, a function made by `numba.njit`, or any other
            callable, such as a NumPy function. At least one of them has a signature: C, a kernel, or an annotated or
            compiled function.
        inputs: A callable of a NumPy `Generator`, and of the size where there are sizes, that returns one tuple of
            arguments; or a list of such tuples.
        profile: What C text is compiled for: `release`, `safe` or `checked`.
        seconds: How long to measure, in seconds of wall time for each size.
        sizes: Whole numbers that `inputs` is called with, one after the other.
        cold: Whether the arguments are taken out of the processor's caches before each call.
        rtol: The relative tolerance of results, as in `Speedup`.
        atol: The absolute tolerance of results, as in `Speedup`.
        seed: What inputs and the order of turns are drawn with.
        permissions: What the process in which the variants run may do besides computing, as for `Evolution`; by default
            everything where one of them is called from Python, and else nothing.

    Returns:
        The comparison, which prints as a table.

    Raises:
        UsageError: An argument is wrong, or no variant has a signature.
        CandidateError: A C text is not acceptable.

    Example:
        >>> print(sj.compare({"njit": norm, "C": Path("norm.c")}, lambda rng: (rng.random(1000),)))
    """
    _require_options(variants, inputs, seconds, sizes, seed, cold)
    made = [_make_native(name, variant, profile) for name, variant in variants.items()]
    signature = _find_signature(made)
    natives = [_bind(one, signature, profile) for one in made]
    harness, tolerance = Harness(signature), Tolerance(rtol, atol)
    has_python = any(one.side.function is not None for one in natives)
    granted = (PERMISSIONS if has_python else ()) if permissions is None else permissions
    rows: list[ComparedVariant] = []
    noises: list[Interval] = []
    for size in (None,) if sizes is None else sizes:
        drawn = inputs if size is None else _with_size(inputs, int(size))
        sides = tuple(one.side for one in natives)
        ready = SideBySide(harness, sides, _draw_cases(drawn, signature, seed), tolerance, cold)
        judged, noise = judge(_run(ready, seconds, seed, granted), size)
        rows += [one.describe_code(row) for row, one in zip(judged, natives, strict=True)]
        noises.append(noise)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Comparison(tuple(rows), tuple(noises), load)


def _require_options(variants: Any, inputs: Any, seconds: Any, sizes: Any, seed: Any, cold: bool) -> None:
    is_table = isinstance(variants, Mapping) and bool(variants)
    require(is_table, f"variants is a dictionary of names and what is to be measured, not {variants!r:.80}")
    others = [name for name in variants if not isinstance(name, str)]
    require(not others, f"the names of variants are texts, not {others!r:.80}")
    require_inputs(inputs)
    is_time = is_number(seconds) and 0 < seconds < math.inf
    require(is_time, f"seconds is a number above 0, not {seconds!r:.80}")
    require(is_number(seed, int) and seed >= 0, f"seed is a whole number from 0, not {seed!r:.80}")
    is_whole = sizes is None or (len(sizes) > 0 and all(is_number(size, int) and size >= 0 for size in sizes))
    has_sizes = is_whole and (sizes is None or callable(inputs))
    require(has_sizes, f"sizes is a list of whole numbers that inputs(rng, size) is called with, not {sizes!r:.80}")
    can_be_cold = not cold or CAN_EVICT
    require(can_be_cold, "cold=True needs a processor whose caches can be emptied from here, which is x86-64")


def _with_size(inputs: Callable[..., Any], size: int) -> Callable[[np.random.Generator], Any]:
    return lambda rng: inputs(rng, size)


def _draw_cases(inputs: Any, signature: Signature, seed: int) -> tuple[tuple[Any, ...], ...]:
    draws = Draws(require_inputs(inputs), signature)
    first = draws.first() if draws.listed is None else None
    count = CASES if draws.listed is None else draws.listed
    cases = [draws.draw([seed], number) for number in range(count)]
    is_large = first is not None and sum(getattr(value, "nbytes", 0) for value in first) > 1 << 20
    return tuple(cases[:1] if is_large else cases)


# -- from what a person has to what is timed --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Made:
    """A variant on its way: what was given, what its code belongs to, its handle, and how it is timed."""

    name: str
    given: Any
    kernel: Kernel | None = None
    handle: Revision | None = None
    side: Variant = Variant("")

    def describe_code(self, row: ComparedVariant) -> ComparedVariant:
        """Add the size of the code and the width of its vectors."""
        if self.handle is None:
            return row
        code = self.handle.object_code
        size = None if code is None else count_code_bytes(code.data)
        return replace(row, code_bytes=size, vector_bits=_find_vector_bits(self.handle.inspect_asm()))


def _make_native(name: str, given: Any, profile: str) -> _Made:
    """Compile what says by itself what its signature is; everything else waits for a signature."""
    if isinstance(given, str | bytes | Path):
        kernel = Kernel.from_c(given, profile=require_profile(profile))
        return _Made(name, given, kernel, kernel.active)
    if isinstance(given, Kernel):
        if given.active is None:
            raise UsageError(f"{name!r} is a kernel that has no body yet; swap one in first")
        return _Made(name, given, given, given.active)
    if isinstance(given, Revision):
        return _Made(name, given, None, given)
    if not callable(given):
        raise UsageError(f"{name!r} is C text, a path, a kernel, a revision or a callable, not {given!r:.80}")
    if is_compiled(given) and given.signatures:
        return _bind_body(_Made(name, given), body_and_signature(given, {})[1])
    return _Made(name, given)


def _find_signature(made: Sequence[_Made]) -> Signature:
    """Return the signature that the variants have in common."""
    known = {one.name: one.handle.signature for one in made if one.handle is not None}
    if not known:
        raise UsageError(
            "no variant says what the signature is; give C, a kernel, or an njit function that was called once"
        )
    first = next(iter(known.values()))
    for name, signature in known.items():
        if _plain_key(signature) != _plain_key(first):
            raise UsageError(f"the variants have different signatures: {first} and, of {name!r}, {signature}")
    return first


def _plain_key(signature: Signature) -> str:
    """Return what two variants must have in common; one may say of an array that it writes it, and another not."""
    return signature.shape_key.replace("mut ", "")


def _bind(one: _Made, signature: Signature, profile: str) -> _Made:
    """Say how a variant is timed."""
    if one.handle is None and is_compiled(one.given):
        one = _bind_body(one, signature)
    if one.handle is not None:
        return replace(one, side=Variant(one.name, entry=one.handle.entry_address))
    return replace(one, side=Variant(one.name, function=one.given))


def _bind_body(one: _Made, signature: Signature) -> _Made:
    """Let Numba compile a function for a signature, with the C entry that all variants have."""
    kernel = Kernel(signature, one.given)
    return replace(one, kernel=kernel, handle=kernel.active)


def _find_vector_bits(assembly: str) -> int:
    """Return the width of the widest registers that assembly computes with; 0 where it has no vectors."""
    if re.search(r"\bzmm\d", assembly):
        return 512
    if re.search(r"\bymm\d", assembly):
        return 256
    return 128 if _PACKED.search(assembly.replace("%", "")) else 0


# -- running ----------------------------------------------------------------------------------------------------------


def _run(ready: SideBySide, seconds: float, seed: int, granted: Iterable[str]) -> list[Series]:
    """Check and measure all variants and the first one again; those that end their process are left out."""
    lost: dict[str, str] = {}
    while True:
        rest = tuple(v for v in ready.variants if v.name not in lost)
        if not rest or rest[0] is not ready.variants[0]:
            first = ready.variants[0]
            raise UsageError(f"the first variant, {first.name!r}, cannot be measured: {lost[first.name]}")
        twin = replace(rest[0], name=_TWIN)
        found = _run_apart(replace(ready, variants=(*rest, twin)), seconds, seed, granted)
        if isinstance(found, list):
            by_name = {series.name: series for series in found}
            own = [by_name.get(v.name) or Series(v.name, problem=lost[v.name]) for v in ready.variants]
            return [*own, found[-1]]
        name, reason = found
        if name is None:
            raise UsageError(f"the comparison did not come back: {reason}")
        lost[name] = reason


def _run_apart(
    ready: SideBySide, seconds: float, seed: int, granted: Iterable[str]
) -> list[Series] | tuple[str | None, str]:
    """Run a comparison in a forked process; return which variant ended it, and why, where one did."""
    task = _Task(ready)
    if choose_start(None) != "fork":
        return task((seconds, seed))
    names = [variant.name for variant in ready.variants]
    worker = Worker(task, reply_type=type_of_series(names), permissions=granted)
    try:
        outcome = worker.ask((seconds, seed), PATIENCE[0] + PATIENCE[1] * seconds)
    finally:
        worker.close()
    if isinstance(outcome, WorkerReply):
        series: list[Series] = outcome.value
        return series
    reason = "it did not come back" if isinstance(outcome, Overdue) else f"it ended the process: {outcome.reason}"
    number = variant_of_phase(getattr(outcome, "phase", ""))
    name = None if number is None or number >= len(ready.variants) else ready.variants[number].name
    return (ready.variants[0].name if name == _TWIN else name), reason


@dataclass(frozen=True)
class _Task:
    """What the forked process does."""

    ready: SideBySide

    def __call__(self, request: tuple[float, int]) -> list[Series]:
        return thin(self.ready.measure_all(*request))
