"""The compilations that are under way.

In: the text of a candidate. Out: the handle of its revision, or `CandidateError`. Lanes that propose equal candidates
share one compilation.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from symbiont_jit.engine.target import CompileTarget

__all__ = ["Compilations"]


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
        return self.target.register(self.target.build(canonical, self.profile), origin)
