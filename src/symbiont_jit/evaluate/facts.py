"""What somebody who writes a candidate has to know of how it is judged: on which arguments, and how exactly.

In: a metric and a kernel. Out: `TaskFacts`, data without sentences. They come from one draw, as the metric makes it.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbiont_jit.engine.target import CompileTarget
from symbiont_jit.errors import UsageError
from symbiont_jit.evaluate.agreement import TOLERANCES
from symbiont_jit.evaluate.derive import EDGES, DerivedInputs
from symbiont_jit.evaluate.inputs import Draws
from symbiont_jit.evaluate.speedup import Speedup
from symbiont_jit.signature import ArrayType, Signature

__all__ = ["TaskFacts", "find_facts"]


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """How candidates of one function are judged.

    Attributes:
        lengths: The dimensions of the arguments that are timed, by name.
        bytes: The size of the largest array of them; 0 where there is none.
        edges: Lengths that are compared besides, where nobody has said what arguments are.
        overlaps: The pairs of arrays that overlap.
        rtol: How far results may be off, relative; None where a function of the user's decides.
    """

    lengths: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    edges: tuple[int, ...] = ()
    overlaps: tuple[tuple[str, str], ...] = ()
    rtol: float | None = None


def find_facts(metric: Any, target: CompileTarget) -> TaskFacts | None:
    """Find out how a metric judges a kernel's candidates; None where nobody can say it in general."""
    signature = target.signature
    if not isinstance(metric, Speedup) or signature is None:
        return None
    inputs = DerivedInputs(signature) if metric.inputs is None else metric.inputs
    with contextlib.suppress(UsageError):
        return _describe(metric, signature, Draws(inputs, signature).first())
    return None


def _describe(metric: Speedup, signature: Signature, values: tuple[Any, ...]) -> TaskFacts:
    arrays = {
        param.name: value
        for param, value in zip(signature.params, values, strict=True)
        if isinstance(param.type, ArrayType) and isinstance(value, np.ndarray)
    }
    lengths = {
        dim: length
        for param in signature.params
        if param.name in arrays and isinstance(param.type, ArrayType)
        for dim, length in zip(param.type.dims, arrays[param.name].shape, strict=True)
        if isinstance(dim, str)
    }
    pairs = itertools.combinations(arrays, 2)
    overlaps = tuple((a, b) for a, b in pairs if np.shares_memory(arrays[a], arrays[b]))
    largest = max((value.nbytes for value in arrays.values()), default=0)
    edges = EDGES if metric.inputs is None and signature.dimensions else ()
    return TaskFacts(lengths, largest, edges, overlaps, _find_tolerance(metric, signature))


def _find_tolerance(metric: Speedup, signature: Signature) -> float | None:
    if metric.agrees is not None:
        return None
    if metric.rtol is not None:
        return float(metric.rtol)
    types = [param.type.dtype if isinstance(param.type, ArrayType) else param.type for param in signature.params]
    known = [TOLERANCES[name] for typ in types if (name := getattr(typ, "name", "")) in TOLERANCES]
    return max(known, default=0.0)
