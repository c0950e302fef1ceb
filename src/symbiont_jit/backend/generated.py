"""C of the project's own that is compiled for itself: units -> object code -> addresses.

In: units with the names that they leave open. Out: loaded code. Object code that a pickle brought is used instead of a
compiler.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Final

from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import ObjectCode, compile_unit
from symbiont_jit.backend.toolchain import describe_host
from symbiont_jit.backend.unit import Unit
from symbiont_jit.errors import ToolchainError

__all__ = ["load_generated", "load_unit", "receive_objects", "ship_objects"]

_RECEIVED: Final[dict[str, ObjectCode]] = {}


def load_unit(unit: Unit, symbols: Mapping[str, int]) -> Loaded:
    """Load a unit's code in this process, with the addresses of the names that it leaves open."""
    return load(_code_of(unit), symbols)


def load_generated(text: str, entries: Sequence[str], symbols: Mapping[str, int]) -> Loaded:
    """Compile generated C and load it, with the addresses of the names that it leaves open."""
    return load_unit(Unit(text, tuple(entries), frozenset(symbols)), symbols)


def ship_objects(units: Sequence[Unit]) -> dict[str, ObjectCode]:
    """Return the object code of units for a process that may have no compiler; empty where there is none here."""
    with contextlib.suppress(ToolchainError):
        return {_shipping_key(unit): _code_of(unit) for unit in units}
    return {}


def receive_objects(codes: Mapping[str, ObjectCode]) -> None:
    """Use object code that another process has compiled; what is for another kind of processor is never asked for."""
    _RECEIVED.update(codes)


def _code_of(unit: Unit) -> ObjectCode:
    """Return the object code that a pickle brought, else compile it now."""
    received = _RECEIVED.get(_shipping_key(unit)) if _RECEIVED else None
    return received or compile_unit(unit)


def _shipping_key(unit: Unit) -> str:
    """Return a key that asks no compiler: it is equal for equal units on the same kind of processor."""
    return unit.digest(describe_host())
