"""Where candidates are compiled, and the compilations that are under way.

In: the text of a candidate. Out: the handle of its revision, or `CandidateError`. Lanes that propose equal candidates
share one compilation.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from symbiont_jit.signature import Signature

__all__ = ["Compilations", "CompileTarget"]


class CompileTarget(Protocol):
    """Where candidates are compiled and registered: a kernel or a group."""

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """The functions that a candidate has to define."""

    def canonical(self, source: str | bytes) -> Any:
        """Check a candidate and give its canonical form; raises `CandidateError`."""

    def object_code(self, canonical: Any, profile: str = "release") -> Any:
        """Compile a canonical form for a profile; raises `CandidateError`."""

    def expect(self, units: int, profile: str) -> None:
        """Get ready for `units` compilations at about the same time; 1 ends that."""

    def register(self, canonical: Any, code: Any, profile: str = "release", origin: str = "") -> Any:
        """Register compiled code as a revision that is not active; gives its handle."""


@dataclass(slots=True)
class Compilations:
    """Compilations by canonical text: lanes that propose equal candidates share one."""

    target: CompileTarget
    profile: str
    count: int = 0
    _under_way: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    async def revision(self, source: str, origin: str) -> Any:
        """Compile and register a candidate, or wait for the lane that does; raises `CandidateError`."""
        canonical = await asyncio.to_thread(self.target.canonical, source)
        task = self._under_way.get(canonical.text)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self._register, canonical, origin))
            self._under_way[canonical.text] = task
            self.count += 1
        return await asyncio.shield(task)

    def _register(self, canonical: Any, origin: str) -> Any:
        return self.target.register(canonical, self.target.object_code(canonical, self.profile), self.profile, origin)
