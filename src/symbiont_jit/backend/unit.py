"""C of the project's own that is compiled for itself: text -> object code -> addresses.

In: generated C with the names that it leaves open. Out: loaded code. Object code that a pickle brought is used instead
of a compiler.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from symbiont_jit.backend.clang import describe_host
from symbiont_jit.backend.loader import Loaded, load
from symbiont_jit.backend.objects import ObjectCode, compile_object
from symbiont_jit.errors import ToolchainError

__all__ = ["Unit", "generated", "receive", "shipped"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Generated C that is compiled for itself; `needs` are the names that it leaves open."""

    text: str
    entries: tuple[str, ...]
    needs: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The same for the same text on the same kind of processor."""
        return hashlib.sha256("\0".join([self.text, *self.entries, describe_host()]).encode()).hexdigest()

    def code(self) -> ObjectCode:
        """Its object code: what a pickle brought, else compiled."""
        return _SHIPPED.get(self.key) or compile_object(self.text, self.entries, also_needs=self.needs)

    def load(self, symbols: Mapping[str, int]) -> Loaded:
        """Its code in this process, with the addresses of the names that it leaves open."""
        return load(self.code(), symbols)


_SHIPPED: Final[dict[str, ObjectCode]] = {}


def shipped(units: Sequence[Unit]) -> dict[str, ObjectCode]:
    """Object code of units for a process that may have no compiler; empty where there is none here either."""
    with contextlib.suppress(ToolchainError):
        return {unit.key: unit.code() for unit in units}
    return {}


def receive(codes: Mapping[str, ObjectCode]) -> None:
    """Use object code that another process has compiled; what is for another kind of processor is never asked for."""
    _SHIPPED.update(codes)


def generated(text: str, entries: Sequence[str], symbols: dict[str, int]) -> Loaded:
    """Generated C, compiled and loaded with the addresses of the names that it leaves open."""
    return Unit(text, tuple(entries), frozenset(symbols)).load(symbols)
