"""Bounds of pointers: where the object that a pointer came from begins and ends, and which objects live how long.

In: names of objects; assignments of pointers as they come. Out: `Bounds`; `Refused` where a pointer would outlive its
object. The words are those of SoftBound (Nagarakatte et al., PLDI 2009): bounds are kept beside each pointer variable,
in two shadow variables, and follow the pointer whatever happens to its address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from symbiont_jit.c.types import Refused
from symbiont_jit.instrument.nodes import UINT64, ZERO, binary, cast, name, size_of, unary

__all__ = ["NULL_BOUNDS", "Bounds", "Flow", "array_bounds", "check_lifetimes", "object_bounds", "shadow_bounds"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The beginning and end of the object behind a pointer, as expressions of numbers without side effects.

    `origin` tells objects of a function apart: bounds are equal where it, `depth` and `name` are. `depth` says how deep
    in blocks the object lives, `name` what a panic calls it.
    """

    origin: str
    low: Any = field(compare=False, repr=False)
    high: Any = field(compare=False, repr=False)
    depth: int
    name: str


NULL_BOUNDS: Final = Bounds("NULL", ZERO, ZERO, 0, "NULL")


def array_bounds(variable: str, depth: int, shown: str) -> Bounds:
    """Return the bounds of an array that has a name."""
    low = cast(UINT64, name(variable))
    return Bounds(variable, low, binary("+", low, size_of(name(variable))), depth, shown)


def object_bounds(variable: str) -> Bounds:
    """Return the bounds of a named object that is no array; it lives as long as the call."""
    low = cast(UINT64, unary("&", name(variable)))
    return Bounds(f"&{variable}", low, binary("+", low, size_of(name(variable))), 0, variable)


def shadow_bounds(low: str, high: str, depth: int, shown: str) -> Bounds:
    """Return the bounds that two variables hold."""
    return Bounds(low, name(low), name(high), depth, shown)


@dataclass(frozen=True, slots=True)
class Flow:
    """A setting of a pointer variable with bounds `own` to a value with the bounds `source`, at a node of the text."""

    variable: str
    depth: int
    own: Bounds
    source: Bounds
    node: Any


def check_lifetimes(flows: list[Flow]) -> None:
    """Refuse pointers of a function that would outlive what they point at.

    What a variable may point into is whatever was assigned to it anywhere, directly or through other variables; the
    deepest of those objects must not live deeper than the variable.
    """
    variables = {flow.own.origin for flow in flows}
    deepest = _find_deepest(flows, variables)

    def depth_of(bounds: Bounds) -> int:
        return deepest[bounds.origin] if bounds.origin in variables else bounds.depth

    # What leads to an object itself comes first, because the mistake is there.
    for flow in sorted(flows, key=lambda flow: flow.source.origin in variables):
        if depth_of(flow.source) > flow.depth:
            raise Refused(flow.node, f"'{flow.variable}' would outlive what it points at; declare it in the same block")


def _find_deepest(flows: list[Flow], variables: set[str]) -> dict[str, int]:
    """Return how deep in blocks the deepest object lives that each variable may point into."""
    deepest = dict.fromkeys(variables, 0)
    targets: dict[str, list[str]] = {}
    changed = []
    for flow in flows:
        if flow.source.origin in variables:
            targets.setdefault(flow.source.origin, []).append(flow.own.origin)
        elif flow.source.depth > deepest[flow.own.origin]:
            deepest[flow.own.origin] = flow.source.depth
            changed.append(flow.own.origin)
    while changed:
        variable = changed.pop()
        for target in targets.get(variable, ()):
            if deepest[variable] > deepest[target]:
                deepest[target] = deepest[variable]
                changed.append(target)
    return deepest
