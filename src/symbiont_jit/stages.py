"""How long each stage of a piece of work took, for whoever asks.

In: `with stage("clang"):` where work is done. Out: seconds by stage, inside `with timed() as seconds:`. Costs next to
nothing where nobody asks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

__all__ = ["collect_stages", "stage"]

_SECONDS: Final[ContextVar[dict[str, float] | None]] = ContextVar("symbiont_jit stages", default=None)


@contextlib.contextmanager
def collect_stages() -> Iterator[dict[str, float]]:
    """Collect the seconds of the stages inside, also of threads that got a copy of the context."""
    seconds: dict[str, float] = {}
    token = _SECONDS.set(seconds)
    try:
        yield seconds
    finally:
        _SECONDS.reset(token)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Add the time that passes inside to a stage."""
    seconds = _SECONDS.get()
    if seconds is None:
        yield
        return
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started
